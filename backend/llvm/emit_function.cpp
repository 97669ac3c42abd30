// One function: blocks, slots, operands, and the pieces that ops share.
#include "backend/llvm/function_emitter.h"

#include <algorithm>
#include <numeric>

#include <llvm/IR/InlineAsm.h>

namespace btc::backend {

static const EmitOp kEmitOps[] = {
#define BTC_OP(Enum, ...) emit_##Enum,
#include "lower/ir/ops.def"
#undef BTC_OP
};

FunctionEmitter::FunctionEmitter(ModuleEmitter& module, uint32_t function)
    : module(module), bir(module.bir.functions[function]), llvm(module.functions[function]), b(llvm->getContext()),
      values_(bir.values.size()), definitions_(bir.values.size()), function_index_(function) {
  for (size_t i = 0; i < bir.params.size(); ++i) values_[bir.params[i]] = llvm->getArg(static_cast<unsigned>(i));
  for (const ir::Block& block : bir.blocks) {
    for (const ir::Inst& inst : block.insts) {
      if (inst.result != ir::kNoValue) definitions_[inst.result] = &inst;
    }
  }
  find_scratch_slots();
}

void FunctionEmitter::fail(const ir::Inst& inst, const std::string& message) {
  module.fail(inst.loc.valid() ? inst.loc : bir.loc, message);
  // The function is thrown away, but what follows still needs a value.
  if (inst.result != ir::kNoValue && values_[inst.result] == nullptr) {
    values_[inst.result] = llvm::UndefValue::get(result_type(inst));
  }
}

// Definitions before uses: reverse post-order of the control-flow graph. Unreachable blocks are left out.
std::vector<uint32_t> FunctionEmitter::block_order() const {
  std::vector<uint32_t> order;
  std::vector<uint8_t> seen(bir.blocks.size());
  std::vector<std::pair<uint32_t, bool>> stack{{0, false}};
  while (!stack.empty()) {
    auto [index, done] = stack.back();
    stack.pop_back();
    if (done) { order.push_back(index); continue; }
    if (seen[index]) continue;
    seen[index] = 1;
    stack.push_back({index, true});
    if (bir.blocks[index].insts.empty()) continue;
    for (const ir::Operand& operand : bir.blocks[index].insts.back().operands) {
      if (operand.kind == ir::Operand::Block && !seen[operand.number]) {
        stack.push_back({static_cast<uint32_t>(operand.number), false});
      }
    }
  }
  std::reverse(order.begin(), order.end());
  return order;
}

void FunctionEmitter::create_blocks() {
  entry_ = llvm::BasicBlock::Create(llvm->getContext(), "entry", llvm);
  for (const ir::Block& block : bir.blocks) {
    blocks_.push_back(llvm::BasicBlock::Create(llvm->getContext(), block.name, llvm));
  }
}

// At least what the slot asks for; eight bytes for all that have them, so that copies and comparisons go by words.
static uint32_t slot_align(const ir::Slot& slot) {
  uint32_t by_size = slot.size >= 8 ? 8 : slot.size >= 4 ? 4 : 1;
  return std::max(by_size, slot.align);
}

// What place-slots put on the stack is not to be taken apart: LLVM would keep the parts of a record in registers and spill those to the
// stack, a byte of a packed one in eight.
constexpr uint32_t kSplitBytes = 32;

static void keep_in_memory(llvm::IRBuilder<>& b, llvm::AllocaInst* bytes) {
  llvm::FunctionType* type = llvm::FunctionType::get(b.getVoidTy(), {bytes->getType()}, false);
  b.CreateCall(type, llvm::InlineAsm::get(type, "", "r", /*hasSideEffects=*/true), {bytes});
}

// Slots live on the stack; those that place-slots moved lie in the program's level of btc_scratch.
void FunctionEmitter::emit_entry() {
  b.SetInsertPoint(entry_);
  b.SetCurrentDebugLocation(module.debug.location(bir.loc, llvm->getSubprogram()));
  slots_.resize(bir.slots.size());
  for (size_t i = 0; i < bir.slots.size(); ++i) {
    const ir::Slot& slot = bir.slots[i];
    if (slot.place == ir::Slot::Scratch || slot.size == 0) continue;
    llvm::AllocaInst* bytes = stack_bytes(slot.size, slot.name.c_str());
    bytes->setAlignment(llvm::Align(slot_align(slot)));
    slots_[i] = bytes;
    if (slot.place == ir::Slot::Stack && slot.size > kSplitBytes) keep_in_memory(b, bytes);
  }
  unwrap_parameters();
  b.CreateBr(blocks_.empty() ? entry_ : blocks_[0]);
}

llvm::Value* FunctionEmitter::slot_address(uint32_t index) {
  const ir::Slot& slot = bir.slots[index];
  if (slot.place == ir::Slot::Scratch && scratch_ != nullptr) return byte_offset(scratch_, slot.scratch_offset);
  if (slots_[index] == nullptr) slots_[index] = stack_bytes(8, slot.name.c_str());
  return slots_[index];
}

void FunctionEmitter::emit() {
  create_blocks();
  emit_entry();
  for (uint32_t index : block_order()) {
    b.SetInsertPoint(blocks_[index]);
    for (const ir::Inst& inst : bir.blocks[index].insts) {
      b.SetCurrentDebugLocation(module.debug.location(inst.loc, llvm->getSubprogram()));
      kEmitOps[static_cast<size_t>(inst.op)](*this, inst);
    }
  }
  for (llvm::BasicBlock* block : blocks_) {
    if (block->getTerminator() != nullptr) continue;
    b.SetInsertPoint(block);
    b.CreateUnreachable();  // not reached from the entry; LLVM drops it
  }
}

llvm::Type* FunctionEmitter::type_of(ir::ValueType type) {
  switch (type.kind) {
    case ir::ScalarKind::None: return b.getVoidTy();
    case ir::ScalarKind::Ptr: return b.getPtrTy();
    case ir::ScalarKind::I1: return b.getInt1Ty();
    default: return b.getIntNTy(ir::bytes_of(type) * 8);
  }
}

llvm::Value* FunctionEmitter::convert(llvm::Value* value, llvm::Type* type) {
  llvm::Type* from = value->getType();
  if (from == type) return value;
  if (from->isPointerTy()) return convert(b.CreatePtrToInt(value, b.getInt64Ty()), type);
  if (type->isPointerTy()) return b.CreateIntToPtr(convert(value, b.getInt64Ty()), type);
  return b.CreateZExtOrTrunc(value, type);
}

llvm::Value* FunctionEmitter::value(const ir::Operand& operand) {
  if (operand.kind == ir::Operand::Int) return b.getInt64(operand.number);
  if (operand.kind != ir::Operand::Value) return b.getInt64(0);
  llvm::Value* known = values_[operand.number];
  if (known != nullptr) return known;
  module.fail(bir.loc, "value %" + bir.values[operand.number].name + " is used before it is set");
  return llvm::UndefValue::get(type_of(bir.values[operand.number].type));
}

llvm::Value* FunctionEmitter::value(const ir::Operand& operand, llvm::Type* type) { return convert(value(operand), type); }

void FunctionEmitter::set_result(const ir::Inst& inst, llvm::Value* value) {
  if (inst.result == ir::kNoValue) return;
  value = convert(value, result_type(inst));
  if (llvm::isa<llvm::Instruction>(value) && !value->hasName()) value->setName(bir.values[inst.result].name);
  values_[inst.result] = value;
}

llvm::BasicBlock* FunctionEmitter::block(const ir::Operand& operand) { return blocks_[operand.number]; }

llvm::Value* FunctionEmitter::context() { return llvm->arg_empty() ? nullptr : llvm->getArg(0); }

uint32_t FunctionEmitter::align_or_zero(const ir::Operand& pointer) const {
  if (pointer.kind != ir::Operand::Value) return 0;
  const ir::Inst* inst = definitions_[pointer.number];
  if (inst == nullptr) return 0;
  switch (inst->op) {
    case ir::Op::SlotAddr: {
      const ir::Slot& slot = bir.slots[inst->operands[0].number];
      return slot.place == ir::Slot::Scratch ? std::gcd(8u, slot.scratch_offset) : slot_align(slot);
    }
    case ir::Op::EventReserve:
    case ir::Op::MapLookup:
    case ir::Op::MapLookupPercpu:
    case ir::Op::RodataAddr: return 8;
    case ir::Op::FactAddr: return std::gcd(8u, module.bir.fact_offset(static_cast<uint32_t>(inst->operands[0].number)));
    case ir::Op::PtrAdd: {
      const ir::Operand& amount = inst->operands[1];
      const ir::Inst* by = amount.kind == ir::Operand::Value ? definitions_[amount.number] : nullptr;
      if (by == nullptr || by->op != ir::Op::Const) return 0;
      uint64_t offset = by->operands[0].number;
      uint32_t base = align_or_zero(inst->operands[0]);
      return base == 0 ? 0 : static_cast<uint32_t>(std::gcd<uint64_t, uint64_t>(base, offset));
    }
    default: return 0;
  }
}

llvm::Value* FunctionEmitter::byte_offset(llvm::Value* pointer, uint64_t offset) {
  if (offset == 0) return pointer;
  return b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), pointer, offset);
}

