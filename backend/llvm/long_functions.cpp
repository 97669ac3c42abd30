// What LLVM's code generator and BPF's jumps cannot do with very long functions, arranged before they see them.
#include "backend/llvm/long_functions.h"

#include <llvm/ADT/PostOrderIterator.h>
#include <llvm/ADT/SetVector.h>
#include <llvm/IR/CFG.h>
#include <llvm/IR/InlineAsm.h>
#include <llvm/IR/Instructions.h>
#include <llvm/Transforms/Utils/BasicBlockUtils.h>
#include <llvm/Transforms/Utils/ValueMapper.h>

#include "backend/llvm/target.h"

namespace btc::backend {

// LLVM's instruction selection orders a block's operations in time that grows with the square of their number. A very long block
// is cut where that begins to show, by a terminator that is no instruction and that no later pass may take away.
constexpr size_t kLongBlock = 1000;

static void cut_long_blocks(llvm::Function& function) {
  llvm::FunctionType* type = llvm::FunctionType::get(llvm::Type::getVoidTy(function.getContext()), false);
  llvm::InlineAsm* nothing = llvm::InlineAsm::get(type, "", "", /*hasSideEffects=*/true);
  for (auto block = function.begin(); block != function.end(); ++block) {   // what is cut off comes next
    if (block->size() <= 2 * kLongBlock) continue;
    auto at = std::next(block->begin(), kLongBlock);
    while (llvm::isa<llvm::AllocaInst>(*at) && !at->isTerminator()) ++at;   // those belong to the entry
    if (at->isTerminator()) continue;
    llvm::BasicBlock* rest = block->splitBasicBlock(at);
    llvm::Instruction* branch = block->getTerminator();
    llvm::CallBrInst* cut = llvm::CallBrInst::Create(type, nothing, rest, {}, {}, "", branch);
    cut->setDebugLoc(branch->getDebugLoc());
    branch->eraseFromParent();
  }
}

// A jump of BPF reaches over 32,767 instructions. So the ways out of a long function return where they are, its blocks stand in the
// order in which they run, and LLVM does not put the rare ones behind all others.
constexpr size_t kLongFunction = 4000;
constexpr size_t kShortReturn = 8;

static bool is_short_return(const llvm::BasicBlock& block) {
  return llvm::isa<llvm::ReturnInst>(block.getTerminator()) && block.size() <= kShortReturn;
}

static void return_nearby(llvm::Function& function) {
  llvm::SmallVector<llvm::BasicBlock*, 4> exits;
  for (llvm::BasicBlock& block : function)
    if (!block.isEntryBlock() && is_short_return(block)) exits.push_back(&block);
  for (llvm::BasicBlock* exit : exits) {
    llvm::SmallSetVector<llvm::BasicBlock*, 16> from(llvm::pred_begin(exit), llvm::pred_end(exit));
    for (llvm::BasicBlock* block : from) {
      llvm::BasicBlock* copy = llvm::BasicBlock::Create(function.getContext(), "", &function);
      llvm::ValueToValueMapTy values;
      for (llvm::Instruction& inst : *exit) {
        if (auto* phi = llvm::dyn_cast<llvm::PHINode>(&inst)) {
          values[phi] = phi->getIncomingValueForBlock(block);
          continue;
        }
        llvm::Instruction* made = inst.clone();
        made->insertInto(copy, copy->end());
        llvm::RemapInstruction(made, values, llvm::RF_NoModuleLevelChanges | llvm::RF_IgnoreMissingLocals);
        values[&inst] = made;
      }
      block->getTerminator()->replaceSuccessorWith(exit, copy);
    }
    llvm::DeleteDeadBlock(exit);
  }
}

static void lay_out(llvm::Function& function) {
  llvm::ReversePostOrderTraversal<llvm::Function*> order(&function);
  std::vector<llvm::BasicBlock*> blocks(order.begin(), order.end());
  llvm::BasicBlock* last = nullptr;
  auto place = [&](llvm::BasicBlock* block) {
    if (last != nullptr) block->moveAfter(last);
    last = block;
  };
  for (llvm::BasicBlock* block : blocks) {
    if (is_short_return(*block) && block->getSinglePredecessor() != nullptr) continue;
    place(block);
    for (llvm::BasicBlock* next : llvm::successors(block))
      if (is_short_return(*next) && next->getSinglePredecessor() == block) place(next);
  }
}

void shape_long_functions(llvm::Module& module) {
  bool has_long = false;
  for (llvm::Function& function : module) {
    if (function.getInstructionCount() >= kLongFunction) {
      has_long = true;
      return_nearby(function);
      lay_out(function);
    }
    cut_long_blocks(function);
  }
  set_option("disable-block-placement", has_long ? "true" : "false");
}

}  // namespace btc::backend
