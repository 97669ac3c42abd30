// count() sum() min() max() avg() stats() hist() lhist() tseries(): the right
// side of a map assignment, and nowhere else.
#include "frontend/sema/sema.h"

namespace btc::sema {

TypeId Sema::call_aggregate(Call* call, Expr*&) {
  const Signature& sig = signature(*call->function);
  if (!check_arity(call, sig.required(), sig.params.size())) {
    for (Expr*& arg : call->args) visit(arg);
    return lattice_.error();
  }
  Type type;
  switch (*call->function) {
    case Function::Avg: type.kind = TypeKind::Avg; break;
    case Function::Count: return types_.simple(TypeKind::Count);
    case Function::Hist: type.kind = TypeKind::Hist; break;
    case Function::Lhist: type.kind = TypeKind::LHist; break;
    case Function::Max: type.kind = TypeKind::Max; break;
    case Function::Min: type.kind = TypeKind::Min; break;
    case Function::Stats: type.kind = TypeKind::Stats; break;
    default: type.kind = TypeKind::Sum; break;
  }
  TypeId argument = visit(call->args[0]);
  if (lattice_.unknown(argument)) return argument;
  if (lattice_.castable(argument)) {
    if (final_) read_aggregation(call->args[0]);
    argument = lattice_.castable_value(argument);
  }
  if (lattice_.is(argument, TypeKind::Pointer)) {
    if (final_) call->args[0] = implicit_cast(call->args[0], types_.u64());
    argument = types_.u64();
  }
  if (!lattice_.is_int(argument)) {
    bool histogram = type.kind == TypeKind::Hist || type.kind == TypeKind::LHist;
    if (histogram) report(DiagKind::ArgType, call->range, call->name, "int", base_name(argument));
    else report(DiagKind::AggregateArgument, call->range, call->name, show(argument));
    return lattice_.error();
  }
  type.is_signed = lattice_.is_signed(argument);
  if (type.kind == TypeKind::Hist) {
    type.is_signed = false;
    if (call->args.size() == 1 && final_) call->args.push_back(make_int(call->range, 0));
    if (call->args.size() == 2) {
      visit(call->args[1]);
      auto bits = literal_argument(call, 1);
      if (!bits || bits->kind != Const::Int) {
        if (call->args[1]->kind != NodeKind::Positional) report(DiagKind::ArgLiteral, call->range, call->name, "int", base_name(call->args[1]->type));
        return lattice_.error();
      }
      if (bits->negative || bits->bits > 5) {
        report(DiagKind::HistBits, call->range, static_cast<int64_t>(bits->bits));
        return lattice_.error();
      }
      type.p0 = static_cast<int64_t>(bits->bits);
      if (final_) call->args[1] = literal_of(*bits, call->args[1]->range);
    }
  } else if (type.kind == TypeKind::LHist) {
    type.is_signed = false;
    int64_t values[3] = {};
    for (size_t i = 1; i <= 3; ++i) {
      visit(call->args[i]);
      auto value = literal_argument(call, i);
      if (!value || value->kind != Const::Int) {
        if (call->args[i]->kind != NodeKind::Positional)
          report(i == 1 ? DiagKind::LhistMin : i == 2 ? DiagKind::LhistMax : DiagKind::LhistStep, call->range);
        return lattice_.error();
      }
      values[i - 1] = static_cast<int64_t>(value->bits);
      if (final_) call->args[i] = literal_of(*value, call->args[i]->range);
    }
    auto [min, max, step] = values;
    bool good = true;
    auto refuse = [&](DiagBuilder) { good = false; };
    if (step <= 0) refuse(report(DiagKind::LhistStepMin, call->range, step));
    else if ((max - min) / step > 1000) refuse(report(DiagKind::LhistBuckets, call->range, (max - min) / step));
    if (min > max) refuse(report(DiagKind::LhistRange, call->range, min, max));
    else if (max - min < step) refuse(report(DiagKind::LhistStepLarge, call->range, step, max - min));
    if (!good) return lattice_.error();
    type.p0 = min, type.p1 = max, type.p2 = step;
  }
  return types_.intern(type);
}

TypeId Sema::call_tseries(Call* call, Expr*&) {
  for (Expr*& arg : call->args) visit(arg);
  if (!check_arity(call, 3, 4)) return lattice_.error();
  if (final_ && !unstable(ConfigKey::UnstableTseries, "tseries", call->range)) return lattice_.error();
  if (!check_arg(call, 0, "int", false)) return lattice_.error();
  Type type;
  type.kind = TypeKind::TSeries;
  auto interval = literal_argument(call, 1), count = literal_argument(call, 2);
  if (!interval || interval->kind != Const::Int) {
    report(DiagKind::TseriesInterval, call->range);
    return lattice_.error();
  }
  if (!count || count->kind != Const::Int) {
    report(DiagKind::TseriesCount, call->range);
    return lattice_.error();
  }
  if (interval->negative || interval->bits == 0) {
    report(DiagKind::TseriesIntervalMin, call->range, static_cast<int64_t>(interval->bits));
    return lattice_.error();
  }
  if (count->negative || count->bits == 0) {
    report(DiagKind::TseriesCountMin, call->range, static_cast<int64_t>(count->bits));
    return lattice_.error();
  }
  if (count->bits > 1000000) {
    report(DiagKind::TseriesCountMax, call->range, count->bits);
    return lattice_.error();
  }
  type.p0 = static_cast<int64_t>(interval->bits);
  type.p1 = static_cast<int64_t>(count->bits);
  type.is_signed = lattice_.is_signed(call->args[0]->type);
  if (call->args.size() == 4) {
    auto name = value_of(call->args[3]);
    static constexpr const char* kNames[] = {"", "avg", "max", "min", "sum"};
    for (int i = 1; i <= 4; ++i)
      if (name && name->kind == Const::Str && name->text == kNames[i]) type.p2 = i;
    if (type.p2 == 0) {
      report(DiagKind::TseriesFunction, call->range, name ? name->text : "");
      return lattice_.error();
    }
    call->variant = static_cast<uint32_t>(type.p2);
    if (final_) call->args.pop_back();
  }
  if (final_)
    for (size_t i = 1; i < call->args.size(); ++i) call->args[i] = literal_of(*value_of(call->args[i]), call->args[i]->range);
  return types_.intern(type);
}

}  // namespace btc::sema
