// What depends on the machine btc runs on: list, doctor, info. All of it is the runtime's knowledge, so btc becomes the runtime
// stub (without an object), which serves these.
#pragma once

#include <string>
#include <vector>

#include "driver/script_options.h"

namespace btc {

int machine_info();
int machine_doctor();
// PATTERN, a script FILE or (is_program) a program text; `verbose` shows arguments.
// `run_options` go to the stub or the artifact as they are: {"-p", "12"}.
int machine_list(const std::string& what, bool verbose, bool is_program, const ScriptOptions& options,
                 const std::vector<std::string>& run_options = {});

}  // namespace btc
