// Functions on maps: delete has_key find len clear zero print.
#include "frontend/sema/sema.h"

namespace btc::sema {

MapRef* Sema::map_argument(Call* call, size_t index) {
  auto* ref = index < call->args.size() ? dyn<MapRef>(call->args[index]) : nullptr;
  if (ref == nullptr) {
    if (index < call->args.size()) visit(call->args[index]);
    report(DiagKind::NeedsMap, index < call->args.size() ? call->args[index]->range : call->range, call->name);
    return nullptr;
  }
  ref->type = types_.void_type();
  if (final_ && ref->map != nullptr && !ref->map->value) {
    report(DiagKind::UndefinedMap, ref->range, ref->name);
    return nullptr;
  }
  return ref->map ? ref : nullptr;
}

// An argument that is a key of the map: joins the key type and takes it.
void Sema::map_key_argument(Call* call, MapRef* ref, size_t index) {
  TypeId key = visit(call->args[index]);
  if (lattice_.unknown(key)) return;
  set_map_key(ref->map, key, call->range);
  if (final_ && ref->map->key && lattice_.join(ref->map->key, key) && !coerce(call->args[index], ref->map->key))
    report(DiagKind::KeyTypeMismatch, call->range, ref->name, show(key), show(ref->map->key));
}

// delete(@m, a, b) means the key (a, b).
static void join_keys(Arena& arena, Call* call, size_t fixed) {
  if (call->args.size() <= fixed) return;
  auto* tuple = arena.make<Tuple>(join(call->args[1]->range, call->args.back()->range));
  tuple->elements.assign(call->args.begin() + 1, call->args.end());
  call->args.resize(1);
  call->args.push_back(tuple);
}

TypeId Sema::call_delete(Call* call, Expr*&) {
  if (!check_arity(call, 1, 128)) return lattice_.error();
  MapRef* ref = map_argument(call, 0);
  join_keys(arena_, call, 2);
  if (ref == nullptr) {
    for (size_t i = 1; i < call->args.size(); ++i) visit(call->args[i]);
    return lattice_.error();
  }
  if (call->args.size() == 2) map_key_argument(call, ref, 1);
  return types_.bool_type();
}

TypeId Sema::call_has_key(Call* call, Expr*&) {
  if (!check_arity(call, 2, 2)) return lattice_.error();
  MapRef* ref = map_argument(call, 0);
  if (ref == nullptr) {
    visit(call->args[1]);
    return lattice_.error();
  }
  map_key_argument(call, ref, 1);
  return types_.bool_type();
}

TypeId Sema::call_find(Call* call, Expr*&) {
  if (!check_arity(call, 3, 3)) return lattice_.error();
  MapRef* ref = map_argument(call, 0);
  if (ref != nullptr) map_key_argument(call, ref, 1);
  else visit(call->args[1]);
  auto* var = dyn<VariableRef>(call->args[2]);
  if (var == nullptr) {
    visit(call->args[2]);
    report(DiagKind::FindVariable, call->args[2]->range);
    return lattice_.error();
  }
  if (ref == nullptr || var->var == nullptr) return lattice_.error();
  if (lattice_.aggregation(ref->map->value)) {
    report(DiagKind::NotForVariable, call->range, show(ref->map->value));
    return lattice_.error();
  }
  if (ref->map->value) set_variable(var->var, ref->map->value, call->range);
  visit(call->args[2]);
  return types_.bool_type();
}

TypeId Sema::call_len(Call* call, Expr*&) {
  if (!check_arity(call, 1, 1)) return lattice_.error();
  if (call->args[0]->kind == NodeKind::MapRef) {
    auto* ref = as<MapRef>(call->args[0]);
    MapState& state = maps_[ref->map];
    // A scalar map that holds a stack is asked for its frames.
    bool stack = state.scalar.value_or(false) && (lattice_.is(ref->map->value, TypeKind::KStack) || lattice_.is(ref->map->value, TypeKind::UStack));
    if (!stack) {
      call->variant = 1;
      map_argument(call, 0);
      // What is stored further down makes it a map without keys.
      if (final_ && state.scalar.value_or(false)) return report(DiagKind::LenOfScalar, call->range), lattice_.error();
      return types_.i64();
    }
  }
  TypeId type = visit(call->args[0]);
  if (lattice_.unknown(type)) return type;
  if (!lattice_.is(type, TypeKind::KStack) && !lattice_.is(type, TypeKind::UStack)) {
    report(DiagKind::LenArgument, call->range);
    return lattice_.error();
  }
  return types_.i64();
}

TypeId Sema::call_print(Call* call, Expr*&) {
  if (!check_arity(call, 1, 3)) {
    for (Expr*& arg : call->args) visit(arg);
    return lattice_.error();
  }
  if (call->args[0]->kind == NodeKind::MapRef) {
    map_argument(call, 0);
    call->variant = 1;
    if (loop_depth_ > 0) report(DiagKind::PrintInLoop, call->range);
    if (call->args.size() > 1 && lattice_.is(as<MapRef>(call->args[0])->map->value, TypeKind::Stats)) report(DiagKind::PrintTopStats, call->range);
    for (size_t i = 1; i < call->args.size(); ++i) {
      visit(call->args[i]);
      check_arg(call, i, "int", true);
    }
    return types_.void_type();
  }
  show_params_as_given(call->args[0]);
  TypeId type = visit(call->args[0]);
  complete_whole(type);
  for (size_t i = 1; i < call->args.size(); ++i) visit(call->args[i]);
  if (lattice_.unknown(type)) return types_.void_type();
  const Type& value = types_[type];
  bool is_trace_record = value.kind == TypeKind::Struct && types_.record(value.record).origin == RecordOrigin::Tracepoint;
  if (has_prop(value, kTypeMultiRow)) {
    report(DiagKind::PrintEntry, call->range, show(type));
  } else if (value.kind == TypeKind::Void || (value.kind == TypeKind::Pointer && value.space == AddrSpace::Ctx) || is_trace_record) {
    report(DiagKind::NotPrintable, call->range, value.kind == TypeKind::Void ? "none" : show(type), "print");
  } else if (call->args.size() != 1) {
    report(DiagKind::PrintOneArg, call->range, call->args.size());
  }
  if (lattice_.aggregation(type) && !lattice_.castable(type)) call->variant = 2;
  if (final_) read_aggregation(call->args[0]);
  return types_.void_type();
}

TypeId Sema::call_map_only(Call* call, Expr*&) {
  map_argument(call, 0);
  return types_.void_type();
}

}  // namespace btc::sema
