// The records and enums that a module's maps and events mention, in the order of first mention.
//
// What a script only touches while it is compiled (say, all of task_struct) is not part of a module; what it stores or
// prints is, because the runtime needs the fields.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "lower/ir/ir.h"

namespace btc::ir {

struct ReachableTypes {
  // (index in the TypeTable, whether a value of it is stored: then the fields are needed, else only the name)
  std::vector<std::pair<uint32_t, bool>> records;
  std::vector<uint32_t> enums;
  std::vector<TypeId> types;  // every type with a value in a map or event, members before what holds them
};

ReachableTypes reachable_types(const Module& module);

}  // namespace btc::ir
