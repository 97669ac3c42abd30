// What every name means: variables by scope, maps, builtins, functions,
// constants. Types play no part here. Runs once per body; `final_` is true, so
// messages are reported.
#include <algorithm>
#include <utility>

#include "frontend/sema/sema.h"

namespace btc::sema {

// A macro's variables carry their expansion behind a '#'.
static std::string plain(const std::string& name) { return name.substr(0, name.find('#')); }

Variable* Sema::find_variable(const std::string& name, size_t* depth) {
  for (size_t i = scopes_.size(); i-- > 0;)
    if (auto found = scopes_[i].names.find(name); found != scopes_[i].names.end()) {
      if (depth != nullptr) *depth = i;
      return found->second;
    }
  return nullptr;
}

DiagKind Sema::origin_of(const Variable* var) const {
  auto found = origin_.find(var);
  return found == origin_.end() ? DiagKind::InitialDeclaration : found->second;
}

Variable* Sema::declare(const std::string& name, SourceRange range) {
  auto owned = std::make_unique<Variable>();
  owned->name = plain(name);
  owned->declared = range;
  Variable* var = owned.get();
  scopes_.back().names[name] = var;
  program_.variables.push_back(std::move(owned));
  return var;
}

// Resolves a mention; loops between it and its declaration capture the variable.
void Sema::use_variable(VariableRef* ref) {
  size_t depth = 0;
  ref->var = find_variable(ref->name, &depth);
  if (ref->var == nullptr) {
    std::vector<std::string> names;
    for (const Scope& scope : scopes_)
      for (const auto& [name, var] : scope.names) names.push_back(var->name);
    return suggest(report(DiagKind::UndefinedVariable, ref->range, plain(ref->name)), ref->name, names);
  }
  for (LoopFrame& loop : loops_) {
    if (depth >= loop.depth) continue;
    if (std::find(loop.captures->begin(), loop.captures->end(), ref->var) == loop.captures->end())
      loop.captures->push_back(ref->var);
  }
}

void Sema::resolve_map(MapRef* ref, std::optional<bool> scalar) { resolve_map(ref, scalar, ref->range); }

void Sema::resolve_map(MapRef* ref, std::optional<bool> scalar, SourceRange place) {
  MapSymbol*& symbol = map_names_[ref->name];
  if (symbol == nullptr) {
    auto owned = std::make_unique<MapSymbol>();
    owned->name = ref->name;
    owned->first_use = ref->range;
    symbol = owned.get();
    program_.maps.push_back(std::move(owned));
  }
  ref->map = symbol;
  MapState& state = maps_[symbol];
  state.used = true;
  if (std::find(state.users.begin(), state.users.end(), body_) == state.users.end()) state.users.push_back(body_);
  if (!scalar) return;
  if (!state.scalar) {
    state.scalar = scalar;
    symbol->first_use = ref->range;
  } else if (*state.scalar != *scalar) {
    report(*scalar ? DiagKind::MapUsedAsScalar : DiagKind::MapUsedWithKey, place, ref->name)
        .note(*state.scalar ? DiagKind::UsedWithoutKeyHere : DiagKind::UsedWithKeyHere, symbol->first_use);
  }
}

void Sema::resolve_body(Body& body) {
  scopes_.assign(1, {});
  loops_.clear();
  declared_.clear();
  meta_depth_ = 0;
  if (body.subprog != nullptr) {
    for (SubprogParam& param : body.subprog->params) {
      if (Variable* other = find_variable(param.name))
        report(DiagKind::VariableShadows, param.range, other->name).note(DiagKind::OriginParameter, other->declared);
      param.var = declare(param.name, param.range);
      assigned_.insert(param.var);
      origin_[param.var] = DiagKind::OriginParameter;
    }
    for (SubprogParam& param : body.subprog->params) resolve_spec(param.spec);
    resolve_spec(body.subprog->return_spec);
  }
  demote_value(body.block);
  declare_old_variables(body);
  resolve_block(body.block);
  warn_unassigned();
}

void Sema::warn_unassigned() {
  for (auto& [var, range] : declared_)
    if (!assigned_.contains(var)) report(DiagKind::VariableNeverAssigned, range, var->name);
}

// A trailing expression in statement position is a statement.
void Sema::demote_value(Block* block) {
  if (block == nullptr || block->value == nullptr) return;
  auto* stmt = arena_.make<ExprStmt>(block->value->range);
  stmt->expr = block->value;
  block->value = nullptr;
  block->stmts.push_back(stmt);
}

// A branch of `if comptime` that is not taken may use names and maps in any way.
void Sema::resolve_branch(Block* block) {
  if (block == nullptr) return;
  std::set<const MapSymbol*> decided;
  for (auto& [map, state] : maps_)
    if (state.scalar) decided.insert(map);
  auto problems = std::make_unique<DiagEngine>(sources_);
  DiagEngine* outer = std::exchange(branch_reports_, problems.get());
  resolve_block(block);
  branch_reports_ = outer;
  branch_problems_[block] = std::move(problems);
  for (auto& [map, state] : maps_) {
    if (!state.scalar || decided.contains(map)) continue;
    state.scalar_in_branch = state.scalar;
    state.scalar.reset();
  }
}

void Sema::resolve_block(Block* block) {
  if (block == nullptr) return;
  auto expansion = expanded_at_.find(block);
  if (expansion != expanded_at_.end()) diags_.push_expansion(expansion->second);
  scopes_.emplace_back();
  for (Stmt* stmt : block->stmts) resolve_stmt(stmt);
  if (block->value != nullptr) resolve(block->value);
  scopes_.pop_back();
  if (expansion != expanded_at_.end()) diags_.pop_expansion();
}

void Sema::resolve_spec(TypeSpec* spec) {
  if (spec == nullptr || spec->typeof_expr == nullptr) return;
  ++meta_depth_;
  meta_word_ = "typeof or typeinfo";
  if (spec->typeof_expr->kind == NodeKind::Identifier && names_type(as<Identifier>(spec->typeof_expr))) {
    // a type's name, read by type_of_spec
  } else if (spec->typeof_expr->kind == NodeKind::MapRef)
    resolve_map(as<MapRef>(spec->typeof_expr), std::nullopt);
  else
    resolve(spec->typeof_expr);
  --meta_depth_;
}

// Blocks of an `if` or a plain block whose value nobody takes.
static void each_statement_block(Expr* expr, const auto& visit) {
  if (auto* block = dyn<Block>(expr)) visit(block);
  if (auto* branch = dyn<IfExpr>(expr)) {
    visit(branch->then_block);
    if (branch->else_block != nullptr) visit(branch->else_block);
  }
}

void Sema::resolve_stmt(Stmt* stmt) {
  switch (stmt->kind) {
    case NodeKind::ExprStmt: {
      auto* node = as<ExprStmt>(stmt);
      auto demote = [&](auto&& self, Expr* expr) -> void {
        each_statement_block(expr, [&](Block* block) {
          // `else if`: the else block's value is the next if. A macro's value is discarded by its call, not inside of it.
          if (!expanded_at_.contains(block) || (block->value != nullptr && block->value->kind == NodeKind::IfExpr)) demote_value(block);
          for (Stmt* inner : block->stmts)
            if (auto* nested = dyn<ExprStmt>(inner)) self(self, nested->expr);
        });
      };
      demote(demote, node->expr);
      resolve(node->expr);
      break;
    }
    case NodeKind::VarDecl: {
      auto* node = as<VarDecl>(stmt);
      resolve_spec(node->spec);
      if (node->init != nullptr) resolve(node->init);
      if (Variable* other = find_variable(node->var->name)) {
        report(DiagKind::VariableShadows, {node->range.begin, node->var->range.end}, other->name).note(origin_of(other), other->declared);
        node->var->var = other;
        break;
      }
      node->var->var = declare(node->var->name, node->range);
      if (node->init != nullptr) assigned_.insert(node->var->var);
      declared_.emplace_back(node->var->var, node->range);
      break;
    }
    case NodeKind::Assign: {
      auto* node = as<Assign>(stmt);
      resolve(node->value);
      if (meta_depth_ > 0 && node->target != nullptr && (node->target->kind == NodeKind::MapRef || node->target->kind == NodeKind::MapAccess))
        report(DiagKind::AssignInMeta, node->range, meta_word_);
      if (node->target == nullptr) break;
      if (auto* ref = dyn<VariableRef>(node->target)) {
        if (Variable* var = find_variable(ref->name)) {
          use_variable(ref);
          assigned_.insert(var);
        } else if (node->op) {
          use_variable(ref);
        } else {
          ref->var = declare(ref->name, node->range);
          assigned_.insert(ref->var);
          origin_[ref->var] = DiagKind::OriginAssignment;
        }
      } else if (auto* map = dyn<MapRef>(node->target)) {
        resolve_map(map, true);
        if (node->op) maps_[map->map].self_made = true;
      } else if (auto* access = dyn<MapAccess>(node->target)) {
        resolve(node->target);
        if (node->op) maps_[access->map->map].self_made = true;
      } else {
        resolve(node->target);
        report(DiagKind::NotAssignable, node->target->range);
      }
      break;
    }
    case NodeKind::While: {
      auto* node = as<While>(stmt);
      report(DiagKind::WhileDeprecated, node->range).hint(DiagKind::WhileHint);
      resolve(node->cond);
      demote_value(node->body);
      resolve_block(node->body);
      break;
    }
    case NodeKind::ForMap:
    case NodeKind::ForRange: {
      auto* map_loop = dyn<ForMap>(stmt);
      auto* range_loop = dyn<ForRange>(stmt);
      VariableRef* decl = map_loop ? map_loop->decl : range_loop->decl;
      Block* block = map_loop ? map_loop->body : range_loop->body;
      if (map_loop != nullptr) {
        MapState& state = maps_[(resolve_map(map_loop->map, std::nullopt), map_loop->map->map)];
        if (state.scalar && *state.scalar) report(DiagKind::ScalarNotIterable, map_loop->map->range, map_loop->map->name);
        state.scalar = state.scalar.value_or(false);
      } else {
        resolve(range_loop->begin);
        resolve(range_loop->end);
      }
      if (Variable* other = find_variable(decl->name))
        report(DiagKind::LoopShadows, decl->range, other->name).note(origin_of(other), other->declared);
      loops_.push_back({scopes_.size(), map_loop ? &map_loop->captures : &range_loop->captures});
      scopes_.emplace_back();
      decl->var = declare(decl->name, decl->range);
      origin_[decl->var] = DiagKind::OriginLoop;
      if (map_loop != nullptr) locked_.insert(decl->var);   // made of the map's types
      assigned_.insert(decl->var);
      demote_value(block);
      resolve_block(block);
      scopes_.pop_back();
      loops_.pop_back();
      break;
    }
    case NodeKind::Unroll:
      resolve(as<Unroll>(stmt)->count);
      demote_value(as<Unroll>(stmt)->body);
      resolve_block(as<Unroll>(stmt)->body);
      break;
    case NodeKind::Jump:
      if (as<Jump>(stmt)->value != nullptr) resolve(as<Jump>(stmt)->value);
      break;
    default:
      break;
  }
}

void Sema::resolve(Expr*& slot) {
  switch (slot->kind) {
    case NodeKind::VariableRef: {
      auto* ref = as<VariableRef>(slot);
      use_variable(ref);
      if (ref->var != nullptr && !assigned_.contains(ref->var) && meta_depth_ == 0)
        report(DiagKind::VariableUnassigned, ref->range, ref->var->name);
      break;
    }
    case NodeKind::MapRef:
      resolve_map(as<MapRef>(slot), meta_depth_ > 0 ? std::nullopt : std::optional<bool>(true));
      maps_[as<MapRef>(slot)->map].read = true;
      break;
    case NodeKind::MapAccess: {
      auto* access = as<MapAccess>(slot);
      resolve_map(access->map, access->key == nullptr, access->range);
      maps_[access->map->map].read = true;
      if (access->key != nullptr) resolve(access->key);
      break;
    }
    case NodeKind::Identifier:
      resolve_identifier(slot);
      break;
    case NodeKind::Positional:
      resolve_positional(slot, ParamUse::Number);
      break;
    case NodeKind::Call:
      resolve_call(slot);
      break;
    case NodeKind::Block:
      resolve_block(as<Block>(slot));
      break;
    case NodeKind::IfExpr: {
      auto* node = as<IfExpr>(slot);
      resolve(node->cond);
      bool comptime = node->comptime || node->cond->kind == NodeKind::Comptime;
      for (Block* block : {node->then_block, node->else_block}) comptime ? resolve_branch(block) : resolve_block(block);
      break;
    }
    case NodeKind::Unary: {
      auto* node = as<Unary>(slot);
      bool step = node->op >= UnaryOp::PreInc;
      if (node->op == UnaryOp::AddressOf && node->operand->kind == NodeKind::MapRef) {
        resolve_map(as<MapRef>(node->operand), std::nullopt);
        break;
      }
      if (node->op == UnaryOp::AddressOf)
        if (auto* ref = dyn<VariableRef>(node->operand))
          if (Variable* var = find_variable(ref->name)) assigned_.insert(var);  // written through the pointer, for all we know
      resolve(node->operand);
      if (!step) break;
      if (auto* map = dyn<MapRef>(node->operand)) maps_[map->map].self_made = true;
      if (auto* access = dyn<MapAccess>(node->operand)) maps_[access->map->map].self_made = true;
      break;
    }
    case NodeKind::Cast:
      resolve_spec(as<Cast>(slot)->spec);
      resolve(as<Cast>(slot)->operand);
      break;
    case NodeKind::Sizeof:
    case NodeKind::Offsetof:
    case NodeKind::Typeinfo: {
      ++meta_depth_;
      meta_word_ = slot->kind == NodeKind::Sizeof ? "sizeof" : slot->kind == NodeKind::Offsetof ? (as<Offsetof>(slot)->exists ? "has_field" : "offsetof") : "typeof or typeinfo";
      each_child(slot, [&](Expr*& child) {
        // A bare word may be a type's name: `sizeof(int8)`; infer decides.
        if (child->kind == NodeKind::Identifier && names_type(as<Identifier>(child))) return;
        resolve(child);
      });
      --meta_depth_;
      break;
    }
    default:
      each_child(slot, [&](Expr*& child) { resolve(child); });
      break;
  }
}

// Whether a bare word where a type may stand is one; builtins come first.
bool Sema::names_type(const Identifier* word) {
  if (find_builtin(word->name) != nullptr || find_function(word->name) != nullptr) return false;
  TypeSpec spec;
  spec.name = word->name;
  spec.range = word->range;
  bool keep = final_;
  final_ = false;
  bool is_type = named_type(&spec).has_value();
  final_ = keep;
  return is_type;
}

std::vector<std::string> Sema::value_names() {
  std::vector<std::string> names;
  for (size_t i = 0; i < static_cast<size_t>(Builtin::kCount); ++i) names.push_back(builtin_info(static_cast<Builtin>(i)).name);
  for (size_t i = 0; i < static_cast<size_t>(Function::kCount); ++i) names.push_back(function_info(static_cast<Function>(i)).name);
  for (const auto& [name, macro] : c_macros_) names.push_back(name);
  for (const auto& [name, constant] : c_constants_) names.push_back(name);
  for (const auto& [name, overloads] : macros_) names.push_back(name);
  for (const auto& [name, subprog] : subprogs_) names.push_back(name);
  for (const auto& [name, function] : foreign_) names.push_back(name);
  return names;
}

// "arg3" -> 3
static std::optional<uint32_t> numbered(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix) || name.size() == prefix.size() || name.size() > prefix.size() + 2) return std::nullopt;
  uint32_t number = 0;
  for (char c : name.substr(prefix.size())) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<uint32_t>(c - '0');
  }
  return number;
}

