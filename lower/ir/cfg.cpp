// Dominators by the iterative algorithm of Cooper, Harvey and Kennedy: functions are small.
#include "lower/ir/cfg.h"

#include <algorithm>

namespace btc::ir {

// Below a in the dominator tree: numbered depth first, b lies within a's interval.
bool Cfg::dominates(BlockId a, BlockId b) const {
  return idom[a] >= 0 && idom[b] >= 0 && tree_first[a] <= tree_first[b] && tree_first[b] <= tree_last[a];
}

namespace {

// Depth first without recursion: a hostile file may hold a very long chain of blocks.
std::vector<BlockId> reverse_postorder(const std::vector<std::vector<BlockId>>& successors) {
  std::vector<BlockId> postorder;
  std::vector<bool> seen(successors.size());
  std::vector<std::pair<BlockId, size_t>> stack;
  if (!successors.empty()) {
    stack.emplace_back(0, 0);
    seen[0] = true;
  }
  while (!stack.empty()) {
    auto& [block, next] = stack.back();
    if (next == successors[block].size()) {
      postorder.push_back(block);
      stack.pop_back();
      continue;
    }
    BlockId to = successors[block][next++];
    if (seen[to]) continue;
    seen[to] = true;
    stack.emplace_back(to, 0);
  }
  std::reverse(postorder.begin(), postorder.end());
  return postorder;
}

// A block's interval begins behind its dominator's number; sizes come from the leaves up, places from the root down.
void number_tree(Cfg& cfg) {
  std::vector<uint32_t> size(cfg.idom.size(), 1), used(cfg.idom.size(), 1);
  for (size_t i = cfg.order.size(); i-- > 1;) size[static_cast<size_t>(cfg.idom[cfg.order[i]])] += size[cfg.order[i]];
  cfg.tree_first.assign(cfg.idom.size(), 0);
  cfg.tree_last.assign(cfg.idom.size(), 0);
  for (BlockId block : cfg.order) {
    if (block != cfg.order[0]) {
      auto up = static_cast<size_t>(cfg.idom[block]);
      cfg.tree_first[block] = cfg.tree_first[up] + used[up];
      used[up] += size[block];
    }
    cfg.tree_last[block] = cfg.tree_first[block] + size[block] - 1;
  }
}

}  // namespace

Cfg make_cfg(const Function& function) {
  Cfg cfg;
  size_t count = function.blocks.size();
  cfg.successors.resize(count);
  cfg.predecessors.resize(count);
  for (BlockId block = 0; block < count; ++block) {
    if (function.blocks[block].insts.empty()) continue;
    for (const Operand& operand : function.blocks[block].insts.back().operands) {
      if (operand.kind != Operand::Block) continue;
      auto to = static_cast<BlockId>(operand.number);
      cfg.successors[block].push_back(to);
      cfg.predecessors[to].push_back(block);
    }
  }
  cfg.order = reverse_postorder(cfg.successors);
  std::vector<size_t> position(count);
  for (size_t i = 0; i < cfg.order.size(); ++i) position[cfg.order[i]] = i;
  cfg.idom.assign(count, -1);
  if (cfg.order.empty()) return cfg;
  cfg.idom[0] = 0;
  auto common = [&](int a, int b) {
    while (a != b) {
      while (position[static_cast<size_t>(a)] > position[static_cast<size_t>(b)]) a = cfg.idom[static_cast<size_t>(a)];
      while (position[static_cast<size_t>(b)] > position[static_cast<size_t>(a)]) b = cfg.idom[static_cast<size_t>(b)];
    }
    return a;
  };
  for (bool changed = true; changed;) {
    changed = false;
    for (BlockId block : cfg.order) {
      if (block == 0) continue;
      int dominator = -1;
      for (BlockId from : cfg.predecessors[block]) {
        if (cfg.idom[from] < 0) continue;
        dominator = dominator < 0 ? static_cast<int>(from) : common(static_cast<int>(from), dominator);
      }
      if (cfg.idom[block] != dominator) {
        cfg.idom[block] = dominator;
        changed = true;
      }
    }
  }
  number_tree(cfg);
  return cfg;
}

}  // namespace btc::ir
