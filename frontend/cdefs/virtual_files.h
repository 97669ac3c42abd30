// Headers that exist only inside btc: Clang's own (stddef.h, stdint.h ...), so
// that no Clang need be installed, and the ones btc makes up for a parse.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace btc {

// Where they seem to lie; no file of the machine has such a path.
inline constexpr std::string_view kResourceDir = "/btc-clang";
inline constexpr std::string_view kKernelDir = "/btc-kernel";

// Takes apart what pack_headers.cmake wrote: name and content.
std::vector<std::pair<std::string_view, std::string_view>> unpack_headers(std::string_view packed);

// Path below kResourceDir and content.
const std::vector<std::pair<std::string, std::string_view>>& resource_headers();
// Macros of kernel headers, each under #ifndef.
std::string_view kernel_macros();
// Whether an include names a header that nobody needs to have, because the profile and kernel_macros stand in for it: any of the
// kernel's own tree ("linux/sched.h", "net/sock.h") and libc's.
bool is_dispensable_header(std::string_view path);

}  // namespace btc
