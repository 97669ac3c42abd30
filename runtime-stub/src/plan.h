// From bindings to loaded programs: which copies to make, how large the maps
// become, what goes into the facts.
#pragma once

#include "runtime-stub/src/run_state.h"

namespace btc::rt {

// Opens the object, prepares and loads it. False: a message was printed; `*code` is the exit status (1: something of this machine
// that the script names does not exist, 255: the kernel refused).
bool load_script(RunState& run, int* code = nullptr);

// Attaches the programs of imported C; those that cannot be attached are said. False: one is missing, and missing_probes says that
// this is an error.
bool attach_foreign_programs(RunState& run);

}  // namespace btc::rt
