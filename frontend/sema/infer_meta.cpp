// sizeof, offsetof, typeinfo, comptime: expressions about types. Kernel types
// are measured on the target, so their sizes and offsets are no constants.
#include "frontend/sema/sema.h"

namespace btc::sema {

static bool relocates(TypeTable& types, TypeId id) {
  const Type& type = types[id];
  if (type.kind == TypeKind::Array) return relocates(types, type.elem);
  return type.kind == TypeKind::Struct && types.record(type.record).origin == RecordOrigin::Kernel;
}

// The type meant by `sizeof(x)`: a type if the parser or the word says so, else the expression's.
static bool is_type_word(const Expr* expr) { return expr != nullptr && expr->kind == NodeKind::Identifier && !as<Identifier>(expr)->builtin && !as<Identifier>(expr)->enum_constant; }

// What `sizeof` and `offsetof` are asked about; nothing if there is no such type.
std::optional<TypeId> Sema::operand_type(TypeSpec*& type, Expr*& operand) {
  if (is_type_word(operand)) {
    if (!names_type(as<Identifier>(operand))) return std::nullopt;   // said where names were resolved
    type = arena_.make<TypeSpec>();
    type->range = operand->range;
    type->name = as<Identifier>(operand)->name;
    operand = nullptr;
  }
  return type ? type_of_spec(type) : std::optional<TypeId>(visit_bytes(operand));
}

TypeId Sema::visit_sizeof(Expr*& slot) {
  auto* node = as<Sizeof>(slot);
  if (node->measured) return types_.u64();
  std::optional<TypeId> type = operand_type(node->spec, node->operand);
  if (!type) return final_ ? lattice_.error() : TypeId{};
  if (lattice_.unknown(*type)) return *type;
  TypeId measured = lattice_.settle(*type);
  if (lattice_.is(measured, TypeKind::Struct)) complete(types_[measured].record);
  if (relocates(types_, measured)) {
    if (final_) {
      node->measured = measured;
      node->operand = nullptr;
    }
    return types_.u64();
  }
  // A constant of the language is 64 bits wide, whatever the enum's size in memory.
  uint64_t size = lattice_.is(measured, TypeKind::Enum) ? 8 : types_.size_of(measured);
  return set_const(slot, {Const::Int, size, false, {}}, false);
}

// offsetof() and has_field(): of the kernel's types both are answered on the target.
TypeId Sema::visit_offsetof(Expr*& slot) {
  auto* node = as<Offsetof>(slot);
  TypeId result = node->exists ? types_.bool_type() : types_.u64();
  if (!node->path.empty()) return result;
  std::optional<TypeId> type = operand_type(node->spec, node->operand);
  if (!type) return final_ ? lattice_.error() : TypeId{};
  if (lattice_.unknown(*type)) return *type;
  TypeId current = *type;
  if (lattice_.is(current, TypeKind::Pointer)) current = types_[current].elem;  // of a pointer's record, too
  std::vector<uint32_t> path;
  uint64_t bits = 0;
  bool kernel = relocates(types_, current);
  uint32_t root = lattice_.is(current, TypeKind::Struct) ? types_[current].record : 0;
  for (const std::string& name : node->fields) {
    if (!lattice_.is(current, TypeKind::Struct)) {
      report(DiagKind::OffsetofNotRecord, node->range, show(current));
      return lattice_.error();
    }
    uint32_t record = types_[current].record;
    complete(record);
    std::optional<FieldHit> hit = find_field(record, name);
    if (!hit && node->exists) return set_const(slot, {Const::Bool, 0, false, {}}, false);   // not in the profile either: nothing can read it
    if (!hit) {
      suggest(report(DiagKind::OffsetofNoField, node->range, types_.print_user(types_.struct_type(record)), name), name, field_names(record));
      return lattice_.error();
    }
    uint32_t at = record;
    for (uint32_t index : hit->path) {
      const Field field = types_.record(at).fields[index];
      bits += field.bit_offset;
      if (lattice_.is(field.type, TypeKind::Struct)) at = types_[field.type].record;
      path.push_back(index);
    }
    current = hit->field->type;
  }
  if (!kernel && node->exists) return set_const(slot, {Const::Bool, 1, false, {}}, false);
  if (!kernel) return set_const(slot, {Const::Int, bits / 8, false, {}}, false);
  if (final_) {
    node->record = root;
    node->path = path;
    node->operand = nullptr;
  }
  return result;
}

TypeId Sema::visit_typeinfo(Expr*& slot) {
  auto* node = as<Typeinfo>(slot);
  std::optional<TypeId> type;
  if (is_type_word(node->operand)) {
    TypeSpec spec;
    spec.range = node->operand->range;
    spec.name = as<Identifier>(node->operand)->name;
    type = type_of_spec(&spec);
  } else {
    type = node->spec ? type_of_spec(node->spec) : std::optional<TypeId>(visit(node->operand));
  }
  if (final_ && !unstable(ConfigKey::UnstableTypeinfo, "typeinfo", node->range)) return lattice_.error();
  if (!type) return final_ ? lattice_.error() : TypeId{};
  if (lattice_.unknown(*type)) return *type;
  std::string base = base_name(*type), full = show(*type);
  consts_[slot] = {Const::Str, 0, false, base + "\n" + full};
  if (final_) {
    auto* record = make<RecordLit>(node->range);
    record->fields = {{"btf_id", make_int(node->range, 0)}, {"base_type", make_string(node->range, base)}, {"full_type", make_string(node->range, full)}};
    record->fields[0].second->type = types_.u64();
    // A field access or comparison around it reads the constant and drops the record.
    consts_[record] = consts_[slot];
    slot = record;
  }
  return types_.anon_record({{"btf_id", types_.u64()}, {"base_type", types_.string(static_cast<uint32_t>(base.size() + 1))},
                             {"full_type", types_.string(static_cast<uint32_t>(full.size() + 1))}});
}

TypeId Sema::visit_comptime(Expr*& slot) {
  auto* node = as<Comptime>(slot);
  TypeId type = visit(node->operand);
  if (std::optional<Const> value = value_of(node->operand)) return set_const(slot, *value, is_pure_literal(node->operand));
  if (node->operand->kind == NodeKind::Tuple || node->operand->kind == NodeKind::RecordLit) {
    slot = node->operand;
    return type;
  }
  if (final_ && type != lattice_.error()) report(DiagKind::ComptimeUnresolved, node->range);
  return final_ ? lattice_.error() : TypeId{};
}

}  // namespace btc::sema
