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

bool is_file(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

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

void match_into(const std::string& folder, const std::vector<std::string_view>& parts, size_t at, std::vector<std::string>* out) {
  if (at == parts.size()) {
    if (is_file(folder)) out->push_back(folder);
    return;
  }
  std::string prefix = folder == "/" ? "/" : folder.empty() ? "" : cat(folder, "/");
  if (parts[at].find('*') == std::string_view::npos) return match_into(cat(prefix, parts[at]), parts, at + 1, out);
  for (const std::string& name : list_folder(folder.empty() ? "." : folder.c_str()))
    if (abi::wildcard_match(parts[at], name)) match_into(cat(prefix, name), parts, at + 1, out);
}

}  // namespace

std::string find_program(std::string_view name) {
  std::string path(name);
  if (name.find('/') != std::string_view::npos) return is_file(path) ? path : std::string();
  const char* search = ::getenv("PATH");
  for (std::string_view folder : split(search != nullptr ? search : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", ':')) {
    std::string candidate = cat(folder.empty() ? "." : folder, "/", name);
    if (is_file(candidate) && ::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return {};
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

std::vector<std::string> mapped_files(int pid) {
  std::vector<std::string> files;
  std::string maps;
  if (!read_whole_file(cat("/proc/", pid, "/maps").c_str(), &maps)) return files;
  for_each_line(maps, [&](std::string_view line) {
    next_word(line);
    std::string_view rights = next_word(line);
    for (int i = 0; i < 3; ++i) next_word(line);
    std::string_view path = trim(line);
    if (rights.size() > 2 && rights[2] == 'x' && path.starts_with('/') && !path.ends_with(" (deleted)") &&
        std::find(files.begin(), files.end(), path) == files.end())
      files.emplace_back(path);
    return true;
  });
  return files;
}

std::vector<std::string> all_mapped_files() {
  std::vector<std::string> all;
  for (const std::string& name : list_folder("/proc")) {
    uint64_t pid;
    if (!parse_u64(name, &pid)) continue;
    for (std::string& file : mapped_files(static_cast<int>(pid))) all.push_back(std::move(file));
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

std::vector<std::string> match_paths(std::string_view pattern) {
  std::vector<std::string> found;
  if (pattern.starts_with('/')) match_into("/", split(pattern.substr(1), '/'), 0, &found);
  else match_into("", split(pattern, '/'), 0, &found);
  return found;
}

std::string path_in_process(int pid, const std::string& path) {
  if (pid <= 0 || !path.starts_with('/')) return path;
  char mine[64] = {}, theirs[64] = {};
  if (::readlink("/proc/self/ns/mnt", mine, sizeof mine - 1) < 0) return path;
  if (::readlink(cat("/proc/", pid, "/ns/mnt").c_str(), theirs, sizeof theirs - 1) < 0 || strcmp(mine, theirs) == 0) return path;
  std::string inside = cat("/proc/", pid, "/root", path);
  return is_file(inside) ? inside : path;
}

}  // namespace btc::rt
