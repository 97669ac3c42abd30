// Type rules of expressions: dispatch and the simple ones.
#include "frontend/sema/sema.h"

namespace btc::sema {

TypeId Sema::visit(Expr*& slot) {
  TypeId type;
  switch (slot->kind) {
    case NodeKind::Integer: type = slot->type ? slot->type : lattice_.literal(as<Integer>(slot)->value, as<Integer>(slot)->negative); break;
    case NodeKind::Boolean: type = types_.bool_type(); break;
    case NodeKind::String: {
      auto* text = as<String>(slot);
      type = types_.string(static_cast<uint32_t>(text->value.size() + 1));
      break;
    }
    case NodeKind::Identifier: type = visit_identifier(slot); break;
    case NodeKind::Positional: {
      const Param* param = as<Positional>(slot)->param;
      if (param == nullptr) { type = lattice_.error(); break; }
      switch (param->kind) {
        case Param::Int: type = types_.i64(); break;
        case Param::Uint: type = types_.u64(); break;
        case Param::Bool: type = types_.bool_type(); break;
        case Param::Str: type = types_.string(param->string_size); break;
      }
      break;
    }
    case NodeKind::VariableRef: {
      auto* ref = as<VariableRef>(slot);
      type = ref->var == nullptr ? lattice_.error() : ref->var->type;
      if (!type && final_) {
        report(DiagKind::VariableUntyped, ref->range);
        type = lattice_.error();
      }
      break;
    }
    case NodeKind::MapRef: {
      auto* ref = as<MapRef>(slot);
      type = ref->map == nullptr ? lattice_.error() : ref->map->value;
      if (!type && final_) {
        std::vector<std::string> names;
        for (const auto& map : program_.maps)
          if (map->value) names.push_back(map->name);
        suggest(report(DiagKind::UndefinedMap, ref->range, ref->name), ref->name, names);
        type = lattice_.error();
      }
      break;
    }
    case NodeKind::MapAccess: type = visit_map_access(as<MapAccess>(slot)); break;
    case NodeKind::Call: type = visit_call(slot); break;
    case NodeKind::Unary: type = visit_unary(slot); break;
    case NodeKind::Binary: type = visit_binary(slot); break;
    case NodeKind::Ternary: type = visit_ternary(slot); break;
    case NodeKind::Cast: type = visit_cast(as<Cast>(slot)); break;
    case NodeKind::FieldAccess: type = visit_field(slot); break;
    case NodeKind::TupleAccess: type = visit_tuple_access(slot); break;
    case NodeKind::ArrayAccess: type = visit_array_access(slot); break;
    case NodeKind::Tuple: type = visit_tuple(as<Tuple>(slot)); break;
    case NodeKind::RecordLit: type = visit_record(as<RecordLit>(slot)); break;
    case NodeKind::Sizeof: type = visit_sizeof(slot); break;
    case NodeKind::Offsetof: type = visit_offsetof(slot); break;
    case NodeKind::Typeinfo: type = visit_typeinfo(slot); break;
    case NodeKind::Comptime: type = visit_comptime(slot); break;
    case NodeKind::IfExpr: type = visit_if(slot, true); break;
    case NodeKind::Block: type = visit_block(as<Block>(slot)); break;
    case NodeKind::TypeArg:
      report(DiagKind::TypeArgument, slot->range);
      type = lattice_.error();
      break;
    default: type = lattice_.error(); break;
  }
  slot->type = type;
  return type;
}

TypeId Sema::visit_identifier(Expr*& slot) {
  auto* id = as<Identifier>(slot);
  if (id->enum_constant) return types_.enum_type(id->enum_constant->first);
  if (!id->builtin) return lattice_.error();
  const BuiltinInfo& info = builtin_info(*id->builtin);
  if (body_->probe == nullptr) {
    bool needs_probe = info.probes != kInAny || info.id == Builtin::Probe || info.id == Builtin::Probetype || info.id == Builtin::Ctx;
    if (needs_probe) {
      report(DiagKind::BuiltinOutsideProbe, id->range, id->name);
      return lattice_.error();
    }
  }
  switch (info.id) {
    case Builtin::Arg:
      if (callback_depth_ > 0) {
        report(DiagKind::BuiltinInLoop, id->range, id->name);
      } else if (!in_set(*body_, info.probes)) {
        report(DiagKind::ArgNotHere, id->range, id->name);
      } else if (!in_set(*body_, kInUsdt) && id->builtin_index >= (options_.arch == "x86_64" ? 6u : 8u)) {
        report(DiagKind::ArchLacks, id->range, options_.arch, id->name);
      }
      return lattice_.with_space(types_.u64(), probe_space(*body_));
    case Builtin::Args: {
      if (!in_set(*body_, info.probes)) {
        report(DiagKind::ArgsNotHere, id->range, provider(*body_));
        return lattice_.error();
      }
      return args_type(*body_, id->range);
    }
    case Builtin::Retval:
      if (callback_depth_ > 0) {
        report(DiagKind::BuiltinInLoop, id->range, "retval");
        return lattice_.error();
      }
      if (!in_set(*body_, info.probes)) {
        report(DiagKind::RetvalNotHere, id->range, in_set(*body_, kInTracepoint) ? " (try to use args.ret instead)" : "");
        return lattice_.error();
      }
      return retval_type(*body_, id->range);
    case Builtin::Ctx:
      if (callback_depth_ > 0) report(DiagKind::BuiltinInLoop, id->range, "ctx");
      return ctx_type(*body_, id->range);
    case Builtin::Func:
      if (!in_set(*body_, info.probes)) {
        report(DiagKind::BuiltinNotHere, id->range, "func", provider(*body_));
        return lattice_.error();
      }
      return types_.simple(in_set(*body_, kInUprobe | kInUretprobe | kInUsdt) ? TypeKind::USym : TypeKind::KSym);
    case Builtin::Curtask: {
      if (auto own = types_.find_record("task_struct", false, RecordOrigin::Script); own && types_.record(*own).complete)
        return types_.pointer(types_.struct_type(*own), AddrSpace::Kernel);  // the script says what it looks like
      std::optional<TypeId> task = profile_ ? profile_->find_struct(types_, "task_struct", false) : std::nullopt;
      return types_.pointer(task.value_or(types_.void_type()), AddrSpace::Btf);
    }
    case Builtin::Probe: {
      // Known where the attach point is one; a pattern's names are the target's.
      const AttachPoint& attach = *body_->attach;
      if (!attach.name.empty()) consts_[slot] = {Const::Str, 0, false, attach.name};
      else if (!attach.parsed.wildcard && !attach.has_params) consts_[slot] = {Const::Str, 0, false, attach.parsed.display_name()};
      return types_.simple(TypeKind::ProbeName);
    }
    case Builtin::Probetype: {
      const char* name = provider(*body_);
      if (in_set(*body_, kInBegin | kInEnd | kInSelf)) name = "special";
      if (in_set(*body_, kInBench)) name = "benchmark";
      return set_const(slot, {Const::Str, 0, false, name}, true);
    }
    case Builtin::Usermode:
      if (options_.arch != "x86_64") report(DiagKind::UsermodeArch, id->range);
      if (!in_set(*body_, kInRegs)) return set_const(slot, {Const::Int, in_set(*body_, kInBegin | kInEnd | kInSelf), false, {}}, true);
      return types_.int_type(1, false);
    default: {
      std::optional<TypeId> type = types_.parse_text(info.type);
      return type ? *type : lattice_.error();
    }
  }
}

TypeId Sema::visit_map_access(MapAccess* access) {
  MapSymbol* map = access->map->map;
  if (map == nullptr) return lattice_.error();
  TypeId key = access->key ? visit(access->key) : TypeId{};
  access->map->type = types_.void_type();
  if (access->key != nullptr && key) {
    set_map_key(map, key, access->range);
    if (final_ && map->key && !lattice_.unknown(map->key) && lattice_.join(map->key, key) && !coerce(access->key, map->key))
      report(DiagKind::KeyMismatch, access->range, map->name, show(key), show(map->key));
  }
  if (!map->value && final_) {
    std::vector<std::string> names;
    for (const auto& other : program_.maps)
      if (other->value) names.push_back(other->name);
    suggest(report(DiagKind::UndefinedMap, access->map->range, access->map->name), access->map->name, names);
    return lattice_.error();
  }
  return map->value;
}

bool Sema::check_condition(Expr* cond, TypeId type, SourceRange range) {
  if (lattice_.unknown(type)) return true;
  TypeKind kind = types_[type].kind;
  if (kind == TypeKind::Int || kind == TypeKind::Bool || kind == TypeKind::Pointer || kind == TypeKind::Enum) return true;
  if (lattice_.castable(type)) return true;
  if (cond->kind == NodeKind::String) return true;  // a literal is true unless empty
  report(DiagKind::InvalidCondition, range, base_name(type));
  return false;
}

TypeId Sema::visit_ternary(Expr*& slot) {
  auto* node = as<Ternary>(slot);
  TypeId cond = visit(node->cond);
  TypeId left = node->then_value ? visit(node->then_value) : cond;
  TypeId right = visit(node->else_value);
  check_condition(node->cond, cond, node->range);
  if (final_ && node->cond->kind == NodeKind::String) node->cond = literal_of({Const::Bool, !as<String>(node->cond)->value.empty(), false, {}}, node->cond->range);
  if (final_) read_aggregation(node->cond);
  if (lattice_.castable(left)) left = lattice_.castable_value(left);
  if (lattice_.castable(right)) right = lattice_.castable_value(right);
  if (auto known = value_of(node->cond); known && node->then_value && is_pure_literal(node->cond) &&
      is_pure_literal(node->then_value) && is_pure_literal(node->else_value)) {
    slot = known->truthy() ? node->then_value : node->else_value;
    return slot->type;
  }
  std::optional<TypeId> type = lattice_.join(left, right);
  bool void_side = lattice_.is(left, TypeKind::Void) || lattice_.is(right, TypeKind::Void);
  if (void_side && !(left == right)) type = lattice_.unknown(left) || lattice_.unknown(right) ? type : std::nullopt;
  if (!type) {
    report(DiagKind::BranchesDiffer, node->range, show(left), show(right));
    return lattice_.error();
  }
  if (final_ && !lattice_.unknown(*type) && !lattice_.is(*type, TypeKind::Void)) {
    if (node->then_value) coerce(node->then_value, *type);
    else if (!lattice_.same(cond, *type)) {
      // `a ?: b`: the condition's value itself is brought to the type.
      coerce(node->cond, *type);
    }
    coerce(node->else_value, *type);
  }
  return *type;
}

TypeId Sema::visit_tuple(Tuple* tuple) {
  std::vector<TypeId> members;
  bool known = true;
  for (Expr*& element : tuple->elements) {
    TypeId type = visit(element);
    complete_whole(type);
    if (lattice_.castable(type)) {
      if (final_) read_aggregation(element);
      type = lattice_.castable_value(type);
    } else if (lattice_.aggregation(type)) {
      report(DiagKind::AggregationInTuple, element->range, show(type), "a tuple");
      type = lattice_.error();
    } else if (lattice_.is(type, TypeKind::Void)) {
      report(DiagKind::NoValue, element->range);
      type = lattice_.error();
    }
    known = known && !lattice_.unknown(type);
    members.push_back(type);
  }
  if (!known) {
    for (TypeId member : members)
      if (member == lattice_.error()) return lattice_.error();
    return {};
  }
  return types_.tuple(members);
}

TypeId Sema::visit_record(RecordLit* record) {
  std::vector<std::pair<std::string, TypeId>> members;
  bool known = true, bad = false;
  std::set<std::string> names;
  for (auto& [name, value] : record->fields) {
    if (!names.insert(name).second) report(DiagKind::RecordFieldTwice, value->range, name), bad = true;
    TypeId type = visit(value);
    if (lattice_.castable(type)) {
      if (final_) read_aggregation(value);
      type = lattice_.castable_value(type);
    } else if (lattice_.aggregation(type)) {
      report(DiagKind::AggregationInTuple, value->range, show(type), "a record");
      type = lattice_.error();
    } else if (lattice_.is(type, TypeKind::Void)) {
      report(DiagKind::NoValue, value->range);
      type = lattice_.error();
    }
    bad = bad || type == lattice_.error();
    known = known && static_cast<bool>(type);
    members.emplace_back(name, type);
  }
  if (bad) return lattice_.error();
  return known ? types_.anon_record(members) : TypeId{};
}

// One step of block scoping was done in names; here only order matters.
TypeId Sema::visit_block(Block* block) {
  auto expansion = expanded_at_.find(block);
  bool expanded = final_ && expansion != expanded_at_.end();
  if (expanded) block->expanded_at = expansion->second;
  if (expanded) diags_.push_expansion(expansion->second);
  bool ended = false;
  for (Stmt* stmt : block->stmts) {
    if (ended) {
      report(DiagKind::Unreachable, stmt->range);
      ended = false;  // once
    }
    visit_stmt(stmt);
    if (final_ && ends_flow(stmt)) ended = true;
  }
  TypeId type = block->value ? visit(block->value) : types_.void_type();
  block->type = type;
  if (expanded) diags_.pop_expansion();
  return type;
}

bool Sema::ends_flow(Stmt* stmt) {
  if (stmt->kind == NodeKind::Jump) return true;
  if (auto* node = dyn<ExprStmt>(stmt)) {
    if (auto* call = dyn<Call>(node->expr)) return call->function && (function_info(*call->function).flags & kFuncNoReturn);
    if (auto* branch = dyn<IfExpr>(node->expr)) {
      auto block_ends = [&](Block* block) { return block && !block->stmts.empty() && ends_flow(block->stmts.back()); };
      return block_ends(branch->then_block) && block_ends(branch->else_block);
    }
    if (auto* block = dyn<Block>(node->expr)) return !block->stmts.empty() && ends_flow(block->stmts.back());
  }
  return false;
}

static bool asks_target(Node* node) {
  auto* call = dyn<Call>(node);
  if (call != nullptr && call->function && (*call->function == Function::KfuncExist || *call->function == Function::KfuncAllowed)) return true;
  bool found = false;
  each_child(node, [&](Expr*& child) { found = found || asks_target(child); });
  return found;
}

TypeId Sema::visit_if(Expr*& slot, bool value_wanted) {
  auto* node = as<IfExpr>(slot);
  Expr* condition = node->cond;
  bool comptime = node->comptime || condition->kind == NodeKind::Comptime;
  // What the target's kernel decides is no constant here; its verifier drops the branch that is not taken.
  if (comptime && asks_target(condition)) {
    if (condition->kind == NodeKind::Comptime) node->cond = as<Comptime>(condition)->operand;
    comptime = node->comptime = false;
  }
  if (comptime) {
    Expr** cond = condition->kind == NodeKind::Comptime ? &as<Comptime>(condition)->operand : &node->cond;
    TypeId type = visit(*cond);
    std::optional<Const> value = value_of(*cond);
    if (!value) {
      if (final_ && type != lattice_.error()) report(DiagKind::ComptimeUnresolved, condition->range);
      return final_ ? lattice_.error() : TypeId{};
    }
    Block* taken = value->truthy() ? node->then_block : node->else_block;
    if (auto problems = branch_problems_.find(taken); final_ && problems != branch_problems_.end()) diags_.absorb(*problems->second);
    if (taken == nullptr) {
      if (final_) slot = make<Block>(node->range, types_.void_type());
      return types_.void_type();
    }
    TypeId result = visit_block(taken);
    if (final_) slot = taken;
    return result;
  }
  TypeId cond = visit(node->cond);
  check_condition(node->cond, cond, node->range);
  if (final_) {
    read_aggregation(node->cond);
    if (auto known = value_of(node->cond)) node->cond = literal_of({Const::Bool, known->truthy(), false, {}}, node->cond->range);
  }
  TypeId left = visit_block(node->then_block);
  TypeId right = node->else_block ? visit_block(node->else_block) : types_.void_type();
  if (!value_wanted) return types_.void_type();
  if (lattice_.castable(left)) left = lattice_.castable_value(left);
  if (lattice_.castable(right)) right = lattice_.castable_value(right);
  bool left_void = lattice_.is(left, TypeKind::Void), right_void = lattice_.is(right, TypeKind::Void);
  if (left_void && right_void) return types_.void_type();
  // A branch that leaves the probe has no value to give.
  auto leaves = [&](Block* block) { return block && !block->stmts.empty() && ends_flow(block->stmts.back()); };
  std::optional<TypeId> type;
  if (left_void && leaves(node->then_block)) type = right;
  else if (right_void && leaves(node->else_block)) type = left;
  else if (left_void || right_void) type = lattice_.unknown(left) || lattice_.unknown(right) ? std::optional<TypeId>(TypeId{}) : std::nullopt;
  else type = lattice_.join(left, right);
  if (!type) {
    report(DiagKind::BranchesDiffer, node->range, show(left), show(right));
    return lattice_.error();
  }
  if (final_ && !lattice_.unknown(*type)) {
    for (Block* block : {node->then_block, node->else_block})
      if (block && block->value) {
        coerce(block->value, *type);
        block->type = block->value->type;
      }
  }
  return *type;
}

}  // namespace btc::sema
