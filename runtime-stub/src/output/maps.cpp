// Reading map images and their text form; see maps.h. The JSON form is in maps_json.cpp.
#include "runtime-stub/src/output/maps.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "runtime-stub/src/output/append.h"

namespace btc::rt {

int compare_keys(const Types& types, const TypeInfo& type, const uint8_t* a, const uint8_t* b) {
  switch (type.kind) {
    case Kind::Int: case Kind::Enum: case Kind::Username: {
      auto left = static_cast<int64_t>(read_int(a, type.size, true)), right = static_cast<int64_t>(read_int(b, type.size, true));
      return left < right ? -1 : left > right;
    }
    case Kind::Pointer: case Kind::KSym: case Kind::ProbeName: {
      auto left = read_as<uint64_t>(a), right = read_as<uint64_t>(b);
      return left < right ? -1 : left > right;
    }
    case Kind::Tuple: case Kind::AnonRecord:
      for (const Member& member : type.members)
        if (int order = compare_keys(types, types[member.type], a + member.offset, b + member.offset)) return order;
      return 0;
    default: return type.size ? std::memcmp(a, b, type.size) : 0;
  }
}

// What orders rows by value; false: by key alone.
static bool make_sort_key(const TypeInfo& type, MapRow& row) {
  switch (type.kind) {
    case Kind::Int: case Kind::Enum: case Kind::Count: case Kind::Sum: case Kind::Avg: case Kind::Stats:
      // Signed numbers order as unsigned ones once the sign bit is flipped.
      row.sort_key = row.aggregate.value ^ (type.is_signed ? 1ull << 63 : 0);
      return true;
    case Kind::Min: case Kind::Max: row.sort_key = row.aggregate.value; return true;
    case Kind::Hist: case Kind::LHist: row.sort_key = std::accumulate(row.buckets.begin(), row.buckets.end(), uint64_t{0}); return true;
    default: return false;
  }
}

static void sort_rows(const Render& render, MapImage& image) {
  const MapInfo& info = *image.info;
  for (MapRow& row : image.rows)
    if (!make_sort_key(*info.value, row)) row.sort_key = 0;
  std::sort(image.rows.begin(), image.rows.end(), [&](const MapRow& a, const MapRow& b) {
    if (a.sort_key != b.sort_key) return a.sort_key < b.sort_key;
    if (!info.key) return a.entry < b.entry;
    int order = compare_keys(render.types, *info.key, image.entries.key(a.entry), image.entries.key(b.entry));
    return order ? order < 0 : a.entry < b.entry;
  });
}

bool make_image(const Render& render, const MapInfo& info, MapEntries entries, uint32_t top, MapImage* image) {
  image->info = &info;
  image->entries = std::move(entries);
  const MapEntries& from = image->entries;
  if (from.cpus == 0 || from.value_size < info.value->size || (info.key && from.key_size < info.key->size)) return false;
  for (uint32_t entry = 0; entry < from.count; entry++) {
    const uint8_t* value = from.value(entry);
    if (info.is_array && !info.zeroed && all_zero(value, size_t{from.value_size} * from.cpus)) continue;
    MapRow& row = image->rows.emplace_back();
    row.entry = entry;
    if (info.value->kind == Kind::TSeries) {
      row.points = reduce_series(*info.value, value, from.cpus, from.value_size);
      if (!row.points.empty()) image->newest = std::max(image->newest, row.points.back().epoch);
    } else if (is_multi_row(info.value->kind)) {
      row.buckets = reduce_buckets(*info.value, value, from.cpus, from.value_size);
    } else {
      row.aggregate = reduce(*info.value, value, from.cpus, from.value_size);
    }
  }
  sort_rows(render, *image);
  // As bpftrace, `top` does not thin out time series.
  if (top && info.key && info.value->kind != Kind::TSeries && image->rows.size() > top)
    image->rows.erase(image->rows.begin(), image->rows.end() - top);
  return true;
}

void append_key(std::string& out, Render& render, const TypeInfo& type, const uint8_t* key, bool compact) {
  size_t start = out.size();
  append_text(out, render, {&type, key}, {.compact = compact});
  if (out.size() - start < 2 || out[start] != '(' || out.back() != ')') return;
  out.pop_back();
  out.erase(start, 1);
}

static void append_number(std::string& out, uint64_t value, uint32_t div, bool is_signed) {
  value = divide(value, div, is_signed);
  is_signed ? append_dec(out, static_cast<int64_t>(value)) : append_dec(out, value);
}

// A value that fits on one line.
static void append_single(std::string& out, Render& render, const TypeInfo& type, const Aggregate& aggregate, const uint8_t* data, uint32_t div) {
  switch (type.kind) {
    case Kind::Int: case Kind::Count: case Kind::Sum: case Kind::Min: case Kind::Max: case Kind::Avg:
      append_number(out, aggregate.value, div, type.is_signed);
      break;
    case Kind::Stats:
      out += "{ .count = ";
      append_dec(out, aggregate.count);
      out += ", .average = ";
      append_number(out, aggregate.value, div, type.is_signed);
      out += ", .total = ";
      append_number(out, aggregate.total, 1, type.is_signed);
      out += " }";
      break;
    default: append_text(out, render, {&type, data}, {.div = div});
  }
}

static void append_rows(std::string& out, const MapImage& image, const MapRow& row, uint32_t div) {
  const TypeInfo& type = *image.info->value;
  if (type.kind == Kind::TSeries)
    append_series_text(out, make_series(type, row.points, image.newest));
  else
    append_hist_text(out, hist_rows(type, row.buckets, div));
}

void append_map_text(std::string& out, Render& render, const MapImage& image, uint32_t div, bool show_empty_scalar) {
  const MapInfo& info = *image.info;
  if (div == 0) div = 1;
  bool multi_row = is_multi_row(info.value->kind);
  for (const MapRow& row : image.rows) {
    out += info.name;
    if (info.key) {
      out += '[';
      append_key(out, render, *info.key, image.entries.key(row.entry), false);
      out += ']';
    }
    out += multi_row ? ":\n" : ": ";
    if (multi_row)
      append_rows(out, image, row, div);
    else
      append_single(out, render, *info.value, row.aggregate, image.entries.value(row.entry), div);
    out += '\n';
    if (!info.key) return;
  }
  if (image.rows.empty() && !info.key && !multi_row && show_empty_scalar) {
    std::vector<uint8_t> zero(info.value->size);
    out += info.name;
    out += ": ";
    append_single(out, render, *info.value, {}, zero.data(), div);
    out += '\n';
  }
}

void append_item_text(std::string& out, Render& render, const MapInfo& info, const uint8_t* value, uint32_t cpus, size_t stride) {
  if (!is_multi_row(info.value->kind)) append_single(out, render, *info.value, reduce(*info.value, value, cpus, stride), value, 1);
}

}  // namespace btc::rt
