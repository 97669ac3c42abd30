// OpenMetrics; see openmetrics.h.
#include "runtime-stub/src/output/openmetrics.h"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <map>
#include <unistd.h>

#include "runtime-stub/src/output/append.h"
#include "runtime-stub/src/output/hist.h"

namespace btc::rt {

namespace {
// Rows whose labels read the same (two addresses in one function) are one series.
struct SeriesData {
  Aggregate aggregate;
  std::vector<uint64_t> buckets;
  std::vector<SeriesPoint> points;
  std::string text;            // values that are not numbers
};
using AllSeries = std::map<std::string, SeriesData>;
}  // namespace

static void append_label(std::string& labels, std::string_view name, std::string_view value) {
  if (!labels.empty()) labels += ',';
  labels += name;
  labels += '=';
  // JSON's quoting plus \u00XX, which this format does not know: control characters become blanks.
  std::string clean;
  for (char c : value) clean += static_cast<uint8_t>(c) < 0x20 && c != '\n' ? ' ' : c;
  append_json_string(labels, clean);
}

static void append_key_labels(std::string& labels, Render& render, Value key) {
  bool parts = key.type->kind == Kind::Tuple || key.type->kind == Kind::AnonRecord;
  std::string text;
  if (!parts) {
    append_text(text, render, key, {.compact = true});
    append_label(labels, "key", text);
    return;
  }
  for (size_t i = 0; i < key.type->members.size(); i++) {
    const Member& member = key.type->members[i];
    std::string name(member.name);
    if (name.empty()) append_dec(name += "key", uint64_t{i});
    text.clear();
    append_text(text, render, {&render.types[member.type], key.data + member.offset}, {.compact = true});
    append_label(labels, name, text);
  }
}

static void merge(SeriesData& into, const TypeInfo& type, const Aggregate& from) {
  Aggregate& to = into.aggregate;
  bool lower = type.is_signed ? static_cast<int64_t>(from.value) < static_cast<int64_t>(to.value) : from.value < to.value;
  if (type.kind == Kind::Min || type.kind == Kind::Max) {
    if (!to.is_set || (from.is_set && lower == (type.kind == Kind::Min))) to.value = from.value;
  } else {
    to.value += from.value;
  }
  to.count += from.count;
  to.total += from.total;
  to.is_set |= from.is_set;
}

static bool is_number(Kind kind) {
  return kind == Kind::Int || kind == Kind::Count || kind == Kind::Sum || kind == Kind::Min || kind == Kind::Max || kind == Kind::Bool || kind == Kind::Enum ||
         kind == Kind::Pointer;
}

static AllSeries collect(Render& render, const MapImage& image) {
  const MapInfo& info = *image.info;
  AllSeries all;
  for (const MapRow& row : image.rows) {
    std::string labels, text;
    if (info.key) append_key_labels(labels, render, {info.key, image.entries.key(row.entry)});
    Value value{info.value, image.entries.value(row.entry)};
    if (!is_aggregation(info.value->kind) && !is_number(info.value->kind)) {
      append_text(text, render, value, {.compact = true});
      append_label(labels, "value", text);
    }
    SeriesData& data = all[labels];
    Aggregate aggregate = row.aggregate;
    if (info.value->kind == Kind::Bool || info.value->kind == Kind::Pointer) numeric_value(value, &aggregate.value);
    merge(data, *info.value, aggregate);
    data.buckets.resize(row.buckets.size());
    for (size_t i = 0; i < row.buckets.size(); i++) data.buckets[i] += row.buckets[i];
    if (!row.points.empty()) data.points = row.points;
  }
  return all;
}

static void append_sample(std::string& out, std::string_view name, std::string_view suffix, std::string_view labels, uint64_t value, bool is_signed) {
  out += name;
  out += suffix;
  if (!labels.empty()) ((out += '{') += labels) += '}';
  out += ' ';
  is_signed ? append_dec(out, static_cast<int64_t>(value)) : append_dec(out, value);
  out += '\n';
}

// Without `_count`, which the format only allows beside `_sum`, and the sum is not known; the +Inf bucket says the same.
static void append_histogram(std::string& out, std::string_view name, const std::string& labels, const TypeInfo& type, const SeriesData& data) {
  uint64_t total = 0;
  for (const HistRow& row : hist_rows(type, data.buckets, 1)) {
    total += row.count;
    if (row.high.open) continue;
    std::string le, all = labels;
    append_dec(le, row.high.value - 1);
    append_label(all, "le", le);
    append_sample(out, name, "_bucket", all, total, false);
  }
  std::string all = labels;
  append_label(all, "le", "+Inf");
  append_sample(out, name, "_bucket", all, total, false);
}

static void append_family(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  ((((out += "# HELP ") += name) += ' ') += help) += '\n';
  ((((out += "# TYPE ") += name) += ' ') += type) += '\n';
}

// Samples of one value per series.
template <typename ValueOf>
static void append_gauge(std::string& out, std::string_view name, std::string_view help, const AllSeries& all, bool is_signed, ValueOf&& value_of) {
  append_family(out, name, "gauge", help);
  for (const auto& [labels, data] : all) append_sample(out, name, "", labels, value_of(data), is_signed);
}

void append_metrics_map(std::string& out, Render& render, const MapImage& image, std::string_view script) {
  const MapInfo& info = *image.info;
  if (image.rows.empty()) return;
  std::string name = "btc_";
  name += info.name.size() > 1 ? info.name.substr(1) : "map";
  std::string help = "Map ";
  ((help += info.name) += " of ") += script;
  for (char& c : help)
    if (c == '\n' || c == '\\') c = ' ';
  bool is_signed = info.value->is_signed;
  AllSeries all = collect(render, image);
  switch (info.value->kind) {
    case Kind::Hist: case Kind::LHist:
      append_family(out, name, "histogram", help);
      for (const auto& [labels, data] : all) append_histogram(out, name, labels, *info.value, data);
      break;
    // Not a summary, whose sum may not be negative and may not go down.
    case Kind::Avg: case Kind::Stats:
      append_gauge(out, name + "_count", help, all, false, [](const SeriesData& data) { return data.aggregate.count; });
      append_gauge(out, name + "_sum", help, all, is_signed, [](const SeriesData& data) { return data.aggregate.total; });
      break;
    case Kind::TSeries:
      std::erase_if(all, [](const auto& series) { return series.second.points.empty(); });
      append_gauge(out, name, help, all, is_signed, [](const SeriesData& data) { return data.points.back().value; });
      break;
    default: append_gauge(out, name, help, all, is_signed, [&](const SeriesData& data) { return is_number(info.value->kind) ? data.aggregate.value : 1; });
  }
}

std::string_view script_of(const fb::Manifest& manifest) {
  const flatbuffers::String* name = manifest.script_name();
  return name && name->size() ? std::string_view(name->c_str(), name->size()) : "stdin";
}

void append_metrics_script(std::string& out, const fb::Manifest& manifest, uint64_t lost_events) {
  std::string labels;
  append_label(labels, "script", script_of(manifest));
  append_label(labels, "sha256", manifest.script_sha256() ? manifest.script_sha256()->c_str() : "");
  append_family(out, "btc_script_info", "gauge", "The script that these metrics come from");
  append_sample(out, "btc_script_info", "", labels, 1, false);
  append_family(out, "btc_lost_events", "gauge", "Events that were lost because the buffer was full");
  append_sample(out, "btc_lost_events", "", "", lost_events, false);
}

bool replace_file(const std::string& file, std::string_view bytes) {
  std::string temporary = file + ".";
  append_dec(temporary, static_cast<uint64_t>(getpid()));
  temporary += ".tmp";
  int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return false;
  bool good = true;
  while (good && !bytes.empty()) {
    ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    good = n > 0;
    if (good) bytes.remove_prefix(static_cast<size_t>(n));
  }
  good &= ::close(fd) == 0;
  if (good && ::rename(temporary.c_str(), file.c_str()) == 0) return true;
  int error = errno;
  ::unlink(temporary.c_str());
  errno = error;
  return false;
}

}  // namespace btc::rt
