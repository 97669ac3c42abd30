// Reducing per-CPU parts; layouts are in abi/aggregates.h.
#include "runtime-stub/src/output/aggregates.h"

#include <algorithm>

#include "runtime-stub/abi/aggregates.h"

namespace btc::rt {

using abi::TSeriesAgg;

bool all_zero(const uint8_t* data, size_t size) {
  return std::all_of(data, data + size, [](uint8_t byte) { return byte == 0; });
}

static bool less(uint64_t a, uint64_t b, bool is_signed) {
  return is_signed ? static_cast<int64_t>(a) < static_cast<int64_t>(b) : a < b;
}

uint64_t divide(uint64_t value, uint64_t by, bool is_signed) {
  if (by == 0) return value;
  if (!is_signed || static_cast<int64_t>(value) >= 0) return value / by;
  return 0 - (0 - value) / by;
}

static Aggregate reduce_min_max(const TypeInfo& type, const uint8_t* data, uint32_t cpus, size_t stride) {
  Aggregate all;
  for (uint32_t cpu = 0; cpu < cpus; cpu++) {
    auto part = read_as<abi::MinMaxValue>(data + cpu * stride);
    uint64_t value = static_cast<uint64_t>(part.value);
    if (!part.is_set) continue;
    bool better = type.kind == Kind::Max ? less(all.value, value, type.is_signed) : less(value, all.value, type.is_signed);
    if (!all.is_set || better) all.value = value;
    all.is_set = true;
  }
  return all;
}

static Aggregate reduce_avg(const TypeInfo& type, const uint8_t* data, uint32_t cpus, size_t stride) {
  Aggregate all;
  for (uint32_t cpu = 0; cpu < cpus; cpu++) {
    auto part = read_as<abi::AvgValue>(data + cpu * stride);
    all.total += static_cast<uint64_t>(part.total);
    all.count += part.count;
  }
  all.is_set = all.count != 0;
  if (!all.is_set) return all;
  all.value = divide(all.total, all.count, type.is_signed);
  return all;
}

Aggregate reduce(const TypeInfo& type, const uint8_t* data, uint32_t cpus, size_t stride) {
  // An aggregation that the kernel already read back is one 64-bit number.
  bool pair = type.size >= 16;
  if ((type.kind == Kind::Min || type.kind == Kind::Max) && pair) return reduce_min_max(type, data, cpus, stride);
  if ((type.kind == Kind::Avg || type.kind == Kind::Stats) && pair) return reduce_avg(type, data, cpus, stride);
  Aggregate all;
  bool is_int = type.kind == Kind::Int || type.kind == Kind::Enum;
  if (!is_int && !is_aggregation(type.kind)) return all;
  uint32_t size = is_int ? type.size : 8;
  for (uint32_t cpu = 0; cpu < cpus; cpu++) {
    uint64_t part = read_int(data + cpu * stride, size, type.is_signed);
    all.value += part;
    all.is_set |= part != 0;
  }
  return all;
}

std::vector<uint64_t> reduce_buckets(const TypeInfo& type, const uint8_t* data, uint32_t cpus, size_t stride) {
  uint32_t count = type.kind == Kind::Hist ? abi::hist_buckets(static_cast<uint32_t>(type.p0)) : abi::lhist_buckets(type.p0, type.p1, type.p2);
  std::vector<uint64_t> buckets(count);
  if (stride / 8 < count) count = static_cast<uint32_t>(stride / 8);
  for (uint32_t cpu = 0; cpu < cpus; cpu++)
    for (uint32_t i = 0; i < count; i++) buckets[i] += read_as<uint64_t>(data + cpu * stride + i * 8);
  return buckets;
}

// Two CPUs' parts of the same epoch.
static void merge(abi::TSeriesSlot& into, const abi::TSeriesSlot& from, TSeriesAgg agg, bool is_signed) {
  uint64_t a = static_cast<uint64_t>(into.value), b = static_cast<uint64_t>(from.value);
  switch (agg) {
    case TSeriesAgg::Last:
      if (from.meta > into.meta) into = from;  // meta: time of the write
      break;
    case TSeriesAgg::Avg:
      into.value = static_cast<int64_t>(a + b);
      into.meta += from.meta;
      break;
    case TSeriesAgg::Max: if (less(a, b, is_signed)) into.value = from.value; break;
    case TSeriesAgg::Min: if (less(b, a, is_signed)) into.value = from.value; break;
    case TSeriesAgg::Sum: into.value = static_cast<int64_t>(a + b); break;
  }
}

std::vector<SeriesPoint> reduce_series(const TypeInfo& type, const uint8_t* data, uint32_t cpus, size_t stride) {
  std::vector<SeriesPoint> points;
  auto agg = static_cast<TSeriesAgg>(type.p2);
  size_t slots = std::min<size_t>(static_cast<size_t>(type.p1), stride / sizeof(abi::TSeriesSlot));
  for (size_t slot = 0; slot < slots; slot++) {
    bool in_interval_0 = false;
    abi::TSeriesSlot best{};  // of the slot's latest epoch; older ones are left over from the previous round
    for (uint32_t cpu = 0; cpu < cpus; cpu++) {
      auto part = read_as<abi::TSeriesSlot>(data + cpu * stride + slot * sizeof(abi::TSeriesSlot));
      in_interval_0 |= part.epoch == 0 && (part.value != 0 || part.meta != 0);
      if (part.epoch == 0) continue;
      if (part.epoch > best.epoch)
        best = part;
      else if (part.epoch == best.epoch)
        merge(best, part, agg, type.is_signed);
    }
    // Interval 0 of the clock marks slots that were never used; a made-up clock gets there, and its value is shown as 0, as bpftrace does.
    if (best.epoch == 0 && in_interval_0) points.push_back({});
    if (best.epoch == 0) continue;
    uint64_t value = static_cast<uint64_t>(best.value);
    if (agg == TSeriesAgg::Avg) value = divide(value, best.meta, type.is_signed);
    points.push_back({best.epoch, value});
  }
  std::sort(points.begin(), points.end(), [](const SeriesPoint& a, const SeriesPoint& b) { return a.epoch < b.epoch; });
  return points;
}

}  // namespace btc::rt
