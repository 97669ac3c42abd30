#pragma once

#include <string>

#include "frontend/cimport/clang_part.h"

namespace btc {

// Null with `error` set if Clang's library is not on this machine.
ClangCompile load_clang(std::string* error);

}  // namespace btc
