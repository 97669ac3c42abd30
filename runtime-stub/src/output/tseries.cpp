// Time series; see tseries.h.
//
//                8                                                  10
//   hh:mm:ss.ms  |___________________________________________________|
//   01:00:00.500 |                         *                         | 9
//                v___________________________________________________v
//                8                                                  10
#include "runtime-stub/src/output/tseries.h"

#include <algorithm>

#include "runtime-stub/src/output/append.h"
#include "runtime-stub/src/output/time.h"

namespace btc::rt {

static constexpr int kGraphWidth = 53;
static constexpr size_t kMinWidth = 21;

Series make_series(const TypeInfo& type, std::vector<SeriesPoint> points, uint64_t newest) {
  Series series;
  series.is_signed = type.is_signed;
  series.interval = static_cast<uint64_t>(type.p0);
  uint64_t count = static_cast<uint64_t>(type.p1);
  uint64_t oldest = newest + 1 >= count ? newest + 1 - count : 0;
  for (const SeriesPoint& point : points)
    if (point.epoch >= oldest && point.epoch <= newest) series.points.push_back(point);
  if (series.points.empty()) return series;
  series.first = series.points.front().epoch;
  series.last = newest;
  return series;
}

namespace {
// A value of either sign, compared and subtracted without overflow.
using Wide = __int128;

struct Scale { const char* unit; int digits; uint64_t nsecs; };
constexpr Scale kScales[] = {{"", 0, 1'000'000'000}, {"ms", 3, 1'000'000}, {"\u03bcs", 6, 1000}, {"ns", 9, 1}};
}  // namespace

static Wide widen(const Series& series, uint64_t value) {
  return series.is_signed ? Wide{static_cast<int64_t>(value)} : Wide{value};
}
static void append_value(std::string& out, const Series& series, uint64_t value) {
  series.is_signed ? append_dec(out, static_cast<int64_t>(value)) : append_dec(out, value);
}
static const Scale& scale_of(uint64_t nsecs) {
  for (const Scale& scale : kScales)
    if (nsecs >= scale.nsecs) return scale;
  return kScales[3];
}

// "min     max" above and below the graph.
static void append_limits(std::string& out, const Series& series, size_t indent, uint64_t low, uint64_t high) {
  out.append(indent, ' ');
  size_t start = out.size();
  append_value(out, series, low);
  pad_right(out, start, kMinWidth);
  start = out.size();
  append_value(out, series, high);
  pad_left(out, start, kGraphWidth - kMinWidth);
  out += '\n';
}

static void append_time(std::string& out, const Series& series, uint64_t epoch, const Scale& scale) {
  uint64_t nsecs = epoch * series.interval;
  // Second 0 is a valid time here, unlike in strftime().
  std::string text;
  append_strftime(text, "%H:%M:%S", static_cast<int64_t>(nsecs), false);
  if (text == "(?)") {
    text.clear();
    append_strftime(text, "%H:%M:%S", static_cast<int64_t>(nsecs + 86400ull * 1'000'000'000), false);
  }
  out += text;
  if (!scale.digits) return;
  out += '.';
  append_dec_width(out, nsecs % 1'000'000'000 / scale.nsecs, scale.digits);
}

void append_series_text(std::string& out, const Series& series) {
  if (series.points.empty()) {
    out += "<no data>";
    return;
  }
  auto by_value = [&](const SeriesPoint& a, const SeriesPoint& b) { return widen(series, a.value) < widen(series, b.value); };
  auto [lowest, highest] = std::minmax_element(series.points.begin(), series.points.end(), by_value);
  uint64_t low = lowest->value, high = highest->value;
  if (low == high) {  // room on both sides of a straight line, unless at the end of the number range
    uint64_t type_min = series.is_signed ? 1ull << 63 : 0, type_max = series.is_signed ? ~0ull >> 1 : ~0ull;
    if (low != type_min) low--;
    if (high != type_max) high++;
  }
  uint64_t rows = series.last - series.first + 1;
  const Scale& scale = scale_of(rows > 1 ? series.interval : 0);
  size_t time_width = 8 + (scale.digits ? 1 + static_cast<size_t>(scale.digits) : 0);

  append_limits(out, series, time_width + 1, low, high);
  size_t start = out.size();
  out += "hh:mm:ss";
  if (scale.digits) (out += '.') += scale.unit;
  pad_right(out, start, time_width + 1);
  out += '|';
  out.append(kGraphWidth - 2, '_');
  out += "|\n";

  float range = static_cast<float>(widen(series, high) - widen(series, low));
  int zero = 0;
  if (widen(series, low) < 0 && widen(series, high) > 0)
    zero = static_cast<int>(static_cast<float>(kGraphWidth) * static_cast<float>(-widen(series, low)) / range);
  auto point = series.points.begin();
  for (uint64_t row = 0; row < rows; row++) {
    uint64_t epoch = series.first + row;
    append_time(out, series, epoch, scale);
    out += ' ';
    std::string line(kGraphWidth, ' ');
    line[0] = line[kGraphWidth - 1] = '|';
    if (zero > 0) line[static_cast<size_t>(zero)] = '.';
    bool has_point = point != series.points.end() && point->epoch == epoch;
    if (has_point) {
      int at = static_cast<int>(static_cast<float>(kGraphWidth - 1) * static_cast<float>(widen(series, point->value) - widen(series, low)) / range);
      line[static_cast<size_t>(std::clamp(at, 0, kGraphWidth - 1))] = '*';
    }
    out += line;
    out += ' ';
    if (has_point)
      append_value(out, series, (point++)->value);
    else
      out += '-';
    out += '\n';
  }
  out.append(time_width + 1, ' ');
  out += 'v';
  out.append(kGraphWidth - 2, '_');
  out += "v\n";
  append_limits(out, series, time_width + 1, low, high);
}

void append_series_json(std::string& out, const Series& series) {
  out += '[';
  bool first = true;
  for (const SeriesPoint& point : series.points) {
    if (!first) out += ',';
    first = false;
    uint64_t nsecs = point.epoch * series.interval;
    out += "{\"interval_start\":\"";
    std::string text;
    append_strftime(text, "%Y-%m-%d %H:%M:%S.%k", static_cast<int64_t>(nsecs), true);
    if (text == "(?)") {
      text = "1970-01-01 00:00:00.";
      append_dec_width(text, nsecs % 1'000'000'000, 9);
    }
    out += text;
    out += "\",\"value\":";
    append_value(out, series, point.value);
    out += '}';
  }
  out += ']';
}

}  // namespace btc::rt
