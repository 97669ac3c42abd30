// Memory beyond the 512-byte stack: one level of the per-CPU map btc_scratch
// per program that is running on this CPU (task, softirq, irq, nmi).
//
//   enter:  for level in 0..kScratchLevels:      ; btc_nest[level]: how many hold this level
//             if (++btc_nest[level] == 1) own it ; atomic add, then a plain read
//             --btc_nest[level]
//           ++btc_lost[kLostNested]; null
//   leave:  --btc_nest[level]
//
// A level larger than a per-CPU value may be is entry cpu * kScratchLevels + level of an array, btc_scratch_all.
//
// A counter of nesting depth would be shorter, but since programs run with
// migration disabled rather than preemption (5.12 on PREEMPT kernels), two
// of them on one CPU need not end in the reverse order of their start. Add and
// read are two steps because 5.10 has no fetching atomics: if two meet there,
// both see 2, both step back and try the next level, so none ever shares one.
//
// Functions that a program calls use its level: `call` passes the address as a
// last argument of its own, callbacks of helpers find it behind their context,
// which is wrapped on the stack as { the script's context, the level's address }.
#include "backend/llvm/function_emitter.h"

namespace btc::backend {

static std::vector<bool> direct_users(const ir::Module& module) {
  std::vector<bool> uses(module.functions.size());
  for (size_t i = 0; i < module.functions.size(); ++i) {
    for (const ir::Block& block : module.functions[i].blocks) {
      for (const ir::Inst& inst : block.insts) uses[i] = uses[i] || inst.op == ir::Op::ScratchGet;
    }
  }
  return uses;
}

// Values of a function that are addresses in scratch memory; `context` is, too, unless it is kNoValue.
static std::vector<bool> scratch_addresses(const ir::Function& function, ir::ValueId context) {
  std::vector<bool> found(function.values.size());
  if (context != ir::kNoValue) found[context] = true;
  for (bool changed = true; changed;) {
    changed = false;
    for (const ir::Block& block : function.blocks) {
      for (const ir::Inst& inst : block.insts) {
        bool made = inst.op == ir::Op::ScratchEnter || inst.op == ir::Op::ScratchGet || (inst.op == ir::Op::PtrAdd && found[inst.operands[0].number]);
        if (made && !found[inst.result]) found[inst.result] = changed = true;
      }
    }
  }
  return found;
}

// A callback whose context lies in scratch memory is one, too: the kernel takes contexts on the stack only, so that one has to be wrapped.
// Its own callbacks get the same context.
static void add_by_context(const ir::Module& module, std::vector<bool>* uses) {
  std::vector<bool> given(module.functions.size());
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = 0; i < module.functions.size(); ++i) {
      const ir::Function& function = module.functions[i];
      std::vector<bool> in_scratch = scratch_addresses(function, given[i] ? function.params.back() : ir::kNoValue);
      for (const ir::Block& block : function.blocks) {
        for (const ir::Inst& inst : block.insts) {
          if (inst.op != ir::Op::LoopN && inst.op != ir::Op::MapForEach) continue;
          uint64_t callback = inst.operands[1].number;
          if (in_scratch[inst.operands[2].number] && !given[callback]) given[callback] = (*uses)[callback] = changed = true;
        }
      }
    }
  }
}

std::vector<bool> functions_with_scratch(const ir::Module& module) {
  std::vector<bool> uses = direct_users(module);
  add_by_context(module, &uses);
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = 0; i < module.functions.size(); ++i) {
      if (uses[i] || module.functions[i].kind == ir::Function::Program) continue;
      for (const ir::Block& block : module.functions[i].blocks) {
        for (const ir::Inst& inst : block.insts) {
          for (const ir::Operand& operand : inst.operands) {
            if (operand.kind == ir::Operand::Func && uses[operand.number] && !uses[i]) uses[i] = changed = true;
          }
        }
      }
    }
  }
  return uses;
}

