// The fixpoint (docs/types.md). The unknowns are the types of variables and of
// map keys and values; a walk over a body joins what it stores into them. A
// body is walked again when one of its variables or a map it uses has grown.
// The lattice has finite height, so this ends; the order of bodies is that of
// the script, so messages do not depend on it.
#include "frontend/sema/sema.h"

namespace btc::sema {

// Far above what a growing type needs; met only by comptime conditions that change their own premises.
static constexpr uint32_t kMostWalks = 50;

void Sema::queue(Body* body) {
  if (body->queued) return;
  body->queued = true;
  worklist_.push_back(body);
}

void Sema::map_changed(MapSymbol* map) {
  for (Body* user : maps_[map].users) queue(user);
}

void Sema::walk(Body& body) {
  body_ = &body;
  loop_depth_ = callback_depth_ = 0;
  if (body.subprog != nullptr) {
    for (SubprogParam& param : body.subprog->params) {
      std::optional<TypeId> type = param.spec ? signature_type(param.spec) : std::nullopt;
      if (!type || lattice_.unknown(*type)) {
        if (final_ && !type) report(DiagKind::ArgumentTypeUnknown, param.range);
        param.var->type = lattice_.error();
      } else {
        param.var->type = *type;
        locked_.insert(param.var);
      }
    }
    std::optional<TypeId> result = body.subprog->return_spec ? signature_type(body.subprog->return_spec) : types_.void_type();
    if (!result && final_) report(DiagKind::ReturnTypeUnknown, body.subprog->name_range);
    body.subprog->return_type = result.value_or(lattice_.error());
  }
  visit_block(body.block);
  if (!final_ || body.subprog == nullptr) return;
  TypeId result = body.subprog->return_type;
  bool returns = !body.block->stmts.empty() && ends_flow(body.block->stmts.back());
  if (!returns && !lattice_.unknown(result) && !lattice_.is(result, TypeKind::Void))
    report(DiagKind::SubprogReturn, body.subprog->name_range, body.subprog->name, show(result), "void");
}

void Sema::solve() {
  final_ = false;
  for (auto& body : bodies_) queue(body.get());
  for (;;) {
    for (size_t i = 0; i < worklist_.size(); ++i) {
      Body* body = worklist_[i];
      body->queued = false;
      if (++body->walks > kMostWalks) continue;
      local_changed_ = false;
      walk(*body);
      if (local_changed_) queue(body);
    }
    worklist_.clear();
    // A map that only ever counts itself up starts as int8, as if it had been set to zero; so does one that is only read.
    for (auto& map : program_.maps) {
      MapState& state = maps_[map.get()];
      if (map->value || (!state.self_made && !state.read)) continue;
      state.never_stored = !state.self_made;
      map->value = types_.int_type(1, true);
      map_changed(map.get());
    }
    if (worklist_.empty()) break;
  }
  final_ = true;
  for (auto& body : bodies_) walk(*body);
}

// Format strings are never values in the program; other literals must fit max_strlen.
static bool is_format(const Node* parent, const Expr* child) {
  auto* call = dyn<Call>(parent);
  if (call == nullptr || !call->function || call->args.empty() || call->args[0] != child) return false;
  return *call->function == Function::Printf || *call->function == Function::Errorf || *call->function == Function::Warnf;
}

void Sema::settle_tree(Node* node) {
  each_child(node, [&](Expr*& child) {
    if (auto* text = dyn<String>(child); text != nullptr && text->value.size() > max_strlen_ - 1 && !is_format(node, child))
      report(DiagKind::StringTooLong, text->range, max_strlen_, text->value);
    if (auto* positional = dyn<Positional>(child)) used_params_.insert(positional->param);
    child->type = child->type && child->type != lattice_.error() ? lattice_.settle(child->type) : types_.void_type();
    settle_tree(child);
  });
}

// Reading a map that nothing is stored into gives zero. A name close to another map's is a typing mistake.
void Sema::report_never_stored(const MapSymbol& map) {
  std::vector<std::string> names;
  for (const auto& other : program_.maps)
    if (other.get() != &map && other->value && !maps_[other.get()].never_stored) names.push_back(other->name);
  bool mistake = map.name.size() >= 5 && has_close(map.name, names);
  suggest(report(mistake ? DiagKind::UndefinedMap : DiagKind::MapNeverStored, map.first_use, map.name), map.name, names);
}

// Aggregations are kept per CPU, everything else is not.
void Sema::check_declared_kind(const MapSymbol& map) {
  bool per_cpu = lattice_.aggregation(map.value);
  if (per_cpu == map.declared_kind->starts_with("percpu")) return;
  report(DiagKind::MapKindIncompatible, map.first_use, *map.declared_kind, per_cpu ? "percpuhash" : "hash");
}

void Sema::finish() {
  for (auto& body : bodies_) {
    body->block->type = types_.void_type();
    settle_tree(body->block);
    if (body->dropped && program_.config_value(ConfigKey::MissingProbes) == "warn")
      report(DiagKind::ProbeDropped, body->attach->range, body->attach->parsed.target, body->attach->parsed.func).hint(DiagKind::ProfileHint);
    if (body->probe == nullptr || body->dropped) continue;
    TypedProbe probe;
    probe.source = body->probe;
    probe.attach = body->attach;
    probe.probe_index = body->probe_index;
    probe.args_record = body->args_type.value_or(TypeId{});
    probe.retval_type = body->retval_type.value_or(TypeId{});
    probe.body = body->block;
    probe.uses_probe_name = body->uses_probe_name;
    probe.build_id = body->build_id;
    probe.source_address = body->source_address;
    program_.probes.push_back(probe);
  }
  for (auto& var : program_.variables) var->type = lattice_.unknown(var->type) ? types_.i64() : lattice_.settle(var->type);
  for (auto& map : program_.maps) {
    MapState& state = maps_[map.get()];
    if (state.never_stored) report_never_stored(*map);
    if (map->declared_kind && state.used && !lattice_.unknown(map->value)) check_declared_kind(*map);
    if (state.decl != nullptr && !state.used) report(DiagKind::UnusedMap, state.decl->range, map->name);
    map->value = lattice_.unknown(map->value) ? TypeId{} : lattice_.settle(map->value);
    map->key = lattice_.unknown(map->key) ? TypeId{} : lattice_.settle(map->key);
  }
  drop_unused_params();
  // A map nobody stores into cannot be lowered; its uses have been reported.
  std::erase_if(program_.maps, [&](const auto& map) { return !map->value && !diags_.has_errors(); });
}

}  // namespace btc::sema
