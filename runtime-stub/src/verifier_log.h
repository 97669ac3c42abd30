// The kernel verifier's log, read for people: the line of the script it
// stopped at, and why.
#pragma once

#include "runtime-stub/src/run_state.h"

namespace btc::rt {

// Prints what a failed load means: place and cause; with -v the whole log.
void report_load_failure(RunState& run, const LoadFailure& failure);

}  // namespace btc::rt
