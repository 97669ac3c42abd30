// printf format strings: one parser for the compiler's checks and the
// runtime's printing. Grammar as bpftrace's:
//   %(-?)(\+?)( ?)(#?)(0?)(\*|\d+)?(?:\.(\*|\d+))?([hlLjzt]*)([diouxXeEfFGaAcspn%]|gr|g|rh|rx|r)
// Text that does not match is literal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace btc::abi {

struct FormatPiece {
  std::string literal;        // text before the conversion (%% already folded)
  bool has_conversion = false;
  bool left = false, plus = false, space = false, alt = false, zero = false;
  int width = -1;             // -1: none, -2: '*'
  int precision = -1;
  std::string length;         // "", "h", "hh", "l", "ll", "j", "z", "t", "L"
  std::string conversion;     // "d" "s" "r" "rx" "rh" "gr" ...
  uint32_t begin = 0, end = 0;  // offsets in the format string
};

std::vector<FormatPiece> parse_format(std::string_view format);

}  // namespace btc::abi
