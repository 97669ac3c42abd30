// Maps as JSON: {"type": "map", "data": {"@m": {"key": value, ...}}}.
//
// Keys are the text form without the blanks that are only there for reading (after commas, before stack frames). bpftrace removes
// every blank, also inside strings, so that two keys may become one; those stay here.
#include "runtime-stub/src/output/append.h"
#include "runtime-stub/src/output/maps.h"

namespace btc::rt {

static std::string_view type_word(Kind kind) {
  switch (kind) {
    case Kind::Hist: case Kind::LHist: return "hist";
    case Kind::Avg: case Kind::Stats: return "stats";
    case Kind::TSeries: return "tseries";
    default: return "map";
  }
}

static void append_number(std::string& out, uint64_t value, uint32_t div, bool is_signed) {
  append_json_int(out, divide(value, div, is_signed), is_signed);
}

// A value that fits on one line.
static void append_single(std::string& out, Render& render, const TypeInfo& type, const Aggregate& aggregate, const uint8_t* data, uint32_t div) {
  switch (type.kind) {
    case Kind::Int: case Kind::Count: case Kind::Sum: case Kind::Min: case Kind::Max: case Kind::Avg:
      append_number(out, aggregate.value, div, type.is_signed);
      break;
    case Kind::Stats:
      out += "{\"count\": ";
      append_json_int(out, aggregate.count, false);
      out += ", \"average\": ";
      append_number(out, aggregate.value, div, type.is_signed);
      out += ", \"total\": ";
      append_number(out, aggregate.total, 1, type.is_signed);
      out += '}';
      break;
    default: append_json(out, render, {&type, data}, div);
  }
}

static void append_value(std::string& out, Render& render, const MapImage& image, const MapRow& row, const uint8_t* data, uint32_t div) {
  const TypeInfo& type = *image.info->value;
  if (type.kind == Kind::TSeries)
    append_series_json(out, make_series(type, row.points, image.newest));
  else if (is_multi_row(type.kind))
    append_hist_json(out, hist_rows(type, row.buckets, div));
  else
    append_single(out, render, type, row.aggregate, data, div);
}

void append_item_json(std::string& out, Render& render, const MapInfo& info, const uint8_t* value, uint32_t cpus, size_t stride) {
  if (!is_multi_row(info.value->kind)) append_single(out, render, *info.value, reduce(*info.value, value, cpus, stride), value, 1);
}

void append_map_json(std::string& out, Render& render, const MapImage& image, uint32_t div, bool show_empty_scalar) {
  const MapInfo& info = *image.info;
  if (div == 0) div = 1;
  bool empty = image.rows.empty();
  // An empty avg() or stats() map is `{}`, other maps without entries are left out.
  bool is_stats = info.value->kind == Kind::Avg || info.value->kind == Kind::Stats;
  bool show_zero = empty && !info.key && show_empty_scalar && !is_multi_row(info.value->kind);
  if (empty && !show_zero && !is_stats) return;
  out += "{\"type\": \"";
  out += type_word(info.value->kind);
  out += "\", \"data\": {";
  append_json_string(out, info.name);
  out += ": ";
  if (!info.key && (!empty || show_zero)) {
    std::vector<uint8_t> zero(empty ? info.value->size : 0);
    const uint8_t* data = empty ? zero.data() : image.entries.value(image.rows[0].entry);
    append_value(out, render, image, empty ? MapRow{} : image.rows[0], data, div);
  } else {
    out += '{';
    bool first = true;
    for (const MapRow& row : image.rows) {
      if (!first) out += ", ";
      first = false;
      std::string key;
      append_key(key, render, *info.key, image.entries.key(row.entry), true);
      append_json_string(out, key);
      out += ": ";
      append_value(out, render, image, row, image.entries.value(row.entry), div);
    }
    out += '}';
  }
  out += "}}\n";
}

}  // namespace btc::rt
