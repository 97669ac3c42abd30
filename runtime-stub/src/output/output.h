// What the runtime's event loop calls to show things: events, maps, losses.
//
// One Output exists per run. It reads the manifest in place, owns the output
// stream (stdout or -o), and asks the rest of the runtime for the few things
// only that knows through `Target`. Everything is printed in the order of the
// calls. Messages for people (errors, warnings, the banner) go to stderr.
//
//   std::string error;
//   auto out = Output::open(manifest, &target, options, &error);   // null: print error, exit 1
//   out->attached(n);
//   each record:  Next next = out->handle_event(header, payload, size);
//   after each drained batch: out->flush_batch();
//   at the end:   out->end(); out->dump_maps(); int rc = out->close();
//
// The manifest must have passed its FlatBuffers verifier; indices in it are
// checked here, and payloads may be short or wrong without harm.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime-stub/abi/abi.h"
#include "runtime-stub/src/output/code_mapping.h"

namespace btc::abi::fb {
struct Manifest;
}

namespace btc::rt {

enum class OutputFormat : uint8_t { Text, Json, Folded, OpenMetrics };
enum class BufferMode : uint8_t { Line, Full, None };        // -B
enum class SymbolCache : uint8_t { PerPid, PerProgram, None };  // cache_user_symbols
enum class ColorMode : uint8_t { Auto, Always, Never };      // BPFTRACE_COLOR, for stderr

struct OutputOptions {
  OutputFormat format = OutputFormat::Text;   // -f
  std::string file;                           // -o; "" = stdout
  BufferMode buffering = BufferMode::Line;
  bool quiet = false;                         // -q: no banner
  bool allow_unsafe = false;                  // --unsafe at compile or run time: system() may run
  uint8_t warning_level = 1;                  // 0 --no-warnings, 2 -k
  ColorMode color = ColorMode::Auto;
  // Config keys of the side Run, after block and environment.
  bool print_maps_on_exit = true;
  // Set by the signal handler when the run is to end: a reader that stalls then gets two more seconds. May be null.
  const volatile int* stop = nullptr;
  bool cpp_demangle = true;
  bool show_debug_info = false;
  std::vector<std::string> debug_dirs;           // --debuginfo
  SymbolCache symbol_cache = SymbolCache::PerPid;
  uint64_t max_cat_bytes = 10240;
  std::string str_trunc_trailer = "..";
};

// Reads "text", "json", "folded", "openmetrics"; "line", "full", "none". False: not one of them.
bool parse_output_format(std::string_view text, OutputFormat* out);
bool parse_buffer_mode(std::string_view text, BufferMode* out);

// All entries of one map.
struct MapEntries {
  uint32_t key_size = 0;       // bytes of the BPF map's key
  uint32_t value_size = 0;     // bytes of one CPU's value; per-CPU maps: rounded up to 8, as the kernel gives them
  uint32_t cpus = 1;           // values per entry: possible CPUs for per-CPU kinds, else 1
  uint32_t count = 0;
  std::vector<uint8_t> keys;   // count * key_size
  std::vector<uint8_t> values; // count * cpus * value_size

  const uint8_t* key(uint32_t entry) const { return keys.data() + size_t{entry} * key_size; }
  const uint8_t* value(uint32_t entry, uint32_t cpu = 0) const {
    return values.data() + (size_t{entry} * cpus + cpu) * value_size;
  }
};

// What output needs from the rest of the runtime. `map` is an index into Manifest.maps.
class Target {
 public:
  virtual bool read_map(uint32_t map, MapEntries* out) = 0;
  virtual bool clear_map(uint32_t map) = 0;     // delete every entry (arrays: zero)
  virtual bool zero_map(uint32_t map) = 0;      // zero every entry's value on all CPUs
  virtual void unwatch(uint64_t /*address*/) {}
  // The text of a probe_t value: the index that the `probe` builtin delivered (CopyConst 0 or the attach cookie).
  virtual std::string_view probe_name(uint64_t /*index*/) { return {}; }
  // File that probe `probe_index` of the script was attached to (uprobe, USDT), "" if none: a fallback to name user
  // addresses of processes that are gone.
  virtual std::string_view probe_file(int32_t /*probe_index*/) { return {}; }
  // What a process, perhaps one that is gone, mapped during the run, and from whom it has what it had before (see MappingLog::mappings_of). False:
  // nothing is new since `stamp`, which is that of an earlier answer, or 0.
  virtual bool recorded_mappings(int32_t /*pid*/, uint32_t* /*stamp*/, CodeMappings* /*out*/, int32_t* /*forebear*/) { return false; }

 protected:
  ~Target() = default;
};

struct Next {
  bool exit = false;           // stop the loop
  uint8_t code = 0;            // the process's exit status
};

class Output {
 public:
  static std::unique_ptr<Output> open(const abi::fb::Manifest* manifest, Target* target, const OutputOptions& options,
                                      std::string* error);
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // One record of the ring buffer: its header and `size` payload bytes.
  Next handle_event(const abi::EventHeader& header, const uint8_t* payload, size_t size);
  // After the ring was drained, and at least once per poll: hands over complete lines.
  void flush_batch();
  // The output can no longer be written (reader gone, disk full): said once on stderr where it is worth saying. The loop must end.
  bool broken() const;

  void attached(uint64_t count);               // the banner
  void lost(uint64_t events);                  // "Lost N events"; call with the increase since the last call
  void total_lost(uint64_t events);            // end of run, only if > 0
  void probe_lost(std::string_view probe, uint64_t events);   // end of run: which probe's events total_lost() counted
  void probe_missed(std::string_view probe, uint64_t runs);   // end of run: the kernel did not run the probe's program
  void map_lost(uint32_t map, uint64_t entries);  // end of run: entries that did not fit, when no runtime error said so
  void raw(std::string_view bytes);            // what an iterator wrote

  // Test mode (--test, --bench). `names`: all tests in order; called once per test, in order. `passed` holds the results so far,
  // `captured` what the test printed.
  void test_result(const std::vector<std::string>& names, size_t index, uint64_t nsecs, const std::vector<bool>& passed,
                   std::string_view captured);
  void bench_result(const std::vector<std::string>& names, size_t index, uint64_t average_nsecs, uint64_t iterations);
  void begin_capture();                        // hold output back while a test runs ...
  std::string end_capture();                   // ... and return it
  uint64_t errorf_count() const;               // errorf events so far: a test that sends one has failed

  // Whether the script shows user addresses: maps or messages hold some.
  bool names_user_addresses() const;
  // Remembers a process's memory map now, so that its user addresses can still be named when it is gone. Cheap when known.
  void note_process(int32_t pid);

  void end();                                  // text: two newlines; later formats: nothing
  void dump_maps();                            // all maps, unless print_maps_on_exit is off
  void print_map(uint32_t map, uint32_t top, uint32_t div);  // one map, as print() does
  std::string metrics();                       // all maps as one OpenMetrics exposition
  void publish();                              // all maps now (--interval); OpenMetrics: rewrites the file of -o
  int close();                                 // flushes; 0 or 1 (output was not written completely)

  // Stderr messages in bpftrace's form: "WARNING: text\n", coloured as the options say.
  void warning(std::string_view text);
  void error(std::string_view text);

  struct State;                                // defined in state.h, for the parts of output only

 private:
  Output();
  std::unique_ptr<State> state_;
};

}  // namespace btc::rt
