// Replaces operations of a function by several others, blocks included.
//
// `expand(builder, inst)` either returns false and the instruction stays, or builds its replacement and returns true. It may end
// the block and go on in another one: what follows the instruction follows there. A result is replaced by
// `replace(inst.result, value)` of the rewriter.
#pragma once

#include <unordered_map>

#include "lower/ir/builder.h"

namespace btc::lower {

class Rewriter {
 public:
  Rewriter(ir::Module& module, uint32_t function) : b(module, function) {}

  template <typename F>
  void run(F&& expand) {
    size_t count = b.fn().blocks.size();
    for (ir::BlockId block = 0; block < count; ++block) {
      std::vector<ir::Inst> insts = std::move(b.fn().blocks[block].insts);
      b.fn().blocks[block].insts.clear();
      b.fn().blocks[block].insts.reserve(insts.size());
      b.set_block(block);
      for (ir::Inst& inst : insts) {
        b.set_place(inst.loc);
        if (!expand(b, inst)) b.fn().blocks[b.block()].insts.push_back(std::move(inst));
      }
    }
    rename();
  }

  void replace(ir::ValueId old_value, ir::ValueId new_value) { renamed_[old_value] = new_value; }

  ir::Builder b;

 private:
  void rename() {
    if (renamed_.empty()) return;
    for (ir::Block& block : b.fn().blocks) {
      for (ir::Inst& inst : block.insts) {
        for (ir::Operand& operand : inst.operands) {
          if (operand.kind != ir::Operand::Value) continue;
          for (auto found = renamed_.find(static_cast<ir::ValueId>(operand.number)); found != renamed_.end(); found = renamed_.find(found->second)) {
            operand.number = found->second;
          }
        }
      }
    }
  }

  std::unordered_map<ir::ValueId, ir::ValueId> renamed_;
};

// Whether any instruction of the function is one that `wanted` says yes to: what a pass has nothing to do in stays as it is.
template <typename F>
bool any_inst(const ir::Function& function, F&& wanted) {
  for (const ir::Block& block : function.blocks) {
    for (const ir::Inst& inst : block.insts) {
      if (wanted(inst)) return true;
    }
  }
  return false;
}

// A fact of the module by kind; made if it is missing.
uint32_t find_fact(ir::Module& module, abi::FactKind kind, const char* name, uint32_t size);

}  // namespace btc::lower
