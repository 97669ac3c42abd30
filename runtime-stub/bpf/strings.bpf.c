// Strings: comparing, length, search, concatenation.
#include "runtime-stub/bpf/btc_helpers.h"

enum { kMaxString = 4096 };

BTC_LIBRARY u64 btc_str_equal(const char* a, const char* b, u64 capacity) {
  for (u64 i = 0; i < kMaxString; ++i) {
    if (i >= capacity) return 1;
    char left = a[i];
    if (left != b[i]) return 0;
    if (left == 0) return 1;
  }
  return 1;
}

BTC_LIBRARY s64 btc_str_compare(const char* a, const char* b, u64 count) { return btc_str_equal(a, b, count) ? 0 : 1; }

BTC_LIBRARY u64 btc_str_length(const char* text, u64 capacity) {
  u64 length = 0;
  for (; length < kMaxString; ++length) {
    if (length >= capacity || text[length] == 0) break;
  }
  return length;
}

static __attribute__((always_inline)) u64 starts_with(const char* text, u64 left, const char* part, u64 part_capacity) {
  for (u64 i = 0; i < kMaxString; ++i) {
    if (i >= part_capacity || part[i] == 0) return 1;
    if (i >= left || text[i] != part[i]) return 0;
  }
  return 1;
}

BTC_LIBRARY s64 btc_str_find(const char* text, u64 text_capacity, const char* part, u64 part_capacity) {
  for (u64 i = 0; i < kMaxString; ++i) {
    if (i >= text_capacity) return -1;
    if (starts_with(text + i, text_capacity - i, part, part_capacity)) return (s64)i;
    if (text[i] == 0) return -1;
  }
  return -1;
}

// The kernel's own string copy gives lengths that the verifier knows only as a range, so what follows is checked once.
BTC_LIBRARY u64 btc_str_concat(char* to, const char* a, u64 a_capacity, const char* b, u64 b_capacity) {
  s64 first = bpf_probe_read_kernel_str(to, a_capacity, a);
  u64 at = first > 0 ? (u64)first - 1 : 0;
  at = btc_opaque(at);
  if (at >= a_capacity) return 0;
  s64 second = bpf_probe_read_kernel_str(to + at, b_capacity, b);
  return at + (second > 0 ? (u64)second - 1 : 0);
}
