// One handler per row of abi/events.def; a row without one does not compile.
#include <cerrno>
#include <cstring>
#include <sys/wait.h>

#include "runtime-stub/src/output/append.h"
#include "runtime-stub/src/output/files.h"
#include "runtime-stub/src/output/state.h"

namespace btc::rt {

using abi::EventKind;
using abi::RuntimeErrorKind;
using State = Output::State;

namespace {
struct RuntimeErrorRow { uint8_t level; std::string_view text; };
constexpr RuntimeErrorRow kRuntimeErrors[] = {
#define BTC_RUNTIME_ERROR(Kind, Level, Text) {Level, Text},
#include "runtime-stub/abi/runtime_errors.def"
#undef BTC_RUNTIME_ERROR
};
constexpr std::string_view kJsonTypes[] = {
#define BTC_EVENT(Kind, Text, JsonType, Doc) JsonType,
#include "runtime-stub/abi/events.def"
#undef BTC_EVENT
};
}  // namespace

static std::string_view json_type(const EventInfo& event) { return kJsonTypes[static_cast<size_t>(event.kind)]; }

// Member `index` of the payload; its type is null if there is none.
static Value member(State& state, const EventInfo& event, size_t index, const uint8_t* data) {
  if (!event.payload || index >= event.payload->members.size()) return {};
  const Member& member = event.payload->members[index];
  return {&state.render.types[member.type], data + member.offset};
}
static uint64_t number(State& state, const EventInfo& event, size_t index, const uint8_t* data, uint64_t otherwise = 0) {
  Value value = member(state, event, index, data);
  uint64_t found = otherwise;
  return value.type && numeric_value(value, &found) ? found : otherwise;
}

static const std::string& formatted(State& state, const EventInfo& event, const uint8_t* data) {
  static const TypeInfo kNoArguments;
  state.scratch.clear();
  event.format->apply(state.scratch, state.render, event.payload ? *event.payload : kNoArguments, data);
  return state.scratch;
}

static Next on_Printf(State& state, EventInfo& event, const uint8_t* data, size_t) {
  // The common case writes straight into the output's buffer.
  if (state.options.format == OutputFormat::Text && !state.capturing) {
    static const TypeInfo kNoArguments;
    event.format->apply(state.sink.buffer(), state.render, event.payload ? *event.payload : kNoArguments, data);
    state.sink.written();
  } else {
    state.emit(json_type(event), formatted(state, event, data));
  }
  return {};
}

// The end of a JSON message: the script's place that it speaks of.
static void finish_with_place(State& state, EventInfo& event, std::string& line) {
  const fb::Location* place = state.messages.location(event.location);
  line += ", \"filename\": ";
  append_json_string(line, place ? state.messages.file_name(*place) : "");
  line += ", \"line\": ";
  append_dec(line, place ? place->line() : 0u);
  line += ", \"col\": ";
  append_dec(line, place ? place->col() : 0u);
  line += "}\n";
  state.put(line);
}

// errorf and warnf: a message at the place of the call.
static void emit_message(State& state, EventInfo& event, Severity severity, const uint8_t* data) {
  const std::string& text = formatted(state, event, data);
  std::string line;
  if (!state.json()) {
    state.messages.append_at(line, severity, text, event.location, false);
    return state.to_stderr(line);
  }
  line = "{\"type\": \"";
  line += json_type(event);
  line += "\", \"msg\": ";
  append_json_string(line, text);
  finish_with_place(state, event, line);
}
static Next on_Errorf(State& state, EventInfo& event, const uint8_t* data, size_t) {
  state.errors++;
  emit_message(state, event, Severity::Error, data);
  return {};
}
static Next on_Warnf(State& state, EventInfo& event, const uint8_t* data, size_t) {
  if (state.options.warning_level > 0) emit_message(state, event, Severity::Warning, data);
  return {};
}

static Next on_Cat(State& state, EventInfo& event, const uint8_t* data, size_t) {
  std::string name = formatted(state, event, data), content;
  if (read_file(name.c_str(), &content, state.options.max_cat_bytes)) {
    state.emit(json_type(event), content);
  } else {
    std::string_view reason = errno_text(errno);
    state.error("failed to open file '" + name + "' (" + std::string(reason) + ")");
  }
  return {};
}

static Next on_System(State& state, EventInfo& event, const uint8_t* data, size_t) {
  if (!state.options.allow_unsafe && !state.manifest->unsafe()) {
    state.error("syscall() not allowed in safe mode. Use '--unsafe'. (Operation not permitted)");
    return {};
  }
  std::string command = formatted(state, event, data), output;
  int status = 0;
  state.sink.flush();  // the command may write to the same terminal by other ways
  if (!run_command(command, &output, &status)) {
    state.error("failed to run '" + command + "' (" + std::string(errno_text(errno)) + ")");
    return {};
  }
  // What a command printed before it failed is shown, too; bpftrace drops it.
  if (status == 0 || !output.empty()) {
    if (!state.json()) output += '\n';
    state.emit(json_type(event), output);
  }
  if (WIFSIGNALED(status)) state.error("child process did not exit normally");
  if (WIFEXITED(status) && WEXITSTATUS(status) != 0) {
    std::string text = "command exited with code ";
    append_dec(text, WEXITSTATUS(status));
    state.error(text);
  }
  return {};
}

static Next on_PrintValue(State& state, EventInfo& event, const uint8_t* data, size_t) {
  Value value = member(state, event, 0, data);
  if (!value.type) return {};
  std::string line;
  if (state.json()) {
    line = "{\"type\": \"value\", \"data\": ";
    append_json(line, state.render, value);
    line += "}\n";
    state.put(line);
  } else {
    append_text(line, state.render, value);
    line += '\n';
    state.emit(json_type(event), line);
  }
  return {};
}

static Next on_PrintMap(State& state, EventInfo& event, const uint8_t* data, size_t) {
  uint64_t top = number(state, event, 0, data, event.source->top()), div = number(state, event, 1, data, event.source->div());
  state.show_map(event.map, static_cast<uint32_t>(top), static_cast<uint32_t>(div), false);
  return {};
}

// A missing entry shows as zero.
static Next on_PrintMapItem(State& state, EventInfo& event, const uint8_t* data, size_t) {
  const MapInfo& map = state.maps[event.map];
  Value key = member(state, event, 0, data), value = member(state, event, 1, data);
  if (!map.key || !key.type || key.type->size < map.key->size || (value.type && value.type->size < map.value->size)) return {};
  std::vector<uint8_t> zero(map.value->size);
  const uint8_t* bytes = value.type ? value.data : zero.data();
  uint32_t cpus = 1;
  MapEntries entries;
  if (!value.type && state.target->read_map(event.map, &entries) && entries.key_size >= map.key->size && entries.value_size >= map.value->size) {
    for (uint32_t entry = 0; entry < entries.count; entry++) {
      if (memcmp(entries.key(entry), key.data, map.key->size) != 0) continue;
      bytes = entries.value(entry);
      cpus = entries.cpus;
    }
  }
  std::string line;
  if (state.json()) {
    line = "{\"type\": \"value\", \"data\": ";
    append_item_json(line, state.render, map, bytes, cpus, entries.value_size);
    line += "}\n";
    state.put(line);
  } else {
    append_item_text(line, state.render, map, bytes, cpus, entries.value_size);
    line += '\n';
    state.emit(json_type(event), line);
  }
  return {};
}

static Next on_Clear(State& state, EventInfo& event, const uint8_t*, size_t) {
  state.maps[event.map].zeroed = false;
  if (!state.target->clear_map(event.map)) state.error("failed to clear map: " + std::string(state.maps[event.map].name));
  return {};
}

static Next on_Zero(State& state, EventInfo& event, const uint8_t*, size_t) {
  // An array's entry that was written and then zeroed still shows, as a hash's does.
  MapImage image;
  if (state.maps[event.map].is_array && state.read_image(event.map, 0, &image) && !image.rows.empty()) state.maps[event.map].zeroed = true;
  if (!state.target->zero_map(event.map)) state.error("failed to zero map: " + std::string(state.maps[event.map].name));
  return {};
}

static Next on_Exit(State& state, EventInfo& event, const uint8_t* data, size_t) {
  return {.exit = true, .code = static_cast<uint8_t>(number(state, event, 0, data))};
}

static Next on_Time(State& state, EventInfo& event, const uint8_t*, size_t) {
  std::string text;
  append_time(text, event.text, now_wall());
  state.emit(json_type(event), text);
  return {};
}

// The strings up to the first empty one.
static Next on_Join(State& state, EventInfo& event, const uint8_t* data, size_t) {
  uint64_t count = number(state, event, 0, data);
  std::string text;
  for (uint64_t i = 0; i < count; i++) {
    Value slot = member(state, event, 1, data);
    if (slot.type && slot.type->kind == Kind::Array) {
      if (i >= slot.type->count) break;
      const TypeInfo& elem = state.render.types[slot.type->elem];
      slot = {&elem, slot.data + i * elem.size};
    } else {
      slot = member(state, event, 1 + i, data);
    }
    if (!slot.type || slot.type->size == 0 || slot.data[0] == 0) break;
    if (i) text += event.text;
    const char* chars = reinterpret_cast<const char*>(slot.data);
    text.append(chars, strnlen(chars, slot.type->size));
  }
  if (!state.json()) text += '\n';
  state.emit(json_type(event), text);
  return {};
}

// Helper failures name the helper and what it returned.
static bool is_helper_error(RuntimeErrorKind kind) {
  return kind == RuntimeErrorKind::MapFull || kind == RuntimeErrorKind::MapDeleteMissing || kind == RuntimeErrorKind::MapLookupMissing ||
         kind == RuntimeErrorKind::HelperFailed || kind == RuntimeErrorKind::LoopRefused;
}

static void runtime_error_json(State& state, EventInfo& event, bool helper, std::string_view text, int32_t retcode) {
  std::string line = helper ? "{\"type\": \"helper_error\", \"msg\": " : "{\"type\": \"runtime_error\", \"msg\": ";
  append_json_string(line, helper ? errno_text(-retcode) : text);
  if (helper) {
    line += ", \"helper\": ";
    append_json_string(line, event.source->helper() ? event.source->helper()->c_str() : "");
    line += ", \"retcode\": ";
    append_dec(line, retcode);
  }
  finish_with_place(state, event, line);
}

static Next on_RuntimeError(State& state, EventInfo& event, const uint8_t* data, size_t) {
  if (event.source->error() >= std::size(kRuntimeErrors)) return {};
  auto kind = static_cast<RuntimeErrorKind>(event.source->error());
  const RuntimeErrorRow& row = kRuntimeErrors[event.source->error()];
  if (state.options.warning_level < row.level) return {};
  auto retcode = static_cast<int32_t>(number(state, event, 0, data));
  state.said_map_full |= kind == RuntimeErrorKind::MapFull;
  bool helper = is_helper_error(kind);
  std::string text(row.text.empty() ? errno_text(-retcode) : row.text);
  if (state.json()) {
    runtime_error_json(state, event, helper, text, retcode);
    return {};
  }
  if (helper) {
    text += "\nAdditional Info - helper: ";
    text += event.source->helper() ? event.source->helper()->c_str() : "";
    text += ", retcode: ";
    append_dec(text, retcode);
  }
  std::string line;
  state.messages.append_at(line, Severity::Warning, text, event.location, true);
  state.to_stderr(line);
  return {};
}

static Next on_Skboutput(State& state, EventInfo& event, const uint8_t* data, size_t size) {
  Value packet = member(state, event, 2, data);
  if (!packet.type || !event.pcap) return {};
  size_t at = static_cast<size_t>(packet.data - data), length = number(state, event, 1, data);
  if (at >= size || length == 0) return {};
  if (length > size - at) length = size - at;
  int64_t when = state.render.clock.to_wall(static_cast<uint32_t>(abi::ClockMode::Boot), number(state, event, 0, data));
  if (!event.pcap->write(when, packet.data, static_cast<uint32_t>(length))) {
    state.error("failed to write '" + std::string(event.text) + "': " + std::string(errno_text(errno)));
    event.pcap.reset();
  }
  return {};
}

static Next on_Unwatch(State& state, EventInfo& event, const uint8_t* data, size_t) {
  state.target->unwatch(number(state, event, 0, data));
  return {};
}

EventHandler event_handler(EventKind kind) {
  static constexpr EventHandler kHandlers[] = {
#define BTC_EVENT(Kind, ...) on_##Kind,
#include "runtime-stub/abi/events.def"
#undef BTC_EVENT
  };
  return kHandlers[static_cast<size_t>(kind)];
}

}  // namespace btc::rt
