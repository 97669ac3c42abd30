// Type rules of operators.
#include "frontend/sema/sema.h"
#include "runtime-stub/abi/abi.h"

namespace btc::sema {

static bool is_comparison(BinaryOp op) { return op >= BinaryOp::Eq && op <= BinaryOp::Ge; }
static bool is_logic(BinaryOp op) { return op == BinaryOp::LogicalAnd || op == BinaryOp::LogicalOr; }

// ++ and --: an assignment and a value.
TypeId Sema::visit_step(Unary* node) {
  bool down = node->op == UnaryOp::PreDec || node->op == UnaryOp::PostDec;
  auto stepped = [&](TypeId type) { return types_.int_type(8, lattice_.is_signed(type) || down); };
  if (auto* ref = dyn<VariableRef>(node->operand)) {
    TypeId type = visit(node->operand);
    if (lattice_.unknown(type)) return type;
    if (lattice_.is(type, TypeKind::Pointer)) return lattice_.settle(type);
    if (!lattice_.is_int(type)) {
      report(DiagKind::UnaryType, node->range, op_text(node->op), show(type));
      return lattice_.error();
    }
    if (locked_.contains(ref->var)) return type;
    set_variable(ref->var, stepped(type), node->range);
    return stepped(type);
  }
  MapSymbol* map = nullptr;
  if (auto* ref = dyn<MapRef>(node->operand)) map = ref->map;
  if (auto* access = dyn<MapAccess>(node->operand)) map = access->map->map;
  if (map == nullptr) {
    visit(node->operand);
    report(DiagKind::StepTarget, node->range, op_text(node->op));
    return lattice_.error();
  }
  TypeId type = map->value;
  if (auto* access = dyn<MapAccess>(node->operand)) type = visit_map_access(access), access->type = type;
  else node->operand->type = type;
  if (lattice_.unknown(type)) return type;
  if (lattice_.is(type, TypeKind::Pointer)) return lattice_.settle(type);
  if (lattice_.castable(type)) {
    report(DiagKind::MapMismatch, node->range, map->name, show(types_.i64()), show(type));
    return lattice_.error();
  }
  if (!lattice_.is_int(type)) {
    report(DiagKind::UnaryType, node->range, op_text(node->op), show(type));
    return lattice_.error();
  }
  set_map_value(map, stepped(type), node->range);
  return stepped(type);
}

TypeId Sema::visit_unary(Expr*& slot) {
  auto* node = as<Unary>(slot);
  if (node->op >= UnaryOp::PreInc) return visit_step(node);
  if (node->op == UnaryOp::AddressOf) {
    if (auto* ref = dyn<MapRef>(node->operand)) {
      ref->type = types_.void_type();
      if (final_ && ref->map != nullptr && !ref->map->value) report(DiagKind::UndefinedMap, ref->range, ref->map->name);
      if (ref->map == nullptr || !ref->map->value) return ref->map == nullptr || final_ ? lattice_.error() : TypeId{};
      return types_.pointer(lattice_.settle(ref->map->value), AddrSpace::Kernel);
    }
    auto* variable = dyn<VariableRef>(node->operand);
    if (variable != nullptr && variable->var != nullptr && lattice_.unknown(variable->var->type) && final_) {
      report(DiagKind::AddressUntyped, node->range, variable->name);
      return lattice_.error();
    }
    TypeId type = visit(node->operand);
    if (lattice_.unknown(type)) return type;
    if (node->operand->kind != NodeKind::VariableRef) {
      report(DiagKind::AddressOfTarget, node->range);
      return lattice_.error();
    }
    return types_.pointer(lattice_.settle(type), AddrSpace::Kernel);
  }
  TypeId type = visit(node->operand);
  if (is_pure_literal(node->operand) || value_of(node->operand)) {
    bool pure = is_pure_literal(node->operand);
    if (auto value = fold_unary(node)) return set_const(slot, *value, pure);
  }
  if (lattice_.unknown(type)) return type;
  if (lattice_.castable(type)) {
    if (final_) read_aggregation(node->operand);
    type = lattice_.castable_value(type);
  }
  auto refuse = [&]() {
    report(DiagKind::UnaryType, node->range, op_text(node->op), show(type));
    return lattice_.error();
  };
  const Type operand = types_[type];
  switch (node->op) {
    case UnaryOp::Not:
      // Also of pointers, which the documentation promises.
      if (lattice_.is_int(type) || operand.kind == TypeKind::Bool || operand.kind == TypeKind::Pointer) return types_.bool_type();
      return refuse();
    case UnaryOp::Deref:
      if (operand.kind == TypeKind::Pointer) {
        const Type pointee = types_[operand.elem];
        if (pointee.kind == TypeKind::Void) {
          report(DiagKind::DerefVoid, node->range, show(type));
          return lattice_.error();
        }
        return lattice_.with_space(operand.elem, operand.space == AddrSpace::User && pointee.kind == TypeKind::Pointer ? AddrSpace::User : pointee.space);
      }
      if (operand.kind == TypeKind::Struct) {
        auto* id = dyn<Identifier>(node->operand);
        if (id != nullptr && id->builtin == Builtin::Args) {  // *args is args
          slot = node->operand;
          return type;
        }
        report(DiagKind::DerefStruct, node->range, show(type));
        return lattice_.error();
      }
      if (lattice_.is_int(type)) {
        AddrSpace space = lattice_.space_of(type);
        if (final_) to_pointer(node->operand, types_.u64(), space);
        return lattice_.with_space(types_.u64(), space);
      }
      return refuse();
    case UnaryOp::BitNot:
    case UnaryOp::Neg: {
      if (!lattice_.is_int(type)) return refuse();
      return types_.int_type(8, lattice_.is_signed(type));
    }
    default:
      return refuse();
  }
}

TypeId Sema::pointer_binary(BinaryOp op, SourceRange range, TypeId left, TypeId right) {
  bool left_is_pointer = lattice_.is(left, TypeKind::Pointer);
  TypeId pointer = left_is_pointer ? left : right, other = left_is_pointer ? right : left;
  auto refuse = [&]() {
    report(DiagKind::BinaryTypes, range, op_text(op), show(left), show(right));
    return lattice_.error();
  };
  if (is_logic(op)) return types_.bool_type();
  if (lattice_.is(other, TypeKind::Pointer)) {
    if (!is_comparison(op)) return refuse();
    TypeId a = types_[left].elem, b = types_[right].elem;
    if (!lattice_.same(a, b)) report(DiagKind::DistinctPointers, range, show(a), show(b));
    return types_.bool_type();
  }
  if (!lattice_.is_int(other) && !lattice_.is(other, TypeKind::Bool)) return refuse();
  if (is_comparison(op)) return types_.bool_type();
  if (op == BinaryOp::Add || (op == BinaryOp::Sub && left_is_pointer)) return lattice_.settle(pointer);
  return refuse();
}

// Of two integers (or booleans, castable aggregations), two pointers, pointer and integer, or things that only compare.
TypeId Sema::binary_type(BinaryOp op, SourceRange range, SourceRange left_range, SourceRange right_range, TypeId left,
                         TypeId right, bool warn) {
  if (lattice_.unknown(left) || lattice_.unknown(right))
    return left == lattice_.error() || right == lattice_.error() ? lattice_.error() : TypeId{};
  if (lattice_.castable(left)) left = lattice_.castable_value(left);
  if (lattice_.castable(right)) right = lattice_.castable_value(right);
  auto numeric = [&](TypeId type) { return lattice_.is_int(type) || lattice_.is(type, TypeKind::Bool); };
  if (lattice_.is(left, TypeKind::Pointer) || lattice_.is(right, TypeKind::Pointer)) {
    return pointer_binary(op, range, left, right);
  }
  if (is_logic(op) && numeric(left) && numeric(right)) return types_.bool_type();
  if (numeric(left) && numeric(right)) {
    if (is_comparison(op)) return types_.bool_type();
    if (lattice_.is(left, TypeKind::Bool) && lattice_.is(right, TypeKind::Bool)) return types_.bool_type();
    bool flexible_left = lattice_.is_flexible(left), flexible_right = lattice_.is_flexible(right);
    bool sign_left = lattice_.is_signed(left), sign_right = lattice_.is_signed(right);
    if (flexible_left && !flexible_right) sign_left = sign_right;
    else if (flexible_right && !flexible_left) sign_right = sign_left;
    bool is_signed = sign_left || sign_right || op == BinaryOp::Sub;
    if (warn && (op == BinaryOp::Div || op == BinaryOp::Mod) && (sign_left || sign_right) && !lattice_.same(left, right))
      report(DiagKind::SignedDivision, range, op_text(op));
    AddrSpace a = lattice_.space_of(left), b = lattice_.space_of(right);
    AddrSpace space = a == AddrSpace::None ? b : b == AddrSpace::None || a == b ? a : AddrSpace::None;
    return lattice_.with_space(types_.int_type(8, is_signed), space);
  }
  bool equality = op == BinaryOp::Eq || op == BinaryOp::Ne;
  if (lattice_.is(left, TypeKind::Array) && lattice_.is(right, TypeKind::Array)) {
    const Type a = types_[left], b = types_[right];
    if (!equality) report(DiagKind::ArrayOperator, range, op_text(op));
    if (a.count != b.count) report(DiagKind::ArraySizesDiffer, range);
    else if (!lattice_.is_int(a.elem) || !lattice_.same(left, right)) report(DiagKind::ArrayElementsDiffer, range);
    return equality ? types_.bool_type() : lattice_.error();
  }
  if (!lattice_.compatible(left, right)) {
    report(DiagKind::CompareMismatch, range, op_text(op), show(left), show(right))
        .note(DiagKind::LeftIs, left_range, show(left))
        .note(DiagKind::RightIs, right_range, show(right));
    return lattice_.error();
  }
  if (!equality) {
    report(DiagKind::BinaryTypes, range, op_text(op), show(left), show(right));
    return lattice_.error();
  }
  return types_.bool_type();
}

// Both sides of an integer comparison become the same 64-bit type.
void Sema::unify_comparison(Binary* node, TypeId left, TypeId right) {
  read_aggregation(node->left);
  read_aggregation(node->right);
  left = node->left->type, right = node->right->type;
  auto numeric = [&](TypeId type) { return lattice_.is_int(type) || lattice_.is(type, TypeKind::Bool); };
  if (lattice_.is(left, TypeKind::Pointer) != lattice_.is(right, TypeKind::Pointer)) {
    // Pointer against integer: as unsigned numbers.
    for (Expr** side : {&node->left, &node->right})
      if (!coerce(*side, types_.u64(), false) || lattice_.is((*side)->type, TypeKind::Pointer)) *side = implicit_cast(*side, types_.u64());
    return;
  }
  if (numeric(left) && numeric(right)) {
    if (lattice_.is(left, TypeKind::Bool) && lattice_.is(right, TypeKind::Bool)) return;
    TypeId a = lattice_.is(left, TypeKind::Bool) ? types_.int_type(1, false) : left;
    TypeId b = lattice_.is(right, TypeKind::Bool) ? types_.int_type(1, false) : right;
    TypeId joined = *lattice_.join(a, b), wide = types_.int_type(8, lattice_.is_signed(joined));
    for (Expr** side : {&node->left, &node->right}) {
      TypeId type = (*side)->type;
      if (!lattice_.is(type, TypeKind::Bool) && !is_pure_literal(*side) && !lattice_.is_flexible(type) && !lattice_.fits(type, wide))
        report(DiagKind::LossyConversion, (*side)->range, show(type), show(joined));
      if (lattice_.is(type, TypeKind::Bool) || !coerce(*side, wide, false)) *side = implicit_cast(*side, wide);
    }
    return;
  }
  if ((lattice_.is(left, TypeKind::Tuple) || lattice_.is(left, TypeKind::AnonRecord)) && !lattice_.same(left, right))
    if (auto joined = lattice_.join(left, right)) {
      coerce(node->left, *joined, false);
      coerce(node->right, *joined, false);
    }
}

TypeId Sema::visit_binary(Expr*& slot) {
  auto* node = as<Binary>(slot);
  TypeId left = visit(node->left), right = visit(node->right);
  bool pure = is_pure_literal(node->left) && is_pure_literal(node->right);
  if (pure || (value_of(node->left) && value_of(node->right))) {
    if (auto value = fold_binary(node, true)) {
      bool warned = value->kind == Const::Str && value->text.empty();  // in the last walk
      return set_const(slot, *value, pure && !warned);
    }
    if (pure && final_) {
      bool numbers = node->left->kind == NodeKind::Integer && node->right->kind == NodeKind::Integer;
      bool texts = node->left->kind == NodeKind::String && node->right->kind == NodeKind::String;
      if (numbers || texts) return lattice_.error();  // said by fold_binary
    }
  }
  if (node->op == BinaryOp::Eq || node->op == BinaryOp::Ne)
    if (auto same = same_literals(node->left, node->right)) return set_const(slot, {Const::Bool, *same == (node->op == BinaryOp::Eq), false, {}}, false);
  // A string parameter plus a number: the rest of the string ($1 + 3 under str()).
  if (node->op == BinaryOp::Add && node->left->kind == NodeKind::Positional && lattice_.is(left, TypeKind::String) && lattice_.is_int(right))
    return left;
  // `probe == "kprobe:f"` of a pattern, `comm == $1`.
  if (lattice_.is(right, TypeKind::String)) left = as_text(node->left).value_or(left);
  else if (lattice_.is(left, TypeKind::String)) right = as_text(node->right).value_or(right);
  TypeId type = binary_type(node->op, node->range, node->left->range, node->right->range, left, right, true);
  if (!final_ || lattice_.unknown(type)) return type;
  if (is_comparison(node->op)) {
    unify_comparison(node, left, right);
  } else if (lattice_.is(type, TypeKind::Pointer)) {
    read_aggregation(node->left);
    read_aggregation(node->right);
    if (!lattice_.is(left, TypeKind::Pointer)) std::swap(node->left, node->right);
  } else {
    read_aggregation(node->left);
    read_aggregation(node->right);
    if (is_logic(node->op)) {
      for (Expr** side : {&node->left, &node->right})
        if (auto known = value_of(*side)) *side = literal_of({Const::Bool, known->truthy(), false, {}}, (*side)->range);
      return type;
    }
    for (Expr** side : {&node->left, &node->right})
      if (lattice_.is((*side)->type, TypeKind::Bool)) *side = implicit_cast(*side, types_.u64());
    if (lattice_.is(type, TypeKind::Bool)) {  // of two booleans
      node->type = types_.u64();
      slot = implicit_cast(node, types_.bool_type());
    }
  }
  return type;
}

}  // namespace btc::sema
