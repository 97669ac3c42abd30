// Stacks and symbols: kstack() ustack() ksym() usym() and addresses of symbols.
#include <algorithm>

#include "lower/build/calls.h"
#include "runtime-stub/abi/unwind.h"

namespace btc::lower {

namespace {

std::string name_of(const ast::Call& call) {
  const auto* string = ast::dyn<ast::String>(call.args.empty() ? nullptr : call.args[0]);
  return string ? string->value : "";
}

// How many frames are wanted: `room`, or a parameter's fewer.
ValueId frame_limit(Body& body, const ast::Call& call, int64_t room) {
  if (call.args.empty()) return body.b.constant(room);
  ValueId wanted = body.param_within(call.args.back(), limit_line('L', 0, DiagKind::StackLimit, call.name), call.range);
  return body.b.at_most(wanted, room);
}

// `at`: where the number of frames goes; the frames follow.
void read_stack(Body& body, const ast::Call& call, Memory at, bool user) {
  ir::Builder& b = body.b;
  const Type type = body.types[call.type];
  bool build_ids = type.mode == StackMode::BuildId;
  int64_t frame = build_ids ? 32 : 8;
  Memory frames = at.at(8);
  if (!body.keep_tail) body.zero(frames, static_cast<uint32_t>(frame * type.p0));
  ValueId bytes = b.binary(Op::Mul, frame_limit(body, call, type.p0), b.constant(frame), "most");
  ValueId got = b.emit(Op::StackRead, {ir::Builder::val(body.pointer_to(frames)), ir::Builder::val(bytes), ir::Builder::imm(user ? 1 : 0), ir::Builder::imm(build_ids ? 1 : 0)}, kI64, "bytes");
  ValueId failed = b.binary(Op::LtS, got, b.constant(0), "failed");
  b.store(at.pointer, at.offset, b.binary(Op::ShrU, b.select(failed, b.constant(0), got, "bytes"), b.constant(build_ids ? 5 : 3), "frames"));
  body.b.if_then(failed, "no_stack", [&] { body.report(user ? abi::RuntimeErrorKind::UstackFailed : abi::RuntimeErrorKind::KstackFailed, "get_stack", got); });
}

}  // namespace

ValueId lower_call_Kstack(Body& body, const ast::Call& call, const CallTarget& target) {
  read_stack(body, call, target.to, false);
  return kNoValue;
}

// i32 pid, i32 probe, then as kstack.
ValueId lower_call_Ustack(Body& body, const ast::Call& call, const CallTarget& target) {
  TypeId i32 = body.types.int_type(4, true);
  body.store_scalar(body.pid_or_tid(false, false), i32, target.to);
  body.store_scalar(body.probe_index(), i32, target.to.at(4));
  read_stack(body, call, target.to.at(8), true);
  return kNoValue;
}

// As ustack(), by tables that the runtime makes of the process's .eh_frame.
ValueId lower_call_DwUstack(Body& body, const ast::Call& call, const CallTarget& target) {
  TypeId i32 = body.types.int_type(4, true);
  ir::Builder& b = body.b;
  body.need("helper:task_pt_regs");
  body.need("helper:loop");
  body.need(abi::kUnwindNeed);
  const Type type = body.types[call.type];
  ValueId pid = body.pid_or_tid(false, false);
  body.store_scalar(pid, i32, target.to);
  body.store_scalar(body.probe_index(), i32, target.to.at(4));
  Memory frames = target.to.at(16);
  body.zero(frames, static_cast<uint32_t>(8 * type.p0));
  ValueId got = b.bpf("btc_unwind", {body.pointer_to(frames), frame_limit(body, call, std::min<int64_t>(type.p0, kUnwindMostFrames)), pid}, "bytes");
  ValueId failed = b.binary(Op::LtS, got, b.constant(0), "failed");
  b.store(target.to.pointer, target.to.at(8).offset, b.binary(Op::ShrU, b.select(failed, b.constant(0), got, "bytes"), b.constant(3), "frames"));
  b.if_then(failed, "no_stack", [&] { body.report(abi::RuntimeErrorKind::NoUnwindData, "", got); });
  return kNoValue;
}

ValueId lower_call_Ksym(Body& body, const ast::Call& call, const CallTarget&) { return body.scalar(call.args[0]); }

ValueId lower_call_Usym(Body& body, const ast::Call& call, const CallTarget& target) {
  TypeId i32 = body.types.int_type(4, true);
  body.store_scalar(body.scalar(call.args[0]), body.types.u64(), target.to);
  body.store_scalar(body.pid_or_tid(false, false), i32, target.to.at(8));
  body.store_scalar(body.probe_index(), i32, target.to.at(12));
  return kNoValue;
}

ValueId lower_call_Kaddr(Body& body, const ast::Call& call, const CallTarget&) {
  return body.named_fact(abi::FactKind::KernelSymbol, "kaddr_", 8, call.args[0], call.range);
}

// Wherever the file is mapped, the way from the probe's own instruction to the symbol is as long as in the file.
ValueId lower_call_Uaddr(Body& body, const ast::Call& call, const CallTarget&) {
  uint32_t symbol = body.module.string_index(name_of(call));
  ValueId distance = body.b.emit(Op::CopyConst, {ir::Builder::imm(abi::kCopySymbol + symbol)}, kI64, "distance");
  return body.b.binary(Op::Add, body.function_ip(), distance, "uaddr");
}

ValueId lower_call_PercpuKaddr(Body& body, const ast::Call& call, const CallTarget&) {
  ir::Builder& b = body.b;
  Memory result = body.temp(8, 8, "addr");
  b.store(result.pointer, result.offset, b.constant(0));
  ValueId symbol = b.emit(Op::KsymAddr, {ir::Builder::word(name_of(call)), ir::Builder::imm(call.variant)}, ir::ptr_type(PtrSpace::Btf, true), name_of(call));
  ValueId cpu = call.args.size() > 1 ? body.scalar(call.args[1]) : kNoValue;
  // A kernel without the variable has a null here.
  body.b.if_then(symbol, "known", [&] {
    ValueId addr = cpu != kNoValue ? b.helper("per_cpu_ptr", {symbol, cpu}, "addr") : b.helper("this_cpu_ptr", {symbol}, "addr");
    b.store(result.pointer, result.offset, addr);
  });
  return b.load(result.pointer, result.offset, kI64, "addr");
}

ValueId lower_call_Reg(Body& body, const ast::Call& call, const CallTarget&) {
  std::string name = name_of(call);
  return body.register_at(call.variant, name.c_str());
}

}  // namespace btc::lower