// A helper is called through its number as an address. Integers go as whole registers.
llvm::CallInst* FunctionEmitter::helper(uint32_t id, llvm::Type* result, const std::vector<llvm::Value*>& args) {
  std::vector<llvm::Value*> registers;
  std::vector<llvm::Type*> types;
  for (llvm::Value* arg : args) {
    registers.push_back(arg->getType()->isPointerTy() ? arg : b.CreateZExtOrTrunc(arg, b.getInt64Ty()));
    types.push_back(registers.back()->getType());
  }
  llvm::Value* callee = b.CreateIntToPtr(b.getInt64(id), b.getPtrTy());
  return b.CreateCall(llvm::FunctionType::get(result, types, false), callee, registers);
}

llvm::CallInst* FunctionEmitter::helper(const char* name, llvm::Type* result, const std::vector<llvm::Value*>& args) {
  return helper(helper_id(name), result, args);
}

llvm::AllocaInst* FunctionEmitter::stack_bytes(uint32_t size, const char* name) {
  llvm::IRBuilder<> at(entry_, entry_->begin());
  llvm::AllocaInst* bytes = at.CreateAlloca(llvm::ArrayType::get(b.getInt8Ty(), size), nullptr, name);
  bytes->setAlignment(llvm::Align(8));
  return bytes;
}

