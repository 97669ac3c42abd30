// Ops on values: arithmetic, comparisons, conversions, control.
#include "backend/llvm/function_emitter.h"

#include <llvm/IR/Intrinsics.h>

namespace btc::backend {

void emit_Const(FunctionEmitter& f, const ir::Inst& inst) {
  llvm::Type* type = f.result_type(inst);
  llvm::Value* number = type->isPointerTy() ? f.b.getInt64(inst.operands[0].number)
                                            : llvm::ConstantInt::get(type, inst.operands[0].number);
  f.set_result(inst, number);
}

static void emit_binary(FunctionEmitter& f, const ir::Inst& inst, llvm::Instruction::BinaryOps op) {
  llvm::Type* type = f.result_type(inst);
  f.set_result(inst, f.b.CreateBinOp(op, f.value(inst.operands[0], type), f.value(inst.operands[1], type)));
}

void emit_Opaque(FunctionEmitter& f, const ir::Inst& inst) { f.set_result(inst, f.opaque(f.value(inst.operands[0]))); }
void emit_Add(FunctionEmitter& f, const ir::Inst& inst) { emit_binary(f, inst, llvm::Instruction::Add); }
void emit_Sub(FunctionEmitter& f, const ir::Inst& inst) { emit_binary(f, inst, llvm::Instruction::Sub); }
void emit_Mul(FunctionEmitter& f, const ir::Inst& inst) { emit_binary(f, inst, llvm::Instruction::Mul); }
void emit_And(FunctionEmitter& f, const ir::Inst& inst) { emit_binary(f, inst, llvm::Instruction::And); }
void emit_Or(FunctionEmitter& f, const ir::Inst& inst) { emit_binary(f, inst, llvm::Instruction::Or); }
void emit_Xor(FunctionEmitter& f, const ir::Inst& inst) { emit_binary(f, inst, llvm::Instruction::Xor); }

// The kernel verifier forgets what it knew about a number that is divided. LLVM does not, and would drop the checks that
// the verifier then misses, so the result is hidden from it.
static void emit_division(FunctionEmitter& f, const ir::Inst& inst, llvm::Instruction::BinaryOps op) {
  llvm::Type* type = f.result_type(inst);
  llvm::Value* result = f.b.CreateBinOp(op, f.value(inst.operands[0], type), f.value(inst.operands[1], type));
  f.set_result(inst, llvm::isa<llvm::Constant>(result) ? result : f.opaque(result));
}
void emit_DivU(FunctionEmitter& f, const ir::Inst& inst) { emit_division(f, inst, llvm::Instruction::UDiv); }
void emit_ModU(FunctionEmitter& f, const ir::Inst& inst) { emit_division(f, inst, llvm::Instruction::URem); }

// A shift by more than the width takes the amount modulo the width, as the hardware does; in LLVM it would be poison.
static void emit_shift(FunctionEmitter& f, const ir::Inst& inst, llvm::Instruction::BinaryOps op) {
  llvm::Type* type = f.result_type(inst);
  llvm::Value* amount = f.b.CreateAnd(f.value(inst.operands[1], type), type->getIntegerBitWidth() - 1);
  f.set_result(inst, f.b.CreateBinOp(op, f.value(inst.operands[0], type), amount));
}

void emit_Shl(FunctionEmitter& f, const ir::Inst& inst) { emit_shift(f, inst, llvm::Instruction::Shl); }
void emit_ShrU(FunctionEmitter& f, const ir::Inst& inst) { emit_shift(f, inst, llvm::Instruction::LShr); }
void emit_ShrS(FunctionEmitter& f, const ir::Inst& inst) { emit_shift(f, inst, llvm::Instruction::AShr); }

static void emit_compare(FunctionEmitter& f, const ir::Inst& inst, llvm::CmpInst::Predicate predicate) {
  llvm::Value* left = f.value(inst.operands[0]);
  llvm::Value* right = f.value(inst.operands[1], left->getType());
  f.set_result(inst, f.b.CreateICmp(predicate, left, right));
}

void emit_Eq(FunctionEmitter& f, const ir::Inst& inst) { emit_compare(f, inst, llvm::CmpInst::ICMP_EQ); }
void emit_Ne(FunctionEmitter& f, const ir::Inst& inst) { emit_compare(f, inst, llvm::CmpInst::ICMP_NE); }
void emit_LtS(FunctionEmitter& f, const ir::Inst& inst) { emit_compare(f, inst, llvm::CmpInst::ICMP_SLT); }
void emit_LtU(FunctionEmitter& f, const ir::Inst& inst) { emit_compare(f, inst, llvm::CmpInst::ICMP_ULT); }
void emit_LeS(FunctionEmitter& f, const ir::Inst& inst) { emit_compare(f, inst, llvm::CmpInst::ICMP_SLE); }
void emit_LeU(FunctionEmitter& f, const ir::Inst& inst) { emit_compare(f, inst, llvm::CmpInst::ICMP_ULE); }

void emit_Zext(FunctionEmitter& f, const ir::Inst& inst) { f.set_result(inst, f.value(inst.operands[0])); }
void emit_Trunc(FunctionEmitter& f, const ir::Inst& inst) { f.set_result(inst, f.value(inst.operands[0])); }
void emit_Sext(FunctionEmitter& f, const ir::Inst& inst) {
  f.set_result(inst, f.b.CreateSExtOrTrunc(f.value(inst.operands[0]), f.result_type(inst)));
}

void emit_Select(FunctionEmitter& f, const ir::Inst& inst) {
  llvm::Type* type = f.result_type(inst);
  f.set_result(inst, f.b.CreateSelect(f.value(inst.operands[0], f.b.getInt1Ty()), f.value(inst.operands[1], type),
                                      f.value(inst.operands[2], type)));
}

void emit_Bswap(FunctionEmitter& f, const ir::Inst& inst) {
  llvm::Value* value = f.value(inst.operands[0]);
  bool byte = value->getType()->getIntegerBitWidth() < 16;
  f.set_result(inst, byte ? value : f.b.CreateUnaryIntrinsic(llvm::Intrinsic::bswap, value));
}

void emit_PtrToInt(FunctionEmitter& f, const ir::Inst& inst) { f.set_result(inst, f.value(inst.operands[0])); }
void emit_IntToPtr(FunctionEmitter& f, const ir::Inst& inst) { f.set_result(inst, f.value(inst.operands[0])); }

void emit_Call(FunctionEmitter& f, const ir::Inst& inst) {
  llvm::Function* callee = f.module.functions[inst.operands[0].number];
  std::vector<llvm::Value*> args;
  for (size_t i = 1; i < inst.operands.size() && i <= callee->arg_size(); ++i) {
    args.push_back(f.value(inst.operands[i], callee->getArg(static_cast<unsigned>(i - 1))->getType()));
  }
  if (f.module.uses_scratch[inst.operands[0].number]) args.push_back(f.scratch_or_null());
  if (args.size() != callee->arg_size()) return f.fail(inst, "wrong number of arguments for " + callee->getName().str());
  llvm::CallInst* call = f.b.CreateCall(callee, args);
  if (!call->getType()->isVoidTy()) f.set_result(inst, call);
}

void emit_Br(FunctionEmitter& f, const ir::Inst& inst) { f.b.CreateBr(f.block(inst.operands[0])); }

void emit_BrIf(FunctionEmitter& f, const ir::Inst& inst) {
  llvm::Value* condition = f.value(inst.operands[0]);
  if (!condition->getType()->isIntegerTy(1)) condition = f.b.CreateIsNotNull(condition);
  f.b.CreateCondBr(condition, f.block(inst.operands[1]), f.block(inst.operands[2]));
}

void emit_Ret(FunctionEmitter& f, const ir::Inst& inst) {
  f.b.CreateRet(f.value(inst.operands[0], f.llvm->getReturnType()));
}

void emit_RetVoid(FunctionEmitter& f, const ir::Inst& inst) {
  llvm::Type* type = f.llvm->getReturnType();
  if (type->isVoidTy()) f.b.CreateRetVoid();
  else f.b.CreateRet(llvm::Constant::getNullValue(type));
}

// The kernel verifier walks code that LLVM would end without a return, so even this path returns.
void emit_Unreachable(FunctionEmitter& f, const ir::Inst& inst) { emit_RetVoid(f, inst); }

}  // namespace btc::backend
