// Control flow of a function: predecessors, order, dominance.
#pragma once

#include <vector>

#include "lower/ir/ir.h"

namespace btc::ir {

struct Cfg {
  std::vector<std::vector<BlockId>> successors, predecessors;  // duplicates kept: `br.if %c, ^a, ^a`
  std::vector<BlockId> order;           // reachable blocks, reverse postorder
  std::vector<int> idom;                // immediate dominator; entry: itself; unreachable: -1

  std::vector<uint32_t> tree_first, tree_last;  // place in the dominator tree, for dominates()

  bool reachable(BlockId block) const { return idom[block] >= 0; }
  bool dominates(BlockId a, BlockId b) const;
};

// Blocks must end in a terminator with block operands in range.
Cfg make_cfg(const Function& function);

}  // namespace btc::ir
