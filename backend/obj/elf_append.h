#pragma once

#include <string>
#include <string_view>

namespace btc::backend {

// `elf` (64 bit, either byte order) with one more section that is not loaded. Everything else stays where it is, so a
// loader sees the same file; strip and objcopy keep the section. Empty and `error` set if `elf` is not such a file.
std::string append_section(std::string_view elf, std::string_view name, std::string_view bytes, std::string* error);

// Puts `bytes` behind the last one of a section; what lies behind it moves. For files that are not linked yet: those have no segments.
bool extend_section(std::string* elf, std::string_view name, std::string_view bytes);

}  // namespace btc::backend
