// Reads /etc/passwd once; the first line with an id wins. See users.h.
#include "runtime-stub/src/output/users.h"

#include "runtime-stub/src/output/files.h"

namespace btc::rt {

void Users::load() {
  loaded_ = true;
  std::string text;
  if (!read_file("/etc/passwd", &text)) return;
  for (std::string_view line : Lines(text)) {
    // name:password:uid:...
    size_t name_end = line.find(':');
    size_t uid_start = name_end == line.npos ? line.npos : line.find(':', name_end + 1);
    if (uid_start == line.npos) continue;
    std::string_view rest = line.substr(uid_start + 1);
    uint64_t uid = 0;
    if (parse_dec(rest.substr(0, rest.find(':')), &uid)) names_.try_emplace(uid, line.substr(0, name_end));
  }
}

void Users::append(std::string& out, uint64_t uid) {
  if (!loaded_) load();
  auto found = names_.find(uid);
  if (found != names_.end()) out += found->second;
}

}  // namespace btc::rt
