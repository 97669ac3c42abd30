// Conversions: between scalars in a register, between values in memory.
#include <algorithm>

#include "lower/build/body.h"

namespace btc::lower {

namespace {

struct Width { uint32_t bytes; bool is_signed; };

Width width_of(const TypeTable& types, TypeId id) {
  const Type& type = types[id];
  if (type.kind == TypeKind::Int) return {type.size, type.is_signed};
  if (type.kind == TypeKind::Enum) return {types.enum_def(type.record).size, types.enum_def(type.record).is_signed};
  if (type.kind == TypeKind::Bool) return {1, false};
  return {8, false};
}

}  // namespace

ValueId Body::convert(ValueId value, TypeId from, TypeId to) {
  if (b.type(value).kind == ir::ScalarKind::Ptr) value = b.ptr_to_int(value);
  value = b.bool_value(value);
  if (from == to || !to) return value;
  if (types[to].kind == TypeKind::Bool) return types[from].kind == TypeKind::Bool ? value : b.bool_value(b.is_nonzero(value));
  Width source = width_of(types, from), target = width_of(types, to);
  // An address is unsigned: `(void *)(int8)-1` is 0xff, as in bpftrace.
  if (types[to].kind == TypeKind::Pointer && source.bytes < 8 && source.is_signed) return b.resize(b.resize(value, ir::int_of(source.bytes), false, "cut"), kI64, false, "address");
  if (target.bytes >= 8) return value;
  bool fits = source.bytes < target.bytes && (!source.is_signed || target.is_signed);
  if (fits || (source.bytes == target.bytes && source.is_signed == target.is_signed)) return value;
  return b.resize(b.resize(value, ir::int_of(target.bytes), false, "cut"), kI64, target.is_signed, "value");
}

ValueId Body::cast(const ast::Cast& node) {
  const ast::Expr* operand = node.operand;
  const Type& from = types[operand->type];
  if (has_prop(from, kTypeAggregation)) {
    const auto* access = ast::dyn<ast::MapAccess>(operand);
    const auto* ref = access ? access->map : ast::dyn<ast::MapRef>(operand);
    if (!ref) return kNoValue;
    return convert(aggregate_value(ref->map, access ? access->key : nullptr), types.i64(), node.type);
  }
  if (has_prop(from, kTypeScalar)) return convert(scalar(operand), operand->type, node.type);
  // Array or string: its first element's address, or its bytes as an integer.
  if (types[node.type].kind == TypeKind::Pointer) return b.ptr_to_int(address(place(operand)));
  uint32_t size = std::min(types.size_of(operand->type), types.size_of(node.type));
  Memory bytes = temp(8, 8, "bytes");
  b.store(bytes.pointer, bytes.offset, b.constant(0));
  Place source = place(operand);
  if (source.kind == Place::Direct) {
    b.mem_copy(pointer_to(bytes), address(source), size);
  } else {
    Memory near = temp(operand->type, "copy");
    copy(source, near);
    b.mem_copy(pointer_to(bytes), pointer_to(near), size);
  }
  return load_scalar(node.type, bytes, "bytes");
}

// Strings grow, tuples and records convert member by member, the rest is copied.
void Body::convert_memory(const Place& from, TypeId to_type, Memory to) {
  if (from.type == to_type) return copy(from, to);
  const Type source = types[from.type], target = types[to_type];
  if (has_prop(target, kTypeScalar) && has_prop(source, kTypeScalar)) return store_scalar(convert(load(from), from.type, to_type), to_type, to);
  bool is_group = target.kind == TypeKind::Tuple || target.kind == TypeKind::AnonRecord;
  if (is_group && source.kind == target.kind) {
    Layout in = types.layout(from.type), out = types.layout(to_type);
    zero_gaps(to_type, to);
    for (size_t i = 0; i < target.members.size(); ++i) {
      size_t j = i;
      for (size_t k = 0; target.kind == TypeKind::AnonRecord && k < source.members.size(); ++k) {
        if (source.members[k].first == target.members[i].first) j = k;
      }
      if (j >= source.members.size()) continue;
      Place member = from;
      member.type = source.members[j].second;
      member.offset += in.offsets[j];
      convert_memory(member, target.members[i].second, to.at(out.offsets[i]));
    }
    return;
  }
  uint32_t from_size = types.size_of(from.type), to_size = types.size_of(to_type);
  if (source.kind == TypeKind::Array && target.kind == TypeKind::Array && types.size_of(source.elem) != types.size_of(target.elem)) {
    uint32_t in = types.size_of(source.elem), out = types.size_of(target.elem);
    for (uint32_t i = 0; i < std::min(source.count, target.count); ++i) {
      Place element = from;
      element.type = source.elem;
      element.offset += i * in;
      convert_memory(element, target.elem, to.at(i * out));
    }
    return;
  }
  Place bytes = from;
  if (from_size > to_size && target.kind == TypeKind::String) bytes.type = to_type;
  copy(bytes, to);
  if (to_size > from_size) zero(to.at(from_size), to_size - from_size);
}

}  // namespace btc::lower
