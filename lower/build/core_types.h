// Trimmed C types for relocated accesses.
//
// A core type holds only the members that the script reaches: the target's BTF is matched by names, so more would only cost
// bytes. Members are added as accesses come; BTF wants them in order of offset, so `finish` sorts them at the end and
// rewrites the chains that are in the module by then.
#pragma once

#include <unordered_map>
#include <vector>

#include "lower/ir/ir.h"

namespace btc::lower {

// The target's types are found by name.
inline bool has_core_name(const Record& record) { return !record.anonymous || !record.typedef_name.empty(); }

class CoreTypes {
 public:
  CoreTypes(ir::Module& module, const TypeTable& types) : module_(module), types_(types) {}

  // The core type of a type; records start without members.
  uint32_t type(TypeId id);
  uint32_t record(uint32_t record);
  // Step from a record into its field: index into the core type's members.
  uint32_t member(uint32_t record, uint32_t field);
  // The core type of an enum, which now has this constant.
  uint32_t constant(TypeId enum_type, const std::string& name, int64_t value);

  void finish();

 private:
  uint32_t add(ir::CoreType type);
  uint32_t make(TypeId id);

  ir::Module& module_;
  const TypeTable& types_;
  std::unordered_map<uint32_t, uint32_t> by_type_;    // TypeId -> core type
  std::unordered_map<uint32_t, uint32_t> by_record_;  // record -> core type
  std::unordered_map<uint64_t, uint32_t> members_;    // record << 32 | field -> member
  uint32_t void_ = UINT32_MAX;
};

}  // namespace btc::lower
