// Walk over the types of maps (key, value) and event payloads. Through a pointer only the name counts.
#include "lower/ir/reachable_types.h"

#include <unordered_map>
#include <unordered_set>

namespace btc::ir {
namespace {

class Walk {
 public:
  explicit Walk(const TypeTable& types) : types_(types) {}

  void visit(TypeId id, bool by_value) {
    if (!id) return;
    if (by_value && !seen_.insert(id.index).second) return;
    const Type type = types_[id];
    switch (type.kind) {
      case TypeKind::Pointer: visit(type.elem, false); break;
      case TypeKind::Array: visit(type.elem, by_value); break;
      case TypeKind::Tuple:
      case TypeKind::AnonRecord:
        for (const auto& [name, member] : type.members) visit(member, by_value);
        break;
      case TypeKind::Struct: visit_record(type.record, by_value); break;
      case TypeKind::Enum:
        if (enums_.insert(type.record).second) result.enums.push_back(type.record);
        break;
      default: break;
    }
    if (by_value) result.types.push_back(id);
  }

  ReachableTypes result;

 private:
  void visit_record(uint32_t index, bool by_value) {
    auto [entry, is_new] = records_.try_emplace(index, result.records.size());
    if (is_new) result.records.emplace_back(index, by_value);
    bool& whole = result.records[entry->second].second;
    if (!by_value || (!is_new && whole)) return;
    whole = true;
    for (const Field& field : types_.record(index).fields) visit(field.type, true);
  }

  const TypeTable& types_;
  std::unordered_set<uint32_t> seen_;
  std::unordered_map<uint32_t, size_t> records_;
  std::unordered_set<uint32_t> enums_;
};

}  // namespace

ReachableTypes reachable_types(const Module& module) {
  if (!module.types) return {};
  Walk walk(*module.types);
  for (const Map& map : module.maps) {
    walk.visit(map.key, true);
    walk.visit(map.value, true);
  }
  for (const Event& event : module.events) walk.visit(event.payload, true);
  return std::move(walk.result);
}

}  // namespace btc::ir
