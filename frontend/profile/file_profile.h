// A profile in a container: a file or the one built into btc.
#pragma once

#include <memory>
#include <string>

#include "frontend/profile/btf_profile.h"

namespace btc {

// `owned` is the file's content, or `bytes` points to static memory. `hash` may be empty: then computed when asked for.
std::unique_ptr<Profile> open_profile_bytes(std::string owned, std::string_view bytes, std::string hash, std::string* error);

}  // namespace btc
