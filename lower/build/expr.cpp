// Expressions: dispatch by node kind, arithmetic, calls.
#include <algorithm>
#include <utility>

#include "lower/build/calls.h"

namespace btc::lower {

using ast::NodeKind;

ValueId Body::scalar(const ast::Expr* expr) {
  PlaceScope scope(b, expr->range);
  ValueId value = scalar_of(expr);
  if (value == kNoValue) return b.constant(0);
  return b.type(value).kind == ir::ScalarKind::Ptr ? b.ptr_to_int(value) : b.bool_value(value);
}

ValueId Body::scalar_of(const ast::Expr* expr) {
  switch (expr->kind) {
    case NodeKind::Integer: return b.constant(static_cast<int64_t>(ast::as<ast::Integer>(expr)->value));
    case NodeKind::Boolean: return b.constant(ast::as<ast::Boolean>(expr)->value ? 1 : 0);
    case NodeKind::Identifier: {
      const auto* identifier = ast::as<ast::Identifier>(expr);
      if (identifier->builtin) return builtin(*identifier);
      if (identifier->enum_constant) {
        const auto& [index, value] = *identifier->enum_constant;
        if (types.enum_def(index).origin != RecordOrigin::Kernel || types[expr->type].kind != TypeKind::Enum) return b.constant(value);
        return b.emit(Op::CoreEnum, {ir::Builder::core_ref(module.core().constant(expr->type, identifier->name, value)), ir::Builder::text(identifier->name), ir::Builder::imm(value)}, kI64, identifier->name);
      }
      return kNoValue;
    }
    case NodeKind::Positional: {
      const ast::Param* param = ast::as<ast::Positional>(expr)->param;
      // `str($1, 5)`: the text lies among the facts.
      if (param->kind == ast::Param::Str) return b.ptr_to_int(b.fact_addr(module.param_fact(param)));
      return b.fact(module.param_fact(param));
    }
    case NodeKind::VariableRef: {
      const auto* ref = ast::as<ast::VariableRef>(expr);
      return load_scalar(expr->type, variable(ref->var), ref->name.substr(1));
    }
    case NodeKind::MapRef: return map_scalar(ast::as<ast::MapRef>(expr)->map, nullptr);
    case NodeKind::MapAccess: return map_scalar(ast::as<ast::MapAccess>(expr)->map->map, ast::as<ast::MapAccess>(expr)->key);
    case NodeKind::Call: return call(*ast::as<ast::Call>(expr), {});
    case NodeKind::Unary: return unary(*ast::as<ast::Unary>(expr));
    case NodeKind::Binary: return binary(*ast::as<ast::Binary>(expr));
    case NodeKind::Cast: return cast(*ast::as<ast::Cast>(expr));
    case NodeKind::FieldAccess:
    case NodeKind::TupleAccess:
    case NodeKind::ArrayAccess: {
      if (const auto* access = ast::dyn<ast::FieldAccess>(expr)) {
        if (ValueId value = args_field(*access); value != kNoValue) return value;
      }
      return load(place(expr));
    }
    case NodeKind::Ternary:
    case NodeKind::IfExpr:
    case NodeKind::Block: {
      Memory result = temp(8, 8, "result");
      store(expr, result);
      return load_scalar(expr->type, result, "result");
    }
    case NodeKind::Sizeof: {
      TypeId measured = ast::as<ast::Sizeof>(expr)->measured;
      if (types[measured].kind == TypeKind::Enum) return b.constant(8);  // a constant of the language is 64 bits wide
      return b.emit(Op::CoreSize, {ir::Builder::core_ref(module.core().type(measured))}, kI64, "size");
    }
    case NodeKind::Offsetof: {
      const auto* offset = ast::as<ast::Offsetof>(expr);
      Place base;
      base.kind = Place::Core;
      base.record = offset->record;
      Place member = field(base, offset->record, offset->path);
      if (offset->exists) return b.emit(Op::CoreFieldExists, {ir::Builder::chain_ref({module.core().record(offset->record), member.path})}, kI1, "exists");
      return b.emit(Op::CoreOffset, {ir::Builder::chain_ref({module.core().record(offset->record), member.path})}, kI64, "offset");
    }
    default: return kNoValue;
  }
}

void Body::store(const ast::Expr* expr, Memory to) {
  PlaceScope scope(b, expr->range);
  switch (expr->kind) {
    case NodeKind::Block: {
      const auto* block = ast::as<ast::Block>(expr);
      ExpansionScope expansion(*this, *block);
      statements(*block);
      if (block->value && !b.terminated()) store(block->value, to);
      return;
    }
    case NodeKind::IfExpr: {
      const auto* branches = ast::as<ast::IfExpr>(expr);
      return if_else(branches->cond, [&] { store(branches->then_block, to); }, [&] {
        if (branches->else_block) store(branches->else_block, to);
        else zero(to, types.size_of(expr->type));
      });
    }
    case NodeKind::Ternary: {
      const auto* ternary = ast::as<ast::Ternary>(expr);
      if (!ternary->then_value) {  // `a ?: b`
        ValueId value = scalar(ternary->cond);
        return b.if_else(b.is_nonzero(value), "then", [&] { store_scalar(convert(value, ternary->cond->type, expr->type), expr->type, to); },
                       [&] { store(ternary->else_value, to); });
      }
      return if_else(ternary->cond, [&] { store(ternary->then_value, to); }, [&] { store(ternary->else_value, to); });
    }
    default: break;
  }
  if (has_prop(types[expr->type], kTypeScalar)) return store_scalar(scalar(expr), expr->type, to);
  store_memory(expr, to);
}

// Types larger than a register.
void Body::store_memory(const ast::Expr* expr, Memory to) {
  switch (expr->kind) {
    case NodeKind::String: return store_literal(ast::as<ast::String>(expr)->value, types.size_of(expr->type), to);
    case NodeKind::Positional: return b.mem_copy(pointer_to(to), b.fact_addr(module.param_fact(ast::as<ast::Positional>(expr)->param)), types.size_of(expr->type));
    case NodeKind::Identifier: {
      const auto* identifier = ast::as<ast::Identifier>(expr);
      if (identifier->builtin == Builtin::Comm) {
        b.emit(Op::BuiltinMem, {ir::Builder::word("comm"), ir::Builder::val(pointer_to(to))});
        return;
      }
      if (identifier->builtin == Builtin::Func) {  // usym_t: u64 address, i32 pid, i32 probe
        store_scalar(builtin(*identifier), types.u64(), to);
        store_scalar(pid_or_tid(false, false), types.int_type(4, true), to.at(8));
        return store_scalar(probe_index(), types.int_type(4, true), to.at(12));
      }
      if (identifier->builtin == Builtin::Probetype) return store_literal(probe_type_name(), types.size_of(expr->type), to);
      return copy(place(expr), to);
    }
    case NodeKind::MapRef: return map_value(ast::as<ast::MapRef>(expr)->map, nullptr, to);
    case NodeKind::MapAccess: return map_value(ast::as<ast::MapAccess>(expr)->map->map, ast::as<ast::MapAccess>(expr)->key, to);
    case NodeKind::Call: {
      call(*ast::as<ast::Call>(expr), to);
      return;
    }
    case NodeKind::Tuple: {
      const auto& elements = ast::as<ast::Tuple>(expr)->elements;
      Layout layout = types.layout(expr->type);
      zero_gaps(expr->type, to);
      for (size_t i = 0; i < elements.size() && i < layout.offsets.size(); ++i) store(elements[i], to.at(layout.offsets[i]));
      return;
    }
    case NodeKind::RecordLit: {
      const auto& fields = ast::as<ast::RecordLit>(expr)->fields;
      Layout layout = types.layout(expr->type);
      const std::vector<std::pair<std::string, TypeId>> members = types[expr->type].members;
      zero_gaps(expr->type, to);
      // The type's order may differ from the literal's.
      for (const auto& [name, value] : fields) {
        for (size_t i = 0; i < members.size(); ++i) {
          if (members[i].first == name) store(value, to.at(layout.offsets[i]));
        }
      }
      return;
    }
    case NodeKind::Cast: {
      const auto* cast_expr = ast::as<ast::Cast>(expr);
      if (cast_expr->operand->type == expr->type) return store(cast_expr->operand, to);
      if (types[cast_expr->operand->type].kind == TypeKind::ProbeName) {
        b.bpf("btc_probe_text", {pointer_to(to), scalar(cast_expr->operand)}, "ret");
        return;
      }
      if (has_prop(types[cast_expr->operand->type], kTypeScalar)) {
        // Integer or bool as an array of the same bytes.
        uint32_t size = types.size_of(expr->type);
        ValueId value = scalar(cast_expr->operand);
        Memory whole = size < 8 ? temp(8, 8, "bytes") : to;
        b.store(whole.pointer, whole.offset, value);
        if (size < 8) b.mem_copy(pointer_to(to), pointer_to(whole), size);
        else if (size > 8) zero(to.at(8), size - 8);
        return;
      }
      if (cast_expr->operand->kind == NodeKind::String) return store_literal(ast::as<ast::String>(cast_expr->operand)->value, types.size_of(expr->type), to);
      // A wider string: built where it is wanted, then padded.
      if (types[expr->type].kind == TypeKind::String && types[cast_expr->operand->type].kind == TypeKind::String) {
        uint32_t from = types.size_of(cast_expr->operand->type), size = types.size_of(expr->type);
        if (from <= size) {
          store(cast_expr->operand, to);
          return zero(to.at(from), size - from);
        }
      }
      return convert_memory(place(cast_expr->operand), expr->type, to);
    }
    case NodeKind::Binary: {
      // A string without its first characters: `str($1 + 1)`.
      const auto* sum = ast::as<ast::Binary>(expr);
      const auto* skipped = ast::dyn<ast::Integer>(sum->right);
      uint32_t size = types.size_of(expr->type);
      auto skip = static_cast<uint32_t>(std::min<uint64_t>(skipped ? skipped->value : 0, size));
      Place text = place(sum->left);
      uint32_t rest = std::min(size, types.size_of(sum->left->type)) - std::min(skip, types.size_of(sum->left->type));
      b.mem_copy(pointer_to(to), b.ptr_add(address(text), skip), rest);
      return zero(to.at(rest), size - rest);
    }
    case NodeKind::VariableRef:
    case NodeKind::FieldAccess:
    case NodeKind::TupleAccess:
    case NodeKind::ArrayAccess:
    case NodeKind::Unary: return copy(place(expr), to);
    default: return zero(to, types.size_of(expr->type));  // sema lets nothing else through
  }
}

// ---- Arithmetic ----

// Structures of the kernel are as large as the target has them.
ValueId Body::stride(TypeId elem) {
  const Type& type = types[elem];
  const Record* record = type.kind == TypeKind::Struct ? &types.record(type.record) : nullptr;
  if (record && record->origin == RecordOrigin::Kernel && record->size != 0 && has_core_name(*record)) return b.emit(Op::CoreSize, {ir::Builder::core_ref(module.core().record(type.record))}, kI64, "size");
  return b.constant(std::max<uint32_t>(types.size_of(elem), 1));
}

ValueId Body::scaled(ValueId steps, TypeId pointer) {
  const Type& type = types[pointer];
  if (type.kind != TypeKind::Pointer || (types[type.elem].kind != TypeKind::Struct && types.size_of(type.elem) <= 1)) return steps;
  bool is_users = type.space == AddrSpace::User;
  return b.binary(Op::Mul, steps, is_users ? b.constant(std::max<uint32_t>(types.size_of(type.elem), 1)) : stride(type.elem));
}

ValueId Body::binary(const ast::Binary& node) {
  using ast::BinaryOp;
  if (node.op >= BinaryOp::Eq) return b.bool_value(node.op >= BinaryOp::LogicalAnd ? logical(&node) : compare(node));
  ValueId left = scalar(node.left);
  ValueId right = scalar(node.right);
  return arithmetic(node.op, left, scaled(right, node.type), node.range);
}

ValueId Body::arithmetic(ast::BinaryOp op, ValueId left, ValueId right, SourceRange place) {
  using ast::BinaryOp;
  PlaceScope scope(b, place);
  switch (op) {
    case BinaryOp::Add: return b.binary(Op::Add, left, right, "sum");
    case BinaryOp::Sub: return b.binary(Op::Sub, left, right, "diff");
    case BinaryOp::Mul: return b.binary(Op::Mul, left, right, "product");
    case BinaryOp::Div: return divide(Op::DivU, left, right);
    case BinaryOp::Mod: return divide(Op::ModU, left, right);
    case BinaryOp::BitAnd: return b.binary(Op::And, left, right, "and");
    case BinaryOp::BitOr: return b.binary(Op::Or, left, right, "or");
    case BinaryOp::BitXor: return b.binary(Op::Xor, left, right, "xor");
    case BinaryOp::Shl: return b.binary(Op::Shl, left, b.binary(Op::And, right, b.constant(63)), "shl");
    case BinaryOp::Shr: return b.binary(Op::ShrU, left, b.binary(Op::And, right, b.constant(63)), "shr");
    default: return left;
  }
}

// Dividing by zero gives 1 and a report.
ValueId Body::divide(Op op, ValueId left, ValueId right) {
  const ir::Inst* constant = nullptr;
  for (const ir::Inst& inst : b.fn().blocks[b.block()].insts) {
    if (inst.result == right && inst.op == Op::Const) constant = &inst;
  }
  const char* name = op == Op::DivU ? "quotient" : "rest";
  if (constant && constant->operands[0].number != 0) return b.binary(op, left, right, name);
  ValueId is_zero = b.is_zero(right);
  b.if_then(is_zero, "by_zero", [&] { report(abi::RuntimeErrorKind::DivideByZero, "", b.constant(0)); });
  ValueId one = b.constant(1);
  ValueId result = b.binary(op, left, b.select(is_zero, one, right, "divisor"), name);
  return b.select(is_zero, one, result, name);
}

ValueId Body::unary(const ast::Unary& node) {
  using ast::UnaryOp;
  switch (node.op) {
    case UnaryOp::Not: {
      ValueId value = condition(node.operand);
      return b.bool_value(b.binary(Op::Eq, b.bool_value(value), b.constant(0), "not"));
    }
    // An unsigned operand keeps its width: ~ and - of a uint8 are less than 256, as in bpftrace.
    case UnaryOp::BitNot:
    case UnaryOp::Neg: {
      ValueId value = scalar(node.operand);
      value = node.op == UnaryOp::Neg ? b.binary(Op::Sub, b.constant(0), value, "neg") : b.binary(Op::Xor, value, b.constant(-1), "not");
      TypeId kept = types[node.operand->type].is_signed ? types.i64() : node.operand->type;
      return convert(value, types.i64(), kept);
    }
    case UnaryOp::Deref: return load(pointee(node.operand));
    case UnaryOp::AddressOf: {
      if (const auto* ref = ast::dyn<ast::VariableRef>(node.operand)) return b.ptr_to_int(pointer_to(variable(ref->var)));
      const auto* access = ast::dyn<ast::MapAccess>(node.operand);
      const auto* map = access ? access->map : ast::dyn<ast::MapRef>(node.operand);
      if (!map) return kNoValue;
      // A map with keys has no one value: the map itself, for C.
      if (!access && !map->map->is_scalar()) return b.ptr_to_int(b.emit(Op::MapAddr, {ir::Builder::map_ref(module.map_index(map->map))}, ir::ptr_type(ir::PtrSpace::Map), "map"));
      ValueId entry = b.map_lookup(module.map_index(map->map), key_address(map->map, access ? access->key : nullptr));
      return b.ptr_to_int(entry);
    }
    default: return step(node);
  }
}

// ++ and --: the value before or after, by 1 or by the pointee's size.
ValueId Body::step(const ast::Unary& node) {
  using ast::UnaryOp;
  bool down = node.op == UnaryOp::PreDec || node.op == UnaryOp::PostDec;
  bool post = node.op == UnaryOp::PostInc || node.op == UnaryOp::PostDec;
  auto stepped = [&](ValueId old, std::string_view name) {
    bool is_pointer = types[node.operand->type].kind == TypeKind::Pointer;
    if (!is_pointer) return b.add_imm(old, down ? -1 : 1, name);
    return b.binary(down ? Op::Sub : Op::Add, old, scaled(b.constant(1), node.operand->type), name);
  };
  if (const auto* ref = ast::dyn<ast::VariableRef>(node.operand)) {
    ValueId old = load_scalar(ref->var->type, variable(ref->var), ref->name.substr(1));
    ValueId changed = stepped(old, ref->name.substr(1));
    set_variable(ref->var, changed);
    return post ? old : changed;
  }
  const auto* access = ast::dyn<ast::MapAccess>(node.operand);
  const auto* map = access ? access->map : ast::dyn<ast::MapRef>(node.operand);
  if (!map) return kNoValue;
  auto [old, changed] = modify_map(map->map, access ? access->key : nullptr, [&](ValueId value) { return stepped(value, "next"); });
  return post ? old : changed;
}

// ---- Calls ----

ValueId Body::call(const ast::Call& node, Memory to) {
  PlaceScope scope(b, node.range);
  if (node.subprog) return call_subprog(node, to);
  if (node.foreign) return call_foreign(node);
  if (!node.function) return kNoValue;
  CallHandler handler = call_handler(*node.function);
  if (!handler) return kNoValue;
  CallTarget target;
  target.to = to;
  return handler(*this, node, target);
}

ValueId Body::call_subprog(const ast::Call& node, Memory to) {
  std::vector<ir::Operand> operands{ir::Builder::func_ref(module.subprog_index(node.subprog))};
  if (in_memory(node.subprog->return_type)) operands.push_back(ir::Builder::val(pointer_to(to)));
  for (size_t i = 0; i < node.args.size(); ++i) {
    TypeId type = node.subprog->params[i].var->type;
    if (!in_memory(type)) {
      operands.push_back(ir::Builder::val(scalar(node.args[i])));
      continue;
    }
    Memory argument = temp(type, node.subprog->params[i].name.substr(1));
    store_whole(node.args[i], type, argument);
    operands.push_back(ir::Builder::val(pointer_to(argument)));
  }
  return b.emit(Op::Call, std::move(operands), kI64, node.name);
}

// C's functions take registers; of what they return only the bits of its type are meant.
ValueId Body::call_foreign(const ast::Call& node) {
  std::vector<ValueId> args;
  for (const ast::Expr* arg : node.args) args.push_back(in_memory(arg->type) ? b.ptr_to_int(readable(arg)) : scalar(arg));
  ValueId result = b.call_named(Op::ForeignCall, node.foreign->name, args, node.name);
  const Type& type = types[node.type];
  if (type.kind == TypeKind::Bool) return b.binary(Op::And, result, b.constant(1), node.name);
  uint32_t bytes = type.kind == TypeKind::Int || type.kind == TypeKind::Enum ? types.size_of(node.type) : 8;
  bool is_signed = type.kind == TypeKind::Enum ? types.enum_def(type.record).is_signed : type.is_signed;
  return bytes == 8 ? result : b.resize(b.resize(result, ir::int_of(bytes), false, "cut"), kI64, is_signed, node.name);
}

}  // namespace btc::lower
