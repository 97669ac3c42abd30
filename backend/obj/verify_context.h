#pragma once

#include <string>
#include <vector>

#include "backend/obj/object_reader.h"

namespace btc::backend {

struct ContextMisuse { std::string function; uint32_t insn = 0; std::string file; uint32_t line = 0; std::string text; };

// Loads and stores that the kernel would reject with "dereference of modified ctx ptr".
std::vector<ContextMisuse> find_context_misuse(const ObjectInfo& object);

}  // namespace btc::backend
