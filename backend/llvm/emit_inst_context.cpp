// Ops on the program's context.
//
// The kernel verifier accepts a load from the context only as `*(ctx + constant)`
// in one instruction, and LLVM likes to compute `ctx + constant` first when it
// can merge two loads. Two defences: plain loads use LLVM's own intrinsic for this
// (llvm.bpf.getelementptr.and.load), loads that also relocate get an opaque copy
// of their *result*, so that nothing merges them. Addresses of fields are made
// from an opaque copy of the context pointer and are only ever passed to helpers.
// verify_context.cpp checks the finished code all the same.
#include <llvm/IR/IntrinsicsBPF.h>

#include "backend/llvm/function_emitter.h"
#include "runtime-stub/abi/abi.h"

#include <llvm/IR/InlineAsm.h>

namespace btc::backend {

llvm::Value* FunctionEmitter::context_load(llvm::Value* context, uint64_t offset, llvm::Type* type) {
  unsigned bytes = type->isPointerTy() ? 8 : type->getIntegerBitWidth() / 8;
  uint8_t log_align = bytes == 8 ? 3 : bytes == 4 ? 2 : bytes == 2 ? 1 : 0;
  llvm::CallInst* call = b.CreateIntrinsic(
      type, llvm::Intrinsic::bpf_getelementptr_and_load,
      {context, b.getFalse(), b.getInt8(0), b.getInt8(1), b.getInt8(log_align), b.getTrue(), b.getInt64(offset)});
  call->addParamAttr(0, llvm::Attribute::get(llvm->getContext(), llvm::Attribute::ElementType, b.getInt8Ty()));
  call->addParamAttr(0, llvm::Attribute::ReadOnly);
  call->setOnlyReadsMemory();
  call->setOnlyAccessesArgMemory();
  return call;
}

void emit_Ctx(FunctionEmitter& f, const ir::Inst& inst) {
  if (f.context() == nullptr) return f.fail(inst, "no context here");
  f.set_result(inst, f.context());
}

// Members of an iterator's context are typed pointers for the verifier, and may be null: it forbids to add to them before
// a test. As a number, which is what an integer result asks for, they are read the long way.
static bool is_typed_context(const FunctionEmitter& f) {
  return f.bir.program >= 0 && f.module.bir.programs[static_cast<size_t>(f.bir.program)].probe == abi::ProbeKind::Iter;
}

void emit_CtxLoad(FunctionEmitter& f, const ir::Inst& inst) {
  if (f.context() == nullptr) return f.fail(inst, "no context here");
  llvm::Type* type = f.result_type(inst);
  if (type->isIntegerTy(64) && is_typed_context(f)) {
    llvm::AllocaInst* number = f.word_on_stack();
    f.helper("probe_read_kernel", f.b.getInt64Ty(),
             {number, f.b.getInt64(8), f.byte_offset(f.opaque(f.context()), inst.operands[0].number)});
    return f.set_result(inst, f.b.CreateLoad(type, number));
  }
  f.set_result(inst, f.context_load(f.context(), inst.operands[0].number, f.result_type(inst)));
}

static bool can_access(FunctionEmitter& f, const ir::Inst& inst) {
  std::string problem = f.context() == nullptr ? "no context here" : f.module.core.check(inst.operands[0].chain);
  if (!problem.empty()) f.fail(inst, problem);
  return problem.empty();
}

// The scalar as the record has it, zero-extended.
static llvm::Value* load_field(FunctionEmitter& f, const ir::Chain& chain) {
  unsigned bits = f.module.core.scalar_bytes(chain) * 8;
  llvm::Type* type = f.b.getIntNTy(bits);
  llvm::Value* address = f.module.core.address(f.b, f.context(), chain);
  llvm::Value* loaded = f.b.CreateAlignedLoad(type, address, llvm::Align(bits / 8));
  return f.opaque(f.b.CreateZExt(loaded, f.b.getInt64Ty()));
}

// Sign extension by two shifts whose amounts relocate: they are patched together with the load's width.
void emit_RecordLoad(FunctionEmitter& f, const ir::Inst& inst) {
  if (!can_access(f, inst)) return;
  const ir::Chain& chain = inst.operands[0].chain;
  llvm::Value* value = load_field(f, chain);
  if (inst.operands[1].number != 0) {
    value = f.b.CreateShl(value, f.module.core.field_info(f.b, chain, FieldInfo::LshiftU64));
    value = f.b.CreateAShr(value, f.module.core.field_info(f.b, chain, FieldInfo::RshiftU64));
    value = f.opaque(value);  // else LLVM merges the shifts of two loads and moves their amounts away
  }
  f.set_result(inst, value);
}

void emit_RecordAddr(FunctionEmitter& f, const ir::Inst& inst) {
  if (!can_access(f, inst)) return;
  f.set_result(inst, f.module.core.address(f.b, f.opaque(f.context()), inst.operands[0].chain));
}

// A __data_loc holds (length << 16 | offset in the record); a __rel_loc's offset counts from the end of itself.
void emit_RecordDataLoc(FunctionEmitter& f, const ir::Inst& inst) {
  if (!can_access(f, inst)) return;
  const ir::Chain& chain = inst.operands[0].chain;
  llvm::Value* offset = f.b.CreateAnd(load_field(f, chain), 0xffff);
  llvm::Value* base = f.opaque(f.context());
  if (inst.operands[1].number != 0) base = f.byte_offset(f.module.core.address(f.b, base, chain), 4);
  f.set_result(inst, f.b.CreateGEP(f.b.getInt8Ty(), base, offset));
}

void emit_RecordDataLen(FunctionEmitter& f, const ir::Inst& inst) {
  if (!can_access(f, inst)) return;
  f.set_result(inst, f.b.CreateLShr(load_field(f, inst.operands[0].chain), 16));
}

void emit_FactLoad(FunctionEmitter& f, const ir::Inst& inst) {
  uint32_t fact = static_cast<uint32_t>(inst.operands[0].number);
  uint32_t size = f.module.bir.facts[fact].size;
  llvm::Value* address = f.byte_offset(f.module.globals.facts(), f.module.bir.fact_offset(fact));
  llvm::Type* type = f.b.getIntNTy((size == 1 || size == 2 || size == 4 ? size : 8) * 8);
  // Volatile: what is constant LLVM would load once and keep, in registers that many facts do not have.
  llvm::Value* loaded = f.b.CreateAlignedLoad(type, address, llvm::Align(type->getIntegerBitWidth() / 8), /*isVolatile=*/true);
  f.set_result(inst, f.result_type(inst)->isIntegerTy(1) ? f.b.CreateIsNotNull(loaded) : loaded);
}

void emit_FactAddr(FunctionEmitter& f, const ir::Inst& inst) {
  uint32_t fact = static_cast<uint32_t>(inst.operands[0].number);
  f.set_result(inst, f.byte_offset(f.opaque_once(f.module.globals.facts()), f.module.bir.fact_offset(fact)));
}

void emit_CopyConst(FunctionEmitter& f, const ir::Inst& inst) {
  uint64_t marked = abi::kCopyConstMagic | inst.operands[0].number;
  llvm::FunctionType* type = llvm::FunctionType::get(f.b.getInt64Ty(), false);
  // Where the choice between two ways is made LLVM is not to keep it in a register for the next place: that would outlive calls.
  bool is_choice = inst.operands[0].number == abi::kCopyTypedReads;
  llvm::InlineAsm* code = llvm::InlineAsm::get(type, fmt::format("$0 = {} ll", marked), "=r", /*hasSideEffects=*/is_choice);
  llvm::CallInst* call = f.b.CreateCall(type, code, {});
  if (!is_choice) call->setDoesNotAccessMemory();
  f.set_result(inst, call);
}

}  // namespace btc::backend