// Addresses of slots are written `ptr.add %scratch, OFFSET` (place-slots).
void FunctionEmitter::find_scratch_slots() {
  std::unordered_map<uint64_t, const ir::Slot*> by_offset;
  for (const ir::Slot& slot : bir.slots) {
    if (slot.place == ir::Slot::Scratch) by_offset[slot.scratch_offset] = &slot;
  }
  scratch_slots_.assign(bir.values.size(), nullptr);
  escapes_.assign(bir.values.size(), false);
  if (by_offset.empty()) return;
  auto made_by = [&](const ir::Operand& operand, ir::Op op) {
    const ir::Inst* inst = operand.kind == ir::Operand::Value ? definitions_[operand.number] : nullptr;
    return inst != nullptr && inst->op == op ? inst : nullptr;
  };
  for (const ir::Inst* inst : definitions_) {
    if (inst == nullptr || inst->op != ir::Op::PtrAdd) continue;
    const ir::Inst* by = made_by(inst->operands[1], ir::Op::Const);
    bool of_level = made_by(inst->operands[0], ir::Op::ScratchEnter) != nullptr || made_by(inst->operands[0], ir::Op::ScratchGet) != nullptr;
    auto slot = by != nullptr && of_level ? by_offset.find(by->operands[0].number) : by_offset.end();
    if (slot != by_offset.end()) scratch_slots_[inst->result] = slot->second;
  }
  for (const ir::Block& block : bir.blocks) {
    for (const ir::Inst& inst : block.insts) {
      for (size_t i = 0; i < inst.operands.size(); ++i) {
        bool accessed = i == 0 && (inst.op == ir::Op::Load || inst.op == ir::Op::Store);
        if (inst.operands[i].kind == ir::Operand::Value && !accessed) escapes_[inst.operands[i].number] = true;
      }
    }
  }
}

llvm::Value* FunctionEmitter::scratch_or_null() {
  return scratch_ != nullptr ? scratch_ : llvm::ConstantPointerNull::get(b.getPtrTy());
}

llvm::Value* FunctionEmitter::callback_context(uint32_t callback, llvm::Value* context) {
  if (!module.uses_scratch[callback]) return context;
  if (callback_frame_ == nullptr) callback_frame_ = stack_bytes(16, "callback");  // one for all: calls end before the next begins
  b.CreateStore(context, callback_frame_);
  b.CreateStore(scratch_or_null(), byte_offset(callback_frame_, 8));
  return callback_frame_;
}

// A callback that uses scratch: its last parameter is the frame made above.
void FunctionEmitter::unwrap_parameters() {
  if (bir.kind == ir::Function::Program || !module.uses_scratch[function_index_]) return;
  llvm::Argument* last = llvm->getArg(static_cast<unsigned>(llvm->arg_size()) - 1);
  if (bir.kind == ir::Function::Subprog) {
    scratch_ = last;
    return;
  }
  values_[bir.params.back()] = b.CreateLoad(b.getPtrTy(), last, "context");
  scratch_ = b.CreateLoad(b.getPtrTy(), byte_offset(last, 8), "scratch");
}

static void add_to_owner(FunctionEmitter& f, llvm::Value* owner, int64_t amount) {
  f.b.CreateAtomicRMW(llvm::AtomicRMWInst::Add, owner, f.b.getInt64(static_cast<uint64_t>(amount)), llvm::Align(8),
                      llvm::AtomicOrdering::Monotonic);
}

void emit_ScratchEnter(FunctionEmitter& f, const ir::Inst& inst) {
  llvm::IRBuilder<>& b = f.b;
  llvm::Type* u64 = b.getInt64Ty();
  llvm::Value* null = llvm::ConstantPointerNull::get(b.getPtrTy());
  llvm::AllocaInst* key = f.counter_key();
  b.CreateStore(b.getInt32(0), key);
  llvm::Value* owners = f.helper("map_lookup_elem", b.getPtrTy(), {f.module.globals.nest(), key});
  llvm::BasicBlock* lost = f.new_block("scratch.lost");
  llvm::BasicBlock* own = f.new_block("scratch.own");
  llvm::BasicBlock* done = f.new_block("scratch.done");
  llvm::BasicBlock* next = f.new_block("scratch.try");
  llvm::BasicBlock* start = b.GetInsertBlock();
  b.CreateCondBr(b.CreateIsNotNull(owners), next, done);

  std::vector<llvm::BasicBlock*> taken;
  for (uint32_t level = 0; level < abi::kScratchLevels; ++level) {
    b.SetInsertPoint(next);
    llvm::Value* owner = f.byte_offset(owners, level * 8);
    add_to_owner(f, owner, 1);
    llvm::Value* holders = b.CreateLoad(u64, owner, /*isVolatile=*/true);
    taken.push_back(next);
    llvm::BasicBlock* back = f.new_block("scratch.busy");
    b.CreateCondBr(b.CreateICmpEQ(holders, b.getInt64(1)), own, back);
    b.SetInsertPoint(back);
    add_to_owner(f, owner, -1);
    next = level + 1 < abi::kScratchLevels ? f.new_block("scratch.try") : lost;
    b.CreateBr(next);
  }
  b.SetInsertPoint(lost);
  f.count_loss(abi::kLostNested);
  b.CreateBr(done);

  b.SetInsertPoint(own);
  llvm::PHINode* number = b.CreatePHI(b.getInt32Ty(), abi::kScratchLevels);
  for (uint32_t level = 0; level < abi::kScratchLevels; ++level) number->addIncoming(b.getInt32(level), taken[level]);
  llvm::Value* level = f.opaque(number);
  llvm::Value* entry = level;
  if (f.module.globals.large_scratch()) {
    llvm::Value* cpu = b.CreateTrunc(f.helper("get_smp_processor_id", u64, {}), b.getInt32Ty());
    entry = b.CreateAdd(b.CreateMul(cpu, b.getInt32(abi::kScratchLevels)), level);
  }
  b.CreateStore(entry, key);
  // The bound stands where the pointer is made, for the verifier.
  llvm::Value* bounded = b.CreateAnd(b.CreateZExt(level, u64), abi::kScratchLevels - 1);
  llvm::Value* owner = b.CreateGEP(u64, owners, bounded);
  llvm::Value* area = f.helper("map_lookup_elem", b.getPtrTy(), {f.module.globals.scratch(), key});
  llvm::BasicBlock* own_end = b.GetInsertBlock();
  b.CreateBr(done);

  b.SetInsertPoint(done);
  llvm::PHINode* result = b.CreatePHI(b.getPtrTy(), 3);
  llvm::PHINode* held = b.CreatePHI(b.getPtrTy(), 3);
  for (llvm::BasicBlock* from : {start, lost}) {
    result->addIncoming(null, from);
    held->addIncoming(null, from);
  }
  result->addIncoming(area, own_end);
  held->addIncoming(owner, own_end);
  f.set_scratch(result, held);
  f.set_result(inst, result);
}

