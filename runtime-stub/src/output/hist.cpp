// Histograms; see hist.h. Buckets are numbered as in abi/aggregates.h.
//
//   [8, 16)                1 |@@@@@@@@@@@@@@@@@@@@@@@@@@                          |
#include "runtime-stub/src/output/hist.h"

#include <algorithm>

#include "runtime-stub/src/output/append.h"
#include "runtime-stub/src/output/render.h"

namespace btc::rt {

static constexpr size_t kHeaderWidth = 16, kCountWidth = 8, kBarWidth = 52;

static HistLimit plain_limit(int64_t value) {
  HistLimit limit{.plain = true, .value = value};
  append_dec(limit.text, value);
  return limit;
}

// First value of bucket `index + 1`, which is the end of bucket `index`: buckets up to 2 << bits hold one value each; later ones
// split every power of two into 1 << bits parts, and their limits are shown with the power's unit.
static HistLimit log2_limit(uint32_t index, uint32_t bits) {
  if (index <= (2u << bits)) return plain_limit(index);
  uint32_t parts = 1u << bits, power = (index >> bits) - 1;
  uint64_t mantissa = parts + (index & (parts - 1));
  HistLimit limit;
  // The end of the last bucket is 2^64 and more; it is only compared and shown through its text.
  limit.value = power >= 63 - bits ? INT64_MIN : static_cast<int64_t>(mantissa << power);
  append_dec(limit.text, mantissa << (power % 10));
  constexpr char kUnits[] = {0, 'K', 'M', 'G', 'T', 'P', 'E'};
  if (power >= 10) limit.text += kUnits[power / 10];
  return limit;
}

static HistLimit linear_limit(int64_t value, int64_t step) {
  constexpr int64_t kKilo = 1024, kMega = 1024 * 1024;
  if (step % kKilo != 0) return plain_limit(value);
  int64_t unit = value == 0 ? 1 : value % kMega == 0 ? kMega : value % kKilo == 0 ? kKilo : 1;
  HistLimit limit{.value = value};
  append_dec(limit.text, value / unit);
  if (unit != 1) limit.text += unit == kMega ? 'M' : 'K';
  return limit;
}

std::vector<HistRow> hist_rows(const TypeInfo& type, const std::vector<uint64_t>& buckets, uint32_t div) {
  bool linear = type.kind == Kind::LHist;
  auto limit = [&](size_t index) {
    HistLimit made = linear ? linear_limit(type.p0 + static_cast<int64_t>(index) * type.p2, type.p2)
                            : log2_limit(static_cast<uint32_t>(index), static_cast<uint32_t>(type.p0));
    made.open = linear && made.value > type.p1;
    return made;
  };
  auto filled = [](uint64_t count) { return count != 0; };
  auto first = std::find_if(buckets.begin(), buckets.end(), filled);
  auto last = std::find_if(buckets.rbegin(), buckets.rend(), filled).base();
  std::vector<HistRow> rows;
  for (auto bucket = first; bucket < last; ++bucket) {
    size_t index = static_cast<size_t>(bucket - buckets.begin());
    HistRow& row = rows.emplace_back();
    row.low = index == 0 ? HistLimit{.open = true} : limit(index - 1);
    row.low.open = index == 0;
    row.high = limit(index);
    row.count = linear || div == 0 ? *bucket : *bucket / div;
  }
  return rows;
}

static void append_header(std::string& out, const HistRow& row) {
  if (row.low.open) {
    out += "(..., ";
    out += row.high.text;
    out += ')';
    return;
  }
  out += '[';
  out += row.low.text;
  if (row.high.open) {
    out += ", ...)";
  } else if (row.low.plain && row.high.plain && row.low.value + 1 == row.high.value) {
    out += ']';
  } else {
    out += ", ";
    out += row.high.text;
    out += ')';
  }
}

void append_hist_text(std::string& out, const std::vector<HistRow>& rows) {
  uint64_t highest = 0;
  for (const HistRow& row : rows) highest = std::max(highest, row.count);
  for (const HistRow& row : rows) {
    size_t start = out.size();
    append_header(out, row);
    pad_right(out, start, kHeaderWidth);
    start = out.size();
    append_dec(out, row.count);
    pad_left(out, start, kCountWidth);
    out += " |";
    // Single precision, as bpftrace: the bar's length must come out the same.
    float share = highest ? static_cast<float>(row.count) / static_cast<float>(highest) : 0;
    size_t bar = std::min(kBarWidth, static_cast<size_t>(share * static_cast<float>(kBarWidth)));
    out.append(bar, '@');
    out.append(kBarWidth - bar, ' ');
    out += "|\n";
  }
}

void append_hist_json(std::string& out, const std::vector<HistRow>& rows) {
  out += '[';
  bool first = true;
  for (const HistRow& row : rows) {
    if (!first) out += ',';
    first = false;
    out += '{';
    if (!row.low.open) {
      out += "\"min\": ";
      append_json_int(out, static_cast<uint64_t>(row.low.value), row.low.value != INT64_MIN);
      out += ", ";
    }
    if (!row.high.open) {
      out += "\"max\": ";
      append_json_int(out, static_cast<uint64_t>(row.high.value) - 1, true);
      out += ", ";
    }
    out += "\"count\": ";
    append_dec(out, row.count);
    out += '}';
  }
  out += ']';
}

}  // namespace btc::rt
