// Maps: read from the kernel, summed over CPUs, sorted, printed.
//
// Order as bpftrace: entries ascend by value for integers, count and sum (by the value's sign), min and max (as
// unsigned numbers), avg and stats (by average), hist and lhist (by total count); tseries and everything else by key. Entries with equal
// values are in key order, where bpftrace leaves them as they come. `top` keeps the last ones.
#pragma once

#include <string>
#include <vector>

#include "runtime-stub/src/output/aggregates.h"
#include "runtime-stub/src/output/hist.h"
#include "runtime-stub/src/output/render.h"
#include "runtime-stub/src/output/tseries.h"

namespace btc::rt {

// What is fixed about a map; made once from the manifest.
struct MapInfo {
  std::string_view name;       // "@start"
  std::string_view bpf_name;
  const TypeInfo* key = nullptr;  // null: a scalar map
  const TypeInfo* value = nullptr;
  bool is_array = false;       // its entry always exists; "never written" is all zero
  bool zeroed = false;         // zero() was called on an entry that had been written
};

struct MapRow {
  uint32_t entry = 0;
  Aggregate aggregate;                  // all but hist, lhist, tseries
  std::vector<uint64_t> buckets;        // hist, lhist
  std::vector<SeriesPoint> points;      // tseries
  uint64_t sort_key = 0;
};

struct MapImage {
  const MapInfo* info = nullptr;
  MapEntries entries;
  std::vector<MapRow> rows;    // sorted, after `top`
  uint64_t newest = 0;         // tseries: the latest epoch of all entries
};

// Takes `entries` apart. False if the sizes do not match the manifest's types.
bool make_image(const Render& render, const MapInfo& info, MapEntries entries, uint32_t top, MapImage* image);

// Prints the map: nothing for an empty one, except that `show_empty_scalar` makes a scalar show its zero value.
void append_map_text(std::string& out, Render& render, const MapImage& image, uint32_t div, bool show_empty_scalar);
void append_map_json(std::string& out, Render& render, const MapImage& image, uint32_t div, bool show_empty_scalar);

// The value of one entry alone, as print(@m[k]) shows it: summed over `cpus` parts that are `stride` bytes apart.
void append_item_text(std::string& out, Render& render, const MapInfo& info, const uint8_t* value, uint32_t cpus, size_t stride);
void append_item_json(std::string& out, Render& render, const MapInfo& info, const uint8_t* value, uint32_t cpus, size_t stride);

// "1, 2" for a tuple key, without its parentheses.
void append_key(std::string& out, Render& render, const TypeInfo& type, const uint8_t* key, bool compact);

// Order of two keys: integers by value (as signed numbers), tuples member by member, everything else by its bytes.
int compare_keys(const Types& types, const TypeInfo& type, const uint8_t* a, const uint8_t* b);

}  // namespace btc::rt
