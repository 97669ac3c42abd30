// State of emitting one BIR function; every op has one function `emit_<Op>` that gets it.
#pragma once

#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

#include <llvm/IR/IRBuilder.h>

#include "backend/llvm/module_emitter.h"

namespace btc::backend {

class FunctionEmitter {
 public:
  FunctionEmitter(ModuleEmitter& module, uint32_t function);

  void emit();

  // Operands.
  llvm::Value* value(const ir::Operand& operand);                      // as it is
  llvm::Value* value(const ir::Operand& operand, llvm::Type* type);    // zero-extended, truncated or cast to `type`
  llvm::Value* wide(const ir::Operand& operand) { return value(operand, b.getInt64Ty()); }
  llvm::Value* convert(llvm::Value* value, llvm::Type* type);
  llvm::Type* type_of(ir::ValueType type);
  ir::ValueType bir_type(const ir::Operand& operand) const { return bir.type(static_cast<ir::ValueId>(operand.number)); }
  llvm::Type* result_type(const ir::Inst& inst) { return type_of(bir.type(inst.result)); }
  void set_result(const ir::Inst& inst, llvm::Value* value);           // converted to the result's type
  llvm::BasicBlock* block(const ir::Operand& operand);
  llvm::Value* slot_address(uint32_t slot);
  llvm::Value* context();                                              // the program's first parameter
  // A load that stays one instruction at a constant offset of the context.
  llvm::Value* context_load(llvm::Value* context, uint64_t offset, llvm::Type* type);
  // Alignment of what a pointer points to, as far as its definition shows: 0 (or 1) if it does not.
  uint32_t align_or_zero(const ir::Operand& pointer) const;
  uint32_t known_align(const ir::Operand& pointer) const { return std::max(1u, align_or_zero(pointer)); }

  // Pieces that several ops share.
  llvm::Value* byte_offset(llvm::Value* pointer, uint64_t offset);
  llvm::CallInst* helper(const char* name, llvm::Type* result, const std::vector<llvm::Value*>& args);
  llvm::CallInst* helper(uint32_t id, llvm::Type* result, const std::vector<llvm::Value*>& args);
  llvm::AllocaInst* stack_bytes(uint32_t size, const char* name);      // in the entry block
  // Passes a value through an empty inline assembly: LLVM cannot see where it comes from, so it neither merges what
  // made it with its like nor deduces ranges that the kernel verifier could not follow.
  llvm::Value* opaque(llvm::Value* value);
  llvm::Value* opaque_once(llvm::Value* value);                        // each call is unlike all others
  llvm::BasicBlock* new_block(const char* name);
  void count_loss(uint32_t index);                                      // abi::LossIndex
  void fail(const ir::Inst& inst, const std::string& message);
  llvm::AllocaInst* cold_memory();                                     // for losses and reports (emit_losses.cpp)
  llvm::AllocaInst* word_on_stack();                                   // u64, for one operation at a time
  llvm::AllocaInst* counter_key();                                     // u32 on the stack, for lookups in runtime maps

  // Scratch memory (emit_scratch.cpp).
  void set_scratch(llvm::Value* area, llvm::Value* owner) { scratch_ = area; scratch_owner_ = owner; }
  llvm::Value* scratch_or_null();
  // The slot whose address in scratch memory a value is; null if it is none.
  const ir::Slot* scratch_slot(ir::ValueId value) const { return scratch_slots_[value]; }
  bool address_escapes(ir::ValueId value) const { return escapes_[value]; }  // used for more than loads and stores
  llvm::Value* scratch_owner() const { return scratch_owner_; }
  llvm::Value* callback_context(uint32_t callback, llvm::Value* context);

  ModuleEmitter& module;
  const ir::Function& bir;
  llvm::Function* llvm;
  llvm::IRBuilder<> b;
  std::unordered_map<ir::ValueId, llvm::Value*> record_of_payload;     // event payload -> whole ring buffer record

 private:
  void create_blocks();
  void emit_entry();
  std::vector<uint32_t> block_order() const;
  void unwrap_parameters();

  std::vector<llvm::Value*> values_;
  void find_scratch_slots();

  std::vector<const ir::Inst*> definitions_;
  std::vector<const ir::Slot*> scratch_slots_;
  std::vector<bool> escapes_;
  uint64_t opaque_count_ = 0;
  std::vector<llvm::Value*> slots_;
  std::vector<llvm::BasicBlock*> blocks_;
  llvm::BasicBlock* entry_ = nullptr;
  uint32_t function_index_;
  llvm::AllocaInst* callback_frame_ = nullptr;
  llvm::AllocaInst* cold_memory_ = nullptr;
  llvm::AllocaInst* word_ = nullptr;
  llvm::AllocaInst* counter_key_ = nullptr;
  llvm::Value* scratch_ = nullptr;                                     // base of this invocation's level
  llvm::Value* scratch_owner_ = nullptr;                               // its counter in btc_nest
};

// By index: whether the function (or one that it calls) uses the level of the calling program.
std::vector<bool> functions_with_scratch(const ir::Module& module);

using EmitOp = void (*)(FunctionEmitter&, const ir::Inst&);
#define BTC_OP(Enum, ...) void emit_##Enum(FunctionEmitter& f, const ir::Inst& inst);
#include "lower/ir/ops.def"
#undef BTC_OP

}  // namespace btc::backend