void emit_ScratchLeave(FunctionEmitter& f, const ir::Inst& inst) {
  if (f.scratch_owner() == nullptr) return f.fail(inst, "scratch.leave without scratch.enter");
  add_to_owner(f, f.scratch_owner(), -1);
}

// The word behind the levels' counters is 1 while a guarded program runs on this CPU.
void emit_GuardEnter(FunctionEmitter& f, const ir::Inst& inst) {
  llvm::IRBuilder<>& b = f.b;
  llvm::Value* null = llvm::ConstantPointerNull::get(b.getPtrTy());
  llvm::AllocaInst* key = f.counter_key();
  b.CreateStore(b.getInt32(0), key);
  llvm::Value* words = f.helper("map_lookup_elem", b.getPtrTy(), {f.module.globals.nest(), key});
  llvm::BasicBlock *look = f.new_block("guard.look"), *busy = f.new_block("guard.busy"), *enter = f.new_block("guard.enter"), *done = f.new_block("guard.done");
  llvm::BasicBlock* start = b.GetInsertBlock();
  b.CreateCondBr(b.CreateIsNotNull(words), look, done);
  b.SetInsertPoint(look);
  llvm::Value* word = f.byte_offset(words, 8 * abi::kScratchLevels);
  b.CreateCondBr(b.CreateICmpEQ(b.CreateLoad(b.getInt64Ty(), word, /*isVolatile=*/true), b.getInt64(0)), enter, busy);
  b.SetInsertPoint(busy);
  f.count_loss(abi::kLostNested);
  llvm::BasicBlock* busy_end = b.GetInsertBlock();
  b.CreateBr(done);
  b.SetInsertPoint(enter);
  b.CreateStore(b.getInt64(1), word, /*isVolatile=*/true);
  b.CreateBr(done);
  b.SetInsertPoint(done);
  llvm::PHINode* result = b.CreatePHI(b.getPtrTy(), 3);
  result->addIncoming(null, start);
  result->addIncoming(null, busy_end);
  result->addIncoming(word, enter);
  f.set_result(inst, result);
}

void emit_GuardLeave(FunctionEmitter& f, const ir::Inst& inst) {
  f.b.CreateStore(f.b.getInt64(0), f.value(inst.operands[0]), /*isVolatile=*/true);
}

// Volatile: another program may set it at any time.
void emit_Exited(FunctionEmitter& f, const ir::Inst& inst) {
  f.set_result(inst, f.b.CreateIsNotNull(f.b.CreateLoad(f.b.getInt64Ty(), f.module.globals.exited(), /*isVolatile=*/true)));
}

void emit_ExitedSet(FunctionEmitter& f, const ir::Inst&) { f.b.CreateStore(f.b.getInt64(1), f.module.globals.exited(), /*isVolatile=*/true); }

void emit_ScratchGet(FunctionEmitter& f, const ir::Inst& inst) { f.set_result(inst, f.scratch_or_null()); }

}  // namespace btc::backend
