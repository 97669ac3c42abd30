#include "frontend/sema/lattice.h"

#include <algorithm>

namespace btc::sema {

// Type::p0 of an Int: 1 = flexible sign. Type::p1: clock. Type::space: of the address it holds.

Lattice::Lattice(TypeTable& types) : types_(types) {
  Type error;
  error.kind = TypeKind::Void;  // marked, so that it is no other type
  error.p0 = 1;
  error_ = types_.intern(error);
}

TypeId Lattice::literal(uint64_t value, bool negative) {
  Type type;
  type.kind = TypeKind::Int;
  type.is_signed = true;
  auto needed = [](uint64_t magnitude) -> uint32_t {  // of a value in [0, magnitude]
    return magnitude <= 0x7f ? 1 : magnitude <= 0x7fff ? 2 : magnitude <= 0x7fffffff ? 4 : 8;
  };
  if (negative) {
    type.size = needed(~value);
    return types_.intern(type);
  }
  if (value > INT64_MAX) return types_.u64();
  type.size = needed(value);
  type.p0 = 1;
  return types_.intern(type);
}

TypeId Lattice::with_space(TypeId id, AddrSpace space) {
  if (!id) return id;
  Type type = types_[id];
  if (type.kind != TypeKind::Int && type.kind != TypeKind::Pointer && type.kind != TypeKind::Struct && type.kind != TypeKind::Array) return id;
  type.space = space;
  return types_.intern(type);
}

TypeId Lattice::with_clock(TypeId id, uint32_t clock) {
  Type type = types_[id];
  if (type.kind != TypeKind::Int) return id;
  type.p1 = clock;
  return types_.intern(type);
}

AddrSpace Lattice::space_of(TypeId id) const { return id ? types_[id].space : AddrSpace::None; }

uint32_t Lattice::clock_of(TypeId id) const {
  return id && types_[id].kind == TypeKind::Int ? static_cast<uint32_t>(types_[id].p1) : 0;
}

bool Lattice::is_flexible(TypeId id) const { return id && types_[id].kind == TypeKind::Int && types_[id].p0 != 0; }

TypeId Lattice::settle(TypeId id) {
  if (!id) return id;
  if (auto found = settled_.find(id.index); found != settled_.end()) return found->second;
  Type type = types_[id];
  switch (type.kind) {
    case TypeKind::Int:
      type.p0 = type.p1 = 0;
      type.space = AddrSpace::None;
      break;
    case TypeKind::Tuple:
    case TypeKind::AnonRecord:
      for (auto& member : type.members) member.second = settle(member.second);
      break;
    case TypeKind::Struct:
      type.space = AddrSpace::None;
      break;
    case TypeKind::Array:
      type.space = AddrSpace::None;
      type.elem = settle(type.elem);
      break;
    case TypeKind::Pointer:
      type.elem = settle(type.elem);
      break;
    default:
      break;
  }
  TypeId result = types_.intern(type);
  settled_[id.index] = result;
  return result;
}

bool Lattice::is_int(TypeId id) const {
  return id && (types_[id].kind == TypeKind::Int || types_[id].kind == TypeKind::Enum);
}

bool Lattice::is_signed(TypeId id) const {
  if (!id) return false;
  const Type& type = types_[id];
  if (type.kind == TypeKind::Enum) return types_.enum_def(type.record).is_signed;
  return type.is_signed;
}

uint32_t Lattice::int_bytes(TypeId id) const {
  const Type& type = types_[id];
  if (type.kind == TypeKind::Enum) return types_.enum_def(type.record).size;
  if (type.kind == TypeKind::Bool) return 1;
  return type.kind == TypeKind::Int ? type.size : 8;
}

TypeId Lattice::castable_value(TypeId id) {
  // Stored aggregations of unsigned values read as uint64; so does a count.
  return types_.int_type(8, types_[id].is_signed);
}

// Sign and size rules of 1.4 in the language reference; addresses and clocks survive when they agree.
TypeId Lattice::join_int(TypeId a, TypeId b) {
  Type result;
  result.kind = TypeKind::Int;
  uint32_t size_a = int_bytes(a), size_b = int_bytes(b), larger = std::max(size_a, size_b);
  bool sign_a = is_signed(a), sign_b = is_signed(b);
  bool flexible_a = is_flexible(a), flexible_b = is_flexible(b);
  result.size = larger;
  if (sign_a == sign_b || flexible_a || flexible_b) {
    result.is_signed = flexible_a == flexible_b ? sign_a || sign_b : flexible_a ? sign_b : sign_a;
    result.p0 = flexible_a && flexible_b ? 1 : 0;
  } else {
    uint32_t signed_size = sign_a ? size_a : size_b, unsigned_size = sign_a ? size_b : size_a;
    result.is_signed = true;
    result.size = signed_size > unsigned_size ? signed_size : std::min(larger * 2, 8u);
  }
  AddrSpace space_a = space_of(a), space_b = space_of(b);
  result.space = space_a == AddrSpace::None ? space_b : space_b == AddrSpace::None || space_a == space_b ? space_a : AddrSpace::None;
  if (clock_of(a) == clock_of(b)) result.p1 = clock_of(a);
  return types_.intern(result);
}

bool Lattice::compatible(TypeId a, TypeId b) {
  if (same(a, b)) return true;
  const Type ta = types_[a], tb = types_[b];
  if (is_int(a) && is_int(b)) return true;
  if (ta.kind != tb.kind) return false;
  switch (ta.kind) {
    case TypeKind::Pointer:
      return compatible(ta.elem, tb.elem);
    case TypeKind::Struct:
      return ta.record == tb.record || types_.record(ta.record).name == types_.record(tb.record).name;
    case TypeKind::Tuple:
      if (ta.members.size() != tb.members.size()) return false;
      for (size_t i = 0; i < ta.members.size(); ++i)
        if (!compatible(ta.members[i].second, tb.members[i].second)) return false;
      return true;
    case TypeKind::AnonRecord:
      if (ta.members.size() != tb.members.size()) return false;
      for (const auto& [name, type] : ta.members) {
        auto other = std::find_if(tb.members.begin(), tb.members.end(), [&](const auto& m) { return m.first == name; });
        if (other == tb.members.end() || !compatible(type, other->second)) return false;
      }
      return true;
    case TypeKind::Array:
      return same(ta.elem, tb.elem) && (ta.count == tb.count || ta.count == 0 || tb.count == 0);
    case TypeKind::KStack:
    case TypeKind::UStack:
      return ta.p0 == tb.p0 && ta.mode == tb.mode;
    default:
      return true;
  }
}

std::optional<TypeId> Lattice::join_same_kind(TypeId a, TypeId b) {
  Type ta = types_[a];
  const Type tb = types_[b];
  switch (ta.kind) {
    case TypeKind::String:
    case TypeKind::Buffer:
    case TypeKind::Inet:
      ta.size = std::max(ta.size, tb.size);
      return types_.intern(ta);
    case TypeKind::Pointer: {
      std::optional<TypeId> elem = same(ta.elem, tb.elem) ? ta.elem : join(ta.elem, tb.elem);
      if (!elem) return std::nullopt;
      ta.elem = *elem;
      if (ta.space == AddrSpace::None)
        ta.space = tb.space;
      else if (tb.space != AddrSpace::None && ta.space != tb.space)
        ta.space = ta.space == AddrSpace::User || tb.space == AddrSpace::User ? AddrSpace::None : AddrSpace::Kernel;
      return types_.intern(ta);
    }
    case TypeKind::Tuple:
      for (size_t i = 0; i < ta.members.size(); ++i) {
        std::optional<TypeId> member = join(ta.members[i].second, tb.members[i].second);
        if (!member) return std::nullopt;
        ta.members[i].second = *member;
      }
      return types_.intern(ta);
    case TypeKind::AnonRecord:  // the order of the first one stays
      for (auto& [name, type] : ta.members)
        for (const auto& [other_name, other_type] : tb.members)
          if (name == other_name) {
            std::optional<TypeId> member = join(type, other_type);
            if (!member) return std::nullopt;
            type = *member;
          }
      return types_.intern(ta);
    case TypeKind::Array:
      return ta.count >= tb.count ? a : b;
    default:
      return has_prop(ta, kTypeCastable) && ta.is_signed != tb.is_signed ? (ta.is_signed ? a : b) : a;
  }
}

std::optional<TypeId> Lattice::join(TypeId current, TypeId added) {
  if (!added || added == error_ || current == added) return current;
  if (!current || current == error_) return castable(added) ? castable_value(added) : added;
  if (is_int(current) && is_int(added)) {
    if (is(current, TypeKind::Enum) && current == added) return current;
    return join_int(current, added);
  }
  if (is_int(current) && castable(added)) return join_int(current, castable_value(added));
  if (castable(current) && is_int(added)) return join_int(castable_value(current), added);
  if (!compatible(current, added)) return std::nullopt;
  return join_same_kind(current, added);
}

bool Lattice::fits(TypeId from, TypeId to) {
  if (same(from, to)) return true;
  if (is_int(from) && is_int(to)) {
    uint32_t a = int_bytes(from), b = int_bytes(to);
    if (is_signed(from) == is_signed(to)) return a <= b;
    return is_signed(to) && a < b;
  }
  if (!compatible(from, to)) return false;
  const Type& tf = types_[from];
  const Type& tt = types_[to];
  if (tf.kind == TypeKind::String || tf.kind == TypeKind::Buffer || tf.kind == TypeKind::Inet) return tf.size <= tt.size;
  return true;
}

}  // namespace btc::sema
