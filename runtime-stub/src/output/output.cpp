// Output: opening, the stream of events, maps, messages. See output.h.
#include "runtime-stub/src/output/output.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <unistd.h>

#include "runtime-stub/src/output/append.h"
#include "runtime-stub/src/output/openmetrics.h"
#include "runtime-stub/src/output/state.h"

namespace btc::rt {

using abi::EventKind;

Output::Output() : state_(new State) {}
Output::~Output() = default;

bool parse_output_format(std::string_view text, OutputFormat* out) {
  constexpr std::string_view kNames[] = {"text", "json", "folded", "openmetrics"};
  for (size_t i = 0; i < std::size(kNames); i++)
    if (text == kNames[i]) return *out = static_cast<OutputFormat>(i), true;
  return false;
}
bool parse_buffer_mode(std::string_view text, BufferMode* out) {
  constexpr std::string_view kNames[] = {"line", "full", "none"};
  for (size_t i = 0; i < std::size(kNames); i++)
    if (text == kNames[i]) return *out = static_cast<BufferMode>(i), true;
  return false;
}

static std::string_view text_of(const flatbuffers::String* s) { return s ? std::string_view(s->c_str(), s->size()) : std::string_view(); }

static bool names_map(EventKind kind) {
  return kind == EventKind::PrintMap || kind == EventKind::PrintMapItem || kind == EventKind::Clear || kind == EventKind::Zero;
}
static bool has_printf_format(EventKind kind) {
  return kind == EventKind::Printf || kind == EventKind::Errorf || kind == EventKind::Warnf || kind == EventKind::Cat || kind == EventKind::System;
}

static bool has_user_address(const Types& types, const TypeInfo& type) {
  if (type.kind == Kind::UStack || type.kind == Kind::USym) return true;
  return std::any_of(type.members.begin(), type.members.end(), [&](const Member& member) { return has_user_address(types, types[member.type]); });
}

static bool load_maps(Output::State& state) {
  if (!state.manifest->maps()) return true;
  const Types& types = state.render.types;
  for (const fb::Map* from : *state.manifest->maps()) {
    if (from->value() >= types.size() || from->key() >= static_cast<int64_t>(types.size())) return false;
    MapInfo& map = state.maps.emplace_back();
    map.name = text_of(from->name());
    map.bpf_name = text_of(from->bpf_name());
    map.key = from->key() >= 0 ? &types[static_cast<uint32_t>(from->key())] : nullptr;
    map.value = &types[from->value()];
    map.is_array = from->kind() == fb::MapKind::Array || from->kind() == fb::MapKind::PercpuArray;
    if ((map.key && has_user_address(types, *map.key)) || has_user_address(types, *map.value)) {
      state.process_maps.push_back(static_cast<uint32_t>(state.maps.size() - 1));
      state.user_addresses = true;
    }
    state.stack_maps += map.key && has_stack(types, *map.key);
    state.dump_order.push_back(static_cast<uint32_t>(state.maps.size() - 1));
  }
  std::sort(state.dump_order.begin(), state.dump_order.end(), [&](uint32_t a, uint32_t b) { return state.maps[a].bpf_name < state.maps[b].bpf_name; });
  return true;
}

static bool load_events(Output::State& state, std::string* error) {
  if (!state.manifest->events()) return true;
  const Types& types = state.render.types;
  for (const fb::Event* from : *state.manifest->events()) {
    EventInfo& event = state.events.emplace_back();
    event.kind = static_cast<EventKind>(from->kind());
    event.source = from;
    event.text = text_of(from->format());
    event.location = from->location();
    if (event.kind >= EventKind::kCount || from->payload() >= types.size()) return false;
    const TypeInfo& payload = types[from->payload()];
    if (payload.kind == Kind::Tuple) event.payload = &payload;
    state.user_addresses |= has_user_address(types, payload);
    if (has_printf_format(event.kind)) event.format.emplace(event.text);
    if (names_map(event.kind)) {
      if (from->map() < 0 || static_cast<uint32_t>(from->map()) >= state.maps.size()) return false;
      event.map = static_cast<uint32_t>(from->map());
    }
    if (event.kind == EventKind::Skboutput) {
      event.pcap.reset(new PcapFile);
      std::string file(event.text);
      if (event.pcap->open(file)) continue;
      *error = "Failed to open pcap file: \"" + file + "\": " + std::string(errno_text(errno));
      return false;
    }
  }
  return true;
}

bool Output::State::load(std::string* error) {
  const char* damaged = "";
  *error = "The manifest is damaged";
  render.manifest = manifest;
  render.target = target;
  render.options = &options;
  if (!render.types.load(*manifest, &damaged) || !load_maps(*this) || !load_events(*this, error)) return false;
  render.clock.start();
  render.user_symbols.configure(options, target);
  messages.manifest = manifest;
  messages.color = options.color == ColorMode::Always || (options.color == ColorMode::Auto && isatty(2));
  error->clear();
  return true;
}

std::unique_ptr<Output> Output::open(const fb::Manifest* manifest, Target* target, const OutputOptions& options, std::string* error) {
  std::unique_ptr<Output> out(new Output);
  State& state = *out->state_;
  state.manifest = manifest;
  state.target = target;
  state.options = options;
  // Metrics replace their file as a whole, at the end and whenever the script prints a map.
  std::string file = options.format == OutputFormat::OpenMetrics ? "" : options.file;
  if (!state.load(error) || !state.sink.open(file, options.buffering, options.stop, error)) return nullptr;
  return out;
}

void Output::State::report_broken_sink() {
  std::string text = sink.take_error();
  if (text.empty()) return;
  std::string line;
  messages.append(line, Severity::Error, text);
  write_stderr(line);
}

void Output::State::put(std::string_view bytes) {
  if (capturing)
    captured += bytes;
  else
    sink.write(bytes);
}

void Output::State::to_stderr(std::string_view bytes) {
  if (capturing) {
    captured += bytes;
    return;
  }
  // Both streams may be the same terminal: what was printed before must come before.
  sink.flush_lines();
  write_stderr(bytes);
}

void Output::State::emit(std::string_view json_type, std::string_view text) {
  if (text_to_stderr()) return to_stderr(text);
  if (!json()) return put(text);
  std::string line = "{\"type\": \"";
  line += json_type;
  line += "\", \"data\": ";
  append_json_string(line, text);
  line += "}\n";
  put(line);
}

void Output::State::warning(std::string_view text) {
  std::string line;
  messages.append(line, Severity::Warning, text);
  to_stderr(line);
}
void Output::State::error(std::string_view text) {
  std::string line;
  messages.append(line, Severity::Error, text);
  to_stderr(line);
}

bool Output::State::read_image(uint32_t map, uint32_t top, MapImage* image) {
  MapEntries entries;
  if (target->read_map(map, &entries) && make_image(render, maps[map], std::move(entries), top, image)) return true;
  error("failed to read map: " + std::string(maps[map].name));
  return false;
}

void Output::State::show_map(uint32_t map, uint32_t top, uint32_t div, bool at_end) {
  if (options.format == OutputFormat::OpenMetrics) return publish_metrics(false);
  MapImage image;
  if (!read_image(map, top, &image)) return;
  if (options.format == OutputFormat::Folded) return show_folded(map, image, div);
  std::string text;
  if (json())
    append_map_json(text, render, image, div, !at_end);
  else
    append_map_text(text, render, image, div, !at_end);
  put(text);
}

void Output::State::show_folded(uint32_t map, const MapImage& image, uint32_t div) {
  if (maps[map].key && has_stack(render.types, *maps[map].key)) {
    std::string text;
    append_map_folded(text, render, image, div, stack_maps > 1);
    return put(text);
  }
  warned_no_stack.resize(maps.size());
  if (!warned_no_stack[map]) warning(std::string(maps[map].name) + " has no stack in its key: folded output leaves it out");
  warned_no_stack[map] = true;
}

std::string Output::State::metrics() {
  std::string text;
  append_metrics_script(text, *manifest, lost_events);
  for (uint32_t map : dump_order) {
    MapImage image;
    if (read_image(map, 0, &image)) append_metrics_map(text, render, image, script_of(*manifest));
  }
  text += "# EOF\n";
  return text;
}

void Output::State::publish_metrics(bool at_end) {
  if (options.file.empty()) return at_end ? put(metrics()) : void();
  stale_metrics = !replace_file(options.file, metrics());
  if (stale_metrics) error("Failed to write '" + options.file + "': " + std::string(errno_text(errno)));
}

Next Output::handle_event(const abi::EventHeader& header, const uint8_t* payload, size_t size) {
  State& state = *state_;
  if (header.event >= state.events.size()) return {};
  EventInfo& event = state.events[header.event];
  // A record that is shorter than its type is read as if zeros followed.
  if (event.payload && size < event.payload->size) {
    state.padded.assign(payload, payload + size);
    state.padded.resize(event.payload->size);
    payload = state.padded.data();
  }
  return event_handler(event.kind)(state, event, payload, size);
}

// Process ids stand at the same place in every entry: at 0 of a ustack_t, at 8 of a usym_t.
static void note_processes_in(Render& render, const TypeInfo& type, const uint8_t* data) {
  if (type.kind == Kind::UStack) render.user_symbols.note_process(read_as<int32_t>(data));
  if (type.kind == Kind::USym) render.user_symbols.note_process(read_as<int32_t>(data + 8));
  for (const Member& member : type.members) note_processes_in(render, render.types[member.type], data + member.offset);
}

void Output::State::notice_processes() {
  constexpr int64_t kInterval = 250'000'000, kShare = 20;
  int64_t start = monotonic_now();
  if (process_maps.empty() || start < next_notice) return;
  for (uint32_t map : process_maps) {
    MapEntries entries;
    if (!target->read_map(map, &entries)) continue;
    const MapInfo& info = maps[map];
    for (uint32_t entry = 0; entry < entries.count; entry++) {
      if (info.key && entries.key_size >= info.key->size) note_processes_in(render, *info.key, entries.key(entry));
      if (entries.value_size >= info.value->size) note_processes_in(render, *info.value, entries.value(entry));
    }
  }
  // Never more than a twentieth of the time goes into this.
  int64_t end = monotonic_now();
  next_notice = end + std::max(kInterval, (end - start) * kShare);
}

void Output::flush_batch() {
  state_->notice_processes();
  state_->sink.flush_lines();
  state_->report_broken_sink();
}
bool Output::broken() const { return state_->sink.broken(); }

// `{"type": TYPE, "count": N, "data": {MEMBER: N}}`.
static void put_count(Output::State& state, std::string_view type, std::string_view member, uint64_t count) {
  std::string line = "{\"type\": \"";
  line.append(type).append("\", \"count\": ");
  append_dec(line, count);
  line.append(", \"data\": {\"").append(member).append("\": ");
  append_dec(line, count);
  line += "}}\n";
  state.put(line);
}

void Output::attached(uint64_t count) {
  if (state_->options.quiet) return;
  if (state_->json()) return put_count(*state_, "attached_probes", "probes", count);
  std::string line = "Attached ";
  append_dec(line, count);
  line += count == 1 ? " probe\n" : " probes\n";
  state_->to_stderr(line);
}

void Output::lost(uint64_t events) {
  state_->lost_events += events;
  if (state_->json()) return put_count(*state_, "lost_events", "events", events);
  std::string line = "Lost ";
  append_dec(line, events);
  line += " events\n";
  state_->to_stderr(line);
}

void Output::total_lost(uint64_t events) {
  std::string text = "Total lost event count: ";
  append_dec(text, events);
  state_->warning(text);
}

void Output::probe_lost(std::string_view probe, uint64_t events) {
  std::string text;
  append_dec(text, events);
  text += events == 1 ? " of them was lost by " : " of them were lost by ";
  text += probe;
  state_->warning(text);
}

void Output::probe_missed(std::string_view probe, uint64_t runs) {
  if (state_->options.warning_level == 0) return;
  std::string text;
  append_dec(text, runs);
  text += runs == 1 ? " run of " : " runs of ";
  text += probe;
  text += runs == 1 ? " was missed" : " were missed";
  text += ": the kernel does not run a program inside itself";
  state_->warning(text);
}

void Output::map_lost(uint32_t map, uint64_t entries) {
  if (map >= state_->maps.size() || state_->options.warning_level == 0 || state_->said_map_full) return;
  std::string text;
  append_dec(text, entries);
  text += entries == 1 ? " update of " : " updates of ";
  text += state_->maps[map].name;
  text += entries == 1 ? " was lost because the map was full" : " were lost because the map was full";
  state_->warning(text);
}

void Output::raw(std::string_view bytes) { state_->text_to_stderr() ? state_->to_stderr(bytes) : state_->put(bytes); }

void Output::begin_capture() {
  state_->capturing = true;
  state_->captured.clear();
}
std::string Output::end_capture() {
  state_->capturing = false;
  return std::move(state_->captured);
}
uint64_t Output::errorf_count() const { return state_->errors; }
bool Output::names_user_addresses() const { return state_->user_addresses; }
void Output::note_process(int32_t pid) { state_->render.user_symbols.note_process(pid); }

void Output::end() {
  if (state_->options.format == OutputFormat::Text) state_->put("\n\n");
}

void Output::dump_maps() {
  if (state_->options.format == OutputFormat::OpenMetrics) return state_->publish_metrics(true);
  if (!state_->options.print_maps_on_exit) return;
  for (uint32_t map : state_->dump_order) state_->show_map(map, 0, 0, true);
}

void Output::print_map(uint32_t map, uint32_t top, uint32_t div) {
  if (map < state_->maps.size()) state_->show_map(map, top, div, false);
}

std::string Output::metrics() { return state_->metrics(); }

void Output::publish() {
  if (state_->options.format == OutputFormat::OpenMetrics) return state_->publish_metrics(false);
  for (uint32_t map : state_->dump_order) state_->show_map(map, 0, 0, true);
}

int Output::close() {
  bool good = state_->sink.close();
  state_->report_broken_sink();
  return good && !state_->stale_metrics ? 0 : 1;
}

void Output::warning(std::string_view text) { state_->warning(text); }
void Output::error(std::string_view text) { state_->error(text); }

}  // namespace btc::rt
