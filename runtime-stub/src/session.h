// Which probes of a script become one kprobe session (6.10): as bpftrace, a
// kprobe and the only kretprobe of the same function or pattern, each the one
// attach point of its probe. How two programs become one: session_merge.h.
#pragma once

#include "runtime-stub/src/run_state.h"

namespace btc::rt {

// Makes one binding of such a pair, where the kernel has sessions. An attachment then counts once.
void pair_sessions(RunState& run);

}  // namespace btc::rt
