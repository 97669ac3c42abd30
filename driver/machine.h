// What depends on the machine btc runs on: list, doctor, info. All of it is the runtime's knowledge, so btc becomes the runtime
// stub (without an object), which serves these.
#pragma once

#include <string>

#include "driver/script_options.h"

namespace btc {

int machine_info();
int machine_doctor();
// PATTERN, a script FILE or (is_program) a program text; `verbose` shows arguments.
int machine_list(const std::string& what, bool verbose, bool is_program, const ScriptOptions& options);

}  // namespace btc
