// What one run of an artifact knows, from the command line to the last print.
// Passed to the parts by reference; no globals.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime-stub/abi/attach_point.h"
#include "runtime-stub/src/config.h"
#include "runtime-stub/src/features.h"
#include "runtime-stub/src/loader.h"
#include "runtime-stub/src/manifest_reader.h"
#include "runtime-stub/src/messages.h"
#include "runtime-stub/src/name_filter.h"
#include "runtime-stub/src/options.h"
#include "runtime-stub/src/params.h"
#include "runtime-stub/src/server.h"

namespace btc::rt {

// How a binding is attached; attach.cpp has a row per value.
enum class How : uint8_t { TestRun, Tracepoint, Kprobe, KprobeMulti, KprobeSession, Uprobe, UprobeMulti, Tracing, PerfEvent, Breakpoint, Iter, kCount };

struct Site { std::string symbol; uint64_t offset = 0; uint64_t semaphore = 0; uint64_t name = 0; Fd event = {}; };

struct UsdtArg { uint64_t form = 0, number = 0; std::string problem; };   // `problem`: it cannot be read

// One attachment: a program of the script, and where on this machine it goes.
struct Binding {
  uint32_t program = 0;            // index into Manifest.programs
  How how = How::TestRun;
  std::string name;                // as messages show it
  uint64_t name_index = 0;         // what the program reports for `probe`: index into RunState::names
  abi::AttachPoint point;          // with the pattern replaced by the match

  std::string file;                // uprobe: path to open; iter: pin
  bool is_return = false, from_pattern = false;
  bool is_narrow = false;          // uprobe: of a 32-bit program
  bool is_wrapped = false;         // kprobe of a system call: `point` and `sites` have the wrapper, `name` the plain name
  int session_exit = -1;           // KprobeSession: the program of the return
  int pid = -1;
  std::vector<Site> sites;         // one, or many for multi links
  uint32_t btf_id = 0;             // Tracing, Iter
  std::string btf_module;
  int prog_fd = 0;                 // fentry on a BPF program
  uint32_t perf_type = 0;          // PerfEvent
  uint64_t perf_config = 0, perf_period = 0;
  bool perf_freq = false, every_cpu = false;
  std::vector<UsdtArg> usdt_args;
  std::string refusal;             // why it cannot be attached, said when its turn comes
  std::string record;              // "category:event": layout for the record patches

  uint32_t count = 1;              // what it adds to the banner's number of probes
  uint32_t copy = 0;               // loader's number
};

class UnwindTables;

struct RunState {
  RunState();
  ~RunState();
  Options options;
  Config config;
  Artifact artifact;
  Messages messages;
  Features features;
  std::vector<ParamValue> params;
  std::vector<std::string> names;  // probe names by index
  std::vector<Binding> bindings;   // in script order
  std::vector<bool> missing;       // by program: nothing to attach to here
  std::unique_ptr<Loader> loader;
  std::unique_ptr<NameFilter> filter;     // --probe-filter
  std::unique_ptr<Server> server;  // only in a stub that carries one
  std::unique_ptr<UnwindTables> unwind;   // of dw_ustack()
  int child_pid = 0;
  uint64_t start_boot_ns = 0;

  const fb::Manifest& manifest() const { return *artifact.manifest; }
  // Whether --probe-filter leaves the probe of this name. Places of multi links are asked one by one, when they are found.
  bool chosen(std::string_view name) const { return filter == nullptr || filter->search(name); }
  int target_pid() const { return child_pid != 0 ? child_pid : options.pid; }
  uint64_t name_index(std::string_view name);
};

}  // namespace btc::rt
