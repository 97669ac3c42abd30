// Starting executables that exist only in memory: fresh artifacts, and the runtime stub itself for `btc list` and `btc doctor`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace btc {

// Becomes the executable `bytes` with these arguments (argv[0] included). Returns only on failure, with `error` set.
void become_executable(std::string_view bytes, const std::vector<std::string>& argv, std::string* error);

}  // namespace btc