llvm::Value* FunctionEmitter::opaque(llvm::Value* value) {
  if (value->getType()->isIntegerTy() && value->getType()->getIntegerBitWidth() < 32) {  // no register holds less
    return b.CreateTrunc(opaque(b.CreateZExt(value, b.getInt32Ty())), value->getType());
  }
  llvm::FunctionType* type = llvm::FunctionType::get(value->getType(), {value->getType()}, false);
  llvm::CallInst* call = b.CreateCall(type, llvm::InlineAsm::get(type, "", "=r,0", /*hasSideEffects=*/false), {value});
  call->setDoesNotAccessMemory();
  return call;
}

llvm::Value* FunctionEmitter::opaque_once(llvm::Value* value) {
  llvm::FunctionType* type = llvm::FunctionType::get(value->getType(), {value->getType(), b.getInt64Ty()}, false);
  llvm::CallInst* call = b.CreateCall(type, llvm::InlineAsm::get(type, "", "=r,0,i", /*hasSideEffects=*/false), {value, b.getInt64(opaque_count_++)});
  call->setDoesNotAccessMemory();
  return call;
}

llvm::BasicBlock* FunctionEmitter::new_block(const char* name) {
  return llvm::BasicBlock::Create(llvm->getContext(), name, llvm);
}

llvm::AllocaInst* FunctionEmitter::word_on_stack() {
  if (word_ == nullptr) word_ = stack_bytes(8, "word");
  return word_;
}

llvm::AllocaInst* FunctionEmitter::cold_memory() {
  if (cold_memory_ == nullptr) cold_memory_ = stack_bytes(sizeof(abi::EventHeader) + sizeof(int32_t), "cold");
  return cold_memory_;
}

llvm::AllocaInst* FunctionEmitter::counter_key() {
  if (counter_key_ == nullptr) {
    counter_key_ = stack_bytes(4, "index");
    counter_key_->setAlignment(llvm::Align(4));
  }
  return counter_key_;
}

}  // namespace btc::backend
