// One run of an artifact, from binding to the exit status.
#pragma once

#include "runtime-stub/src/run_state.h"

namespace btc::rt {

// `run` holds options and artifact. Returns the exit status.
int run_script(RunState& run);

}  // namespace btc::rt
