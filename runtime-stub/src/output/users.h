// User names by id, from the target's /etc/passwd. No NSS: a static program cannot load its modules.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

namespace btc::rt {

class Users {
 public:
  void append(std::string& out, uint64_t uid);   // nothing for an unknown id

 private:
  void load();
  bool loaded_ = false;
  std::unordered_map<uint64_t, std::string> names_;
};

}  // namespace btc::rt
