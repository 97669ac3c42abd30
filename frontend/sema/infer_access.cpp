// Type rules of members, elements and casts.
#include <algorithm>

#include "frontend/sema/sema.h"

namespace btc::sema {

TypeId Sema::visit_field(Expr*& slot) {
  auto* node = as<FieldAccess>(slot);
  bool as_bytes = node == as_bytes_;
  TypeId base = visit(node->base);
  if (auto found = consts_.find(node->base);
      found != consts_.end() && (node->base->kind == NodeKind::Typeinfo || node->base->kind == NodeKind::RecordLit)) {
    const std::string& text = found->second.text;
    size_t cut = text.find('\n');
    if (node->field == "base_type") return set_const(slot, {Const::Str, 0, false, text.substr(0, cut)}, false);
    if (node->field == "full_type") return set_const(slot, {Const::Str, 0, false, text.substr(cut + 1)}, false);
    if (node->field == "btf_id") return set_const(slot, {Const::Int, 0, false, {}}, false);
  }
  if (lattice_.unknown(base)) return base;
  Type type = types_[base];
  AddrSpace space = type.space;
  while (type.kind == TypeKind::Pointer && types_[type.elem].kind == TypeKind::Pointer) {
    TypeId inner = type.elem;
    if (types_[inner].space == AddrSpace::None) inner = lattice_.with_space(inner, space == AddrSpace::Btf ? AddrSpace::Kernel : space);
    if (final_) {
      auto* deref = make<Unary>(node->base->range, inner);
      deref->op = UnaryOp::Deref;
      deref->operand = node->base;
      node->base = deref;
    }
    type = types_[inner];
    space = type.space;
  }
  bool through_pointer = type.kind == TypeKind::Pointer;
  if (through_pointer) type = types_[type.elem];
  node->arrow = through_pointer;
  SourceRange place = node->field_range.valid() ? node->field_range : node->range;

  if (type.kind == TypeKind::AnonRecord) {
    std::vector<std::string> names;
    for (uint32_t i = 0; i < type.members.size(); ++i) {
      names.push_back(type.members[i].first);
      if (type.members[i].first != node->field) continue;
      node->path = {i};
      if (auto* literal = dyn<RecordLit>(node->base))
        for (auto& [name, value] : literal->fields)
          if (name == node->field && is_pure_literal(value)) return set_const(slot, *value_of(value), true);
      return type.members[i].second;
    }
    suggest(report(DiagKind::NoRecordField, node->range, node->field), node->field, names);
    return lattice_.error();
  }
  if (type.kind != TypeKind::Struct) {
    auto said = report(DiagKind::FieldOfNonRecord, node->range, node->field, show(base));
    if (lattice_.is(base, TypeKind::Pointer) && !profile_->has_types()) said.hint(DiagKind::ProfileWithoutTypes);
    return lattice_.error();
  }
  complete(type.record);
  RecordOrigin origin = types_.record(type.record).origin;
  bool is_args = origin != RecordOrigin::Script && origin != RecordOrigin::Kernel && origin != RecordOrigin::Program;
  if (origin == RecordOrigin::Tracepoint && node->field.starts_with("common_")) {
    report(DiagKind::CommonField, node->range);
    return lattice_.error();
  }
  std::optional<FieldHit> hit = find_field(type.record, node->field);
  if (!hit && is_unreadable_parameter(type.record, node->field)) {
    report(DiagKind::UnreadableParameter, place, node->field);
    return lattice_.error();
  }
  if (auto unshared = unshared_fields_.find(type.record); !hit && unshared != unshared_fields_.end() && unshared->second.contains(node->field)) {
    report_unshared(node, unshared->second.at(node->field));
    return lattice_.error();
  }
  if (!hit) {
    if (!types_.record(type.record).complete && types_.record(type.record).fields.empty()) {
      report(DiagKind::UnknownRecord, node->range, types_.print_user(types_.struct_type(type.record))).hint(DiagKind::NeedsDefinition);
    } else if (origin == RecordOrigin::FuncArgs || origin == RecordOrigin::UprobeArgs) {
      suggest(report(DiagKind::NoParameter, node->range, node->field), node->field, field_names(type.record));
    } else {
      suggest(report(DiagKind::NoField, node->range, show(types_.struct_type(type.record)), node->field), node->field, field_names(type.record));
    }
    return lattice_.error();
  }
  node->path = hit->path;
  TypeId value = field_value_type(*hit->field, is_args && space == AddrSpace::None ? AddrSpace::Kernel : space, is_args);
  return origin == RecordOrigin::Script && !as_bytes ? with_terminator(slot, value) : value;
}

// `char name[4]` of a structure of the script need not end in a NUL: as text it has room for one, so that a full one is not taken for cut.
TypeId Sema::with_terminator(Expr*& slot, TypeId type) {
  if (!lattice_.is(type, TypeKind::String)) return type;
  TypeId whole = types_.string(types_[type].size + 1);
  if (!final_) return whole;
  slot->type = type;
  slot = implicit_cast(slot, whole);
  return whole;
}

// For those who want a member's bytes, not its text.
TypeId Sema::visit_bytes(Expr*& slot) {
  as_bytes_ = slot;
  return visit(slot);
}

TypeId Sema::visit_tuple_access(Expr*& slot) {
  auto* node = as<TupleAccess>(slot);
  TypeId base = visit(node->base);
  if (lattice_.unknown(base)) return base;
  const Type type = types_[base];
  if (type.kind != TypeKind::Tuple) {
    DiagBuilder builder = report(DiagKind::TupleIndexOf, node->range, node->index, show(base));
    if (node->base->kind == NodeKind::Integer) builder.hint(DiagKind::NoFractions);
    return lattice_.error();
  }
  if (node->index >= type.members.size()) {
    report(DiagKind::TupleIndex, node->range, node->index, type.members.size());
    return lattice_.error();
  }
  if (auto* literal = dyn<Tuple>(node->base); literal != nullptr && is_pure_literal(literal->elements[node->index]))
    return set_const(slot, *value_of(literal->elements[node->index]), true);
  return type.members[node->index].second;
}

TypeId Sema::visit_array_access(Expr*& slot) {
  auto* node = as<ArrayAccess>(slot);
  TypeId base = visit_bytes(node->base), index = visit(node->index);
  if (lattice_.castable(index)) {
    if (final_) read_aggregation(node->index);
    index = lattice_.castable_value(index);
  }
  if (auto* text = dyn<String>(node->base))
    if (auto* number = dyn<Integer>(node->index); number != nullptr && !number->negative && number->value <= text->value.size())
      return set_const(slot, {Const::Int, static_cast<uint8_t>(text->value.c_str()[number->value]), false, {}}, true);
  if (auto known = value_of(node->base); known && known->kind == Const::Str)
    if (auto number = value_of(node->index); number && number->kind == Const::Int && number->bits <= known->text.size())
      return set_const(slot, {Const::Int, static_cast<uint8_t>(known->text.c_str()[number->bits]), false, {}}, false);
  if (lattice_.unknown(base)) return base;
  const Type type = types_[base];
  std::optional<Const> constant = value_of(node->index);
  if (type.kind == TypeKind::Tuple) {
    if (!constant || constant->kind != Const::Int || constant->negative) {
      report(DiagKind::TupleIndexLiteral, node->range);
      return lattice_.error();
    }
    if (constant->bits >= type.members.size()) {
      report(DiagKind::TupleIndex, node->range, constant->bits, type.members.size());
      return lattice_.error();
    }
    if (final_) {
      auto* access = make<TupleAccess>(node->range);
      access->base = node->base;
      access->index = static_cast<uint32_t>(constant->bits);
      slot = access;
    }
    return type.members[constant->bits].second;
  }
  TypeId element;
  uint64_t count = 0;
  switch (type.kind) {
    case TypeKind::Array: element = type.elem, count = type.count; break;
    case TypeKind::String: element = types_.int_type(1, true), count = type.size; break;
    case TypeKind::Pointer:
      element = type.elem;
      if (lattice_.is(element, TypeKind::Void) || (lattice_.is(element, TypeKind::Struct) && (complete(types_[element].record), types_.size_of(element) == 0))) {
        report(DiagKind::IndexUnsized, node->range);
        return lattice_.error();
      }
      break;
    default:
      report(DiagKind::NotIndexable, node->range, show(base));
      return lattice_.error();
  }
  if (!lattice_.unknown(index)) {
    auto* counter = dyn<VariableRef>(node->index);
    bool counts_loop = counter != nullptr && counter->var != nullptr && origin_of(counter->var) == DiagKind::OriginLoop;  // signed, as its range is
    bool good = lattice_.is_int(index) && !(constant && constant->negative) &&
                (constant || !lattice_.is_signed(index) || lattice_.is_flexible(index) || type.kind == TypeKind::Pointer ||
                 node->index->kind == NodeKind::Positional || counts_loop);
    if (!good) {
      report(DiagKind::IndexType, node->range, show(index));
      return lattice_.error();
    }
    if (constant && count != 0 && constant->bits >= count) {
      report(DiagKind::IndexBounds, node->range, constant->bits, count);
      return lattice_.error();
    }
  }
  AddrSpace space = type.space == AddrSpace::Btf ? AddrSpace::Kernel : type.space;
  TypeKind kind = types_[element].kind;
  if ((kind == TypeKind::Pointer && types_[element].space == AddrSpace::None) || kind == TypeKind::Struct || kind == TypeKind::Array)
    element = lattice_.with_space(element, space);
  return element;
}

// The pointer written in a cast lies where the number cast from it says, else where the probe's memory is.
TypeId Sema::visit_cast(Cast* node) {
  TypeId from = visit_bytes(node->operand);
  if (node->implicit) return node->type;
  std::optional<TypeId> written = type_of_spec(node->spec);
  if (!written) return lattice_.error();
  if (lattice_.unknown(from) || lattice_.unknown(*written)) return from == lattice_.error() || *written == lattice_.error() ? lattice_.error() : TypeId{};
  TypeId to = *written;
  Type type = types_[to];
  if (type.kind == TypeKind::Void) {
    report(DiagKind::CastImpossible, node->range, show(from), show(to));
    return lattice_.error();
  }
  if (type.kind == TypeKind::Array && type.count == 0) {
    uint32_t element = types_.size_of(type.elem), bytes = types_.size_of(lattice_.settle(from));
    if (element == 0) {
      report(DiagKind::CastArraySize, node->range);
      return lattice_.error();
    }
    if (bytes % element != 0) {
      report(DiagKind::CastArrayFit, node->range);
      return lattice_.error();
    }
    type.count = bytes / element;
    to = types_.intern(type);
  }
  if (type.kind == TypeKind::String && type.size == 0 && lattice_.is(from, TypeKind::String)) to = from;
  if (type.kind == TypeKind::Pointer || type.kind == TypeKind::Int) {
    AddrSpace space = lattice_.space_of(from);
    if (lattice_.is(from, TypeKind::Struct) || lattice_.is(from, TypeKind::Array)) space = AddrSpace::None;
    if (space == AddrSpace::None && type.kind == TypeKind::Pointer) space = body_->probe ? probe_space(*body_) : AddrSpace::Kernel;
    if (type.kind == TypeKind::Pointer && (space == AddrSpace::Btf || space == AddrSpace::Ctx) &&
        !(lattice_.is(from, TypeKind::Pointer) && lattice_.same(types_[from].elem, type.elem)) && space == AddrSpace::Btf)
      space = AddrSpace::Kernel;  // another type: the kernel no longer knows it
    to = lattice_.with_space(to, space);
  }
  if (final_) {
    check_cast(node, from, to);
    if (lattice_.castable(from) && !lattice_.is_int(to)) read_aggregation(node->operand);
  }
  return to;
}

void Sema::check_cast(Cast* node, TypeId from, TypeId to) {
  const Type source = types_[from], target = types_[to];
  auto refuse = [&]() { report(DiagKind::CastImpossible, node->range, show(from), show(to)); };
  if (source.kind == TypeKind::Struct) {
    report(DiagKind::CastFromRecord, node->range, show(from));
    return;
  }
  if (source.kind == TypeKind::Void) return (void)report(DiagKind::CastFromNone, node->range, show(from));
  if (lattice_.same(from, to)) {
    const SourceFile* file = sources_.file_at(node->range.begin);
    bool generated = expanded_at_.size() > 0 && (file == nullptr || file->name.starts_with("stdlib/"));   // nothing that the script could mend
    if (!generated && node->operand->kind != NodeKind::Boolean) report(DiagKind::CastUnneeded, node->range, show(from));
    return;
  }
  bool from_int = lattice_.is_int(from), from_number = from_int || source.kind == TypeKind::Bool;
  switch (target.kind) {
    case TypeKind::String:
      if (source.kind != TypeKind::String || target.size < source.size) refuse();
      return;
    case TypeKind::Username:
      if (!from_int) refuse();
      return;
    case TypeKind::Bool:
      if (from_int || source.kind == TypeKind::Pointer || lattice_.castable(from) || source.kind == TypeKind::String) return;
      return refuse();
    case TypeKind::Pointer:
      if (from_int || source.kind == TypeKind::Pointer || source.kind == TypeKind::Array || source.kind == TypeKind::String) return;
      return refuse();
    case TypeKind::Enum: {
      if (!from_number) return refuse();
      auto* literal = dyn<Integer>(node->operand);
      const EnumDef& def = types_.enum_def(target.record);
      if (literal != nullptr && std::none_of(def.variants.begin(), def.variants.end(), [&](const auto& v) { return v.second == static_cast<int64_t>(literal->value); }))
        report(DiagKind::CastEnumVariant, node->range, def.name, static_cast<int64_t>(literal->value));
      return;
    }
    case TypeKind::Int:
      if (from_number || source.kind == TypeKind::Pointer || lattice_.castable(from) || source.kind == TypeKind::KSym || source.kind == TypeKind::Username) return;
      if (source.kind == TypeKind::Array && types_.size_of(lattice_.settle(from)) == target.size) return;
      return refuse();
    case TypeKind::Array: {
      bool element_good = lattice_.is_int(target.elem) || lattice_.is(target.elem, TypeKind::Bool);
      uint32_t to_bytes = types_.size_of(lattice_.settle(to)), from_bytes = types_.size_of(lattice_.settle(from));
      if (!element_good) return refuse();
      if (from_int ? !(to_bytes == from_bytes || (to_bytes <= 8 && to_bytes > from_bytes))
                   : !((source.kind == TypeKind::Bool || source.kind == TypeKind::String || source.kind == TypeKind::Array) && to_bytes == from_bytes))
        refuse();
      return;
    }
    default:
      return refuse();
  }
}

}  // namespace btc::sema
