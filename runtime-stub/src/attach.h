// Attaching bindings to the kernel, and letting go of them again.
#pragma once

#include <string>
#include <vector>

#include "runtime-stub/src/run_state.h"

namespace btc::rt {

// What holds one binding to the kernel.
struct Attached {
  std::vector<Fd> links;           // closing one stops the program at once ...
  std::vector<Fd> events;          // ... and closing a perf event afterwards may take 60 ms: nobody need wait
  bool iterator = false;
  uint32_t count = 0;              // functions of a multi link, if not all of the binding's
};

struct AttachError {
  int error = 0;                   // errno; 0: none
  bool missing = false;            // the target does not exist: "No matches", not "Unable to attach"
  std::string detail;              // what the kernel's answer means
  bool is_message = false;         // `detail` is a message of its own
};

AttachError attach(RunState& run, Binding& binding, Attached* out);

// The probe and the way it is attached, for -v: "kprobe:sys_openat (perf event, __x64_sys_openat)".
std::string describe(const Binding& binding);

// Single kprobes are opened before anything of the script runs, but do nothing until they are attached: so the kernel itself says
// which functions it does not have. Those are reported as missing and dropped; false if that ends the run.
bool open_kprobes(RunState& run);

// Whether the failure of a kprobe is that the kernel cannot trace its function, which is warned about. True: the probe is missing;
// false with --unsafe, where attaching is tried all the same.
bool report_untraceable(RunState& run, const Binding& binding);

// Ends all attachments. On return no program of this run can be started by an event any more.
void detach_all(std::vector<Attached>& attached);

}  // namespace btc::rt
