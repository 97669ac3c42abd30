#pragma once

#include <string>
#include <vector>

#include "backend/obj/object_reader.h"

namespace btc::backend {

struct ContextMisuse { std::string function; uint32_t insn = 0; std::string file; uint32_t line = 0; std::string text; };

// Loads of a program straight from its context: instruction (from the function's start) and offset.
struct ContextLoad { uint32_t insn; int16_t offset; };
std::vector<ContextLoad> find_context_loads(const CodeSection& code, const CodeSection::Symbol& function, bool big_endian);

// Loads and stores that the kernel would reject with "dereference of modified ctx ptr".
std::vector<ContextMisuse> find_context_misuse(const ObjectInfo& object);

}  // namespace btc::backend
