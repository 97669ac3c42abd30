// Map values over all CPUs: what the per-CPU parts of one entry add up to.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime-stub/src/output/output.h"
#include "runtime-stub/src/output/types.h"

namespace btc::rt {

struct Aggregate {
  uint64_t value = 0;          // count sum min max; avg, stats: the average. Integers in per-CPU maps: the sum
  uint64_t count = 0, total = 0;  // avg, stats
  bool is_set = false;         // some CPU wrote something that is not zero
};

// Of every kind but hist, lhist and tseries; the value's bytes are `cpus` parts, `stride` apart.
Aggregate reduce(const TypeInfo& type, const uint8_t* data, uint32_t cpus, size_t stride);

// hist, lhist: counts of all buckets.
std::vector<uint64_t> reduce_buckets(const TypeInfo& type, const uint8_t* data, uint32_t cpus, size_t stride);

struct SeriesPoint {
  uint64_t epoch = 0;
  uint64_t value = 0;
};
// tseries: the points there are, by epoch.
std::vector<SeriesPoint> reduce_series(const TypeInfo& type, const uint8_t* data, uint32_t cpus, size_t stride);

// value / by, truncated towards zero; by = 0 leaves it alone.
uint64_t divide(uint64_t value, uint64_t by, bool is_signed);

// Whether every byte is zero.
bool all_zero(const uint8_t* data, size_t size);

}  // namespace btc::rt