// bpftrace's own names for what its standard library wraps; scripts have learnt them.
static constexpr std::string_view kInternal = "__builtin_";

Expr* Sema::config_record(SourceRange range) {
  auto* record = make<RecordLit>(range);
  for (size_t i = 0; i < static_cast<size_t>(ConfigKey::kCount); ++i) {
    const ConfigInfo& info = config_info(static_cast<ConfigKey>(i));
    const std::string& value = program_.config[i];
    Expr* literal = nullptr;
    if (info.type == ConfigType::Bool) literal = literal_of({Const::Bool, value == "true", false, {}}, range);
    else if (info.type == ConfigType::Uint) literal = make_int(range, std::stoull(value));
    else literal = make_string(range, value);
    record->fields.emplace_back(info.key, literal);
  }
  return record;
}

void Sema::resolve_identifier(Expr*& slot) {
  auto* id = as<Identifier>(slot);
  if (id->builtin || id->enum_constant) return;
  if (auto number = numbered(id->name, "arg")) {
    id->builtin = Builtin::Arg;
    id->builtin_index = *number;
    return;
  }
  if (numbered(id->name, "sarg")) {
    report(DiagKind::Removed, id->range, "sarg*", "v0.21", "v0.24").hint(DiagKind::UseInstead, "*(reg(\"sp\") + <stack_offset>)");
    return;
  }
  if (id->name.starts_with(kInternal) && (find_builtin(id->name.substr(kInternal.size())) || find_function(id->name.substr(kInternal.size()))))
    id->name.erase(0, kInternal.size());
  if (const BuiltinInfo* info = find_builtin(id->name); info != nullptr && std::string_view(info->type) != "macro") {
    if (info->id == Builtin::Config) {
      slot = config_record(id->range);
      return;
    }
    id->builtin = info->id;
    if (info->pending) report(DiagKind::Pending, id->range, id->name);
    if (info->id == Builtin::Probe) body_->uses_probe_name = true;
    return;
  }
  if (auto found = c_macros_.find(id->name); found != c_macros_.end()) {
    const CDefinitions::Macro& macro = *found->second;
    if (macro.value)
      slot = make_int(id->range, static_cast<uint64_t>(*macro.value), *macro.value < 0 && !macro.is_unsigned);
    else if (macro.text)
      slot = make_string(id->range, *macro.text);
    else
      report(DiagKind::UnknownIdentifier, id->range, id->name);
    return;
  }
  if (auto found = c_constants_.find(id->name); found != c_constants_.end()) {
    id->enum_constant = found->second;
    return;
  }
  if (const FunctionInfo* info = find_function(id->name)) {
    auto* call = make<Call>(id->range);
    call->name = id->name;
    call->name_range = id->range;
    (void)info;
    slot = call;
    return resolve_call(slot);
  }
  if (subprogs_.contains(id->name)) {
    auto* call = make<Call>(id->range);
    call->name = id->name;
    call->name_range = id->range;
    slot = call;
    return resolve_call(slot);
  }
  if (profile_ != nullptr)
    if (auto constant = profile_->find_enum_constant(types_, id->name)) {
      id->enum_constant = {types_[constant->first].record, constant->second};
      return;
    }
  suggest(report(DiagKind::UnknownIdentifier, id->range, id->name), id->name, value_names());
}

