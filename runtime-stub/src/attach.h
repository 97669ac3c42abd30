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
};

AttachError attach(RunState& run, const Binding& binding, Attached* out);

// Ends all attachments. On return no program of this run can be started by an event any more.
void detach_all(std::vector<Attached>& attached);

}  // namespace btc::rt
