// Histograms: the range of rows to show, their limits, and both output forms.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime-stub/src/output/types.h"

namespace btc::rt {

// A limit of a bucket. Limits with a unit (2K) never form a one-value row.
struct HistLimit {
  bool open = false;           // no limit on this side
  bool plain = false;          // shown as a plain integer
  int64_t value = 0;
  std::string text = {};
};
struct HistRow {
  HistLimit low, high;         // [low, high)
  uint64_t count = 0;
};

// Rows from the first to the last bucket that is not empty. `div` divides the counts of hist only.
std::vector<HistRow> hist_rows(const TypeInfo& type, const std::vector<uint64_t>& buckets, uint32_t div);

void append_hist_text(std::string& out, const std::vector<HistRow>& rows);
void append_hist_json(std::string& out, const std::vector<HistRow>& rows);

}  // namespace btc::rt
