// Finding a traced program and its separate debug file on the build host, by the
// names that an attach point and the program itself give.
#pragma once

#include <string>
#include <vector>

#include "frontend/debuginfo/debug_info.h"

namespace btc {

// "" if there is none: a path, a program in $PATH, a library.
std::string find_program_file(const std::string& name, const ProgramSearch& search);

// Files that may hold the debug information of `program`, most specific first; not all exist. `link` is its .gnu_debuglink, "" if none.
std::vector<std::string> debug_file_candidates(const std::string& program, const std::string& link, const std::string& build_id,
                                               const ProgramSearch& search);

}  // namespace btc
