// Time series: one value per interval, drawn as a graph that runs downwards.
#pragma once

#include <string>
#include <vector>

#include "runtime-stub/src/output/aggregates.h"

namespace btc::rt {

struct Series {
  bool is_signed = false;
  uint64_t interval = 0;       // ns
  uint64_t first = 0, last = 0;  // epochs shown
  std::vector<SeriesPoint> points;  // by epoch; epochs without one are gaps
};

// The part of `points` that lies in the last `count` epochs up to `newest`, the latest epoch of the whole map.
Series make_series(const TypeInfo& type, std::vector<SeriesPoint> points, uint64_t newest);

void append_series_text(std::string& out, const Series& series);
void append_series_json(std::string& out, const Series& series);

}  // namespace btc::rt
