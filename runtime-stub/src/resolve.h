// Binding: what the script's attach points mean on this machine.
//
// Every probe kind has one function (a row of the table in resolve.cpp) that
// turns a parsed attach point into bindings; patterns give many. Nothing is
// attached here. Missing probes follow the config key missing_probes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "runtime-stub/src/run_state.h"

namespace btc::rt {

struct Resolution {
  const fb::Program* program = nullptr;
  uint32_t index = 0;                  // of the program
  std::vector<Binding> found;
  std::string problem;                 // an error of its own instead of "No matches"
  std::string lacking;                 // why there is nothing, where that is more than "no match"
  bool expanded = false;               // a pattern that became several programs (limit max_bpf_progs)
  bool wrapped = false;                // what is added next are wrappers of system calls, shown by their plain names

  Binding& add(How how, const abi::AttachPoint& point);
};

using ResolveFunction = void (*)(RunState& run, const abi::AttachPoint& point, Resolution* out);

void resolve_special(RunState&, const abi::AttachPoint&, Resolution*);      // begin end self test bench
void resolve_kprobe(RunState&, const abi::AttachPoint&, Resolution*);       // and kretprobe
void resolve_uprobe(RunState&, const abi::AttachPoint&, Resolution*);       // and uretprobe
void resolve_usdt(RunState&, const abi::AttachPoint&, Resolution*);
void resolve_tracepoint(RunState&, const abi::AttachPoint&, Resolution*);
void resolve_rawtracepoint(RunState&, const abi::AttachPoint&, Resolution*);
void resolve_trampoline(RunState&, const abi::AttachPoint&, Resolution*);   // fentry fexit
void resolve_perf(RunState&, const abi::AttachPoint&, Resolution*);         // profile interval software hardware watchpoint
void resolve_iter(RunState&, const abi::AttachPoint&, Resolution*);

// All programs of the script. 0, or the exit code; messages were printed.
int resolve_all(RunState& run);

// Against max_probes, of what is left after filters. 0, or the exit code; a message was printed.
int check_probe_count(RunState& run);

// A program found nothing to attach to: says so as missing_probes asks, and that its probe is left empty if it is. `missing` has
// an entry per program. True if that ends the run.
// A probe's name as scripts and messages show it; `wrapped`: of a system call's wrapper.
std::string shown_name(abi::AttachPoint point, bool wrapped);

// `reason`: instead of "No matches for ...".
bool report_missing(RunState& run, uint32_t program, const abi::AttachPoint& point, std::vector<bool>& missing, std::string_view reason = {});

// BPF_PROG_TYPE_* and expected attach type that a binding is loaded with.
uint32_t prog_type_of(const Binding& binding);
uint32_t attach_type_of(const Binding& binding);

// Whether the program learns from the attach cookie which of its targets fired: patterns do, where the kernel has cookies. All other
// programs have the target as a constant of their copy.
bool reads_cookie(RunState& run, const fb::Program& program);

// Functions that ftrace can attach to, matching `pattern`; module "" for the kernel's own.
struct TraceableFunction { std::string name, module; };
bool traceable_functions(RunState& run, std::string_view function, std::string_view module, std::vector<TraceableFunction>* out);
// Whether a function is on the list of traceable ones; where the list cannot be read, whether the kernel's types know it.
bool is_traceable(RunState& run, std::string_view function);
void warn_untraceable(RunState& run, uint32_t program, std::string_view function);
bool module_loaded(std::string_view module);

// Files that a uprobe's or USDT probe's target names: path, name in PATH, library, pattern, or all of a process.
std::vector<std::string> find_target_files(RunState& run, std::string_view target);
// From the one site of a uprobe or USDT probe to a symbol of its file.
bool symbol_distance(const Binding& binding, std::string_view symbol, uint64_t* distance);

}  // namespace btc::rt
