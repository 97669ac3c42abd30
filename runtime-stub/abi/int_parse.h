// Integers as the language writes them; shared by script literals, attach
// points, and parameters given on the target. Linked into artifacts.
//
//   [0x|0b|0] digits with "_" between them ["e" digits] [suffix]
//   suffix: u ul ull l ll (any case) or a duration ns us ms s m h d (result in ns)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace btc::abi {

struct IntParse {
  uint64_t value = 0;
  bool is_duration = false;
  std::string error;          // bpftrace's words: "invalid integer: x", "invalid trailing bytes: 1x", "overflow error, ..."; empty = none
  bool ok() const { return error.empty(); }
};
IntParse parse_uint(std::string_view text);

// The same with a leading '-' allowed; the value is in two's complement, `*negative` tells.
IntParse parse_int(std::string_view text, bool* negative);

}  // namespace btc::abi
