// `btc list --profile P PATTERN`: probes, arguments and types of the kernel that a profile describes.
#pragma once

#include <string>

namespace btc {

class Profile;
int profile_list(Profile& profile, const std::string& what, bool verbose);

}  // namespace btc
