// Ops that the loader relocates to the target kernel's types.
#include "backend/llvm/function_emitter.h"

namespace btc::backend {

static bool can_relocate(FunctionEmitter& f, const ir::Inst& inst, const ir::Chain& chain) {
  std::string problem = f.module.core.check(chain);
  if (!problem.empty()) f.fail(inst, problem);
  return problem.empty();
}

static bool can_relocate_type(FunctionEmitter& f, const ir::Inst& inst) {
  std::string problem = f.module.core.check_type(static_cast<uint32_t>(inst.operands[0].number));
  if (!problem.empty()) f.fail(inst, problem);
  return problem.empty();
}

void emit_CoreAddr(FunctionEmitter& f, const ir::Inst& inst) {
  const ir::Chain& chain = inst.operands[1].chain;
  if (chain.path.empty()) return f.set_result(inst, f.value(inst.operands[0]));
  if (!can_relocate(f, inst, chain)) return;
  f.set_result(inst, f.module.core.address(f.b, f.value(inst.operands[0], f.b.getPtrTy()), chain));
}

void emit_CoreLoad(FunctionEmitter& f, const ir::Inst& inst) {
  const ir::Chain& chain = inst.operands[1].chain;
  if (!can_relocate(f, inst, chain)) return;
  llvm::Value* address = f.module.core.address(f.b, f.value(inst.operands[0], f.b.getPtrTy()), chain);
  unsigned bytes = f.module.core.scalar_bytes(chain);
  llvm::Type* type = f.result_type(inst)->isPointerTy() ? f.b.getPtrTy()
                                                        : static_cast<llvm::Type*>(f.b.getIntNTy(bytes * 8));
  f.set_result(inst, f.b.CreateAlignedLoad(type, address, llvm::Align(bytes)));
}

// Bits above or below a number, in 64. libbpf tells them of members only; an element of an array fills its bytes, and those it tells.
static llvm::Value* shift(FunctionEmitter& f, const ir::Chain& chain, FieldInfo kind) {
  const std::vector<ir::CoreType>& types = f.module.bir.core_types;
  uint32_t at = chain.type;
  bool is_element = false;
  for (uint32_t step : chain.path) {
    is_element = types[at].kind == ir::CoreType::Array;
    at = is_element ? types[at].elem : types[at].members[step].type;
  }
  if (!is_element) return f.module.core.field_info(f.b, chain, kind);
  llvm::Value* bits = f.b.CreateShl(f.module.core.field_info(f.b, chain, FieldInfo::ByteSize), f.b.getInt64(3));
  return f.b.CreateSub(f.b.getInt64(64), bits);
}

// Reads as many bytes as the target's field has, then moves the field's bits to the bottom:
//   u64 v = 0; probe_read(&v, BYTE_SIZE, base + BYTE_OFFSET); v <<= LSHIFT; v >>= RSHIFT
void emit_CoreBitfield(FunctionEmitter& f, const ir::Inst& inst) {
  const ir::Chain& chain = inst.operands[1].chain;
  if (!can_relocate(f, inst, chain)) return;
  CoreTypes& core = f.module.core;
  bool user = f.bir_type(inst.operands[0]).space == ir::PtrSpace::User;
  llvm::AllocaInst* bytes = f.word_on_stack();
  f.b.CreateStore(f.b.getInt64(0), bytes);
  llvm::Value* base = f.value(inst.operands[0], f.b.getPtrTy());
  llvm::Value* from = f.b.CreateGEP(f.b.getInt8Ty(), base, core.field_info(f.b, chain, FieldInfo::ByteOffset));
  f.helper(user ? "probe_read_user" : "probe_read_kernel", f.b.getInt64Ty(),
           {bytes, core.field_info(f.b, chain, FieldInfo::ByteSize), from});
  llvm::Value* value = f.b.CreateLoad(f.b.getInt64Ty(), bytes);
  value = f.b.CreateShl(value, shift(f, chain, FieldInfo::LshiftU64));
  llvm::Value* right = shift(f, chain, FieldInfo::RshiftU64);
  f.set_result(inst, inst.operands[2].number != 0 ? f.b.CreateAShr(value, right) : f.b.CreateLShr(value, right));
}

void emit_CoreShift(FunctionEmitter& f, const ir::Inst& inst) {
  const ir::Chain& chain = inst.operands[0].chain;
  if (can_relocate(f, inst, chain)) f.set_result(inst, shift(f, chain, FieldInfo::RshiftU64));
}

void emit_CoreOffset(FunctionEmitter& f, const ir::Inst& inst) {
  const ir::Chain& chain = inst.operands[0].chain;
  if (can_relocate(f, inst, chain)) f.set_result(inst, f.module.core.field_info(f.b, chain, FieldInfo::ByteOffset));
}

void emit_CoreFieldExists(FunctionEmitter& f, const ir::Inst& inst) {
  const ir::Chain& chain = inst.operands[0].chain;
  if (!can_relocate(f, inst, chain)) return;
  f.set_result(inst, f.b.CreateIsNotNull(f.module.core.field_info(f.b, chain, FieldInfo::Exists)));
}

void emit_CoreSize(FunctionEmitter& f, const ir::Inst& inst) {
  if (!can_relocate_type(f, inst)) return;
  f.set_result(inst, f.module.core.type_info(f.b, static_cast<uint32_t>(inst.operands[0].number), TypeInfo::Size));
}

void emit_CoreTypeExists(FunctionEmitter& f, const ir::Inst& inst) {
  if (!can_relocate_type(f, inst)) return;
  uint32_t type = static_cast<uint32_t>(inst.operands[0].number);
  f.set_result(inst, f.b.CreateIsNotNull(f.module.core.type_info(f.b, type, TypeInfo::Exists)));
}

void emit_CoreTypeId(FunctionEmitter& f, const ir::Inst& inst) {
  if (!can_relocate_type(f, inst)) return;
  f.set_result(inst, f.module.core.type_id(f.b, static_cast<uint32_t>(inst.operands[0].number)));
}

void emit_CoreEnum(FunctionEmitter& f, const ir::Inst& inst) {
  if (!can_relocate_type(f, inst)) return;
  uint32_t type = static_cast<uint32_t>(inst.operands[0].number);
  f.set_result(inst, f.module.core.enum_value(f.b, type, inst.operands[1].text,
                                              static_cast<int64_t>(inst.operands[2].number)));
}

void emit_KsymAddr(FunctionEmitter& f, const ir::Inst& inst) {
  f.set_result(inst, f.module.globals.kernel_variable(inst.operands[0].text, inst.operands[1].number));
}

}  // namespace btc::backend
