// Macros: `macro name(expr, $var, @map) { ... }`.
//
// A call becomes the macro's block with its own variables renamed ("$x#3"), so
// that they cannot meet the caller's. Parameters: `$v` stands for the caller's
// variable, `@m` for his map, a bare word for the unevaluated argument, which
// may also be a type (`typeof(T)`). A macro sees nothing else of the caller.
// Expansion runs on each body after it was copied for its attach point.
#include <algorithm>

#include "frontend/parse/parser.h"
#include "frontend/sema/prelude.h"
#include "frontend/sema/sema.h"

namespace btc::sema {

// Every bare word of a tree: what a header's macros or the prelude are asked for.
static void collect_words(Node* node, std::unordered_set<std::string>& words);

static void words_of_spec(TypeSpec* spec, std::unordered_set<std::string>& words) {
  if (spec == nullptr) return;
  words.insert(spec->name);
  if (spec->typeof_expr != nullptr) collect_words(spec->typeof_expr, words);
}

static void collect_words(Node* node, std::unordered_set<std::string>& words) {
  if (node == nullptr) return;
  if (auto* id = dyn<Identifier>(node)) words.insert(id->name);
  if (auto* call = dyn<Call>(node)) words.insert(call->name);
  if (auto* cast = dyn<Cast>(node)) words_of_spec(cast->spec, words);
  if (auto* node_sizeof = dyn<Sizeof>(node)) words_of_spec(node_sizeof->spec, words);
  if (auto* node_offsetof = dyn<Offsetof>(node)) words_of_spec(node_offsetof->spec, words);
  if (auto* arg = dyn<TypeArg>(node)) words_of_spec(arg->spec, words);
  each_child(node, [&](Expr*& child) { collect_words(child, words); });
}

std::unordered_set<std::string> Sema::all_words() {
  std::unordered_set<std::string> words;
  auto add = [&](Script& script) {
    for (ast::Probe* probe : script.probes) {
      collect_words(probe->predicate, words);
      collect_words(probe->body, words);
    }
    for (Macro* macro : script.macros) collect_words(macro->body, words);
    for (Subprog* subprog : script.subprogs) {
      for (SubprogParam& param : subprog->params) words_of_spec(param.spec, words);
      words_of_spec(subprog->return_spec, words);
      collect_words(subprog->body, words);
    }
    for (MapDecl& decl : script.map_decls) collect_words(decl.max_entries, words);
  };
  add(script_);
  for (auto& script : imported_) add(*script);
  return words;
}

static bool same_kinds(const Macro& a, const Macro& b) {
  if (a.params.size() != b.params.size()) return false;
  for (size_t i = 0; i < a.params.size(); ++i)
    if (a.params[i].kind != b.params[i].kind) return false;
  return true;
}

void Sema::check_macro_jumps(Node* node) {
  auto* block = dyn<Block>(node);
  if (block != nullptr)
    for (Stmt* stmt : block->stmts) {
      if (auto* jump = dyn<Jump>(stmt)) {
        static const char* const kWords[] = {"break", "continue", "return"};
        report(DiagKind::JumpNotHere, jump->range, kWords[static_cast<size_t>(jump->jump)], "macro");
      } else if (stmt->kind == NodeKind::ExprStmt) {
        check_macro_jumps(as<ExprStmt>(stmt)->expr);
      }
    }
  if (auto* branch = dyn<IfExpr>(node)) {
    check_macro_jumps(branch->then_block);
    if (branch->else_block != nullptr) check_macro_jumps(branch->else_block);
  }
}

void Sema::register_macros() {
  auto add = [&](Script& script, bool is_stdlib) {
    for (Macro* macro : script.macros) {
      macro->is_stdlib = macro->is_stdlib || is_stdlib;
      auto& overloads = macros_[macro->name];
      auto other = std::find_if(overloads.begin(), overloads.end(), [&](const Macro* m) { return m->is_stdlib == macro->is_stdlib && same_kinds(*m, *macro); });
      if (other != overloads.end()) {
        report(DiagKind::MacroRedefined, macro->name_range, macro->name).note(DiagKind::FirstDefined, (*other)->name_range);
        continue;
      }
      for (size_t i = 0; i < macro->params.size(); ++i)
        for (size_t j = 0; j < i; ++j)
          if (macro->params[i].name == macro->params[j].name) {
            static const char* const kKinds[] = {"Variable", "Map", "Ident"};
            report(DiagKind::MacroParamTwice, macro->params[i].range, kKinds[macro->params[i].kind], macro->params[i].name);
          }
      if (!is_stdlib) check_macro_jumps(macro->body);
      overloads.push_back(macro);
    }
  };
  add(script_, false);
  for (auto& script : imported_) add(*script, false);
  for (const auto& [name, overloads] : macros_) {
    auto foreign = foreign_.find(name);
    if (foreign == foreign_.end() || foreign->second->is_static) continue;
    report(DiagKind::SubprogRedefined, overloads.front()->name_range, name).note(DiagKind::FirstDefined, foreign->second->import);
  }
  std::unordered_set<std::string> words = all_words();
  bool wanted = false;
  for (const char* const* name = kPreludeNames; *name != nullptr; ++name) wanted = wanted || words.contains(*name);
  if (!wanted) return;
  auto prelude = std::make_unique<Script>();
  uint32_t file = sources_.add("stdlib/base.bt", prelude_text());
  parse_script(arena_, sources_, file, diags_, prelude.get());
  add(*prelude, true);
  prelude_ = std::move(prelude);
}

const Macro* Sema::find_macro(const std::string& name, const std::vector<Expr*>& args, bool stdlib_only, bool* any, const Macro** closest) {
  *any = false;
  auto found = macros_.find(name);
  if (found == macros_.end()) return nullptr;
  const Macro *user = nullptr, *builtin = nullptr;
  size_t best = SIZE_MAX;
  for (const Macro* macro : found->second) {
    if (stdlib_only && !macro->is_stdlib) continue;
    *any = true;
    size_t given = args.size(), wanted = macro->params.size();
    size_t d = 1024 * (given > wanted ? given - wanted : wanted - given);
    for (size_t i = 0; i < std::min(given, wanted); ++i) {
      MacroParam::Kind kind = macro->params[i].kind;
      if ((kind == MacroParam::Map && args[i]->kind != NodeKind::MapRef) || (kind == MacroParam::Var && args[i]->kind != NodeKind::VariableRef)) ++d;
    }
    if (d < best) best = d, *closest = macro;
    // The most precise of those that match: more variable and map parameters.
    auto precision = [](const Macro* m) { return std::count_if(m->params.begin(), m->params.end(), [](const MacroParam& p) { return p.kind != MacroParam::Expr; }); };
    const Macro*& slot = macro->is_stdlib ? builtin : user;
    if (d == 0 && (slot == nullptr || precision(macro) > precision(slot))) slot = macro;
  }
  return user != nullptr ? user : builtin;
}

void Sema::expand_body(Block* block) {
  macro_stack_.clear();
  Expr* slot = block;
  expand(slot, nullptr);
}

// What a macro's body declares itself: assigned or declared variables that are no parameters.
static void collect_locals(Node* node, MacroFrame& frame) {
  auto add = [&](VariableRef* ref) {
    if (ref != nullptr && !frame.variables.contains(ref->name)) frame.locals.insert(ref->name);
  };
  if (auto* block = dyn<Block>(node))
    for (Stmt* stmt : block->stmts) {
      if (auto* decl = dyn<VarDecl>(stmt)) add(decl->var);
      if (auto* assign = dyn<Assign>(stmt))
        if (auto* ref = assign->target ? dyn<VariableRef>(assign->target) : nullptr) add(ref);
      if (auto* loop = dyn<ForMap>(stmt)) add(loop->decl);
      if (auto* loop = dyn<ForRange>(stmt)) add(loop->decl);
    }
  if (auto* call = dyn<Call>(node); call != nullptr && call->name == "find" && call->args.size() == 3) add(dyn<VariableRef>(call->args[2]));
  each_child(node, [&](Expr*& child) { collect_locals(child, frame); });
}

Expr* Sema::expand_call(const std::string& name, const std::vector<Expr*>& args, SourceRange site, MacroFrame* frame, bool* is_macro) {
  bool stdlib_only = frame != nullptr && frame->macro->is_stdlib;
  const Macro* closest = nullptr;
  const Macro* macro = find_macro(name, args, stdlib_only, is_macro, &closest);
  if (macro == nullptr) {
    if (!*is_macro) return nullptr;
    const FunctionInfo* info = find_function(name);
    if ((info != nullptr && info->phase != Phase::Macro) || find_builtin(name) != nullptr) {  // an overload beside the built-in one
      *is_macro = false;
      return nullptr;
    }
    auto builder = report(DiagKind::MacroNoMatch, site, name);
    if (closest->params.size() != args.size()) {
      builder.note(DiagKind::MacroClosest, closest->name_range, name, closest->params.size(), args.size());
    } else {
      for (size_t i = 0; i < args.size(); ++i) {
        const MacroParam& param = closest->params[i];
        bool map = param.kind == MacroParam::Map && args[i]->kind != NodeKind::MapRef;
        bool var = param.kind == MacroParam::Var && args[i]->kind != NodeKind::VariableRef;
        if (!map && !var) continue;
        const char* got = args[i]->kind == NodeKind::VariableRef ? "a variable" : args[i]->kind == NodeKind::MapRef ? "a map" : "an expression";
        report(DiagKind::MacroMismatch, args[i]->range, name, map ? "a map" : "a variable", param.name, got).note(DiagKind::MacroArgument, param.range);
      }
    }
    return nullptr;
  }
  auto cycle = std::find(macro_stack_.begin(), macro_stack_.end(), macro);
  if (cycle != macro_stack_.end()) {
    std::string chain;
    for (; cycle != macro_stack_.end(); ++cycle) chain += (*cycle)->name + " > ";
    report(DiagKind::MacroRecursive, site, chain + macro->name);
    return nullptr;
  }
  MacroFrame inner;
  inner.macro = macro;
  inner.number = ++expansions_;
  for (size_t i = 0; i < args.size(); ++i) {
    const MacroParam& param = macro->params[i];
    if (param.kind == MacroParam::Var) inner.variables[param.name] = as<VariableRef>(args[i])->name;
    else if (param.kind == MacroParam::Map) inner.maps[param.name] = as<MapRef>(args[i])->name;
    else inner.expressions[param.name] = args[i];
  }
  Block* block = clone_block(arena_, macro->body);
  collect_locals(block, inner);
  macro_stack_.push_back(macro);
  diags_.push_expansion(site);
  expand_children(block, &inner);
  diags_.pop_expansion();
  macro_stack_.pop_back();
  expanded_at_[block] = site;
  return block;
}

static void rename(VariableRef* ref, MacroFrame* frame) {
  if (ref == nullptr || frame == nullptr) return;
  if (auto found = frame->variables.find(ref->name); found != frame->variables.end()) ref->name = found->second;
  else if (frame->locals.contains(ref->name)) ref->name += "#" + std::to_string(frame->number);
}

void Sema::rename_map(MapRef* ref, MacroFrame* frame) {
  if (ref == nullptr || frame == nullptr) return;
  if (auto found = frame->maps.find(ref->name); found != frame->maps.end()) ref->name = found->second;
  else report(DiagKind::MacroUnhygienicMap, ref->range, ref->name);
}

static std::string written(const TypeSpec& spec) {
  return (spec.is_struct ? "struct " : spec.is_union ? "union " : spec.is_enum ? "enum " : "") + spec.name;
}

// A type parameter's name in a type: replaced by the argument, which is a type or a name.
void Sema::expand_spec(TypeSpec* spec, MacroFrame* frame) {
  if (spec == nullptr) return;
  auto replace = [&](const std::string& name) -> bool {
    if (frame == nullptr) return false;
    auto found = frame->expressions.find(name);
    if (found == frame->expressions.end()) return false;
    Expr* arg = found->second;
    while (auto* block = dyn<Block>(arg)) arg = block->value;
    std::vector<TypeSpec::Suffix> own = spec->suffixes;
    bool keyword = spec->is_struct || spec->is_union || spec->is_enum;
    if (auto* type = dyn<TypeArg>(arg)) {
      TypeSpec copy = *type->spec;
      if (auto* word = copy.typeof_expr ? dyn<Identifier>(copy.typeof_expr) : nullptr) {  // typeof(name) is the type of that name
        copy.name = word->name;
        copy.typeof_expr = nullptr;
      }
      if (keyword && (copy.is_struct || copy.is_union || copy.is_enum || copy.typeof_expr != nullptr || !copy.suffixes.empty())) {
        report(DiagKind::MacroTypeArgument, arg->range, frame->macro->name, name, written(*spec));
        return true;
      }
      if (keyword) copy.is_struct = spec->is_struct, copy.is_union = spec->is_union, copy.is_enum = spec->is_enum;
      if (copy.typeof_expr != nullptr) copy.typeof_expr = clone(arena_, copy.typeof_expr);
      copy.suffixes.insert(copy.suffixes.end(), own.begin(), own.end());
      copy.range = spec->range;
      *spec = std::move(copy);
      return true;
    }
    if (auto* word = dyn<Identifier>(arg)) {
      spec->name = word->name;
      spec->typeof_expr = nullptr;
      return true;
    }
    if (keyword || !own.empty()) {
      std::string stars;
      for (const TypeSpec::Suffix& suffix : own) stars += suffix.pointer ? "*" : suffix.count < 0 ? "[]" : fmt::format("[{}]", suffix.count);
      report(DiagKind::MacroTypeArgument, arg->range, frame->macro->name, name, written(*spec) + stars);
      return true;
    }
    return false;
  };
  if (spec->typeof_expr == nullptr) {
    replace(spec->name);
    return;
  }
  if (auto* word = dyn<Identifier>(spec->typeof_expr)) {
    if (replace(word->name)) return;
    if (frame == nullptr || !frame->expressions.contains(word->name)) return;  // a type's name, not a macro
  }
  expand(spec->typeof_expr, frame);
}

void Sema::expand_offsetof(Offsetof* node, MacroFrame* frame) {
  if (node->spec != nullptr) expand_spec(node->spec, frame);
  if (auto* word = node->operand ? dyn<Identifier>(node->operand) : nullptr) {
    auto* spec = arena_.make<TypeSpec>();
    spec->range = word->range;
    spec->name = word->name;
    bool is_param = frame != nullptr && frame->expressions.contains(word->name);
    if (is_param) {
      Expr* arg = frame->expressions[word->name];
      if (arg->kind == NodeKind::TypeArg || arg->kind == NodeKind::Identifier) {
        expand_spec(spec, frame);
        node->spec = spec;
        node->operand = nullptr;
      } else {
        expand(node->operand, frame);
      }
    }
  } else if (node->operand != nullptr) {
    expand(node->operand, frame);
  }
  if (frame == nullptr || node->fields.size() != 1 || !frame->expressions.contains(node->fields[0])) return;
  std::vector<std::string> fields;
  Expr* arg = frame->expressions[node->fields[0]];
  for (; arg->kind == NodeKind::FieldAccess; arg = as<FieldAccess>(arg)->base) fields.push_back(as<FieldAccess>(arg)->field);
  if (auto* word = dyn<Identifier>(arg)) {
    fields.push_back(word->name);
    std::reverse(fields.begin(), fields.end());
    node->fields = fields;
  } else {
    report(DiagKind::MacroOffsetofField, arg->range);
  }
}

void Sema::expand_children(Node* node, MacroFrame* frame) {
  switch (node->kind) {
    case NodeKind::Block:
      for (Stmt* stmt : as<Block>(node)->stmts) expand_children(stmt, frame);
      if (as<Block>(node)->value != nullptr) expand(as<Block>(node)->value, frame);
      return;
    case NodeKind::VarDecl: {
      auto* decl = as<VarDecl>(node);
      if (frame != nullptr && frame->variables.contains(decl->var->name))
        report(DiagKind::MacroShadowsParam, decl->range, decl->var->name);
      rename(decl->var, frame);
      expand_spec(decl->spec, frame);
      if (decl->init != nullptr) expand(decl->init, frame);
      return;
    }
    case NodeKind::ForMap:
      rename(as<ForMap>(node)->decl, frame);
      rename_map(as<ForMap>(node)->map, frame);
      break;
    case NodeKind::ForRange:
      rename(as<ForRange>(node)->decl, frame);
      break;
    case NodeKind::MapAccess:
      rename_map(as<MapAccess>(node)->map, frame);
      break;
    case NodeKind::Cast:
      expand_spec(as<Cast>(node)->spec, frame);
      expand(as<Cast>(node)->operand, frame);
      return;
    case NodeKind::TypeArg:
      expand_spec(as<TypeArg>(node)->spec, frame);
      return;
    case NodeKind::Offsetof:
      expand_offsetof(as<Offsetof>(node), frame);
      return;
    case NodeKind::Sizeof:
    case NodeKind::Typeinfo: {
      auto*& spec = node->kind == NodeKind::Sizeof ? as<Sizeof>(node)->spec : as<Typeinfo>(node)->spec;
      auto*& operand = node->kind == NodeKind::Sizeof ? as<Sizeof>(node)->operand : as<Typeinfo>(node)->operand;
      if (spec != nullptr) expand_spec(spec, frame);
      if (operand == nullptr) return;
      if (auto* word = dyn<Identifier>(operand)) {
        if (frame == nullptr || !frame->expressions.contains(word->name)) {
          if (node->kind == NodeKind::Typeinfo) expand(operand, frame);
          return;  // a type's name, not a macro
        }
        if (auto* type = dyn<TypeArg>(frame->expressions[word->name])) {
          spec = arena_.make<TypeSpec>(*type->spec);
          if (spec->typeof_expr != nullptr) spec->typeof_expr = clone(arena_, spec->typeof_expr);
          operand = nullptr;
          return;
        }
      }
      expand(operand, frame);
      return;
    }
    default:
      break;
  }
  each_child(node, [&](Expr*& child) { expand(child, frame); });
}

void Sema::expand(Expr*& slot, MacroFrame* frame) {
  switch (slot->kind) {
    case NodeKind::VariableRef:
      rename(as<VariableRef>(slot), frame);
      return;
    case NodeKind::MapRef:
      rename_map(as<MapRef>(slot), frame);
      return;
    case NodeKind::Identifier: {
      auto* id = as<Identifier>(slot);
      if (frame != nullptr)
        if (auto found = frame->expressions.find(id->name); found != frame->expressions.end()) {
          slot = clone(arena_, found->second);
          return;
        }
      if (macros_.empty()) return;
      bool is_macro = false;
      if (Expr* block = expand_call(id->name, {}, id->range, frame, &is_macro)) slot = block;
      else if (is_macro) slot = make<Tuple>(id->range), slot->type = lattice_.error();
      return;
    }
    case NodeKind::Call: {
      auto* call = as<Call>(slot);
      for (Expr*& arg : call->args) expand(arg, frame);
      bool is_macro = false;
      Expr* block = macros_.empty() ? nullptr : expand_call(call->name, call->args, call->range, frame, &is_macro);
      if (block != nullptr) {
        slot = block;
        return;
      }
      call->refused = is_macro;
      if (is_macro) return;
      for (Expr* arg : call->args)
        if (arg->kind == NodeKind::TypeArg) report(DiagKind::TypeArgument, arg->range);
      return;
    }
    default:
      expand_children(slot, frame);
  }
}

}  // namespace btc::sema
