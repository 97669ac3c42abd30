#pragma once

#include "backend/obj/object_reader.h"
#include "lower/lower.h"

namespace btc::backend {

// What the runtime rewrites before load: accesses to tracepoint records and marked constants, found in the finished code.
lower::BackendFacts find_patches(const ir::Module& module, const ObjectInfo& object);

}  // namespace btc::backend
