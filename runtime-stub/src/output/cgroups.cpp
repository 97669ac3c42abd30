// A cgroup's id is the inode number of its directory: the tree is walked until it is found. See cgroups.h.
#include "runtime-stub/src/output/cgroups.h"

#include <algorithm>
#include <dirent.h>
#include <sys/stat.h>

#include "runtime-stub/abi/attach_point.h"
#include "runtime-stub/src/output/files.h"

namespace btc::rt {

void Cgroups::load_mounts() {
  loaded_ = true;
  std::string mounts;
  if (!read_file("/proc/mounts", &mounts)) return;
  std::vector<Hierarchy> version1;
  std::vector<dev_t> seen;
  for (std::string_view line : Lines(mounts)) {
    next_word(&line);                       // device
    std::string mount(next_word(&line));
    std::string_view type = next_word(&line);
    if (type != "cgroup2" && type != "cgroup") continue;
    // A hierarchy may be mounted again in other places (containers, chroots): the first one shows it.
    struct stat info;
    if (stat(mount.c_str(), &info) != 0 || std::find(seen.begin(), seen.end(), info.st_dev) != seen.end()) continue;
    seen.push_back(info.st_dev);
    if (type == "cgroup2") hierarchies_.push_back({"unified", mount, {}});
    if (type == "cgroup") version1.push_back({mount.substr(mount.rfind('/') + 1), mount, {}});
  }
  std::sort(version1.begin(), version1.end(), [](const Hierarchy& a, const Hierarchy& b) { return a.name < b.name; });
  for (Hierarchy& hierarchy : version1) hierarchies_.push_back(std::move(hierarchy));
}

// Depth first; remembers every directory it passes.
static bool walk(const std::string& root, const std::string& path, uint64_t id, std::unordered_map<uint64_t, std::string>& paths, int depth) {
  std::string full = root + path;
  DIR* dir = depth < 64 ? opendir(full.c_str()) : nullptr;
  if (!dir) return false;
  bool found = false;
  std::vector<std::string> children;
  while (dirent* entry = readdir(dir)) {
    if (entry->d_type != DT_DIR || entry->d_name[0] == '.') continue;
    children.push_back(path + "/" + entry->d_name);
    paths[entry->d_ino] = children.back();
    found |= entry->d_ino == id;
  }
  closedir(dir);
  for (size_t i = 0; !found && i < children.size(); i++) found = walk(root, children[i], id, paths, depth + 1);
  return found;
}

const std::string* Cgroups::find(Hierarchy& hierarchy, uint64_t id) {
  struct stat info;
  auto known = hierarchy.paths.find(id);
  if (known != hierarchy.paths.end()) {
    std::string full = hierarchy.mount + known->second;
    if (stat(full.c_str(), &info) == 0 && info.st_ino == id) return &known->second;
    hierarchy.paths.erase(known);  // the directory is gone and its number may be used again
  }
  if (stat(hierarchy.mount.c_str(), &info) == 0 && info.st_ino == id) return &(hierarchy.paths[id] = "/");
  if (!walk(hierarchy.mount, "", id, hierarchy.paths, 0)) return nullptr;
  return &hierarchy.paths[id];
}

void Cgroups::append(std::string& out, uint64_t id, std::string_view filter) {
  if (!loaded_) load_mounts();
  bool first = true;
  for (Hierarchy& hierarchy : hierarchies_) {
    if (!filter.empty() && !abi::wildcard_match(filter, hierarchy.name)) continue;
    const std::string* path = find(hierarchy, id);
    if (!path) continue;
    if (!first) out += ',';
    first = false;
    out += hierarchy.name;
    out += ':';
    out += *path;
  }
}

}  // namespace btc::rt
