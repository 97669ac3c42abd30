// Reuses earlier reads of stable builtins.
//
// Every mention of `tid` in a script lowers to its own read, and each costs a helper call that LLVM must keep. A read that is
// dominated by another one of the same builtin yields the same value, so its uses are replaced and it is dropped. Volatile
// builtins (`nsecs`) stay: scripts subtract two of them.
//
//   before:  %tid: i64 = builtin tid       after:  %tid: i64 = builtin tid
//            %tid.1: i64 = builtin tid             map.update @m, %tid, %x
//            map.update @m, %tid.1, %x
//
// Reads on two branches of an `if` are left alone, though a common one before the branch would do.
#include <map>

#include "frontend/defs/tables.h"
#include "lower/ir/cfg.h"
#include "lower/passes/rewrite.h"

namespace btc::lower {

namespace {

bool is_stable(const std::string& name) {
  if (name == "pid_tgid") return true;
  const BuiltinInfo* info = find_builtin(name);
  return info && info->stability == Stability::Stable;
}

struct Read { ir::BlockId block; ir::ValueId value; };

bool run_on(ir::Module& module, uint32_t index) {
  if (!any_inst(module.functions[index], [](const ir::Inst& inst) { return inst.op == ir::Op::Builtin; })) return false;
  ir::Cfg cfg = ir::make_cfg(module.functions[index]);
  std::map<std::string, std::vector<Read>> reads;
  Rewriter rewriter(module, index);
  // Dominators come first in reverse postorder.
  ir::Function& function = module.functions[index];
  std::vector<std::pair<ir::ValueId, ir::ValueId>> same;
  for (ir::BlockId block : cfg.order) {
    for (const ir::Inst& inst : function.blocks[block].insts) {
      if (inst.op != ir::Op::Builtin || !is_stable(inst.operands[0].text)) continue;
      std::vector<Read>& earlier = reads[inst.operands[0].text];
      bool found = false;
      for (const Read& read : earlier) {
        if (function.type(read.value) != function.type(inst.result) || !cfg.dominates(read.block, block)) continue;
        same.emplace_back(inst.result, read.value);
        found = true;
        break;
      }
      if (!found) earlier.push_back({block, inst.result});
    }
  }
  if (same.empty()) return false;
  for (const auto& [value, earlier] : same) rewriter.replace(value, earlier);
  std::map<ir::ValueId, ir::ValueId> dropped(same.begin(), same.end());
  rewriter.run([&](ir::Builder&, const ir::Inst& inst) { return inst.op == ir::Op::Builtin && dropped.count(inst.result) != 0; });
  return true;
}

}  // namespace

bool dedup_builtins(ir::Module& module, DiagEngine&) {
  bool changed = false;
  for (uint32_t i = 0; i < module.functions.size(); ++i) changed = run_on(module, i) || changed;
  return changed;
}

}  // namespace btc::lower
