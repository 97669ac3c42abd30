// Maps: keys, reads, assignments, aggregations.
#include <utility>

#include "lower/build/calls.h"

namespace btc::lower {

namespace {

constexpr int64_t kAny = 0;

}  // namespace

// Keys are built where the helper wants them. Values that lie in memory already, with the right type, are used in place.
ValueId Body::key_address(const ast::MapSymbol* map, const ast::Expr* key) {
  if (!key || map->is_scalar()) {
    Memory zero_key = temp(8, 8, "key");
    b.store(zero_key.pointer, zero_key.offset, b.constant(0));
    return pointer_to(zero_key);
  }
  // A number is copied: a variable whose address is taken lies on the stack, where the kernel's verifier forgets the value of what
  // is narrower than a register, and then does not see that the loop ends that counts it.
  const auto* ref = ast::dyn<ast::VariableRef>(key);
  if (ref && key->type == map->key && !has_prop(types[key->type], kTypeScalar)) return pointer_to(variable(ref->var));
  Memory memory = temp(map->key, "key");
  bool outer_keep_tail = std::exchange(keep_tail, false);
  store(key, memory);
  keep_tail = outer_keep_tail;
  return pointer_to(memory);
}

void Body::update_map(const ast::MapSymbol* map, ValueId key, ValueId value, int64_t flags) {
  uint32_t index = module.map_index(map);
  ValueId ret = b.map_update(index, key, value, flags);
  if (map->is_scalar()) return;  // one entry always fits
  b.if_then(b.binary(Op::LtS, ret, b.constant(0), "failed"), "full", [&] {
    b.emit(Op::LossCountMap, {ir::Builder::map_ref(index)});
    report(abi::RuntimeErrorKind::MapFull, "map_update_elem", ret);
  });
}

void Body::assign_map(const ast::MapSymbol* map, const ast::Expr* key, const ast::Expr* value) {
  // `@ = { ...; count() }`
  while (value->kind == ast::NodeKind::Block && ast::as<ast::Block>(value)->value && has_prop(types[value->type], kTypeAggregation)) {
    statements(*ast::as<ast::Block>(value));
    value = ast::as<ast::Block>(value)->value;
  }
  const auto* call_expr = ast::dyn<ast::Call>(value);
  if (call_expr && call_expr->function && function_info(*call_expr->function).phase == Phase::MapOperator) {
    CallTarget target;
    target.map = module.map_index(map);
    target.key = key_address(map, key);
    b.set_place(value->range);
    call_handler(*call_expr->function)(*this, *call_expr, target);
    return;
  }
  // The value first: it may mention the map itself.
  Memory memory = temp(map->value, "value");
  store(value, memory);
  ValueId key_pointer = key_address(map, key);
  update_map(map, key_pointer, pointer_to(memory), kAny);
}

ValueId Body::map_scalar(const ast::MapSymbol* map, const ast::Expr* key) {
  if (has_prop(types[map->value], kTypeAggregation)) return aggregate_value(map, key);
  ValueId entry = b.map_lookup(module.map_index(map), key_address(map, key), map->name.size() > 1 ? map->name.substr(1) : "entry");
  Memory result = temp(8, 8, "found");
  b.if_else(entry, "hit", [&] { b.store(result.pointer, result.offset, load_scalar(map->value, {entry, 0}, "value")); },
          [&] {
            b.store(result.pointer, result.offset, b.constant(0));
            report_verbose(abi::RuntimeErrorKind::MapLookupMissing, "map_lookup_elem", b.constant(0));
          });
  return b.load(result.pointer, result.offset, kI64, "value");
}

void Body::map_value(const ast::MapSymbol* map, const ast::Expr* key, Memory to) {
  if (has_prop(types[map->value], kTypeAggregation)) return store_scalar(aggregate_value(map, key), types.i64(), to);
  ValueId entry = b.map_lookup(module.map_index(map), key_address(map, key));
  uint32_t size = types.size_of(map->value);
  b.if_else(entry, "hit", [&] { b.mem_copy(pointer_to(to), entry, size); },
          [&] {
            zero(to, size);
            report_verbose(abi::RuntimeErrorKind::MapLookupMissing, "map_lookup_elem", b.constant(0));
          });
}

ValueId Body::aggregate_value(const ast::MapSymbol* map, const ast::Expr* key) {
  need("helper:map_lookup_percpu_elem");
  module.fact(abi::FactKind::NumCpus, "num_cpus", 4);
  return b.emit(Op::AggRead, {ir::Builder::map_ref(module.map_index(map)), ir::Builder::val(key_address(map, key))}, kI64, "total");
}

// In place where the entry is there, else a new entry that starts from zero.
std::pair<ValueId, ValueId> Body::modify_map(const ast::MapSymbol* map, const ast::Expr* key, const std::function<ValueId(ValueId)>& change) {
  ValueId key_pointer = key_address(map, key);
  ValueId entry = b.map_lookup(module.map_index(map), key_pointer);
  Memory old_value = temp(8, 8, "old");
  b.if_else(entry, "hit", [&] { b.store(old_value.pointer, old_value.offset, load_scalar(map->value, {entry, 0}, "value")); },
          [&] { b.store(old_value.pointer, old_value.offset, b.constant(0)); });
  ValueId old = b.load(old_value.pointer, old_value.offset, kI64, "old");
  ValueId changed = change(old);
  b.if_else(entry, "present", [&] { store_scalar(changed, map->value, {entry, 0}); },
          [&] {
            Memory fresh = temp(map->value, "fresh");
            store_scalar(changed, map->value, fresh);
            update_map(map, key_pointer, pointer_to(fresh), kAny);
          });
  return {old, changed};
}

}  // namespace btc::lower
