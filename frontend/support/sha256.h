// SHA-256 (FIPS 180-4): names inputs in manifests and depfiles. Small and
// portable; a few megabytes a compile do not need more speed.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace btc {

class Sha256 {
 public:
  void update(std::string_view data);
  std::array<uint8_t, 32> digest();   // ends the computation
  std::string hex_digest();

 private:
  void block(const uint8_t* bytes);
  uint32_t state_[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  uint8_t buffer_[64] = {};
  size_t used_ = 0;
  uint64_t total_ = 0;
};

// 64 lower-case hex digits.
std::string sha256_hex(std::string_view data);

}  // namespace btc
