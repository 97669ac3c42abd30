// Builtins, and the arguments and registers of what was traced.
#include <algorithm>

#include "lower/build/body.h"

namespace btc::lower {

namespace {

// struct pt_regs on x86_64, bytes.
constexpr uint32_t kArgRegisters[] = {112, 104, 96, 88, 72, 64};  // rdi rsi rdx rcx r8 r9
constexpr uint32_t kSyscallRegisters[] = {112, 104, 96, 56, 72, 64};  // rdi rsi rdx r10 r8 r9
constexpr uint32_t kReturnRegister = 80, kIpRegister = 128, kCsRegister = 136, kStackRegister = 152;

bool is_register_sized(const TypeTable& types, TypeId type) { return has_prop(types[type], kTypeScalar); }

abi::CtxKind ctx_kind(const TypedProbe* probe) { return probe ? abi::probe_info(probe->attach->parsed.kind).ctx : abi::CtxKind::none; }

}  // namespace

ValueId Body::register_at(uint32_t offset, const char* name) { return b.ctx_load(offset, kI64, name); }

ValueId Body::argument(uint32_t n) {
  std::string name = "arg" + std::to_string(n);
  abi::ProbeKind kind = probe->attach->parsed.kind;
  if (kind == abi::ProbeKind::Usdt) {
    // The note of each place says where its arguments lie; the runtime writes that into the copy for the place.
    ValueId form = b.emit(Op::CopyConst, {ir::Builder::imm(abi::usdt_form_const(n))}, kI64, "form");
    ValueId number = b.emit(Op::CopyConst, {ir::Builder::imm(abi::usdt_number_const(n))}, kI64, "number");
    ValueId ctx = b.emit(Op::Ctx, {}, ir::ptr_type(PtrSpace::Ctx), "ctx");
    return b.bpf("btc_usdt_arg", {ctx, form, number}, name);
  }
  if (ctx_kind(probe) == abi::CtxKind::raw_args || ctx_kind(probe) == abi::CtxKind::trampoline) return b.ctx_load(8 * n, kI64, name);
  auto in_register = [&] { return n < std::size(kArgRegisters) ? b.ctx_load(kArgRegisters[n], kI64, name) : b.constant(0); };
  // Where arguments may lie elsewhere, each copy knows whether they do: the verifier drops the other way.
  auto elsewhere = [&](uint32_t constant, const char* what, auto&& address, AddrSpace space, uint32_t bytes) {
    ValueId flag = b.emit(Op::CopyConst, {ir::Builder::imm(constant)}, kI64, what);
    Memory value = temp(8, 8, name);
    auto read_word = [&] {
      Memory word = temp(8, 8, "word");
      b.store(word.pointer, word.offset, b.constant(0));
      read(word, address(), space, bytes);
      b.store(value.pointer, value.offset, b.load(word.pointer, word.offset, kI64, name));
    };
    b.if_else(b.is_nonzero(flag), what, read_word, [&] { b.store(value.pointer, value.offset, in_register()); });
    return b.load(value.pointer, value.offset, kI64, name);
  };
  // 32-bit programs pass arguments on the stack, above the return address.
  if (kind == abi::ProbeKind::Uprobe)
    return elsewhere(abi::kCopyNarrow, "narrow", [&] { return b.add_imm(register_at(kStackRegister, "sp"), 4 + 4 * n, "addr"); }, AddrSpace::User, 4);
  // Wrappers of system calls have the registers of the caller as their only argument.
  if (probe->attach->may_be_syscall() && n < std::size(kSyscallRegisters))
    return elsewhere(abi::kCopyWrapped, "wrapped", [&] { return b.add_imm(register_at(kArgRegisters[0], "regs"), kSyscallRegisters[n], "addr"); }, AddrSpace::Kernel, 8);
  return in_register();
}

// Which attach target fired. Every copy of a program knows; a program with several targets at once asks the kernel, where it has
// cookies (kprobe.multi, uprobe.multi 5.18; perf events 5.15).
ValueId Body::probe_index() {
  ValueId own = b.emit(Op::CopyConst, {ir::Builder::imm(abi::kCopyTargetIndex)}, kI64, "target");
  if (!probe || !probe->attach->parsed.wildcard) return own;
  switch (probe->attach->parsed.kind) {
    case abi::ProbeKind::Kprobe:
    case abi::ProbeKind::Kretprobe:
    case abi::ProbeKind::Uprobe:
    case abi::ProbeKind::Uretprobe:
    case abi::ProbeKind::Usdt:
    case abi::ProbeKind::Tracepoint: break;
    default: return own;
  }
  Memory index = temp(8, 8, "target");
  b.store(index.pointer, index.offset, own);
  ValueId has_cookie = fact(abi::FactKind::HasCookie, "has_cookie", 1);
  b.if_then(b.is_nonzero(has_cookie), "cookie", [&] {
    ValueId ctx = b.emit(Op::Ctx, {}, ir::ptr_type(PtrSpace::Ctx), "ctx");
    b.store(index.pointer, index.offset, b.helper("get_attach_cookie", {ctx}, "cookie"));
  });
  return b.load(index.pointer, index.offset, kI64, "target");
}

// The traced instruction; at a return the function's first one. Kernels before 5.15 do not tell which that is: there the copies for
// kernel functions know their own. (User functions lie elsewhere in each process.)
ValueId Body::function_ip() {
  abi::ProbeKind kind = probe->attach->parsed.kind;
  bool entry = kind == abi::ProbeKind::Kprobe || kind == abi::ProbeKind::Uprobe || kind == abi::ProbeKind::Usdt;
  if (entry) return register_at(kIpRegister, "ip");
  auto ask = [&] { return b.helper("get_func_ip", {b.emit(Op::Ctx, {}, ir::ptr_type(PtrSpace::Ctx), "ctx")}, "func"); };
  if (kind == abi::ProbeKind::Uretprobe) {
    need("helper:get_func_ip");
    return ask();
  }
  ValueId own = b.emit(Op::CopyConst, {ir::Builder::imm(abi::kCopyFunction)}, kI64, "own");
  Memory function = temp(8, 8, "func");
  b.store(function.pointer, function.offset, own);
  b.if_then(b.is_zero(own), "ask", [&] { b.store(function.pointer, function.offset, ask()); });
  return b.load(function.pointer, function.offset, kI64, "func");
}

const char* Body::probe_type_name() const {
  if (!probe) return "";
  switch (probe->attach->parsed.kind) {
    case abi::ProbeKind::Begin:
    case abi::ProbeKind::End:
    case abi::ProbeKind::Self: return "special";
    case abi::ProbeKind::Bench: return "benchmark";
    default: return abi::probe_info(probe->attach->parsed.kind).name;
  }
}

// In the tracer's pid namespace (see expand-builtins), or in the initial one. Both ids come as one value.
ValueId Body::pid_or_tid(bool tid, bool initial_namespace) {
  ValueId both = initial_namespace ? b.helper("get_current_pid_tgid", {}, "pid_tgid") : b.builtin("pid_tgid");
  if (tid) return b.binary(Op::And, both, b.constant(0xffffffff), "tid");
  return b.binary(Op::ShrU, both, b.constant(32), "pid");
}

ValueId Body::builtin(const ast::Identifier& identifier) {
  using Kind = abi::FactKind;
  switch (*identifier.builtin) {
    case Builtin::Arg: return argument(identifier.builtin_index);
    case Builtin::Ctx: return b.emit(Op::Ctx, {}, ir::ptr_type(PtrSpace::Ctx), "ctx");
    case Builtin::Cpid: return fact(Kind::ChildPid, "child_pid", 4);
    case Builtin::HasCpid: return b.is_nonzero(fact(Kind::ChildPid, "child_pid", 4));
    case Builtin::Elapsed: return b.binary(Op::Sub, b.builtin("nsecs"), fact(Kind::BootNsecs, "boot_nsecs", 8), "elapsed");
    case Builtin::Ncpus: return fact(Kind::NumCpus, "num_cpus", 4);
    case Builtin::Pid: return pid_or_tid(false, false);
    case Builtin::Tid: return pid_or_tid(true, false);
    case Builtin::Username: return b.builtin("uid");
    case Builtin::Probe: return probe_index();
    case Builtin::Usermode: {
      switch (ctx_kind(probe)) {
        case abi::CtxKind::pt_regs:
        case abi::CtxKind::perf_event: return b.bool_value(b.binary(Op::Eq, b.binary(Op::And, register_at(kCsRegister, "cs"), b.constant(3), "ring"), b.constant(3), "usermode"));
        case abi::CtxKind::none: return b.constant(1);
        default: return b.constant(0);
      }
    }
    case Builtin::Func: return function_ip();
    case Builtin::Retval: {
      if (ctx_kind(probe) != abi::CtxKind::trampoline) return convert(register_at(kReturnRegister, "retval"), types.u64(), identifier.type);
      // Behind the arguments in the trampoline's context.
      size_t arguments = probe->args_record ? types.record(types[probe->args_record].record).fields.size() : 0;
      note_argument(static_cast<uint32_t>(arguments), "$retval", identifier.type);
      ValueId result = b.ctx_load(static_cast<int64_t>(8 * arguments), kI64, "retval");
      if (!probe->attach->parsed.wildcard || types[identifier.type].kind != TypeKind::Int) return convert(result, types.u64(), identifier.type);
      // Functions of a pattern return numbers of several widths: each copy knows its own.
      ValueId shift = b.emit(Op::CopyConst, {ir::Builder::imm(abi::kCopyResultShift)}, kI64, "shift");
      ValueId is_unsigned = b.emit(Op::CopyConst, {ir::Builder::imm(abi::kCopyResultUnsigned)}, kI64, "unsigned");
      ValueId high = b.binary(Op::Shl, result, shift, "high");
      return b.select(b.is_nonzero(is_unsigned), b.binary(Op::ShrU, high, shift, "retval"), b.binary(Op::ShrS, high, shift, "retval"), "retval");
    }
    case Builtin::Args: return b.emit(Op::Ctx, {}, ir::ptr_type(PtrSpace::Ctx), "args");
    default: return b.builtin(builtin_info(*identifier.builtin).name);
  }
}

// Tracepoints of system calls have the same layout on every kernel: int __syscall_nr at 8, then 8 bytes per argument from 16. Those of
// a pattern have not.
bool Body::is_syscall_record(uint32_t record) const {
  const std::string& name = types.record(record).name;
  return name.starts_with("syscalls:sys_e") && name.find('*') == std::string::npos;
}

// `args.name` where it is not simply memory; kNoValue otherwise.
ValueId Body::args_field(const ast::FieldAccess& access) {
  const auto* base = ast::dyn<ast::Identifier>(access.base);
  if (!base || base->builtin != Builtin::Args || access.path.empty()) return kNoValue;
  uint32_t index = types[base->type].record;
  const Record& record = types.record(index);
  const Field field = record.fields[access.path[0]];
  switch (record.origin) {
    case RecordOrigin::Tracepoint: {
      if (!is_syscall_record(index) || access.path.size() != 1) return kNoValue;
      uint32_t size = types.size_of(field.type);
      bool is_signed = types[field.type].kind == TypeKind::Int && types[field.type].is_signed;
      return b.resize(b.ctx_load(field.bit_offset / 8, ir::int_of(size), field.name), kI64, is_signed, field.name);
    }
    case RecordOrigin::FuncArgs: {
      note_argument(access.path[0], field.name, field.type);
      ValueId value = b.ctx_load(8 * static_cast<int64_t>(access.path[0]), kI64, field.name);
      return convert(value, types.u64(), field.type);
    }
    case RecordOrigin::UprobeArgs:
      if (access.path.size() != 1 || !is_register_sized(types, field.type)) return kNoValue;
      return convert(parameter_word(parameter_places(index)[access.path[0]], 0, field.name), types.u64(), field.type);
    default: return kNoValue;
  }
}

const std::vector<ParameterPlace>& Body::parameter_places(uint32_t record) const { return module.program.parameter_places.at(record); }

// Eight bytes of a parameter of the traced function, at its first instruction: there the return address is on top of the stack.
ValueId Body::parameter_word(const ParameterPlace& where, uint32_t word, const std::string& name) {
  need(abi::kArgumentsNeed);
  if (where.kind == ParameterPlace::Register) return b.ctx_load(kArgRegisters[where.first + word], kI64, name);
  ValueId address = b.add_imm(register_at(kStackRegister, "sp"), 8 + where.first + 8 * word, "addr");
  Memory value = temp(8, 8, name);
  read(value, address, AddrSpace::User, 8);
  return b.load(value.pointer, value.offset, kI64, name);
}

void Body::store_parameter(uint32_t record, uint32_t index, Memory to) {
  const Field field = types.record(record).fields[index];
  const ParameterPlace& where = parameter_places(record)[index];
  if (is_register_sized(types, field.type)) return store_scalar(convert(parameter_word(where, 0, field.name), types.u64(), field.type), field.type, to);
  // A structure in registers may end inside the last one.
  Memory words = temp(8 * where.count, 8, field.name);
  for (uint32_t i = 0; i < where.count; ++i) b.store(words.pointer, words.offset + 8 * i, parameter_word(where, i, field.name));
  b.mem_copy(pointer_to(to), pointer_to(words), std::min(types.size_of(field.type), 8 * where.count));
}

// What the target's function must take or give for the program to read it: runtime-stub/src/signature.h knows the words.
std::string Body::shape(TypeId id) const {
  const Type& type = types[id];
  if (type.kind == TypeKind::Struct) return "s" + std::to_string(types.size_of(id));
  if (type.kind != TypeKind::Pointer) return "i" + std::to_string(types.size_of(id));
  const Type& to = types[type.elem];
  return to.kind == TypeKind::Struct && !types.record(to.record).anonymous ? "*" + types.record(to.record).name : "*";
}

// The loader looks up on the target where the argument (or, behind them all, the result) lies.
void Body::note_argument(uint32_t index, const std::string& name, TypeId type) {
  std::vector<std::string>& args = module.module().programs[static_cast<size_t>(b.fn().program)].func_args;
  bool any_number = name == "$retval" && probe->attach->parsed.wildcard && types[type].kind == TypeKind::Int;
  std::string text = std::to_string(index) + ":" + name + ":" + (any_number ? "i" : shape(type));
  for (const std::string& other : args) {
    if (other == text) return;
  }
  args.push_back(std::move(text));
}

}  // namespace btc::lower
