// Programs, libraries and processes' files; see resolve_files.h.
#include "runtime-stub/src/resolve_files.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime-stub/abi/attach_point.h"
#include "runtime-stub/src/elf_image.h"
#include "runtime-stub/src/support.h"

namespace btc::rt {
namespace {

// ld.so.cache, new format: "glibc-ld.so.cache1.1", count, size of strings, then entries; old caches hold this after a first part.
struct CacheEntry { int32_t flags; uint32_t key, value, os_version; uint64_t hwcap; };
constexpr char kCacheMagic[] = "glibc-ld.so.cache1.1";
constexpr int32_t kX8664 = 0x0300, kArchMask = 0xff00;

std::string library_from_cache(std::string_view name) {
  MappedFile file;
  if (!file.open("/etc/ld.so.cache")) return {};
  std::string_view text(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  size_t start = text.find(std::string_view(kCacheMagic, sizeof kCacheMagic - 1));
  if (start == std::string_view::npos) return {};
  Bytes cache = file.bytes().subspan(start);
  if (cache.size() < 48) return {};
  uint32_t count;
  memcpy(&count, cache.data() + 20, 4);
  std::string found;
  for (uint32_t i = 0; i < count && 48 + (uint64_t{i} + 1) * sizeof(CacheEntry) <= cache.size(); ++i) {
    CacheEntry entry;
    memcpy(&entry, cache.data() + 48 + uint64_t{i} * sizeof entry, sizeof entry);
    if ((entry.flags & kArchMask) != kX8664) continue;
    std::string_view key = ElfImage::string_at(cache, entry.key);
    if (key != name && !(key.starts_with(name) && key.substr(name.size()).starts_with(".so"))) continue;
    std::string path(ElfImage::string_at(cache, entry.value));
    if (key == name) return path;
    if (found.empty()) found = path;
  }
  return found;
}

// `root`: of a process with another file tree, or "".
void match_into(const std::string& root, const std::string& folder, const std::vector<std::string_view>& parts, size_t at, std::vector<std::string>* out) {
  std::string real = root.empty() ? folder : follow_links(root, std::string_view(folder).substr(root.size()));
  if (at == parts.size()) {
    if (is_file(real)) out->push_back(folder);
    return;
  }
  std::string prefix = folder == "/" ? "/" : folder.empty() ? "" : cat(folder, "/");
  if (parts[at].find('*') == std::string_view::npos) return match_into(root, cat(prefix, parts[at]), parts, at + 1, out);
  for (const std::string& name : list_folder(real.empty() ? "." : real.c_str()))
    if (abi::wildcard_match(parts[at], name)) match_into(root, cat(prefix, name), parts, at + 1, out);
}

std::string link_target(const std::string& link) {
  char path[4096];
  ssize_t size = ::readlink(link.c_str(), path, sizeof path);
  return std::string(path, size > 0 ? static_cast<size_t>(size) : 0);
}

// Where the files of a process lie that has another root, or other mounts, than this one; else "".
std::string root_of_process(int pid) {
  if (pid <= 0) return {};
  std::string root = cat("/proc/", pid, "/root");
  std::string mine = link_target("/proc/self/ns/mnt"), theirs = link_target(cat("/proc/", pid, "/ns/mnt"));
  struct stat my_root {}, their_root {};
  bool known = !mine.empty() && !theirs.empty() && ::stat("/", &my_root) == 0 && ::stat(root.c_str(), &their_root) == 0;
  bool same = mine == theirs && my_root.st_dev == their_root.st_dev && my_root.st_ino == their_root.st_ino;
  return known && !same ? root : std::string();
}

}  // namespace

bool is_file(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

std::string find_program(std::string_view name) {
  std::string path(name);
  if (name.find('/') != std::string_view::npos) return is_file(path) ? path : std::string();
  const char* search = ::getenv("PATH");
  std::string script;                            // said to be none of ours, if nothing else has that name
  for (std::string_view folder : split(search != nullptr ? search : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", ':')) {
    std::string candidate = cat(folder.empty() ? "." : folder, "/", name), magic;
    if (!is_file(candidate) || ::access(candidate.c_str(), X_OK) != 0) continue;
    if (read_whole_file(candidate.c_str(), &magic, SELFMAG) && magic == std::string_view(ELFMAG, SELFMAG)) return candidate;
    if (script.empty()) script = candidate;
  }
  return script;
}

std::string find_library(std::string_view name) {
  std::string found = library_from_cache(name);
  if (!found.empty() && is_file(found)) return found;
  // Without a cache (musl, an image made without ldconfig) the usual folders serve: the exact name, then "name.so", "name.so.N".
  std::string prefix = cat(name, ".so");
  for (const char* folder : {"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib"}) {
    for (const std::string& candidate : {cat(folder, "/", name), cat(folder, "/", prefix)})
      if (is_file(candidate)) return candidate;
    std::vector<std::string> versions = list_folder(folder);
    std::sort(versions.begin(), versions.end());
    for (const std::string& file : versions)
      if (file.starts_with(prefix) && file[prefix.size()] == '.' && is_file(cat(folder, "/", file))) return cat(folder, "/", file);
  }
  return {};
}

// The kernel shows paths from where the mounts of the process begin; its own root may lie deeper (chroot).
static std::string below_root(std::string_view path, const std::string& root) {
  return root.size() > 1 && path.starts_with(root) && path.substr(root.size()).starts_with('/') ? std::string(path.substr(root.size())) : std::string(path);
}

static std::string shown_root(int pid) { return root_of_process(pid).empty() ? std::string() : link_target(cat("/proc/", pid, "/root")); }

// How the kernel shows files that are gone, or that another took the place of.
static bool drop_deleted_mark(std::string_view* path) {
  constexpr std::string_view kMark = " (deleted)";
  if (!path->ends_with(kMark)) return false;
  path->remove_suffix(kMark.size());
  return true;
}

std::string program_of(int pid) {
  std::string link = link_target(cat("/proc/", pid, "/exe"));
  std::string_view path = link;
  drop_deleted_mark(&path);
  return below_root(path, shown_root(pid));
}

// fn(range, path, deleted) for each executable mapping of a file.
template <typename Fn>
static void for_each_mapping(int pid, Fn&& fn) {
  std::string maps, root = shown_root(pid);
  if (!read_whole_file(cat("/proc/", pid, "/maps").c_str(), &maps)) return;
  for_each_line(maps, [&](std::string_view line) {
    std::string_view range = next_word(line), rights = next_word(line);
    for (int i = 0; i < 3; ++i) next_word(line);
    std::string_view path = trim(line);
    bool deleted = drop_deleted_mark(&path);
    if (rights.size() > 2 && rights[2] == 'x' && path.starts_with('/')) fn(range, below_root(path, root), deleted);
    return true;
  });
}

static std::vector<std::string> mapped_files(int pid, bool also_deleted) {
  std::vector<std::string> files;
  for_each_mapping(pid, [&](std::string_view, std::string path, bool deleted) {
    if ((!deleted || also_deleted) && std::find(files.begin(), files.end(), path) == files.end()) files.push_back(std::move(path));
  });
  return files;
}

std::vector<std::string> mapped_files(int pid) { return mapped_files(pid, true); }

// A process goes on running the file that it started with when a package is upgraded. That file has no path any more but this; "" if the
// process maps no such file, or the one that lies there now, too.
static std::string deleted_file(int pid, const std::string& path) {
  std::string found;
  bool present = pid <= 0;
  for_each_mapping(pid, [&](std::string_view range, const std::string& mapped, bool deleted) {
    if (mapped != path) return;
    present |= !deleted;
    uint64_t begin, end;
    size_t dash = range.find('-');
    if (deleted && dash != std::string_view::npos && parse_u64(range.substr(0, dash), &begin, 16) && parse_u64(range.substr(dash + 1), &end, 16))
      found = cat("/proc/", pid, "/map_files/", hex(begin), "-", hex(end));
  });
  return present || !is_file(found) ? std::string() : found;
}

std::string mapped_file_called(int pid, std::string_view name) {
  std::string library = cat(name, ".so");
  for (std::string& path : mapped_files(pid)) {
    std::string_view base = std::string_view(path).substr(path.rfind('/') + 1);
    bool versioned = base.starts_with(library) && (base.size() == library.size() || base[library.size()] == '.');
    if (base == name || versioned) return std::move(path);
  }
  return {};
}

// The layers of containers make one file appear in several file systems, where a probe would be hit once for each: number, size and
// time of change tell which are the same.
std::vector<std::string> all_mapped_files() {
  struct Found { ino_t number; off_t size; timespec changed; std::string path; };
  std::vector<Found> all;
  for (const std::string& name : list_folder("/proc")) {
    uint64_t pid;
    if (!parse_u64(name, &pid)) continue;
    std::string root = root_of_process(static_cast<int>(pid));
    for (const std::string& mapped : mapped_files(static_cast<int>(pid), false)) {
      std::string path = !root.empty() && is_file(root + mapped) ? root + mapped : mapped;
      struct stat info {};
      if (std::any_of(all.begin(), all.end(), [&](const Found& f) { return f.path == path; }) || ::stat(path.c_str(), &info) != 0) continue;
      bool known = std::any_of(all.begin(), all.end(), [&](const Found& f) {
        return f.number == info.st_ino && f.size == info.st_size && f.changed.tv_sec == info.st_ctim.tv_sec && f.changed.tv_nsec == info.st_ctim.tv_nsec;
      });
      if (!known) all.push_back({info.st_ino, info.st_size, info.st_ctim, std::move(path)});
    }
  }
  std::vector<std::string> paths;
  for (Found& found : all) paths.push_back(std::move(found.path));
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::vector<std::string> match_paths(std::string_view pattern, int pid) {
  std::vector<std::string> found;
  std::string root = pattern.starts_with('/') ? root_of_process(pid) : std::string();
  if (pattern.starts_with('/')) match_into(root, root.empty() ? "/" : root, split(pattern.substr(1), '/'), 0, &found);
  else match_into("", "", split(pattern, '/'), 0, &found);
  for (std::string& path : found) path.erase(0, root.size());
  return found;
}

std::string root_in(const std::string& path) {
  constexpr std::string_view kProc = "/proc/", kRoot = "/root/";
  size_t end = path.find('/', kProc.size());
  if (!path.starts_with(kProc) || end == std::string::npos || path.compare(end, kRoot.size(), kRoot) != 0) return {};
  return path.substr(0, end + kRoot.size() - 1);
}

std::string follow_links(const std::string& root, std::string_view path) {
  constexpr int kMostLinks = 40;                 // as the kernel's MAXSYMLINKS
  std::string at = root, rest(path);
  for (int links = 0; !rest.empty() && links <= kMostLinks;) {
    size_t end = std::min(rest.find('/'), rest.size());
    std::string name = rest.substr(0, end);
    rest.erase(0, end + 1);
    if (name.empty() || name == ".") continue;
    if (name == "..") {
      if (at.size() > root.size()) at.erase(at.rfind('/'));
      continue;
    }
    std::string link = link_target(cat(at, "/", name));
    if (link.empty()) {
      append(at, cat("/", name));
      continue;
    }
    ++links;
    if (link.starts_with('/')) at = root;
    rest = cat(link, "/", rest);
  }
  return at;
}

std::string path_in_process(int pid, const std::string& path) {
  std::string root = root_in(path);
  std::string_view inside = std::string_view(path).substr(root.size());
  if (root.empty() && path.starts_with('/')) root = root_of_process(pid);
  if (!path.starts_with('/')) return path;
  std::string found = follow_links(root, inside);
  if (std::string gone = deleted_file(pid, found.substr(root.size())); !gone.empty()) return gone;
  return !root.empty() && is_file(found) ? found : path;
}

}  // namespace btc::rt
