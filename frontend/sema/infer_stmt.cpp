// Type rules of statements: what is stored where, and that it fits.
#include <algorithm>

#include "frontend/sema/sema.h"

namespace btc::sema {

// Aggregations live only in maps; castable ones may be read into what already holds an integer.
bool Sema::storable(TypeId type, TypeId current, bool to_map) {
  if (lattice_.is(type, TypeKind::Void)) return false;
  if (!lattice_.aggregation(type)) return true;
  if (!lattice_.castable(type)) return false;
  if (lattice_.is_int(current)) return true;
  return !to_map && !current;
}

// One map has buckets of one kind: the name of what differs, or null.
static const char* different_parameters(const Type& a, const Type& b) {
  bool same = a.p0 == b.p0 && a.p1 == b.p1 && a.p2 == b.p2;
  if (a.kind != b.kind || same) return nullptr;
  return a.kind == TypeKind::Hist ? "hist" : a.kind == TypeKind::LHist ? "lhist" : a.kind == TypeKind::TSeries ? "tseries" : nullptr;
}

void Sema::set_variable(Variable* var, TypeId type, SourceRange range) {
  if (var == nullptr || lattice_.unknown(type) || locked_.contains(var)) return;
  std::optional<TypeId> joined = lattice_.join(var->type, type);
  if (!joined) {
    report(DiagKind::VariableMismatch, range, var->name, show(type), show(var->type));
    return;
  }
  if (*joined == var->type || final_) return;
  var->type = *joined;
  local_changed_ = true;
}

void Sema::set_map_value(MapSymbol* map, TypeId type, SourceRange range) {
  if (map == nullptr || lattice_.unknown(type)) return;
  std::optional<TypeId> joined = lattice_.castable(map->value) ? std::nullopt : lattice_.join(map->value, type);
  if (!joined) {
    report(DiagKind::MapMismatch, range, map->name, show(type), show(map->value));
    return;
  }
  if (*joined == map->value || final_) return;
  map->value = *joined;
  map_changed(map);
}

void Sema::set_map_key(MapSymbol* map, TypeId type, SourceRange range) {
  if (map == nullptr || lattice_.unknown(type)) return;
  if (lattice_.is(type, TypeKind::Void) || (lattice_.aggregation(type) && !lattice_.castable(type))) {
    report(lattice_.is(type, TypeKind::Void) ? DiagKind::InvalidKeyType : DiagKind::NotForKey, range, show(type));
    return;
  }
  if (lattice_.is(type, TypeKind::Pointer) && types_[type].space == AddrSpace::Ctx) {
    report(DiagKind::ContextInKey, range);
    return;
  }
  std::optional<TypeId> joined = lattice_.join(map->key, type);
  if (!joined) {
    report(DiagKind::KeyTypeMismatch, range, map->name, show(type), show(map->key));
    return;
  }
  if (*joined == map->key || final_) return;
  map->key = *joined;
  map_changed(map);
}

struct AggregateHint { TypeKind kind; const char* text; };
static constexpr AggregateHint kAggregateHints[] = {
    {TypeKind::Count, "count()"},         {TypeKind::Sum, "sum(retval)"},
    {TypeKind::Min, "min(retval)"},       {TypeKind::Max, "max(retval)"},
    {TypeKind::Avg, "avg(retval)"},       {TypeKind::Hist, "hist(retval)"},
    {TypeKind::LHist, "lhist(rand %10, 0, 10, 1)"}, {TypeKind::TSeries, "tseries(rand %10, 10s, 1)"},
    {TypeKind::Stats, "stats(arg2)"}};

// The call that gives an assignment its aggregation, through blocks of macros.
static Call* aggregate_call(Expr* value) {
  while (auto* block = dyn<Block>(value)) value = block->value;
  if (auto* call = value ? dyn<Call>(value) : nullptr; call != nullptr && call->function)
    return function_info(*call->function).phase == Phase::MapOperator ? call : nullptr;
  return nullptr;
}

void Sema::visit_assign_map(Assign* node, MapSymbol* map) {
  bool direct = aggregate_call(node->value) != nullptr && !node->op;
  bool keep = aggregate_allowed_;
  aggregate_allowed_ = direct;
  TypeId type = visit(node->value);
  complete_whole(type);
  aggregate_allowed_ = keep;
  if (map != nullptr && type == lattice_.error() && !map->value && !final_) {
    map->value = type;  // what reads it stays silent
    map_changed(map);
  }
  if (map == nullptr || lattice_.unknown(type)) return;
  if (direct) {
    // Aggregations of one kind only; the sign is that of all arguments together.
    if (!map->value) {
      if (!final_) map->value = type, map_changed(map);
    } else if (const char* what = different_parameters(types_[map->value], types_[type])) {
      bool is_hist = types_[type].kind == TypeKind::Hist;
      report(is_hist ? DiagKind::HistBitsDiffer : DiagKind::BoundsDiffer, aggregate_call(node->value)->range, what);
    } else if (types_[map->value].kind != types_[type].kind) {
      report(DiagKind::MapMismatch, aggregate_call(node->value)->range, map->name, show(type), show(map->value));
    } else if (std::optional<TypeId> joined = lattice_.join(map->value, type); joined && *joined != map->value && !final_) {
      map->value = *joined;
      map_changed(map);
    }
    if (final_) {
      Expr* value = node->value;
      while (auto* block = dyn<Block>(value)) block->type = map->value, value = block->value;
      value->type = map->value;
    }
    return;
  }
  if (node->op) {
    TypeId current = lattice_.castable(map->value) ? TypeId{} : map->value;
    if (lattice_.aggregation(map->value)) {
      TypeId result = lattice_.castable(map->value) ? binary_type(*node->op, node->range, node->target->range, node->value->range, map->value, type, false) : types_.i64();
      report(DiagKind::MapMismatch, node->range, map->name, show(result), show(map->value));
      return;
    }
    type = binary_type(*node->op, node->range, node->target->range, node->value->range, current, type, true);
    if (final_ && !lattice_.unknown(type)) read_aggregation(node->value);
    if (type == lattice_.error()) return;   // said
    if (lattice_.is(map->value, TypeKind::String)) {
      report(DiagKind::BinaryTypes, node->range, op_text(*node->op), show(map->value), show(node->value->type));
      return;
    }
    set_map_value(map, type, node->range);
    return;
  }
  if (!storable(type, map->value, true)) {
    for (const AggregateHint& hint : kAggregateHints)
      if (hint.kind == types_[type].kind) {
        auto builder = report(DiagKind::AggregateCopied, node->range, show(type), map->name, hint.text);
        const MapSymbol* source = nullptr;
        if (auto* access = dyn<MapAccess>(node->value)) source = access->map->map;
        if (auto* ref = dyn<MapRef>(node->value)) source = ref->map;
        if (source != nullptr && lattice_.castable(type)) builder.hint(DiagKind::CastAggregate, map->name, source->name);
        return;
      }
    report(DiagKind::NotForMap, node->range, show(type));
    return;
  }
  set_map_value(map, type, node->range);
  if (final_ && !lattice_.unknown(map->value) && lattice_.join(map->value, type) && !coerce(node->value, map->value))
    report(DiagKind::MapMismatch, node->range, map->name, show(type), show(map->value));
}

void Sema::visit_assign(Assign* node) {
  if (node->target == nullptr) {
    visit(node->value);
    return;
  }
  if (auto* ref = dyn<MapRef>(node->target)) {
    visit_assign_map(node, ref->map);
    ref->type = ref->map ? ref->map->value : lattice_.error();
    return;
  }
  if (auto* access = dyn<MapAccess>(node->target)) {
    visit_assign_map(node, access->map->map);
    access->type = visit_map_access(access);
    return;
  }
  auto* ref = dyn<VariableRef>(node->target);
  if (ref == nullptr || ref->var == nullptr) {
    visit(node->value);
    if (ref == nullptr) visit(node->target);
    return;
  }
  Variable* var = ref->var;
  TypeId type = visit(node->value);
  complete_whole(type);
  if (lattice_.unknown(type)) {
    if (type == lattice_.error() && !var->type && !final_) {
      var->type = lattice_.error();
      local_changed_ = true;
    }
    return;
  }
  TypeId stored = type;
  if (node->op) {
    stored = binary_type(*node->op, node->range, ref->range, node->value->range, var->type, type, true);
    if (final_) {
      read_aggregation(node->value);
      if (lattice_.is(node->value->type, TypeKind::Bool)) node->value = implicit_cast(node->value, types_.u64());
    }
    if (stored == lattice_.error()) return;   // said
    if (lattice_.is(var->type, TypeKind::String)) {
      report(DiagKind::BinaryTypes, node->range, op_text(*node->op), show(var->type), show(type));
      return;
    }
  }
  if (!storable(stored, var->type, false)) {
    report(DiagKind::NotForVariable, node->range, show(stored));
    if (!var->type) var->type = lattice_.error();
    return;
  }
  if (var->type == lattice_.error()) return;
  set_variable(var, stored, node->range);
  if (final_ && var->type) ref->type = var->type;
  if (!final_ || !var->type) return;
  if (node->op) {
    if (!lattice_.unknown(stored) && lattice_.is_int(stored) && !lattice_.fits(stored, var->type) && locked_.contains(var))
      report(DiagKind::LossyConversion, node->value->range, show(stored), show(var->type));
    return;
  }
  bool joinable = locked_.contains(var) || lattice_.join(var->type, type);
  if (joinable && !coerce(node->value, var->type))
    report(DiagKind::VariableMismatch, node->range, var->name, show(type), show(var->type));
}

void Sema::visit_decl(VarDecl* node) {
  Variable* var = node->var->var;
  if (var == nullptr) return;
  if (node->spec != nullptr) {
    std::optional<TypeId> type = type_of_spec(node->spec);
    if (!type) {
      if (!final_) return;
      var->type = lattice_.error();
      return;
    }
    if (lattice_.aggregation(*type) || lattice_.is(*type, TypeKind::Void)) {
      report(DiagKind::InvalidDeclType, node->spec->range, show(*type));
      var->type = lattice_.error();
      return;
    }
    const Type& t = types_[*type];
    bool sized = !(t.size == 0 && (t.kind == TypeKind::String || t.kind == TypeKind::Buffer || t.kind == TypeKind::Inet));
    if (sized) locked_.insert(var);
    if (*type && (sized || !var->type) && var->type != *type) {
      var->type = *type;
      local_changed_ = true;
    }
  }
  node->var->type = var->type;
  if (node->init == nullptr) return;
  TypeId type = visit(node->init);
  if (lattice_.unknown(type)) return;
  if (!storable(type, var->type, false)) {
    report(DiagKind::NotForVariable, node->range, show(type));
    if (!var->type) var->type = lattice_.error();
    return;
  }
  if (var->type == lattice_.error()) return;
  set_variable(var, type, node->range);
  node->var->type = var->type;
  if (!final_ || !var->type) return;
  if ((locked_.contains(var) || lattice_.join(var->type, type)) && !coerce(node->init, var->type))
    report(DiagKind::VariableMismatch, node->range, var->name, show(type), show(var->type));
}

void Sema::visit_for_map(ForMap* loop) {
  MapSymbol* map = loop->map->map;
  loop->map->type = types_.void_type();
  Variable* var = loop->decl->var;
  if (map != nullptr && (map->value || final_)) {
    if (!map->value || !map->key) {
      if (final_ && !map->value) report(DiagKind::UndefinedMap, loop->map->range, loop->map->name);   // one without a key was refused before
      var->type = lattice_.error();
    } else if (lattice_.aggregation(map->value) && !lattice_.castable(map->value)) {
      report(DiagKind::NotIterable, loop->map->range, show(map->value));
      var->type = lattice_.error();
    } else {
      TypeId value = lattice_.castable(map->value) ? lattice_.castable_value(map->value) : map->value;
      TypeId pair = lattice_.unknown(map->key) ? lattice_.error() : types_.tuple({lattice_.settle(map->key), lattice_.settle(value)});
      if (var->type != pair) {
        if (!final_) local_changed_ = true;
        var->type = pair;
      }
    }
  }
  loop->decl->type = var->type;
  ++loop_depth_, ++callback_depth_;
  visit_block(loop->body);
  --loop_depth_, --callback_depth_;
}

void Sema::visit_for_range(ForRange* loop) {
  TypeId begin = visit(loop->begin), end = visit(loop->end);
  Variable* var = loop->decl->var;
  bool good = true;
  auto need_int = [&](TypeId type, SourceRange range, const char* what) {
    if (lattice_.unknown(type)) return good = false, void();
    if (lattice_.is_int(type) || lattice_.castable(type)) return;
    report(DiagKind::RangeInteger, range, what);
    good = false;
  };
  need_int(begin, {loop->range.begin, loop->end->range.end}, "start");
  need_int(end, {loop->range.begin, loop->end->range.end}, "end");
  if (good) {
    if (final_) read_aggregation(loop->begin), read_aggregation(loop->end);
    if (lattice_.castable(begin)) begin = lattice_.castable_value(begin);
    if (lattice_.castable(end)) end = lattice_.castable_value(end);
    TypeId type = lattice_.settle(*lattice_.join(begin, end));
    if (lattice_.is_int(var->type)) type = *lattice_.join(var->type, type);   // the body may assign larger numbers
    if (var->type != type && !final_) {
      var->type = type;
      local_changed_ = true;
    }
    if (final_) {
      coerce(loop->begin, var->type);
      coerce(loop->end, var->type);
    }
  } else if (begin == lattice_.error() || end == lattice_.error() || final_) {
    var->type = lattice_.error();
  }
  loop->decl->type = var->type;
  ++loop_depth_, ++callback_depth_;
  visit_block(loop->body);
  --loop_depth_, --callback_depth_;
}

void Sema::visit_unroll(Unroll* node) {
  TypeId type = visit(node->count);
  std::optional<Const> count = value_of(node->count);
  if (is_number_param(node->count)) {
    // `lower` makes a loop of it.
  } else if (!count || count->kind != Const::Int) {
    if (type != lattice_.error()) report(DiagKind::UnrollValue, node->range);
  } else if (count->negative || count->bits < 1) {
    report(DiagKind::UnrollMin, node->range);
  } else if (count->bits > 100) {
    report(DiagKind::UnrollMax, node->range);
  } else if (final_) {
    node->count = literal_of(*count, node->count->range);
  }
  ++loop_depth_;
  visit_block(node->body);
  --loop_depth_;
}

void Sema::visit_jump(Jump* node) {
  static const char* const words[] = {"break", "continue", "return"};
  if (node->jump != JumpKind::Return) {
    if (loop_depth_ == 0) report(DiagKind::JumpNotHere, node->range, words[static_cast<size_t>(node->jump)], body_->probe ? "probe" : "function");
    return;
  }
  TypeId type = node->value ? visit(node->value) : types_.void_type();
  if (lattice_.unknown(type)) return;
  if (body_->subprog == nullptr) {
    if (node->value == nullptr) return;
    if (!lattice_.is_int(type)) {
      report(DiagKind::ProbeReturn, node->range, show(type));
    } else if (final_) {
      coerce(node->value, types_.i64(), false);
    }
    return;
  }
  TypeId result = body_->subprog->return_type;
  if (lattice_.unknown(result)) return;
  bool returns_void = lattice_.is(result, TypeKind::Void);
  bool good = node->value == nullptr ? returns_void : !returns_void && (!final_ || coerce(node->value, result));
  if (!good) report(DiagKind::SubprogReturn, node->range, body_->subprog->name, show(result), show(type));
}

void Sema::visit_expr_stmt(ExprStmt* node) {
  TypeId type = node->expr->kind == NodeKind::IfExpr ? visit_if(node->expr, false) : visit(node->expr);
  if (node->expr->kind == NodeKind::IfExpr) node->expr->type = types_.void_type();
  if (!final_ || lattice_.unknown(type) || lattice_.is(type, TypeKind::Void)) return;
  if (auto* unary = dyn<Unary>(node->expr); unary != nullptr && unary->op >= UnaryOp::PreInc) return;
  if (node->expr->kind == NodeKind::Ternary) {
    // (cond) ? print(1) : print(2): judged by its branches
    auto* ternary = as<Ternary>(node->expr);
    if (lattice_.is(ternary->else_value->type, TypeKind::Void)) return;
  }
  report(DiagKind::ValueDiscarded, node->expr->range);
}

void Sema::visit_stmt(Stmt* stmt) {
  switch (stmt->kind) {
    case NodeKind::ExprStmt: return visit_expr_stmt(as<ExprStmt>(stmt));
    case NodeKind::VarDecl: return visit_decl(as<VarDecl>(stmt));
    case NodeKind::Assign: return visit_assign(as<Assign>(stmt));
    case NodeKind::While: {
      auto* node = as<While>(stmt);
      TypeId cond = visit(node->cond);
      check_condition(node->cond, cond, node->cond->range);
      if (final_) read_aggregation(node->cond);
      ++loop_depth_;
      visit_block(node->body);
      --loop_depth_;
      return;
    }
    case NodeKind::ForMap: return visit_for_map(as<ForMap>(stmt));
    case NodeKind::ForRange: return visit_for_range(as<ForRange>(stmt));
    case NodeKind::Unroll: return visit_unroll(as<Unroll>(stmt));
    case NodeKind::Jump: return visit_jump(as<Jump>(stmt));
    default: return;
  }
}

}  // namespace btc::sema
