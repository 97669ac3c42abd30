// Calls: by the signature in functions.def, or by the row's own handler.
#include <algorithm>
#include <charconv>

#include "frontend/sema/sema.h"

namespace btc::sema {

size_t Signature::required() const {
  return static_cast<size_t>(std::count_if(params.begin(), params.end(), [](const Param& p) { return !p.default_value; }));
}

static std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// "(int n, literal int bits = 0) -> hist_t". The table is ours: no errors to report.
const Signature& Sema::signature(Function function) {
  auto [entry, fresh] = signatures_.try_emplace(function);
  if (!fresh) return entry->second;
  Signature& result = entry->second;
  std::string_view text = function_info(function).signature;
  size_t close = text.rfind(") -> ");
  result.result = text.substr(close + 5);
  std::string_view list = text.substr(1, close - 1);
  while (!list.empty()) {
    // A default may be a quoted string that holds commas.
    size_t end = 0;
    bool quoted = false;
    while (end < list.size() && (quoted || list[end] != ',')) quoted ^= list[end++] == '"';
    std::string_view part = trim(list.substr(0, end));
    list.remove_prefix(std::min(list.size(), end + 1));
    Signature::Param param;
    if (size_t equals = part.find(" = "); equals != std::string_view::npos) {
      param.default_value = std::string(trim(part.substr(equals + 3)));
      part = trim(part.substr(0, equals));
    }
    if (part.starts_with("literal ")) param.literal = true, part.remove_prefix(8);
    if (part.starts_with("constant ")) param.literal = param.or_parameter = true, part.remove_prefix(9);
    size_t space = part.find(' ');
    param.type = part.substr(0, space);
    if (space != std::string_view::npos) param.name = part.substr(space + 1);
    result.params.push_back(std::move(param));
  }
  return result;
}

bool Sema::check_arity(Call* call, size_t min, size_t max) {
  size_t given = call->args.size();
  if (given >= min && given <= max) return true;
  auto counted = [&](size_t n) { return n == 1 ? std::string("one argument") : std::to_string(n) + " arguments"; };
  std::string rule;
  if (max == 0) rule = "no arguments";
  else if (min == max) rule = counted(min);
  if (!rule.empty()) report(DiagKind::ArityExact, call->range, call->name, rule, given);
  else if (given < min) report(DiagKind::ArityMin, call->range, call->name, counted(min), given);
  else report(DiagKind::ArityMax, call->range, call->name, counted(max), given);
  return false;
}

// The argument's value if it is known; says so if a parameter stands where a literal is demanded.
std::optional<Const> Sema::literal_argument(Call* call, size_t index) {
  if (index >= call->args.size()) return std::nullopt;
  if (auto value = value_of(call->args[index])) return value;
  Expr* arg = call->args[index];
  if (auto* param = dyn<Positional>(arg)) report(DiagKind::NeedsBakedParam, arg->range, param->n);
  return std::nullopt;
}

bool Sema::check_arg(Call* call, size_t index, std::string_view type, bool literal, bool or_parameter) {
  if (index >= call->args.size()) return true;
  if (type == "string" && (!literal || or_parameter)) param_as_text(call->args[index]);
  Expr* arg = call->args[index];
  if (lattice_.unknown(arg->type)) return !literal;
  TypeKind kind = types_[arg->type].kind;
  bool good = type == "any" || (type == "int" && (lattice_.is_int(arg->type) || lattice_.castable(arg->type))) ||
              (type == "bool" && kind == TypeKind::Bool) || (type == "string" && kind == TypeKind::String) ||
              (type == "ptr" && kind == TypeKind::Pointer);
  if (literal) {
    bool known = value_of(arg).has_value();
    if (known && good) {
      if (final_) call->args[index] = literal_of(*value_of(arg), arg->range);
      return true;
    }
    if (or_parameter && good && param_of(arg) != nullptr) return true;
    if (auto* param = dyn<Positional>(arg)) {
      report(DiagKind::NeedsBakedParam, arg->range, param->n);
      return false;
    }
    report(DiagKind::ArgLiteral, call->range, call->name, type, base_name(arg->type));
    return false;
  }
  if (!good) report(DiagKind::ArgType, call->range, call->name, type, base_name(arg->type));
  if (final_ && good && type == "int") read_aggregation(call->args[index]);
  return good;
}

TypeId Sema::check_by_signature(Call* call, const Signature& sig) {
  bool map_function = !sig.params.empty() && sig.params[0].type == "map";
  if (!check_arity(call, sig.required(), sig.params.size())) return lattice_.error();
  bool good = true;
  for (size_t i = 0; i < call->args.size(); ++i) {
    if (map_function && i == 0) {
      good = map_argument(call, 0) != nullptr && good;
      continue;
    }
    visit(call->args[i]);
    good = check_arg(call, i, sig.params[i].type, sig.params[i].literal, sig.params[i].or_parameter) && good;
  }
  if (final_)
    for (size_t i = call->args.size(); i < sig.params.size(); ++i) {
      const std::string& text = *sig.params[i].default_value;
      if (text.starts_with('"')) {
        std::string value;
        for (size_t at = 1; at + 1 < text.size(); ++at) {
          if (text[at] == '\\' && text[at + 1] == 'n') value += '\n', ++at;
          else value += text[at];
        }
        call->args.push_back(make_string(call->range, value));
      } else {
        uint64_t value = 0;
        std::from_chars(text.data(), text.data() + text.size(), value);
        call->args.push_back(make_int(call->range, value));
      }
    }
  if (!good) return lattice_.error();
  if (sig.result == "void") return types_.void_type();
  std::optional<TypeId> type = types_.parse_text(sig.result);
  return type.value_or(lattice_.error());
}

TypeId Sema::call_subprog(Call* call) {
  Subprog* subprog = call->subprog;
  bool good = call->args.size() == subprog->params.size();
  if (!good) report(DiagKind::SubprogArity, call->range, subprog->name, subprog->params.size(), call->args.size());
  for (size_t i = 0; i < call->args.size(); ++i) {
    TypeId type = visit(call->args[i]);
    if (!good) continue;
    TypeId wanted = subprog->params[i].var->type;
    if (lattice_.unknown(type) || lattice_.unknown(wanted)) continue;
    if (lattice_.castable(type) && final_) read_aggregation(call->args[i]);
    bool fits = final_ ? coerce(call->args[i], wanted) : true;
    if (!fits) report(DiagKind::SubprogArgument, call->args[i]->range, show(wanted), subprog->params[i].name, show(type));
  }
  if (!subprog->return_type && subprog->return_spec != nullptr)
    if (auto type = signature_type(subprog->return_spec)) subprog->return_type = *type;
  return subprog->return_type;
}

TypeId Sema::visit_call(Expr*& slot) {
  auto* call = as<Call>(slot);
  if (call->subprog != nullptr) return call_subprog(call);
  if (call->foreign != nullptr) return call_foreign(call);
  if (!call->function) {
    for (Expr*& arg : call->args) visit(arg);
    return lattice_.error();
  }
  const FunctionInfo& info = function_info(*call->function);
  if ((info.flags & kFuncUnsafe) && !options_.unsafe) {
    bool old_wording = info.id == Function::System;
    report(old_wording ? DiagKind::UnsafeFunction : DiagKind::UnsafeNeedsFlag, call->range, call->name);
  }
  if (body_->attach != nullptr && info.probes != kInAny && !in_set(*body_, info.probes)) {
    if (info.id == Function::Path) report(DiagKind::PathNotHere, call->range);
    else report(DiagKind::FunctionNotHere, call->range, call->name, provider(*body_));
  }
  if (info.phase == Phase::MapOperator && !aggregate_allowed_) {
    report(DiagKind::MustAssignToMap, call->range, call->name);
    for (Expr*& arg : call->args) visit(arg);
    return lattice_.error();
  }
  bool keep = aggregate_allowed_;
  aggregate_allowed_ = false;
  TypeId type;
  if (Handler handler = handler_of(info.id)) {
    type = (this->*handler)(call, slot);
  } else {
    type = check_by_signature(call, signature(info.id));
  }
  aggregate_allowed_ = keep;
  return type;
}

// Rows whose signature is "special". A row missing here is found by the unit test of the tables.
Sema::Handler Sema::handler_of(Function function) {
  switch (function) {
    case Function::Avg: case Function::Count: case Function::Hist: case Function::Lhist: case Function::Max:
    case Function::Min: case Function::Stats: case Function::Sum: return &Sema::call_aggregate;
    case Function::Tseries: return &Sema::call_tseries;
    case Function::Bswap: return &Sema::call_bswap;
    case Function::Buf: return &Sema::call_buf;
    case Function::CgroupPath: return &Sema::call_cgroup_path;
    case Function::Cat: case Function::Debugf: case Function::Errorf: case Function::Printf: case Function::System:
    case Function::Warnf: return &Sema::call_format;
    case Function::Delete: return &Sema::call_delete;
    case Function::Exit: return &Sema::call_exit;
    case Function::Fail: return &Sema::call_fail;
    case Function::Find: return &Sema::call_find;
    case Function::HasKey: return &Sema::call_has_key;
    case Function::IsArray: case Function::IsInteger: case Function::IsLiteral: case Function::IsPtr: case Function::IsScalar:
    case Function::IsStr: case Function::IsUnsignedInteger: return &Sema::call_type_test;
    case Function::Join: return &Sema::call_join;
    case Function::Kptr: case Function::Uptr: return &Sema::call_kptr;
    case Function::DwUstack: case Function::Kstack: case Function::Ustack: return &Sema::call_stack;
    case Function::Ksym: case Function::Usym: return &Sema::call_symbol;
    case Function::Len: return &Sema::call_len;
    case Function::Macaddr: return &Sema::call_macaddr;
    case Function::Memcmp: return &Sema::call_memcmp;
    case Function::NsecsOf: return &Sema::call_nsecs;
    case Function::Ntop: return &Sema::call_ntop;
    case Function::Override: return &Sema::call_override;
    case Function::Path: return &Sema::call_path;
    case Function::PercpuKaddr: return &Sema::call_percpu_kaddr;
    case Function::PidOf: case Function::TidOf: return &Sema::call_pid;
    case Function::Print: return &Sema::call_print;
    case Function::Pton: return &Sema::call_pton;
    case Function::Reg: return &Sema::call_reg;
    case Function::Signal: case Function::SignalThread: return &Sema::call_signal;
    case Function::Skboutput: return &Sema::call_skboutput;
    case Function::SocketCookie: return &Sema::call_socket_cookie;
    case Function::Str: return &Sema::call_str;
    case Function::StrConcat: case Function::Strstr: return &Sema::call_string_pair;
    case Function::Strcap: return &Sema::call_strcap;
    case Function::Strftime: return &Sema::call_strftime;
    case Function::Strlen: return &Sema::call_strlen;
    case Function::Strncmp: return &Sema::call_strncmp;
    case Function::Uaddr: return &Sema::call_uaddr;
    case Function::WriteUser: return &Sema::call_write_user;
    default: return nullptr;
  }
}

}  // namespace btc::sema
