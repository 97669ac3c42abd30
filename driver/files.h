// Reading inputs and writing outputs whole or not at all.
#pragma once

#include <string>
#include <string_view>

namespace btc {

// Whole file; "-" is standard input. False with `error` = strerror text.
bool read_file(const std::string& path, std::string* out, std::string* error);

// Writes beside the target and renames, so that a full disk or a kill never leaves half a file and a running old artifact is
// not overwritten. "-" is standard output. `executable`: mode 0755 less umask.
bool write_file(const std::string& path, std::string_view bytes, bool executable, std::string* error);

}  // namespace btc
