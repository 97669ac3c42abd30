// Unpacks what zlib and gzip packed (RFC 1950 to 1952): compressed sections of debug files, the kernel's configuration.
//
// Not zlib itself: that is 30 KB, and libelf's copy is left out of artifacts.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace btc::rt {

// Fills `out`, whose size is that of the unpacked data. False if `packed` is damaged or has another size.
bool inflate_zlib(std::span<const uint8_t> packed, std::vector<uint8_t>& out);

bool is_gzip(std::span<const uint8_t> packed);
// A file of one member. False if it is damaged, or says that it holds more than `limit` bytes; its checksum is not looked at.
bool gunzip(std::span<const uint8_t> packed, size_t limit, std::vector<uint8_t>& out);

}  // namespace btc::rt
