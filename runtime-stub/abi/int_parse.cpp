// See int_parse.h.
#include "runtime-stub/abi/int_parse.h"

namespace btc::abi {
namespace {

struct Suffix {
  std::string_view text;
  uint64_t max;
  uint64_t factor;  // 0: not a duration
};
constexpr uint64_t kMaxU64 = UINT64_MAX;
constexpr Suffix kSuffixes[] = {
    {"", kMaxU64, 0},
    {"u", UINT32_MAX, 0},
    {"ul", kMaxU64, 0},
    {"ull", kMaxU64, 0},
    {"l", INT64_MAX, 0},
    {"ll", INT64_MAX, 0},
    {"ns", kMaxU64, 1},
    {"us", kMaxU64, 1000},
    {"ms", kMaxU64, 1000000},
    {"s", kMaxU64, 1000000000},
    {"m", kMaxU64, 60000000000},
    {"h", kMaxU64, 3600000000000},
    {"d", kMaxU64, 86400000000000},
};

unsigned digit_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return 99;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

IntParse failure(std::string_view why, std::string_view text) {
  IntParse out;
  out.error = std::string(why) + ": " + std::string(text);
  return out;
}
IntParse overflow(uint64_t max, std::string_view text) {
  return failure("overflow error, maximum value is " + std::to_string(max), text);
}

// value * factor + addend into *value; false on overflow.
bool multiply_add(uint64_t* value, uint64_t factor, uint64_t addend) {
  return !__builtin_mul_overflow(*value, factor, value) && !__builtin_add_overflow(*value, addend, value);
}

}  // namespace

IntParse parse_uint(std::string_view text) {
  std::string digits;
  for (char c : text) {
    if (c != '_') digits += c;
  }
  size_t pos = 0;
  unsigned base = 10;
  if (digits.size() >= 2 && digits[0] == '0') {
    char second = lower(digits[1]);
    if (second == 'x') base = 16, pos = 2;
    else if (second == 'b') base = 2, pos = 2;
    else if (digit_value(second) < 10) base = 8;   // 08 is a mistake, not 8
  }
  IntParse out;
  size_t first = pos;
  for (; pos < digits.size() && digit_value(digits[pos]) < base; pos++) {
    if (!multiply_add(&out.value, base, digit_value(digits[pos]))) return overflow(kMaxU64, text);
  }
  if (pos == first) return failure("invalid integer", text);

  if (base == 10 && pos + 1 < digits.size() && lower(digits[pos]) == 'e' && digit_value(digits[pos + 1]) < 10) {
    if (out.value == 0 || out.value >= 10) return failure("coefficient part of scientific literal must be 1-9", text);
    uint64_t exponent = 0;
    for (pos++; pos < digits.size() && digit_value(digits[pos]) < 10; pos++) {
      if (exponent < 100) exponent = exponent * 10 + digit_value(digits[pos]);
    }
    for (; exponent > 0; exponent--) {
      if (!multiply_add(&out.value, 10, 0)) return overflow(kMaxU64, text);
    }
  }

  std::string_view rest = std::string_view(digits).substr(pos);
  std::string lowered;
  for (char c : rest) lowered += lower(c);
  for (const Suffix& suffix : kSuffixes) {
    // Durations have one spelling; 5U and 5ULL are C's.
    if (suffix.factor ? rest != suffix.text : lowered != suffix.text) continue;
    uint64_t factor = suffix.factor ? suffix.factor : 1;
    if (out.value > suffix.max / factor) return overflow(suffix.max, text);
    out.value *= factor;
    out.is_duration = suffix.factor != 0;
    return out;
  }
  return failure("invalid trailing bytes", text);
}

IntParse parse_int(std::string_view text, bool* negative) {
  *negative = text.starts_with('-');
  if (!*negative) return parse_uint(text);
  IntParse out = parse_uint(text.substr(1));
  if (!out.ok()) return out;
  if (out.value > uint64_t{1} << 63) return overflow(INT64_MAX, text);
  out.value = 0 - out.value;
  return out;
}

}  // namespace btc::abi
