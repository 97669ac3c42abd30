// Drops what has no effect: pure operations whose result nobody uses, blocks nobody reaches, slots nobody mentions.
//
// LLVM would do the first two as well; here they would still take slots, and with them stack or scratch memory.
#include <vector>

#include "lower/ir/cfg.h"
#include "lower/passes/rewrite.h"

namespace btc::lower {

namespace {

void drop_unreachable(ir::Function& function) {
  ir::Cfg cfg = ir::make_cfg(function);
  std::vector<ir::BlockId> renumbered(function.blocks.size());
  std::vector<ir::Block> kept;
  // Reverse postorder: a block comes after what leads to it, except around loops.
  for (ir::BlockId block : cfg.order) {
    renumbered[block] = static_cast<ir::BlockId>(kept.size());
    kept.push_back(std::move(function.blocks[block]));
  }
  function.blocks = std::move(kept);
  for (ir::Block& block : function.blocks) {
    for (ir::Operand& operand : block.insts.back().operands) {
      if (operand.kind == ir::Operand::Block) operand.number = renumbered[operand.number];
    }
  }
}

bool drop_unused(ir::Function& function) {
  std::vector<uint32_t> uses(function.values.size());
  for (const ir::Block& block : function.blocks) {
    for (const ir::Inst& inst : block.insts) {
      for (const ir::Operand& operand : inst.operands) {
        if (operand.kind == ir::Operand::Value) ++uses[operand.number];
      }
    }
  }
  bool changed = false;
  for (ir::Block& block : function.blocks) {
    changed |= std::erase_if(block.insts, [&](const ir::Inst& inst) {
                 return (ir::op_info(inst.op).flags & ir::OpPure) != 0 && inst.result != ir::kNoValue && uses[inst.result] == 0;
               }) != 0;
  }
  return changed;
}

void drop_slots(ir::Function& function) {
  std::vector<bool> used(function.slots.size());
  for (const ir::Block& block : function.blocks) {
    for (const ir::Inst& inst : block.insts) {
      for (const ir::Operand& operand : inst.operands) {
        if (operand.kind == ir::Operand::Slot) used[operand.number] = true;
      }
    }
  }
  std::vector<uint64_t> renumbered(function.slots.size());
  std::vector<ir::Slot> kept;
  for (size_t i = 0; i < used.size(); ++i) {
    renumbered[i] = kept.size();
    if (used[i]) kept.push_back(std::move(function.slots[i]));
  }
  function.slots = std::move(kept);
  for (ir::Block& block : function.blocks) {
    for (ir::Inst& inst : block.insts) {
      for (ir::Operand& operand : inst.operands) {
        if (operand.kind == ir::Operand::Slot) operand.number = renumbered[operand.number];
      }
    }
  }
}

}  // namespace

bool remove_dead_code(ir::Module& module, DiagEngine&) {
  for (ir::Function& function : module.functions) {
    drop_unreachable(function);
    while (drop_unused(function)) {}
    drop_slots(function);
  }
  return true;
}

}  // namespace btc::lower
