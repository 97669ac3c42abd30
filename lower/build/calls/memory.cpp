// Reading memory: str() buf() memcmp() path(), and writing it: write_user().
#include <algorithm>

#include "lower/build/calls.h"

namespace btc::lower {

namespace {

bool is_parameter_text(const ast::Expr* expr) {
  if (const auto* sum = ast::dyn<ast::Binary>(expr)) return is_parameter_text(sum->left);
  if (const auto* cast = ast::dyn<ast::Cast>(expr)) return is_parameter_text(cast->operand);
  const auto* positional = ast::dyn<ast::Positional>(expr);
  return positional && positional->param->kind == ast::Param::Str;
}

AddrSpace space_of(Body& body, const ast::Expr* pointer) {
  if (is_parameter_text(pointer)) return AddrSpace::Kernel;
  AddrSpace space = body.types[pointer->type].space;
  return space == AddrSpace::Btf ? AddrSpace::Kernel : space;
}

}  // namespace

// str(p): up to max_strlen characters; str(p, n): n bytes with the NUL, so n - 1 characters.
//
// A string that fills its capacity keeps its last byte instead of a NUL when it goes on behind (the runtime then prints the
// trailer), except at the default capacity.
ValueId lower_call_Str(Body& body, const ast::Call& call, const CallTarget& target) {
  constexpr uint32_t kDefaultCapacity = 1024;
  ir::Builder& b = body.b;
  uint32_t capacity = body.types.size_of(call.type);
  // A string of the script's is memory of ours, which the kernel reads as its own.
  bool is_string = body.types[call.args[0]->type].kind == TypeKind::String && !is_parameter_text(call.args[0]);
  AddrSpace space = is_string ? AddrSpace::Kernel : space_of(body, call.args[0]);
  ValueId from = is_string ? b.emit(Op::PtrToInt, {ir::Builder::val(body.readable(call.args[0]))}, kI64, "from") : body.scalar(call.args[0]);
  ValueId size = b.constant(capacity);
  const ast::Expr* length = call.args.size() > 1 ? call.args[1] : nullptr;
  const auto* literal = ast::dyn<ast::Integer>(length);
  bool may_be_cut = capacity < kDefaultCapacity && (!length || !literal || literal->value > capacity);
  ValueId wanted = kNoValue;
  if (literal) {
    // A parameter's text is cut as a literal's is: to n characters, and a NUL.
    uint64_t bytes = literal->value + (is_parameter_text(call.args[0]) ? 1 : 0);
    size = b.constant(static_cast<int64_t>(std::min<uint64_t>(bytes, capacity)));
  } else if (length) {
    wanted = body.scalar(length);
    size = b.at_most(wanted, capacity);
  }
  if (!body.keep_tail) body.zero(target.to, capacity);
  ValueId got = body.read_string(target.to, from, space, size, capacity);
  if (!may_be_cut) return kNoValue;
  ValueId full = b.binary(Op::Eq, got, b.constant(capacity), "full");
  if (wanted != kNoValue) full = b.is_nonzero(b.binary(Op::And, b.bool_value(full), b.bool_value(b.binary(Op::LtU, b.constant(capacity), wanted)), "full"));
  body.b.if_then(full, "cut", [&] { body.read(target.to.at(capacity - 1), b.add_imm(from, capacity - 1, "last"), space, 1); });
  return kNoValue;
}

// u32 length, then the bytes.
ValueId lower_call_Buf(Body& body, const ast::Call& call, const CallTarget& target) {
  ir::Builder& b = body.b;
  const Type type = body.types[call.type];
  const ast::Expr* what = call.args[0];
  bool is_pointer = body.types[what->type].kind == TypeKind::Pointer;
  const ast::Expr* length = call.args.size() > 1 ? call.args[1] : nullptr;
  Memory data = target.to.at(4);
  if (!is_pointer) {
    Place array = body.place(what);
    uint32_t bytes = std::min(type.size, body.types.size_of(what->type));
    ValueId count = length ? b.at_most(body.scalar(length), bytes) : b.constant(bytes);
    b.store(target.to.pointer, target.to.offset, b.resize(count, kI32, false, "count"));
    if (bytes < type.size) body.zero(data, type.size);
    if (body.types.size_of(what->type) > bytes) array.type = body.types.array(body.types.int_type(1, false), bytes);
    body.copy(array, data);
    return kNoValue;
  }
  AddrSpace space = space_of(body, what);
  ValueId from = body.scalar(what);
  const auto* literal = ast::dyn<ast::Integer>(length);
  if (!length || (literal && literal->value >= type.size)) {
    b.store(target.to.pointer, target.to.offset, b.constant(type.size, kI32));
    body.read(data, from, space, type.size);
    return kNoValue;
  }
  ValueId count = b.at_most(body.scalar(length), type.size);
  b.store(target.to.pointer, target.to.offset, b.resize(count, kI32, false, "count"));
  body.zero(data, type.size);
  body.read_bytes(data, from, space, count, type.size);
  return kNoValue;
}

ValueId lower_call_Memcmp(Body& body, const ast::Call& call, const CallTarget&) {
  ValueId a = body.readable(call.args[0]);
  ValueId c = body.readable(call.args[1]);
  return body.b.bpf("btc_mem_compare", {a, c, body.scalar(call.args[2])}, "difference");
}

ValueId lower_call_Path(Body& body, const ast::Call& call, const CallTarget& target) {
  ir::Builder& b = body.b;
  body.need("helper:d_path");
  const ast::Expr* what = call.args[0];
  bool is_pointer = body.types[what->type].kind == TypeKind::Pointer;
  uint32_t capacity = body.types.size_of(call.type);
  if (!body.keep_tail) body.zero(target.to, capacity);
  else b.store(target.to.pointer, target.to.offset, b.constant(0, kI8));
  auto read = [&] {
    ValueId path = body.address(is_pointer ? body.pointee(what) : body.place(what));
    ValueId ret = b.helper("d_path", {path, body.pointer_to(target.to), b.constant(capacity)}, "length");
    body.check_helper(ret, "d_path");
  };
  // The helper wants a typed pointer; an iterator's is null at the end of the walk.
  ValueId object = body.iterated_object(what);
  if (object == kNoValue) return read(), kNoValue;
  b.if_then(object, "iterated", [&] {
    body.iterated = object;
    read();
    body.iterated = kNoValue;
  });
  return kNoValue;
}

ValueId lower_call_WriteUser(Body& body, const ast::Call& call, const CallTarget&) {
  ir::Builder& b = body.b;
  ValueId to = body.scalar(call.args[0]);
  // `&$x`: the slot itself, so that the kernel knows how much may be read.
  ValueId from = kNoValue;
  if (const auto* node = ast::dyn<ast::Unary>(call.args[1]); node && node->op == ast::UnaryOp::AddressOf) from = body.address(body.pointee(call.args[1]));
  else from = body.scalar(call.args[1]);
  ValueId ret = b.helper("probe_write_user", {to, from, body.scalar(call.args[2])}, "ret");
  body.check_helper(ret, "probe_write_user");
  return ret;
}

}  // namespace btc::lower
