// Helpers by name, kernel functions, and what the machine says about itself.
#include <algorithm>
#include <array>

#include "backend/llvm/function_emitter.h"

namespace btc::backend {

struct HelperRow { std::string_view name; uint32_t id; };
static constexpr HelperRow kHelpers[] = {
#define BTC_HELPER(Name, Id) {#Name, Id},
#include "backend/llvm/helpers.def"
#undef BTC_HELPER
};

uint32_t helper_id(std::string_view name) {
  for (const HelperRow& row : kHelpers) {
    if (row.name == name) return row.id;
  }
  return 0;
}

// Builtins that are one helper call. Those that need facts or structs (pid in a namespace, elapsed ...) are lowered.
struct BuiltinRow { std::string_view name; std::string_view helper; uint32_t shift; uint32_t bits; };
static constexpr BuiltinRow kBuiltins[] = {
    {"tid", "get_current_pid_tgid", 0, 32},     {"pid", "get_current_pid_tgid", 32, 32},
    {"pid_tgid", "get_current_pid_tgid", 0, 64}, {"uid", "get_current_uid_gid", 0, 32},
    {"gid", "get_current_uid_gid", 32, 32},     {"uid_gid", "get_current_uid_gid", 0, 64},
    {"cpu", "get_smp_processor_id", 0, 32},     {"nsecs", "ktime_get_ns", 0, 64},
    {"cgroup", "get_current_cgroup_id", 0, 64}, {"rand", "get_prandom_u32", 0, 32},
    {"numaid", "get_numa_node_id", 0, 32},      {"jiffies", "jiffies64", 0, 64},
    {"curtask", "get_current_task", 0, 64},
};

void emit_Builtin(FunctionEmitter& f, const ir::Inst& inst) {
  const std::string& name = inst.operands[0].text;
  const BuiltinRow* row = std::find_if(std::begin(kBuiltins), std::end(kBuiltins),
                                       [&](const BuiltinRow& candidate) { return candidate.name == name; });
  if (row == std::end(kBuiltins)) return f.fail(inst, "no code for builtin " + name);
  llvm::Value* value = f.helper(helper_id(row->helper), f.b.getInt64Ty(), {});
  if (row->shift != 0) value = f.b.CreateLShr(value, row->shift);
  if (row->bits == 32) value = f.b.CreateTrunc(value, f.b.getInt32Ty());
  f.set_result(inst, value);
}

void emit_BuiltinMem(FunctionEmitter& f, const ir::Inst& inst) {
  const std::string& name = inst.operands[0].text;
  if (name != "comm") return f.fail(inst, "no code for builtin " + name);
  // Linux 6.1 copies the name without clearing what follows it; as a map key the rest must be the same every time.
  f.b.CreateMemSet(f.value(inst.operands[1]), f.b.getInt8(0), 16, llvm::MaybeAlign());
  f.helper("get_current_comm", f.b.getInt64Ty(), {f.value(inst.operands[1]), f.b.getInt64(16)});
}

static std::vector<llvm::Value*> call_arguments(FunctionEmitter& f, const ir::Inst& inst) {
  std::vector<llvm::Value*> args;
  for (size_t i = 1; i < inst.operands.size(); ++i) args.push_back(f.value(inst.operands[i]));
  return args;
}

void emit_Helper(FunctionEmitter& f, const ir::Inst& inst) {
  uint32_t id = helper_id(inst.operands[0].text);
  if (id == 0) return f.fail(inst, "unknown BPF helper " + inst.operands[0].text);
  if (inst.operands.size() > 6) return f.fail(inst, "a BPF helper has at most five arguments");
  llvm::Type* type = inst.result == ir::kNoValue ? f.b.getInt64Ty() : f.result_type(inst);
  llvm::Type* registers = type->isPointerTy() ? type : f.b.getInt64Ty();
  f.set_result(inst, f.helper(id, registers, call_arguments(f, inst)));
}

void emit_Kfunc(FunctionEmitter& f, const ir::Inst& inst) {
  llvm::Type* type = inst.result == ir::kNoValue ? f.b.getVoidTy() : f.result_type(inst);
  std::vector<llvm::Value*> args = call_arguments(f, inst);
  llvm::Function* callee = f.module.kernel_function(inst.operands[0].text, args, type);
  if (callee->arg_size() != args.size()) return f.fail(inst, inst.operands[0].text + " is called in two ways");
  for (unsigned i = 0; i < args.size(); ++i) args[i] = f.convert(args[i], callee->getArg(i)->getType());
  llvm::CallInst* call = f.b.CreateCall(callee, args);
  if (!call->getType()->isVoidTy()) f.set_result(inst, call);
}

void emit_BpfCall(FunctionEmitter& f, const ir::Inst& inst) {
  llvm::Function* callee = f.module.library_function(inst.operands[0].text);
  if (callee == nullptr) return f.fail(inst, "no function " + inst.operands[0].text + " in the BPF library");
  std::vector<llvm::Value*> args = call_arguments(f, inst);
  if (callee->arg_size() != args.size()) {
    return f.fail(inst, fmt::format("{} takes {} arguments, not {}", inst.operands[0].text, callee->arg_size(), args.size()));
  }
  for (unsigned i = 0; i < args.size(); ++i) args[i] = f.convert(args[i], callee->getArg(i)->getType());
  llvm::CallInst* call = f.b.CreateCall(callee, args);
  if (!call->getType()->isVoidTy()) f.set_result(inst, call);
}

void emit_ForeignCall(FunctionEmitter& f, const ir::Inst& inst) {
  const std::string& name = inst.operands[0].text;
  llvm::Function* callee = f.module.foreign.function(name, f.module.debug);
  if (callee == nullptr) return f.fail(inst, "no function " + name + " in the imported units");
  std::vector<llvm::Value*> args = call_arguments(f, inst);
  if (callee->arg_size() != args.size()) return f.fail(inst, fmt::format("{} takes {} arguments, not {}", name, callee->arg_size(), args.size()));
  for (unsigned i = 0; i < args.size(); ++i) args[i] = f.convert(args[i], callee->getArg(i)->getType());
  llvm::CallInst* call = f.b.CreateCall(callee, args);
  // How small integers are extended is the callee's to say.
  for (unsigned i = 0; i < args.size(); ++i)
    for (llvm::Attribute attribute : callee->getAttributes().getParamAttrs(i)) call->addParamAttr(i, attribute);
  if (inst.result == ir::kNoValue) return;
  f.set_result(inst, call->getType()->isVoidTy() ? static_cast<llvm::Value*>(f.b.getInt64(0)) : call);
}

void emit_StackRead(FunctionEmitter& f, const ir::Inst& inst) {
  enum : uint64_t { kUserStack = 1u << 8, kUserBuildId = 1u << 11 };  // BPF_F_* of linux/bpf.h
  uint64_t flags = (inst.operands[2].number != 0 ? kUserStack : 0) | (inst.operands[3].number != 0 ? kUserBuildId : 0);
  if (f.context() == nullptr) return f.fail(inst, "no context to read a stack from");
  f.set_result(inst, f.helper("get_stack", f.b.getInt64Ty(),
                              {f.context(), f.value(inst.operands[0]), f.value(inst.operands[1]),
                               f.b.getInt64(flags)}));
}

}  // namespace btc::backend
