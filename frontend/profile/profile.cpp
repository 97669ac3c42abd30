// Opening profiles: the built-in one, a file.
#include "frontend/profile/profile.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "frontend/profile/file_profile.h"
#include "frontend/profile/host_profile.h"

extern "C" const char btc_builtin_profile[], btc_builtin_profile_end[];

namespace btc {

std::unique_ptr<Profile> open_builtin_profile(std::string* error) {
  std::string_view bytes(btc_builtin_profile, static_cast<size_t>(btc_builtin_profile_end - btc_builtin_profile));
  return open_profile_bytes("", bytes, BTC_BUILTIN_PROFILE_SHA256, error);
}

std::unique_ptr<Profile> open_profile_file(const std::string& path, std::string* error) {
  std::string content;
  if (!read_whole_file(path, &content)) {
    *error = fmt::format("cannot read '{}': {}", path, strerror(errno));
    return nullptr;
  }
  auto profile = open_profile_bytes(std::move(content), "", "", error);
  if (!profile) *error = fmt::format("'{}': {}", path, *error);
  return profile;
}

}  // namespace btc
