// Unpacks what zlib packed (RFC 1950, 1951): compressed sections of debug files.
//
// Not zlib itself: that is 30 KB, and libelf's copy is left out of artifacts.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace btc::rt {

// Fills `out`, whose size is that of the unpacked data. False if `packed` is damaged or has another size.
bool inflate_zlib(std::span<const uint8_t> packed, std::vector<uint8_t>& out);

}  // namespace btc::rt
