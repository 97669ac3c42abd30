// Comparing memory of any size.
#include "runtime-stub/bpf/btc_helpers.h"

enum { kMaxCompare = 65536 };

BTC_LIBRARY u64 btc_mem_equal(const void* a, const void* b, u64 bytes) {
  const u8* left = a;
  const u8* right = b;
  for (u64 i = 0; i < kMaxCompare; ++i) {
    if (i >= bytes) return 1;
    if (left[i] != right[i]) return 0;
  }
  return 0;
}

BTC_LIBRARY s64 btc_mem_compare(const void* a, const void* b, u64 bytes) {
  const u8* left = a;
  const u8* right = b;
  for (u64 i = 0; i < kMaxCompare; ++i) {
    if (i >= bytes) return 0;
    s64 difference = (s64)left[i] - (s64)right[i];
    if (difference != 0) return difference;
  }
  return 0;
}
