// Memory beyond the 512-byte stack: one level of the per-CPU map btc_scratch
// per program that is running on this CPU (task, softirq, irq, nmi).
//
//   for level in 0..kScratchLevels:         ; btc_nest[level]: how many hold this level
//     if (++btc_nest[level] == 1) goto own  ; atomic add, then a plain read
//     --btc_nest[level]
//   ++btc_lost[kLostNested]; return 0
//   own: scratch = btc_scratch[level] ... --btc_nest[level] before every return
//
// A counter of nesting depth would be shorter, but since programs run with
// migration disabled rather than preemption (5.12 on PREEMPT kernels), two
// of them on one CPU need not end in the reverse order of their start. Add and read
// are two steps because 5.10 has no fetching atomics: if two meet there, both
// see 2, both step back and try the next level, so none ever shares one.
#include "backend/llvm/function_emitter.h"

namespace btc::backend {

void FunctionEmitter::enter_scratch() {
  if (bir.kind != ir::Function::Program) {
    // Callbacks get their data through their context pointer; place-slots leaves their slots on the stack.
    module.fail(bir.loc, "function " + bir.name + " needs more than the stack of 512 bytes");
    return;
  }
  llvm::Type* u64 = b.getInt64Ty();
  llvm::AllocaInst* key = stack_bytes(4, "level");
  key->setAlignment(llvm::Align(4));
  b.CreateStore(b.getInt32(0), key);
  llvm::Value* owners = helper("map_lookup_elem", b.getPtrTy(), {module.globals.nest(), key});
  llvm::BasicBlock* lost = new_block("scratch.lost");
  llvm::BasicBlock* give_up = new_block("scratch.give_up");
  llvm::BasicBlock* own = new_block("scratch.own");
  llvm::BasicBlock* next = new_block("scratch.try");
  b.CreateCondBr(b.CreateIsNotNull(owners), next, give_up);

  std::vector<std::pair<llvm::Value*, llvm::BasicBlock*>> taken;
  for (uint32_t level = 0; level < abi::kScratchLevels; ++level) {
    b.SetInsertPoint(next);
    llvm::Value* owner = byte_offset(owners, level * 8);
    b.CreateAtomicRMW(llvm::AtomicRMWInst::Add, owner, b.getInt64(1), llvm::Align(8), llvm::AtomicOrdering::Monotonic);
    llvm::Value* holders = b.CreateLoad(u64, owner, /*isVolatile=*/true);
    taken.push_back({b.getInt64(level), b.GetInsertBlock()});
    llvm::BasicBlock* back = new_block("scratch.busy");
    b.CreateCondBr(b.CreateICmpEQ(holders, b.getInt64(1)), own, back);
    b.SetInsertPoint(back);
    b.CreateAtomicRMW(llvm::AtomicRMWInst::Add, owner, b.getInt64(static_cast<uint64_t>(-1)), llvm::Align(8),
                      llvm::AtomicOrdering::Monotonic);
    next = level + 1 < abi::kScratchLevels ? new_block("scratch.try") : lost;
    b.CreateBr(next);
  }

  b.SetInsertPoint(lost);
  add_to_counter(module.globals.losses(), abi::kLostNested);
  b.CreateBr(give_up);
  b.SetInsertPoint(give_up);
  b.CreateRet(b.getInt32(0));

  b.SetInsertPoint(own);
  llvm::PHINode* level = b.CreatePHI(u64, abi::kScratchLevels);
  for (auto& [number, from] : taken) level->addIncoming(number, from);
  llvm::Value* held = opaque(level);
  b.CreateStore(b.CreateTrunc(held, b.getInt32Ty()), key);
  // The verifier wants the bound where the pointer is made.
  llvm::Value* owner = b.CreateGEP(u64, owners, b.CreateAnd(held, abi::kScratchLevels - 1));
  scratch_owner_ = owner;
  scratch_ = helper("map_lookup_elem", b.getPtrTy(), {module.globals.scratch(), key});
  llvm::BasicBlock* start = new_block("scratch.ready");
  llvm::BasicBlock* missing = new_block("scratch.missing");
  b.CreateCondBr(b.CreateIsNotNull(scratch_), start, missing);
  b.SetInsertPoint(missing);  // cannot happen: the index is in range; the verifier asks all the same
  leave_scratch();
  b.CreateRet(b.getInt32(0));
  b.SetInsertPoint(start);
}

void FunctionEmitter::leave_scratch() {
  if (scratch_owner_ == nullptr) return;
  b.CreateAtomicRMW(llvm::AtomicRMWInst::Add, scratch_owner_, b.getInt64(static_cast<uint64_t>(-1)), llvm::Align(8),
                    llvm::AtomicOrdering::Monotonic);
}

}  // namespace btc::backend
