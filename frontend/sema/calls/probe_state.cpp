// Functions about the running probe and the script itself: stacks, ids,
// clocks, registers, signals, exit.
#include "frontend/sema/sema.h"

namespace btc::sema {

static std::optional<StackMode> stack_mode(std::string_view name) {
  if (name == "bpftrace") return StackMode::Bpftrace;
  if (name == "perf") return StackMode::Perf;
  if (name == "raw") return StackMode::Raw;
  if (name == "build_id") return StackMode::BuildId;
  return std::nullopt;
}

// kstack([mode][, limit]); the result type says all, the arguments go, but for a parameter as the limit.
TypeId Sema::call_stack(Call* call, Expr*&) {
  bool kernel = *call->function == Function::Kstack;
  if (call->args.empty() && call->type) {  // walked to the end before
    TypeKind kind = types_[call->type].kind;
    if (fallen_back_.contains(call)) report(DiagKind::StackBuildIdFallback, call->range);
    if (kind == TypeKind::KStack || kind == TypeKind::UStack) return call->type;
  }
  if (!check_arity(call, 0, 2)) return lattice_.error();
  Type type;
  type.kind = kernel ? TypeKind::KStack : TypeKind::UStack;
  type.p0 = 127;
  StackMode standard = stack_mode(program_.config_value(ConfigKey::StackMode)).value_or(StackMode::Bpftrace);
  type.mode = standard;
  bool bad = false, by_param = false;
  size_t limit_at = 0;
  if (!call->args.empty()) {
    if (auto* word = dyn<Identifier>(call->args[0]); word != nullptr && !word->enum_constant) {
      if (auto mode = stack_mode(word->name)) type.mode = *mode;
      else bad = true, report(DiagKind::StackMode, word->range);
      limit_at = 1;
    } else if (call->args.size() == 2) {
      report(DiagKind::StackModeFirst, call->range);
      bad = true;
      limit_at = 1;
    }
  }
  if (limit_at < call->args.size()) {
    visit(call->args[limit_at]);
    by_param = is_number_param(call->args[limit_at]);
    auto limit = by_param ? std::nullopt : literal_argument(call, limit_at);
    if (by_param) {
      // The type has room for as many as kernels give (kernel.perf_event_max_stack); `lower` asks for fewer.
    } else if (!limit || limit->kind != Const::Int || limit->negative) {
      report(DiagKind::StackLimit, call->range, call->name);
      bad = true;
    } else if (limit->bits > 1024) {
      report(DiagKind::StackLimitMax, call->range, call->name, limit->bits);
      bad = true;
    } else {
      type.p0 = static_cast<int64_t>(limit->bits);
    }
  }
  // Only the walk that the kernel makes of user stacks gives build ids.
  if (*call->function != Function::Ustack && type.mode == StackMode::BuildId) {
    if (!call->args.empty()) {
      report(DiagKind::StackBuildId, call->range);
      bad = true;
    } else {
      fallen_back_.insert(call);  // said in the last walk
      report(DiagKind::StackBuildIdFallback, call->range);
      type.mode = StackMode::Raw;
    }
  }
  if (*call->function == Function::DwUstack && final_) unstable(ConfigKey::UnstableDwUstack, "dw_ustack (DWARF stack unwinding)", call->range);
  if (bad) return lattice_.error();
  if (final_ && !by_param) call->args.clear();
  return types_.intern(type);
}

// pid(curr_ns), tid(init)
TypeId Sema::call_pid(Call* call, Expr*&) {
  if (!check_arity(call, 0, 1)) return lattice_.error();
  if (!call->args.empty()) {
    auto* word = dyn<Identifier>(call->args[0]);
    if (word == nullptr) {
      report(DiagKind::PidMode, call->range, call->name);
      return lattice_.error();
    }
    if (word->name != "curr_ns" && word->name != "init") {
      report(DiagKind::PidModeName, word->range, word->name);
      return lattice_.error();
    }
    call->variant = word->name == "init" ? 1 : 0;
    if (final_) call->args.clear();
  }
  return types_.int_type(4, false);
}

TypeId Sema::call_nsecs(Call* call, Expr*&) {
  if (!check_arity(call, 0, 1)) return lattice_.error();
  if (!call->args.empty()) {
    auto* word = dyn<Identifier>(call->args[0]);
    static constexpr const char* kNames[] = {"boot", "monotonic", "tai", "sw_tai"};
    bool found = false;
    for (uint32_t i = 0; word != nullptr && i < 4; ++i)
      if (word->name == kNames[i]) call->variant = i, found = true;
    if (!found) {
      if (word != nullptr) report(DiagKind::ClockMode, word->range, word->name);
      else report(DiagKind::ArgType, call->range, call->name, "timestamp_mode", (visit(call->args[0]), base_name(call->args[0]->type)));
      return lattice_.error();
    }
    if (final_) call->args.clear();
  }
  return lattice_.with_clock(types_.u64(), call->variant);
}

TypeId Sema::call_cgroup_path(Call* call, Expr*&) {
  if (!check_arity(call, 1, 2)) return lattice_.error();
  for (Expr*& arg : call->args) visit(arg);
  if (!check_arg(call, 0, "int", false)) return lattice_.error();
  if (call->args.size() == 2 && !check_arg(call, 1, "string", true)) return lattice_.error();
  if (final_) {
    coerce(call->args[0], types_.u64(), false);
    if (call->args.size() == 1) call->args.push_back(make_string(call->range, ""));
  }
  return types_.simple(TypeKind::CgroupPath);
}

// Offsets in struct pt_regs of x86_64, a user-space ABI.
struct Register { const char* name; uint32_t offset; };
static constexpr Register kRegistersX86[] = {
    {"r15", 0}, {"r14", 8}, {"r13", 16}, {"r12", 24}, {"bp", 32}, {"bx", 40}, {"r11", 48}, {"r10", 56}, {"r9", 64}, {"r8", 72}, {"ax", 80},
    {"pc", 128}, {"cx", 88}, {"dx", 96}, {"si", 104}, {"di", 112}, {"orig_ax", 120}, {"ip", 128}, {"cs", 136}, {"flags", 144}, {"sp", 152}, {"ss", 160}};

TypeId Sema::call_reg(Call* call, Expr*&) {
  if (!check_arity(call, 1, 1)) return lattice_.error();
  visit(call->args[0]);
  if (!check_arg(call, 0, "string", true)) return lattice_.error();
  std::optional<Const> literal = value_of(call->args[0]);
  if (!literal) return lattice_.error();  // an operand with an error of its own
  std::string name = literal->text;
  bool found = false;
  std::vector<std::string> names;
  if (options_.arch == "x86_64") {
    for (const Register& reg : kRegistersX86) {
      names.push_back(reg.name);
      if (name == reg.name) call->variant = reg.offset, found = true;
    }
  } else {
    static constexpr const char* kNames[] = {"fp", "lr", "sp", "pc", "pstate"};  // aarch64: r0-r30, then sp pc pstate
    for (uint32_t i = 0; i <= 30; ++i)
      if (name == "r" + std::to_string(i)) call->variant = i * 8, found = true;
    static constexpr uint32_t kOffsets[] = {29 * 8, 30 * 8, 31 * 8, 32 * 8, 33 * 8};
    for (uint32_t i = 0; i < 5; ++i)
      if (name == kNames[i]) call->variant = kOffsets[i], found = true;
  }
  if (!found) {
    suggest(report(DiagKind::UnknownRegister, call->range, name, options_.arch), name, names);
    return lattice_.error();
  }
  return lattice_.with_space(types_.u64(), probe_space(*body_));
}

struct SignalName { const char* name; uint32_t number; };
static constexpr SignalName kSignals[] = {
    {"HUP", 1}, {"INT", 2}, {"QUIT", 3}, {"ILL", 4}, {"TRAP", 5}, {"ABRT", 6}, {"BUS", 7}, {"FPE", 8}, {"KILL", 9}, {"USR1", 10},
    {"SEGV", 11}, {"USR2", 12}, {"PIPE", 13}, {"ALRM", 14}, {"TERM", 15}, {"STKFLT", 16}, {"CHLD", 17}, {"CONT", 18}, {"STOP", 19},
    {"TSTP", 20}, {"TTIN", 21}, {"TTOU", 22}, {"URG", 23}, {"XCPU", 24}, {"XFSZ", 25}, {"VTALRM", 26}, {"PROF", 27}, {"WINCH", 28},
    {"IO", 29}, {"PWR", 30}, {"SYS", 31}};

TypeId Sema::call_signal(Call* call, Expr*&) {
  if (!check_arity(call, 1, 1)) return types_.void_type();
  TypeId type = visit(call->args[0]);
  std::string name = call->name + "()";
  constexpr uint32_t kAllowed = kInKprobe | kInKretprobe | kInUprobe | kInUretprobe | kInUsdt | kInTracepoint | kInProfile | kInFentry |
                                kInFexit | kInRawtracepoint;
  if (body_->attach != nullptr && !in_set(*body_, kAllowed)) {
    report(DiagKind::FunctionProbeType, call->range, name, provider(*body_));
    return types_.void_type();
  }
  if (auto value = value_of(call->args[0])) {
    uint32_t number = 0;
    if (value->kind == Const::Str) {
      std::string text = value->text;
      for (char& c : text) c = static_cast<char>(toupper(static_cast<unsigned char>(c)));
      if (text.starts_with("SIG")) text.erase(0, 3);
      for (const SignalName& known : kSignals)
        if (text == known.name) number = known.number;
      if (number == 0) report(DiagKind::SignalUnknown, call->args[0]->range, value->text);
    } else if (value->negative || value->bits < 1 || value->bits > 64) {
      report(DiagKind::SignalRange, call->range, name);
    } else {
      number = static_cast<uint32_t>(value->bits);
    }
    if (final_) {
      call->args[0] = make_int(call->args[0]->range, number);
      call->args[0]->type = types_.int_type(4, false);
    }
    return types_.void_type();
  }
  if (!lattice_.unknown(type) && !lattice_.is_int(type) && !lattice_.castable(type)) report(DiagKind::SignalArgument, call->range, name);
  else if (final_) read_aggregation(call->args[0]), coerce(call->args[0], types_.int_type(4, false), false);
  return types_.void_type();
}

TypeId Sema::call_override(Call* call, Expr*&) {
  if (!check_arity(call, 1, 1)) return types_.void_type();
  TypeId type = visit(call->args[0]);
  if (!in_set(*body_, kInKprobe)) report(DiagKind::OverrideNotHere, call->range);
  if (lattice_.unknown(type)) return types_.void_type();
  if (!lattice_.is_int(type)) report(DiagKind::OverrideArgument, call->range, base_name(type));
  else if (final_) coerce(call->args[0], types_.u64(), false);
  return types_.void_type();
}

TypeId Sema::call_exit(Call* call, Expr*&) {
  if (!check_arity(call, 0, 1)) return types_.void_type();
  TypeId code = types_.int_type(1, false);
  if (call->args.empty()) {
    if (final_) call->args.push_back(make_int(call->range, 0)), call->args[0]->type = code;
    return types_.void_type();
  }
  visit(call->args[0]);
  if (!check_arg(call, 0, "int", false) || !final_) return types_.void_type();
  if (!coerce(call->args[0], code, false)) {
    // A literal out of range keeps its low byte, as an exit status does.
    auto value = value_of(call->args[0]);
    call->args[0] = make_int(call->args[0]->range, (value ? value->bits : 0) & 0xff);
    call->args[0]->type = code;
  }
  return types_.void_type();
}

TypeId Sema::call_bswap(Call* call, Expr*& slot) {
  if (!check_arity(call, 1, 1)) return lattice_.error();
  TypeId type = visit(call->args[0]);
  if (lattice_.unknown(type)) return type;
  if (!lattice_.is_int(type)) {
    report(DiagKind::BswapArgument, call->range, call->name, base_name(type));
    return lattice_.error();
  }
  (void)slot;
  if (final_) call->args[0]->type = lattice_.settle(type);
  return types_.int_type(lattice_.int_bytes(type), false);
}

TypeId Sema::call_type_test(Call* call, Expr*& slot) {
  if (!check_arity(call, 1, 1)) return lattice_.error();
  auto answer = [&](bool value) { return set_const(slot, {Const::Bool, value, false, {}}, false); };
  if (*call->function == Function::IsScalar) {
    auto* ref = dyn<MapRef>(call->args[0]);
    if (ref == nullptr) {
      visit(call->args[0]);
      report(DiagKind::NeedsMap, call->range, call->name);
      return lattice_.error();
    }
    return answer(maps_[ref->map].scalar.value_or(true));
  }
  TypeId type = visit(call->args[0]);
  if (*call->function == Function::IsLiteral) return answer(value_of(call->args[0]).has_value());
  if (lattice_.unknown(type)) return type;
  switch (*call->function) {
    case Function::IsArray: return answer(lattice_.is(type, TypeKind::Array));
    case Function::IsPtr: return answer(lattice_.is(type, TypeKind::Pointer));
    case Function::IsStr: return answer(lattice_.is(type, TypeKind::String));
    case Function::IsInteger: return answer(lattice_.is_int(type));
    default: return answer(lattice_.is_int(type) && !lattice_.is_signed(type));
  }
}

// fail(): an error if it is reached in a branch that is compiled.
// One literal as a conversion prints it.
static std::string fail_argument(const Const& value, char conversion) {
  if (value.kind == Const::Str) return value.text;
  if (value.kind == Const::Bool && conversion == 's') return value.bits != 0 ? "true" : "false";
  switch (conversion) {
    case 'x': return fmt::format("{:x}", value.bits);
    case 'X': return fmt::format("{:X}", value.bits);
    case 'o': return fmt::format("{:o}", value.bits);
    case 'c': return std::string(1, static_cast<char>(value.bits));
    default: return value.negative ? std::to_string(static_cast<int64_t>(value.bits)) : std::to_string(value.bits);
  }
}

TypeId Sema::call_fail(Call* call, Expr*&) {
  if (!check_arity(call, 1, 128)) return types_.void_type();
  std::vector<Const> values;
  for (Expr*& arg : call->args) {
    visit(arg);
    auto value = value_of(arg);
    if (!value) {
      report(DiagKind::FailLiterals, call->range);
      return types_.void_type();
    }
    values.push_back(*value);
  }
  if (values[0].kind != Const::Str) {
    report(DiagKind::FailText, call->range);
    return types_.void_type();
  }
  std::string text;
  size_t next = 1;
  const std::string& format = values[0].text;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 >= format.size()) {
      text += format[i];
      continue;
    }
    size_t letter = format.find_first_not_of("-+ #0123456789.hlLjzt", i + 1);
    if (letter == std::string::npos || format[letter] == '%' || next >= values.size()) {
      text += letter == i + 1 && format[letter] == '%' ? "%" : format.substr(i, letter == std::string::npos ? letter : letter - i + 1);
    } else {
      text += fail_argument(values[next++], format[letter]);
    }
    i = std::min(letter, format.size());
  }
  report(DiagKind::Failed, call->range, text);
  return types_.void_type();
}

}  // namespace btc::sema
