#include "lower/build/core_types.h"

#include <algorithm>
#include <numeric>

namespace btc::lower {

using ir::CoreType;

uint32_t CoreTypes::add(CoreType type) {
  module_.core_types.push_back(std::move(type));
  return static_cast<uint32_t>(module_.core_types.size() - 1);
}

uint32_t CoreTypes::record(uint32_t index) {
  auto found = by_record_.find(index);
  if (found != by_record_.end()) return found->second;
  const Record& record = types_.record(index);
  CoreType core;
  core.kind = record.is_union ? CoreType::Union : CoreType::Struct;
  core.name = record.anonymous ? record.typedef_name : record.name;
  core.is_typedef = record.anonymous && !record.typedef_name.empty();
  core.size = record.size;
  if (record.origin == RecordOrigin::Tracepoint) {
    core.record = record.name;
    core.name = record.record_class;
    if (core.name.empty()) core.name = "trace_event_raw_" + record.name.substr(record.name.find(':') + 1);
    std::replace(core.name.begin(), core.name.end(), '*', '_');
  }
  uint32_t id = add(std::move(core));
  by_record_[index] = id;
  return id;
}

uint32_t CoreTypes::type(TypeId id) {
  const Type& type = types_[id];
  if (type.kind == TypeKind::Struct) return record(type.record);
  auto found = by_type_.find(id.index);
  if (found != by_type_.end()) return found->second;
  uint32_t core = make(id);
  by_type_[id.index] = core;
  return core;
}

uint32_t CoreTypes::constant(TypeId enum_type, const std::string& name, int64_t value) {
  uint32_t core = type(enum_type);
  std::vector<std::pair<std::string, int64_t>>& variants = module_.core_types[core].variants;
  std::pair<std::string, int64_t> variant(name, value);
  if (std::find(variants.begin(), variants.end(), variant) == variants.end()) variants.push_back(std::move(variant));
  return core;
}

uint32_t CoreTypes::make(TypeId id) {
  const Type type = types_[id];
  CoreType core;
  core.size = types_.size_of(id);
  switch (type.kind) {
    case TypeKind::Pointer:
      if (void_ == UINT32_MAX) void_ = add({CoreType::Void, "", 0, false, false, 0, 0, {}, {}, ""});
      core.kind = CoreType::Pointer;
      core.elem = void_;  // matching does not look behind pointers
      break;
    case TypeKind::Array:
      core.kind = CoreType::Array;
      core.elem = this->type(type.elem);
      core.count = type.count;
      break;
    case TypeKind::String:  // char[N] of a record
      core.kind = CoreType::Array;
      core.elem = add({CoreType::Int, "char", 1, true, false, 0, 0, {}, {}, ""});
      core.count = type.size;
      break;
    case TypeKind::Enum:
      core.kind = CoreType::Enum;
      core.name = types_.enum_def(type.record).name;
      core.is_signed = types_.enum_def(type.record).is_signed;
      break;  // its constants come as they are used
    case TypeKind::Bool:
      core.kind = CoreType::Int;
      core.name = "_Bool";
      break;
    case TypeKind::Void:
      core.kind = CoreType::Void;
      break;
    default: {
      core.kind = CoreType::Int;
      core.is_signed = type.is_signed;
      const char* word = core.size == 1 ? "char" : core.size == 2 ? "short" : core.size == 4 ? "int" : "long";
      core.name = std::string(type.is_signed ? "" : "unsigned ") + word;
    }
  }
  return add(std::move(core));
}

uint32_t CoreTypes::member(uint32_t index, uint32_t field_index) {
  uint32_t core = record(index);
  uint64_t key = (uint64_t{index} << 32) | field_index;
  auto found = members_.find(key);
  if (found != members_.end()) return found->second;
  const Field& field = types_.record(index).fields[field_index];
  CoreType::Member member;
  bool in_record = types_.record(index).origin == RecordOrigin::Tracepoint;
  // The BTF struct of a record calls a variable-length field by the kind of its u32.
  if (in_record && field.data_loc) member.name = (field.rel_loc ? "__rel_loc_" : "__data_loc_") + field.name;
  else member.name = field.name;
  member.bit_offset = field.bit_offset;
  member.bit_size = field.bit_size;
  if (in_record && field.data_loc) {
    uint32_t u32 = add({CoreType::Int, "unsigned int", 4, false, false, 0, 0, {}, {}, ""});
    member.type = u32;
  } else {
    member.type = type(field.type);
  }
  std::vector<CoreType::Member>& members = module_.core_types[core].members;
  auto at = static_cast<uint32_t>(members.size());
  members.push_back(std::move(member));
  members_[key] = at;
  return at;
}

void CoreTypes::finish() {
  // new_index[type][old member] = place after sorting.
  std::vector<std::vector<uint32_t>> new_index(module_.core_types.size());
  for (size_t i = 0; i < module_.core_types.size(); ++i) {
    std::vector<CoreType::Member>& members = module_.core_types[i].members;
    std::vector<uint32_t> order(members.size());
    std::iota(order.begin(), order.end(), 0u);
    std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
      return std::pair(members[a].bit_offset, a) < std::pair(members[b].bit_offset, b);
    });
    std::vector<CoreType::Member> sorted;
    new_index[i].resize(members.size());
    for (size_t at = 0; at < order.size(); ++at) {
      new_index[i][order[at]] = static_cast<uint32_t>(at);
      sorted.push_back(members[order[at]]);
    }
    members = std::move(sorted);
  }
  for (ir::Function& function : module_.functions) {
    for (ir::Block& block : function.blocks) {
      for (ir::Inst& inst : block.insts) {
        for (ir::Operand& operand : inst.operands) {
          if (operand.kind != ir::Operand::ChainRef) continue;
          uint32_t at = operand.chain.type;
          for (uint32_t& step : operand.chain.path) {
            const CoreType& core = module_.core_types[at];
            if (core.kind == CoreType::Array) {
              at = core.elem;
              continue;
            }
            step = new_index[at][step];
            at = core.members[step].type;
          }
        }
      }
    }
  }
}

}  // namespace btc::lower