// `#define name(x) ...` in the script itself.
bool Sema::defined_in_c(const std::string& name) const {
  return std::any_of(script_.c_definitions.begin(), script_.c_definitions.end(), [&](const ast::CDefinition& definition) {
    size_t at = definition.text.find("define " + name + "(");
    return definition.text.starts_with('#') && at != std::string::npos;
  });
}

// Functions whose first argument may be a whole map, with or without keys.
static bool takes_any_map(Function function) {
  return function == Function::Print || function == Function::Clear || function == Function::Zero || function == Function::IsScalar;
}

void Sema::resolve_call(Expr*& slot) {
  auto* call = as<Call>(slot);
  if (call->refused) return call->args.clear();
  if (call->name.starts_with(kInternal) && (find_builtin(call->name.substr(kInternal.size())) || find_function(call->name.substr(kInternal.size()))))
    call->name.erase(0, kInternal.size());
  if (auto found = subprogs_.find(call->name); found != subprogs_.end()) {
    call->subprog = found->second;
    for (Expr*& arg : call->args) resolve(arg);
    return;
  }
  const BuiltinInfo* builtin = find_builtin(call->name);
  auto number = numbered(call->name, "arg");
  if ((builtin != nullptr || number) && call->args.empty()) {
    auto* id = make<Identifier>(call->range);
    id->name = call->name;
    slot = id;
    return resolve_identifier(slot);
  }
  const FunctionInfo* info = find_function(call->name);
  if (auto found = foreign_.find(call->name); info == nullptr && found != foreign_.end()) {
    call->foreign = found->second;
    for (Expr*& arg : call->args) resolve(arg);
    return;
  }
  if (info == nullptr) {
    for (Expr*& arg : call->args) resolve(arg);
    if (foreign_failed_) return;   // it may be one of those that could not be read
    DiagBuilder builder = report(DiagKind::UnknownFunction, call->range, call->name);
    if (defined_in_c(call->name)) builder.hint(DiagKind::CFunctionMacro, call->name);
    else suggest(std::move(builder), call->name, value_names());
    return;
  }
  call->function = info->id;
  if (info->flags & kFuncPending) report(DiagKind::Pending, call->name_range, call->name + "()");
  switch (info->id) {
    case Function::Getopt:
      return resolve_getopt(slot);
    case Function::NsecsOf:
    case Function::PidOf:
    case Function::TidOf:
    case Function::Kstack:
    case Function::Ustack:
    case Function::DwUstack:
      // Their bare words are modes, read by the handler.
      for (Expr*& arg : call->args)
        if (arg->kind != NodeKind::Identifier) resolve(arg);
      return;
    case Function::Str:
      if (!call->args.empty() && call->args[0]->kind == NodeKind::Positional) {
        resolve_positional(call->args[0], ParamUse::Text);
        for (size_t i = 1; i < call->args.size(); ++i) resolve(call->args[i]);
        return;
      }
      if (auto* sum = call->args.empty() ? nullptr : dyn<Binary>(call->args[0]);
          sum != nullptr && sum->op == BinaryOp::Add && sum->left->kind == NodeKind::Positional) {
        resolve_positional(sum->left, ParamUse::Text);
        resolve(sum->right);
        for (size_t i = 1; i < call->args.size(); ++i) resolve(call->args[i]);
        return;
      }
      break;
    case Function::Delete:
      // The old form delete(@m[k]) is delete(@m, k).
      if (call->args.size() == 1)
        if (auto* access = dyn<MapAccess>(call->args[0]); access != nullptr && access->key != nullptr) {
          Expr* key = access->key;
          call->args = {access->map, key};
        }
      break;
    default:
      break;
  }
  size_t first = 0;
  if (!call->args.empty() && call->args[0]->kind == NodeKind::MapRef) {
    auto* ref = as<MapRef>(call->args[0]);
    first = 1;
    if (takes_any_map(info->id)) {
      resolve_map(ref, std::nullopt);
    } else if (info->id == Function::Len) {
      resolve_map(ref, std::nullopt);
      MapState& state = maps_[ref->map];
      if (state.scalar && *state.scalar) report(DiagKind::LenOfScalar, call->range);
    } else if (info->id == Function::Delete && call->args.size() == 1) {
      resolve_map(ref, std::nullopt);
      MapState& state = maps_[ref->map];
      if (state.scalar && !*state.scalar) report(DiagKind::DeleteNeedsKey, call->range);
      state.scalar = state.scalar.value_or(true);
    } else if (info->id == Function::Delete || info->id == Function::HasKey || info->id == Function::Find) {
      resolve_map(ref, std::nullopt);
      MapState& state = maps_[ref->map];
      if (state.scalar && *state.scalar)
        report(DiagKind::NeedsKeyedMap, call->range, info->id == Function::Delete ? "delete() with two arguments"
                                                     : info->id == Function::HasKey ? "has_key()" : "find");
      state.scalar = state.scalar.value_or(false);
    } else {
      first = 0;
    }
  }
  if (info->id == Function::Find && call->args.size() == 3 && call->args[2]->kind == NodeKind::VariableRef) {
    resolve(call->args[1]);
    auto* ref = as<VariableRef>(call->args[2]);
    if (find_variable(ref->name) == nullptr) ref->var = declare(ref->name, ref->range);
    else use_variable(ref);
    if (ref->var != nullptr) assigned_.insert(ref->var);
    return;
  }
  for (size_t i = first; i < call->args.size(); ++i) resolve(call->args[i]);
}

}  // namespace btc::sema
