// Paths of cgroups by id: cgroup_path() values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace btc::rt {

class Cgroups {
 public:
  // "unified:/a/b,memory:/x": the path in every mounted hierarchy that has the id and whose name matches `filter` ("" = all).
  void append(std::string& out, uint64_t id, std::string_view filter);

 private:
  struct Hierarchy {
    std::string name;        // "unified", or the mount's last part for version 1
    std::string mount;
    std::unordered_map<uint64_t, std::string> paths;
  };
  void load_mounts();
  const std::string* find(Hierarchy& hierarchy, uint64_t id);
  bool loaded_ = false;
  std::vector<Hierarchy> hierarchies_;  // version 2 first, then version 1 by name
};

}  // namespace btc::rt
