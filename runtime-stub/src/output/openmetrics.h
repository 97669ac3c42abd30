// -f openmetrics: all maps as one exposition, readable as OpenMetrics 1.0 and as Prometheus text.
//
//   # HELP btc_reads Map @reads of bytes.bt
//   # TYPE btc_reads gauge
//   btc_reads{key="bash"} 17
//   # EOF
//
// Names: btc_ and the map's name; the map `@` is btc_map. Labels: `key`, or `key0`, `key1` ... for a key of several parts, or
// the names of a record's members. count, sum, min, max and integers are gauges, since clear() and zero() may take them down again; avg and stats are
// summaries (_count, _sum); hist and lhist are histograms whose `le` is the largest value of the bucket (the sum is not known); tseries shows its latest
// value; values that are not numbers become the label `value` of a 1. Besides: btc_script_info and btc_lost_events.
#pragma once

#include <string>

#include "runtime-stub/src/output/maps.h"

namespace btc::rt {

void append_metrics_map(std::string& out, Render& render, const MapImage& image, std::string_view script);
// The script's file name; "stdin" for -e, as messages call it.
std::string_view script_of(const fb::Manifest& manifest);
void append_metrics_script(std::string& out, const fb::Manifest& manifest, uint64_t lost_events);

// Replaces `file` by one with these bytes in one step, so that a reader never sees half of it. False: errno.
bool replace_file(const std::string& file, std::string_view bytes);

}  // namespace btc::rt
