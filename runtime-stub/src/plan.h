// From bindings to loaded programs: which copies to make, how large the maps
// become, what goes into the facts.
#pragma once

#include "runtime-stub/src/run_state.h"

namespace btc::rt {

// Opens the object, prepares and loads it. False: a message was printed.
bool load_script(RunState& run);

}  // namespace btc::rt
