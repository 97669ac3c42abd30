// $1, $#, getopt(): facts of the target, or literals when parameters are baked
// in (`btc compile X.bt -- ARGS`).
#include <cerrno>
#include <cstdlib>

#include "frontend/sema/sema.h"

namespace btc {

const ast::Param* ast::param_of(const Expr* expr) {
  if (const auto* call = dyn<Call>(expr); call != nullptr && call->function == Function::Str && call->args.size() == 1) expr = call->args[0];
  const auto* positional = dyn<Positional>(expr);
  return positional != nullptr ? positional->param : nullptr;
}

namespace sema {

Param* Sema::find_param(const std::string& name, bool is_getopt, SourceRange range) {
  std::string key = (is_getopt ? "--" : "$") + name;
  Param*& param = params_[key];
  if (param == nullptr) {
    auto owned = std::make_unique<Param>();
    owned->name = name;
    owned->is_getopt = is_getopt;
    owned->range = range;
    param = owned.get();
    program_.params.push_back(std::move(owned));
  }
  return param;
}

// Base-0 integer as strtoll reads it, or nothing.
static std::optional<std::pair<uint64_t, bool>> parse_number(const std::string& text) {
  if (text.empty() || text[0] == ' ' || text[0] == '+') return std::nullopt;
  char* end = nullptr;
  errno = 0;
  bool negative = text[0] == '-';
  uint64_t value = negative ? static_cast<uint64_t>(strtoll(text.c_str(), &end, 0)) : strtoull(text.c_str(), &end, 0);
  if (errno != 0 || *end != '\0') return std::nullopt;
  return {{value, negative && value != 0}};
}

// Each use of a positional parameter is a fact of its own.
static std::string param_key(const std::string& name, ParamUse use) {
  return "$" + name + (use == ParamUse::Shown ? " shown" : use == ParamUse::Text ? " text" : "");
}

// The words of `$1` become an Integer or String when baked; otherwise the node stays and gets its Param. The same
// parameter used as number and as text is two facts.
void Sema::resolve_positional(Expr*& slot, ParamUse use) {
  auto* node = as<Positional>(slot);
  if (options_.bake_params) {
    const auto& given = options_.baked_params;
    if (node->n == 0) {
      slot = make_int(node->range, given.size());
      return;
    }
    bool missing = node->n > given.size() || given[node->n - 1].empty();
    if (use != ParamUse::Number) {
      slot = make_string(node->range, missing ? "" : given[node->n - 1]);
      return;
    }
    if (missing) {
      report(DiagKind::ParamMissing, node->range, node->n);
      slot = make_int(node->range, 0);
    } else if (auto number = parse_number(given[node->n - 1])) {
      slot = make_int(node->range, number->first, number->second);
    } else {
      slot = make_string(node->range, given[node->n - 1]);
    }
    return;
  }
  std::string name = node->n == 0 ? "#" : std::to_string(node->n);
  Param*& param = params_[param_key(name, use)];
  if (param == nullptr) {
    auto owned = std::make_unique<Param>();
    owned->name = name;
    owned->range = node->range;
    owned->kind = node->n == 0 ? Param::Uint : use == ParamUse::Number ? Param::Int : Param::Str;
    if (use != ParamUse::Number) owned->string_size = static_cast<uint32_t>(max_strlen_);
    if (use == ParamUse::Shown) owned->string_default = "0";     // of one that is not given
    param = owned.get();
    program_.params.push_back(std::move(owned));
  }
  node->param = param;
}

// A positional parameter is a number until something wants its text.
bool Sema::param_as_text(Expr*& slot, ParamUse use) {
  auto* node = dyn<Positional>(slot);
  if (node == nullptr || node->n == 0 || node->param == nullptr || node->param->is_getopt || node->param->kind != Param::Int) return false;
  resolve_positional(slot, use);
  slot->type = types_.string(node->param->string_size);
  return true;
}

// What is only shown, alone or in a tuple, is shown as it was given.
void Sema::show_params_as_given(Expr*& slot) {
  if (auto* tuple = dyn<Tuple>(slot))
    for (Expr*& element : tuple->elements) show_params_as_given(element);
  param_as_text(slot, ParamUse::Shown);
}

// Numbers that became texts in all their uses need not be given as numbers.
void Sema::drop_unused_params() {
  std::erase_if(program_.params, [&](const auto& param) {
    return !param->is_getopt && param->kind == Param::Int && !used_params_.contains(param.get()) &&
           (params_.contains(param_key(param->name, ParamUse::Text)) || params_.contains(param_key(param->name, ParamUse::Shown)));
  });
}

void Sema::resolve_getopt(Expr*& slot) {
  auto* call = as<Call>(slot);
  if (call->args.empty() || call->args.size() > 3) {
    report(DiagKind::GetoptArgs, call->range);
    return call->function.reset();   // nothing more to say about it
  }
  auto* name = dyn<String>(call->args[0]);
  if (name == nullptr) {
    report(DiagKind::GetoptName, call->args[0]->range);
    return call->function.reset();
  }
  Param::Kind kind = Param::Bool;
  std::optional<int64_t> int_default = 0;
  std::optional<std::string> string_default;
  if (call->args.size() >= 2) {
    resolve(call->args[1]);
    Expr* fallback = call->args[1];
    if (auto* unary = dyn<Unary>(fallback); unary != nullptr && unary->op == UnaryOp::Neg)
      if (auto value = fold_unary(unary)) fallback = literal_of(*value, fallback->range);
    if (auto* number = dyn<Integer>(fallback)) {
      kind = number->negative ? Param::Int : Param::Uint;
      int_default = static_cast<int64_t>(number->value);
    } else if (auto* flag = dyn<Boolean>(fallback)) {
      int_default = flag->value;
    } else if (auto* text = dyn<String>(fallback)) {
      kind = Param::Str;
      int_default.reset();
      string_default = text->value;
    } else {
      report(DiagKind::GetoptDefault, call->args[1]->range);
      return call->function.reset();
    }
  }
  std::string doc;
  if (call->args.size() == 3) {
    auto* text = dyn<String>(call->args[2]);
    if (text == nullptr) {
      report(DiagKind::GetoptDoc, call->args[2]->range);
      return call->function.reset();
    }
    doc = text->value;
  }
  bool known = params_.contains("--" + name->value);
  Param* param = find_param(name->value, true, call->range);
  if (known) {
    if (param->kind != kind || param->int_default != int_default || param->string_default != string_default) {
      std::string previous = param->string_default ? *param->string_default
                             : param->kind == Param::Bool ? (*param->int_default ? "true" : "false")
                             : param->kind == Param::Uint ? std::to_string(static_cast<uint64_t>(*param->int_default))
                                                          : std::to_string(*param->int_default);
      report(DiagKind::GetoptDefaultDiffers, call->range, name->value, previous);
    }
    if (!doc.empty() && !param->doc.empty() && doc != param->doc) report(DiagKind::GetoptDocDiffers, call->range, name->value);
  }
  param->kind = kind;
  param->int_default = int_default;
  param->string_default = string_default;
  if (kind == Param::Str) param->string_size = static_cast<uint32_t>(max_strlen_);
  if (!doc.empty()) param->doc = doc;
  auto* node = make<Positional>(call->range);
  node->param = param;
  slot = node;
}

}  // namespace sema
}  // namespace btc
