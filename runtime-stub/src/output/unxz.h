// Unpacks .xz data with the one filter that .gnu_debugdata uses (LZMA2): symbol
// tables that Fedora and its relatives leave in stripped programs.
//
// Not liblzma: that is 100 KB. Checksums are not looked at.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace btc::rt {

// False if `packed` is damaged, of another kind, or unpacks to more than 16 MiB.
bool unpack_xz(std::span<const uint8_t> packed, std::vector<uint8_t>& out);

}  // namespace btc::rt
