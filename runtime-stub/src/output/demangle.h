// C++ and Rust names as people write them.
#pragma once

#include <string>
#include <string_view>

namespace btc::rt {

// Appends the readable form of a symbol, or the symbol itself if it is not mangled.
void append_demangled(std::string& out, std::string_view symbol);

// Rust's v0 mangling ("_RNv..."). False: not such a name, nothing appended.
bool append_rust_v0(std::string& out, std::string_view symbol);

}  // namespace btc::rt
