// Layout of aggregation values in maps (one CPU's part) and the bucket rules.
// The compiler's passes write them, the runtime sums over CPUs and prints.
#pragma once

#include <cstdint>

namespace btc::abi {

// count_t: u64. sum_t/usum_t: 64 bits.
struct MinMaxValue { int64_t value; uint64_t is_set; };   // min_t max_t (umin_t, umax_t: value is unsigned)
struct AvgValue { int64_t total; uint64_t count; };       // avg_t stats_t
struct TSeriesSlot { int64_t value; uint64_t meta; uint64_t epoch; };  // tseries_t: `num` slots, slot = epoch % num; meta: count for avg

enum class TSeriesAgg : uint8_t { Last, Avg, Max, Min, Sum };           // Type.p2 of tseries_t; p0: interval ns, p1: num

// hist_t(bits): u64[hist_buckets(bits)], index from hist_bucket().
constexpr uint32_t hist_buckets(uint32_t bits) { return (65u << bits) + 1; }

// Bucket of a value, bits in 0..5. Negative values: 0.
constexpr uint32_t hist_bucket(int64_t n, uint32_t bits) {
  if (n < 0) return 0;
  uint64_t mask = (1ull << bits) - 1;
  uint64_t v = static_cast<uint64_t>(n);
  if (v <= mask) return static_cast<uint32_t>(v + 1);
  uint32_t log = 63u - static_cast<uint32_t>(__builtin_clzll(v));
  uint32_t l = log - bits;
  uint32_t x = static_cast<uint32_t>((v >> l) & mask);
  return ((l + 1) << bits) + x + 1;
}

// lhist_t(min,max,step): u64[lhist_buckets], 0 = below min, last = max and above.
constexpr uint32_t lhist_buckets(int64_t min, int64_t max, int64_t step) { return static_cast<uint32_t>((max - min) / step) + 2; }
constexpr uint32_t lhist_bucket(int64_t n, int64_t min, int64_t max, int64_t step) {
  if (n < min) return 0;
  if (n > max) return 1 + static_cast<uint32_t>((max - min) / step);
  return 1 + static_cast<uint32_t>((n - min) / step);
}

}  // namespace btc::abi
