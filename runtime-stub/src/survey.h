// Questions about the machine: what can be traced here, what is missing.
#pragma once

#include "runtime-stub/src/run_state.h"

namespace btc::rt {

int list_machine(RunState& run);         // --list without a script: probes of this machine, by the pattern in $1
int list_artifact(RunState& run);        // --list: what this artifact would attach
int run_doctor(RunState& run);           // --doctor
int run_info(RunState& run);             // --info: kernel, features, limits

}  // namespace btc::rt
