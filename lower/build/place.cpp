// Places: which memory an expression names, and how members and elements are reached from it.
#include <algorithm>

#include "lower/build/body.h"

namespace btc::lower {

using ast::NodeKind;

Place Body::place(const ast::Expr* expr) {
  Place out;
  out.type = expr->type;
  switch (expr->kind) {
    case NodeKind::VariableRef: {
      Memory memory = variable(ast::as<ast::VariableRef>(expr)->var);
      out.base = memory.pointer;
      out.offset = memory.offset;
      return out;
    }
    case NodeKind::Identifier: {
      const auto* identifier = ast::as<ast::Identifier>(expr);
      if (identifier->builtin != Builtin::Args) break;
      out.kind = Place::Argument;
      out.record = types[expr->type].record;
      RecordOrigin origin = types.record(out.record).origin;
      if (origin == RecordOrigin::Tracepoint) out.kind = Place::Record;
      if (origin != RecordOrigin::UprobeArgs) return out;
      // Registers have no address: all parameters are put into memory.
      Memory all = temp(expr->type, "args");
      zero(all, types.size_of(expr->type));
      for (uint32_t i = 0; i < types.record(out.record).fields.size(); ++i) store_parameter(out.record, i, all.at(types.record(out.record).fields[i].bit_offset / 8));
      out.kind = Place::Direct;
      out.base = all.pointer;
      out.offset = all.offset;
      return out;
    }
    case NodeKind::FieldAccess: {
      const auto* access = ast::as<ast::FieldAccess>(expr);
      TypeId base_type = access->base->type;
      const Type type = types[base_type];
      if (type.kind == TypeKind::Tuple || type.kind == TypeKind::AnonRecord) {
        Place base = place(access->base);
        base.offset += types.layout(base_type).offsets[access->path.empty() ? 0 : access->path[0]];
        base.type = expr->type;
        return base;
      }
      bool is_pointer = type.kind == TypeKind::Pointer;
      Place base = is_pointer ? pointee(access->base) : place(access->base);
      uint32_t record = is_pointer ? types[type.elem].record : type.record;
      Place member = field(std::move(base), record, access->path);
      if (!member.data_loc) member.type = expr->type;
      return member;
    }
    case NodeKind::TupleAccess: {
      const auto* access = ast::as<ast::TupleAccess>(expr);
      Place base = place(access->base);
      base.offset += types.layout(access->base->type).offsets[access->index];
      base.type = expr->type;
      return base;
    }
    case NodeKind::ArrayAccess: {
      const auto* access = ast::as<ast::ArrayAccess>(expr);
      const Type type = types[access->base->type];
      if (type.kind == TypeKind::Tuple) {
        Place base = place(access->base);
        const auto* index = ast::dyn<ast::Integer>(access->index);
        base.offset += types.layout(access->base->type).offsets[index ? index->value : 0];
        base.type = expr->type;
        return base;
      }
      return element(type.kind == TypeKind::Pointer ? pointee(access->base) : place(access->base), expr->type, access->index);
    }
    case NodeKind::Unary:
      if (ast::as<ast::Unary>(expr)->op == ast::UnaryOp::Deref) return pointee(ast::as<ast::Unary>(expr)->operand);
      break;
    case NodeKind::Positional:
      out.base = b.fact_addr(module.param_fact(ast::as<ast::Positional>(expr)->param));
      return out;
    case NodeKind::String:
      // A constant holds its text and one NUL; wider types need a copy.
      if (ast::as<ast::String>(expr)->value.size() + 1 >= types.size_of(expr->type)) {
        out.base = b.rodata(ast::as<ast::String>(expr)->value);
        return out;
      }
      break;
    case NodeKind::Cast: {
      const auto* cast = ast::as<ast::Cast>(expr);
      if (cast->operand->type == expr->type) return place(cast->operand);
      break;
    }
    default: break;
  }
  Memory memory = temp(expr->type, "value");
  store(expr, memory);
  out.base = memory.pointer;
  out.offset = memory.offset;
  return out;
}

ValueId Body::readable(const ast::Expr* expr) {
  Place where = place(expr);
  if (where.kind == Place::Direct) return address(where);
  Memory near = temp(expr->type, "copy");
  copy(where, near);
  return pointer_to(near);
}

// What a pointer points to.
Place Body::pointee(const ast::Expr* pointer) {
  const Type type = types[pointer->type];
  Place out;
  out.type = type.elem;
  out.space = type.space;
  if (type.space == AddrSpace::Ctx) {
    out.kind = Place::Context;
    return out;
  }
  if (const auto* node = ast::dyn<ast::Unary>(pointer); node && node->op == ast::UnaryOp::AddressOf) {
    if (const auto* ref = ast::dyn<ast::VariableRef>(node->operand)) {
      Memory memory = variable(ref->var);
      out.base = memory.pointer;
      out.offset = memory.offset;
      return out;
    }
  }
  out.kind = Place::Remote;
  const Type elem = types[type.elem];
  if (elem.kind == TypeKind::Struct && types.record(elem.record).origin == RecordOrigin::Kernel && type.space != AddrSpace::User) {
    out.kind = Place::Core;
    out.record = elem.record;
    if (!start_chain(pointer, &out)) out.base = b.int_to_ptr(scalar(pointer), PtrSpace::Kernel, types.record(elem.record).name);
    return out;
  }
  out.base = scalar(pointer);
  return out;
}

// A member of a record: the chain grows where the layout is the target's, the offset where it is ours.
Place Body::field(Place base, uint32_t record, const std::vector<uint32_t>& path) {
  for (uint32_t step : path) {
    const Field member = types.record(record).fields[step];
    switch (base.kind) {
      case Place::Core:
      case Place::Record: base.path.push_back(module.core().member(record, step)); break;
      case Place::Argument: base.offset = step; break;
      default:
        if (member.data_loc) module.diags.report(DiagKind::DataLocCopied, b.place(), member.name);
        base.offset += member.bit_offset / 8;
        break;
    }
    base.type = member.type;
    base.bit_size = member.bit_size;
    base.bit_offset = member.bit_offset % 8;
    base.data_loc = member.data_loc;
    base.rel_loc = member.rel_loc;
    bool movable = base.kind == Place::Record && base.path.size() == 1 && (member.data_loc || types[member.type].kind == TypeKind::String);
    base.movable = movable ? member.name : std::string();
    if (types[member.type].kind == TypeKind::Struct) record = types[member.type].record;
  }
  return base;
}

Place Body::element(Place base, TypeId elem, const ast::Expr* index) {
  const Type whole = types[base.type];
  uint32_t size = std::max<uint32_t>(types.size_of(elem), 1);
  bool is_array = whole.kind == TypeKind::Array || whole.kind == TypeKind::String || whole.kind == TypeKind::Buffer;
  if (const auto* constant = ast::dyn<ast::Integer>(index)) {
    auto at = static_cast<int64_t>(constant->value);
    bool stays = base.kind == Place::Direct || base.kind == Place::Remote || base.kind == Place::Context;
    if (stays) {
      base.offset += at * size + (whole.kind == TypeKind::Buffer ? 4 : 0);
      base.type = elem;
      return base;
    }
    if (is_array && base.kind == Place::Core && at >= 0) {
      base.path.push_back(static_cast<uint32_t>(at));
      base.type = elem;
      return base;
    }
  }
  // Numbers may have another width on the target: the element is the first one of the same array in a structure that begins so much later.
  bool is_first = base.kind == Place::Core && whole.kind == TypeKind::Array && whole.count != 0 && types[elem].kind == TypeKind::Int && !base.path.empty();
  std::vector<uint32_t> path = base.path;
  uint32_t record = base.record;
  if (is_first) {
    base = followed(base);
    base.path.clear();
    path.push_back(0);
  }
  // The kernel only checks constant offsets into the stack, so a computed one is a guarded read like any other.
  bool is_ours = base.kind == Place::Direct;
  ValueId start = is_known(base) ? plain_number(address(base)) : b.ptr_to_int(address(base));
  ValueId at = scalar(index);
  Place out;
  out.kind = Place::Remote;
  out.space = is_ours || base.kind == Place::Core || base.kind == Place::Record ? AddrSpace::Kernel : base.space;
  out.type = elem;
  // Outside of the array: a report, and 0 as the result, which is what reading address 0 gives.
  if (whole.kind == TypeKind::Array && whole.count != 0) {
    ValueId outside = b.binary(Op::LeU, b.constant(whole.count), at, "outside");
    b.if_then(outside, "outside", [&] { report(abi::RuntimeErrorKind::ArrayOutOfBounds, "", b.constant(0)); });
    at = b.select(outside, b.constant(0), at, "index");
    start = b.select(outside, b.constant(0), start, "array");
  }
  if (is_first) {
    ir::Operand chain = ir::Builder::chain_ref({module.core().record(record), path});
    ValueId bits = b.binary(Op::Sub, b.constant(64), b.emit(Op::CoreShift, {chain}, kI64, "shift"), "bits");
    out.base = b.binary(Op::Add, start, b.binary(Op::Mul, at, b.binary(Op::ShrU, bits, b.constant(3), "stride")), "element");
    out.base = b.int_to_ptr(out.base, PtrSpace::Kernel, "element");
    out.kind = Place::Core;
    out.record = record;
    out.path = std::move(path);
    return out;
  }
  bool relocates = base.kind == Place::Core && types[elem].kind == TypeKind::Struct;
  out.base = b.binary(Op::Add, start, size == 1 ? at : b.binary(Op::Mul, at, relocates ? stride(elem) : b.constant(size)), "element");
  if (!relocates || !relocated_record(elem)) return out;
  out.kind = Place::Core;
  out.record = types[elem].record;
  out.base = b.int_to_ptr(out.base, PtrSpace::Kernel, "element");
  return out;
}

ValueId Body::record_address(const Place& place) {
  ir::Operand chain = ir::Builder::chain_ref({module.core().record(place.record), place.path});
  return b.emit(Op::RecordAddr, {chain}, ir::ptr_type(PtrSpace::Kernel), "member");
}

// The same field is `char comm[16]` on one kernel and `__data_loc char[] comm` on the next (many became that in 6.12 to 6.18). Each copy knows
// which, so the verifier drops the other way; without a loader that says so it is as compiled.
void Body::by_form(const Place& place, const std::function<void(ValueId address, bool moved)>& use) {
  ValueId form = b.emit(Op::CopyConst, {ir::Builder::imm(abi::kCopyFieldForm + module.string_index(place.movable))}, kI64, "form");
  if (place.data_loc) {
    ir::Operand chain = ir::Builder::chain_ref({module.core().record(place.record), place.path});
    ir::Operand relative = ir::Builder::imm(place.rel_loc ? 1 : 0);
    b.if_else(b.is_nonzero(form), "behind", [&] { use(b.emit(Op::RecordDataLoc, {chain, relative}, ir::ptr_type(PtrSpace::Kernel), "data"), false); },
              [&] { use(record_address(place), true); });
    return;
  }
  ValueId absolute = b.binary(Op::Eq, form, b.constant(abi::kFieldDataLoc), "absolute"), relative = b.binary(Op::Eq, form, b.constant(abi::kFieldRelLoc), "relative");
  auto behind = [&] {
    ValueId at = b.ptr_to_int(record_address(place));
    Memory word = temp(8, 8, "word");
    b.store(word.pointer, word.offset, b.constant(0));
    read(word, at, AddrSpace::Kernel, 4);
    ValueId distance = b.binary(Op::And, b.load(word.pointer, word.offset, kI64, "word"), b.constant(0xffff), "distance");
    ValueId start = b.select(relative, b.add_imm(at, 4, "behind"), b.ptr_to_int(b.emit(Op::Ctx, {}, ir::ptr_type(PtrSpace::Ctx), "ctx")), "start");
    use(b.int_to_ptr(b.binary(Op::Add, start, distance, "data"), PtrSpace::Kernel, "data"), true);
  };
  b.if_else(b.binary(Op::Or, absolute, relative, "moved"), "moved", behind, [&] { use(record_address(place), false); });
}

ValueId Body::address(const Place& place) {
  switch (place.kind) {
    case Place::Direct: return b.ptr_add(place.base, place.offset);
    case Place::Remote: return b.type(place.base).kind == ir::ScalarKind::Ptr ? b.ptr_add(place.base, place.offset) : b.add_imm(place.base, place.offset, "addr");
    case Place::Core: {
      if (place.is_indirect()) return address(followed(place));
      if (place.path.empty()) return place.base;
      PtrSpace space = b.type(place.base).space == PtrSpace::Btf ? PtrSpace::Btf : PtrSpace::Kernel;
      return b.emit(Op::CoreAddr, {ir::Builder::val(place.base), ir::Builder::chain_ref({module.core().record(place.record), place.path})}, ir::ptr_type(space), "member");
    }
    case Place::Record: {
      if (place.movable.empty()) return record_address(place);
      Memory where = temp(8, 8, "where");
      by_form(place, [&](ValueId address, bool) { b.store(where.pointer, where.offset, b.ptr_to_int(address)); });
      return b.int_to_ptr(b.load(where.pointer, where.offset, kI64, "where"), PtrSpace::Kernel, "member");
    }
    case Place::Context:
    case Place::Argument: {
      ValueId ctx = b.emit(Op::Ctx, {}, ir::ptr_type(PtrSpace::Ctx), "ctx");
      return b.int_to_ptr(b.add_imm(b.ptr_to_int(ctx), place.kind == Place::Context ? place.offset : 0), PtrSpace::Kernel, "ctx_addr");
    }
  }
  return kNoValue;
}

}  // namespace btc::lower
