// Functions on maps: delete() has_key() find() len().
#include "lower/build/calls.h"

namespace btc::lower {

namespace {

const ast::MapSymbol* map_arg(const ast::Call& call) {
  if (const auto* access = ast::dyn<ast::MapAccess>(call.args[0])) return access->map->map;
  const auto* ref = ast::dyn<ast::MapRef>(call.args[0]);
  return ref ? ref->map : nullptr;
}

const ast::Expr* key_arg(const ast::Call& call) {
  if (const auto* access = ast::dyn<ast::MapAccess>(call.args[0])) return access->key;
  return call.args.size() > 1 ? call.args[1] : nullptr;
}

}  // namespace

ValueId lower_call_Delete(Body& body, const ast::Call& call, const CallTarget& target) {
  const ast::MapSymbol* map = map_arg(call);
  uint32_t index = body.module.map_index(map);
  body.module.map_needs_hash(index);
  ir::Builder& b = body.b;
  ValueId key = body.key_address(map, key_arg(call));
  ValueId ret = b.emit(Op::MapDelete, {ir::Builder::map_ref(index), ir::Builder::val(key)}, kI64, "ret");
  return b.bool_value(b.is_zero(ret, "deleted"));
}

ValueId lower_call_HasKey(Body& body, const ast::Call& call, const CallTarget&) {
  const ast::MapSymbol* map = map_arg(call);
  uint32_t index = body.module.map_index(map);
  body.module.map_needs_hash(index);
  ValueId entry = body.b.map_lookup(index, body.key_address(map, key_arg(call)));
  return body.b.bool_value(body.b.is_nonzero(body.b.ptr_to_int(entry), "has_key"));
}

ValueId lower_call_Find(Body& body, const ast::Call& call, const CallTarget&) {
  const ast::MapSymbol* map = map_arg(call);
  ir::Builder& b = body.b;
  uint32_t index = body.module.map_index(map);
  body.module.map_needs_hash(index);
  ValueId entry = b.map_lookup(index, body.key_address(map, key_arg(call)));
  const auto* ref = ast::dyn<ast::VariableRef>(call.args[2]);
  Memory found = body.temp(8, 8, "found");
  body.b.if_else(entry, "hit",
               [&] {
                 Place value;
                 value.base = entry;
                 value.type = map->value;
                 body.convert_memory(value, ref->var->type, body.variable(ref->var));
                 b.store(found.pointer, found.offset, b.constant(1));
               },
               [&] { b.store(found.pointer, found.offset, b.constant(0)); });
  return b.load(found.pointer, found.offset, kI64, "found");
}

// Variant 1: entries of a map; 0: frames of a stack.
ValueId lower_call_Len(Body& body, const ast::Call& call, const CallTarget&) {
  ir::Builder& b = body.b;
  if (call.variant == 0) {
    Place stack = body.place(call.args[0]);
    bool user = body.types[call.args[0]->type].kind == TypeKind::UStack;
    stack.offset += user ? 8 : 0;
    stack.type = body.types.u64();
    return body.load(stack);
  }
  // for_each says how many entries it saw.
  uint32_t index = body.module.map_index(map_arg(call));
  body.module.map_needs_hash(index);
  body.need("helper:for_each_map_elem");
  uint32_t function = body.module.count_callback(b.fn().program, b.place());
  Memory context = body.temp(8, 8, "context");
  b.store(context.pointer, context.offset, b.constant(0));
  return b.emit(Op::MapForEach, {ir::Builder::map_ref(index), ir::Builder::func_ref(function), ir::Builder::val(body.pointer_to(context))}, kI64, "len");
}

}  // namespace btc::lower
