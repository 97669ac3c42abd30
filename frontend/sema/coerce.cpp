// Casts where a value is stored: the typed tree has no silent conversions.
#include "frontend/sema/sema.h"
#include "runtime-stub/abi/abi.h"

namespace btc::sema {

Expr* Sema::implicit_cast(Expr* expr, TypeId target) {
  auto* cast = make<Cast>(expr->range, target);
  cast->operand = expr;
  cast->implicit = true;
  return cast;
}

void Sema::read_aggregation(Expr*& slot) {
  if (!lattice_.castable(slot->type)) return;
  slot = implicit_cast(slot, lattice_.castable_value(slot->type));
}

static bool literal_fits(const Integer& literal, uint32_t bytes, bool is_signed) {
  if (bytes >= 8) return literal.negative ? is_signed : is_signed ? literal.value <= INT64_MAX : true;
  if (literal.negative) return is_signed && static_cast<int64_t>(literal.value) >= -(int64_t{1} << (bytes * 8 - 1));
  return literal.value <= (uint64_t{1} << (bytes * 8 - (is_signed ? 1 : 0))) - 1;
}

// Brings `slot` (already visited) to `target`; false if that is impossible. Only in the last walk.
bool Sema::coerce(Expr*& slot, TypeId target, bool warn) {
  target = lattice_.settle(target);
  TypeId from = slot->type;
  if (lattice_.unknown(from) || lattice_.unknown(target)) return true;
  if (lattice_.same(from, target)) {
    slot->type = target;
    return true;
  }
  const Type to = types_[target];
  bool int_target = lattice_.is_int(target);
  if (auto* literal = dyn<Integer>(slot); literal != nullptr && to.kind == TypeKind::Int) {
    if (!literal_fits(*literal, to.size, to.is_signed)) return false;
    literal->type = target;
    return true;
  }
  if (int_target && (lattice_.is_int(from) || lattice_.castable(from))) {
    if (warn && lattice_.is_int(from) && !lattice_.is_flexible(from) && !lattice_.fits(from, target))
      report(DiagKind::LossyConversion, slot->range, show(from), show(target));
    slot = implicit_cast(slot, target);
    return true;
  }
  if (lattice_.castable(from) && types_[from].kind == to.kind) return true;
  if (!lattice_.compatible(from, target)) return false;
  switch (to.kind) {
    case TypeKind::String:
      if (types_[from].size > to.size) return false;
      slot = implicit_cast(slot, target);
      return true;
    case TypeKind::Tuple:
      if (auto* tuple = dyn<Tuple>(slot)) {
        for (size_t i = 0; i < tuple->elements.size(); ++i)
          if (!coerce(tuple->elements[i], to.members[i].second, warn)) return false;
        tuple->type = target;
        return true;
      }
      slot = implicit_cast(slot, target);
      return true;
    case TypeKind::AnonRecord:
      if (auto* record = dyn<RecordLit>(slot)) {
        std::vector<std::pair<std::string, TypeId>> members;
        for (auto& [name, value] : record->fields)
          for (const auto& [member, type] : to.members)
            if (member == name) {
              if (!coerce(value, type, warn)) return false;
              members.emplace_back(name, type);
            }
        record->type = types_.anon_record(members);  // written order; a cast sorts the fields if the target's differs
        if (record->type == target) return true;
      }
      slot = implicit_cast(slot, target);
      return true;
    case TypeKind::Pointer:
    case TypeKind::Buffer:
    case TypeKind::Inet:
    case TypeKind::Array:
    case TypeKind::Enum:
      slot = implicit_cast(slot, target);
      return true;
    default:
      return true;
  }
}

// What is no string, but has a text where one is wanted: parameters, and the name of a pattern's probe, of which a program
// knows the number and looks the name up. The type of the text, if there is one.
std::optional<TypeId> Sema::as_text(Expr*& slot) {
  if (param_as_text(slot)) return slot->type;
  if (!lattice_.is(slot->type, TypeKind::ProbeName)) return std::nullopt;
  TypeId text = types_.string(abi::kProbeTextBytes);
  if (final_) slot = implicit_cast(slot, text);
  return text;
}

// Makes the slot a Pointer, for reads of memory: integers by the space they carry, arrays and strings in memory by
// their address. False if it is nothing that points.
bool Sema::to_pointer(Expr*& slot, TypeId pointee, AddrSpace fallback) {
  TypeId from = slot->type;
  if (lattice_.unknown(from)) return true;
  switch (types_[from].kind) {
    case TypeKind::Pointer: {
      AddrSpace space = types_[from].space;
      if (space == AddrSpace::None && fallback != AddrSpace::None) slot->type = lattice_.with_space(from, fallback);
      return true;
    }
    case TypeKind::Int:
    case TypeKind::Enum: {
      AddrSpace space = lattice_.space_of(from);
      if (final_) slot = implicit_cast(slot, types_.pointer(pointee, space == AddrSpace::None ? fallback : space));
      return true;
    }
    case TypeKind::Array:
      if (final_) slot = implicit_cast(slot, types_.pointer(types_[from].elem, AddrSpace::None));
      return true;
    default:
      return false;
  }
}

}  // namespace btc::sema
