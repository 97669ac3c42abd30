// Buckets of log2 histograms.
#include "runtime-stub/bpf/btc_helpers.h"

// 1 if `value` (below 2^63) is not 0, without a branch: BPF has no set-on-condition.
#define not_zero(value) ((0 - btc_opaque(value)) >> 63)

// Halves the range five times: the verifier sees one path.
BTC_LIBRARY u64 btc_log2(u64 value) {
  u64 result = not_zero(value >> 32) << 5;
  value >>= result;
  u64 step = not_zero(value >> 16) << 4;
  value >>= step;
  result |= step;
  step = not_zero(value >> 8) << 3;
  value >>= step;
  result |= step;
  step = not_zero(value >> 4) << 2;
  value >>= step;
  result |= step;
  step = not_zero(value >> 2) << 1;
  value >>= step;
  result |= step;
  return result | (btc_opaque(value) >> 1 & 1);  // what is left is below 4; `& 1` tells the verifier, too
}

BTC_LIBRARY u64 btc_hist_bucket(s64 value, u64 bits) {
  if (value < 0) return 0;
  u64 mask = (1ull << (bits & 7)) - 1;
  u64 n = (u64)value;
  if (n <= mask) return n + 1;
  u64 level = btc_opaque(btc_log2(n) - bits) & 63;
  u64 within = (n >> level) & mask;
  return ((level + 1) << bits) + within + 1;
}
