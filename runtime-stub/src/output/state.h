// What one Output holds. Private to output.cpp, events.cpp and the formats.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime-stub/src/output/folded.h"
#include "runtime-stub/src/output/maps.h"
#include "runtime-stub/src/output/messages.h"
#include "runtime-stub/src/output/pcap.h"
#include "runtime-stub/src/output/printf.h"
#include "runtime-stub/src/output/render.h"
#include "runtime-stub/src/output/sink.h"

namespace btc::rt {

// An event of the manifest, made ready.
struct EventInfo {
  abi::EventKind kind{};
  const fb::Event* source = nullptr;
  const TypeInfo* payload = nullptr;   // a tuple, or null
  std::optional<PrintfFormat> format;  // kinds whose format is a printf format
  std::string_view text;               // Event.format as it is
  uint32_t map = 0;                    // valid for kinds that name a map
  int32_t location = -1;
  std::unique_ptr<PcapFile> pcap;      // skboutput
};

struct Output::State {
  OutputOptions options;
  const fb::Manifest* manifest = nullptr;
  Target* target = nullptr;
  Render render;
  Messages messages;
  Sink sink;
  std::vector<MapInfo> maps;
  std::vector<uint32_t> dump_order;    // by name in the kernel
  std::vector<EventInfo> events;
  std::string scratch;                 // text of the event at hand
  std::vector<uint8_t> padded;         // a payload shorter than its type, with zeros behind it
  bool capturing = false;
  std::string captured;
  uint64_t errors = 0;                 // errorf events
  uint64_t lost_events = 0;
  bool said_map_full = false;          // a runtime error told of lost map entries
  bool stale_metrics = false;          // the file of -o could not be replaced the last time
  uint32_t stack_maps = 0;             // maps with a stack in their key
  std::vector<uint32_t> process_maps;  // maps whose keys or values hold user addresses
  bool user_addresses = false;         // so does a map or an event
  int64_t next_notice = 0;             // when to look at them again
  std::vector<bool> warned_no_stack;   // -f folded: said once per map

  bool load(std::string* error);
  bool json() const { return options.format == OutputFormat::Json && !capturing; }   // what a test prints is text in its report
  // Formats for machines have no place for loose text: it goes to stderr.
  bool text_to_stderr() const { return options.format == OutputFormat::Folded || options.format == OutputFormat::OpenMetrics; }

  // The text of an event that is not a message: as it is, or as {"type": type, "data": "text"}.
  void emit(std::string_view json_type, std::string_view text);
  // A complete JSON line or text for the output stream.
  void put(std::string_view bytes);
  void to_stderr(std::string_view bytes);
  void warning(std::string_view text);
  void error(std::string_view text);
  void report_broken_sink();
  // Reads what new processes with user addresses in maps have mapped, before they end.
  void notice_processes();

  bool read_image(uint32_t map, uint32_t top, MapImage* image);
  // `at_end`: the dump at the end, which shows nothing for a scalar that was never written.
  void show_map(uint32_t map, uint32_t top, uint32_t div, bool at_end);
  void show_folded(uint32_t map, const MapImage& image, uint32_t div);
  std::string metrics();
  // -f openmetrics: the exposition of all maps, to -o's file or, at the end, to stdout.
  void publish_metrics(bool at_end);
};

// Runs `sh -c command`, returns what it wrote to stdout and stderr and how it ended (as waitpid says). False: it did not start (errno).
bool run_command(const std::string& command, std::string* output, int* status);

using EventHandler = Next (*)(Output::State& state, EventInfo& event, const uint8_t* data, size_t size);
EventHandler event_handler(abi::EventKind kind);

}  // namespace btc::rt
