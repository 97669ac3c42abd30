// Gives every slot its memory: the stack while there is room, else this CPU's scratch area.
//
// BPF has 512 bytes of stack for a program and all functions below it. Small slots come first, up to a budget that leaves room
// for spilled registers and library functions; what is left lives in btc_scratch at an offset that is the slot's own. Slots
// that are only loaded and stored become registers, as long as there are not too many at once (register_pressure.cpp).
//
//   before:  slot $name size 1024                  after:  slot $name size 1024 align 8 scratch 0
//            %name: ptr.mem = slot.addr $name              %scratch: ptr.map? = scratch.enter
//                                                          br.if %scratch, ^with_scratch, ^no_scratch
//                                                          %name: ptr.map = ptr.add %scratch, 0
//
// The program takes its level where all uses are dominated by it, so that an event that a predicate drops costs nothing, but
// outside of loops and before an event is reserved (there is no level -> the program ends, and must not leak the record). It
// gives the level back on every way out of what that place dominates. Functions that the program calls use its level at
// offsets of their own.
#include <algorithm>
#include <numeric>

#include "lower/ir/cfg.h"
#include "lower/passes/register_pressure.h"
#include "lower/passes/rewrite.h"

namespace btc::lower {

namespace {

using ir::BlockId;
using ir::Function;
using ir::Inst;
using ir::Op;
using ir::Operand;
using ir::Slot;
using ir::ValueId;

constexpr uint32_t kRegisters = 2;           // r6 to r9 outlive calls; the context and the scratch level take two
constexpr uint32_t kSpillBytes = 16;         // a variable that changes in a loop is often spilled to two places
constexpr uint32_t kLeastRegisters = 6;      // values at once that every function may have
constexpr uint32_t kMostScratch = 4 << 20;   // KMALLOC_MAX_SIZE: largest value of an array (5.10)

uint32_t round_up(uint32_t size) { return (size + 7) / 8 * 8; }

// ---- Which functions call which ----

using Calls = std::vector<std::vector<uint32_t>>;  // by function: those that it names

std::vector<uint32_t> callees(const Function& function) {
  std::vector<uint32_t> found;
  for (const ir::Block& block : function.blocks) {
    for (const Inst& inst : block.insts) {
      for (const Operand& operand : inst.operands) {
        if (operand.kind == Operand::Func) found.push_back(static_cast<uint32_t>(operand.number));
      }
    }
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

// Longest chain of calls below a function; a cycle (which the kernel refuses) counts as long.
uint32_t depth_below(const Calls& calls, uint32_t index, uint32_t limit = 8) {
  uint32_t depth = 0;
  if (limit == 0) return 8;
  for (uint32_t callee : calls[index]) depth = std::max(depth, 1 + depth_below(calls, callee, limit - 1));
  return std::min(depth, 8u);
}

// Longest chain of calls down to each function and with it, programs not counted.
std::vector<uint32_t> depths_above(const ir::Module& module, const Calls& calls) {
  std::vector<uint32_t> above(calls.size());
  for (uint32_t round = 0; round < 8; ++round) {
    for (uint32_t i = 0; i < above.size(); ++i) {
      uint32_t here = module.functions[i].kind == Function::Program ? 0 : std::max(above[i], 1u);
      for (uint32_t callee : calls[i]) above[callee] = std::min(8u, std::max(above[callee], here + 1));
    }
  }
  return above;
}

// ---- Stack or scratch ----

// Bytes of stack for a function's slots, and for those and spilled registers together. What is left of 512 belongs to the
// library, to the reports of errors (two functions of 32 bytes) and to what single operations need.
struct Budget { uint32_t slots, all; };
constexpr Budget kProgramAlone{320, 376};    // a program that calls no function of its own
constexpr Budget kProgramCalling{160, 192};  // one that does
constexpr Budget kCalled{128, 160};          // all functions below it together

Budget budget_of(const ir::Module& module, const Calls& calls, const std::vector<uint32_t>& above, uint32_t index) {
  uint32_t below = depth_below(calls, index);
  if (module.functions[index].kind == Function::Program) return below == 0 ? kProgramAlone : kProgramCalling;
  uint32_t levels = std::clamp(above[index] + below, 1u, 6u);
  return {kCalled.slots / levels, kCalled.all / levels};
}

void choose_places(ir::Module& module, uint32_t index, Budget budget) {
  Function& function = module.functions[index];
  std::vector<bool> promotable = promotable_slots(function);
  std::vector<size_t> order(function.slots.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return std::pair(function.slots[a].size, a) < std::pair(function.slots[b].size, b); });
  uint32_t used = 0;
  for (size_t i : order) {
    Slot& slot = function.slots[i];
    if (slot.place != Slot::Unplaced) {
      if (slot.place == Slot::Stack && !promotable[i]) used += round_up(slot.size);
      continue;
    }
    uint32_t size = round_up(slot.size);
    bool fits = used + size <= budget.slots;
    slot.place = promotable[i] ? Slot::Register : fits ? Slot::Stack : Slot::Scratch;
    if (slot.place == Slot::Stack) used += size;
  }
  uint32_t spills = (budget.all - std::min(used, budget.all)) / kSpillBytes;
  for (uint32_t slot : bound_register_pressure(module, index, std::max(kLeastRegisters, kRegisters + spills))) module.functions[index].slots[slot].place = Slot::Scratch;
}

uint32_t layout_scratch(Function& function, uint32_t start) {
  uint32_t offset = start;
  for (Slot& slot : function.slots) {
    if (slot.place != Slot::Scratch) continue;
    slot.scratch_offset = offset;
    offset += round_up(slot.size);
  }
  return offset;
}

// ---- Where a program takes its level ----

class Placement {
 public:
  Placement(ir::Module& module, uint32_t index, const std::vector<bool>& needs_scratch)
      : module_(module), index_(index), needs_(needs_scratch), cfg_(ir::make_cfg(module.functions[index])) {}

  void run() {
    if (fn().kind == Function::Program) enter_and_leave();
    else get_at_entry();
    replace_addresses();
  }

 private:
  Function& fn() { return module_.functions[index_]; }

  bool uses_scratch(const Inst& inst) {
    for (const Operand& operand : inst.operands) {
      if (operand.kind == Operand::Func && needs_[operand.number]) return true;
      if (inst.op == Op::SlotAddr && fn().slots[operand.number].place == Slot::Scratch) return true;
    }
    return false;
  }

  // Blocks in which the record that `reserve` (in `home`) took is open.
  std::vector<bool> open_blocks(const Inst& reserve, BlockId home) {
    std::vector<bool> open(fn().blocks.size());
    std::vector<BlockId> work;
    const Inst& last = fn().blocks[home].insts.back();
    if (last.op == Op::BrIf) work.push_back(static_cast<BlockId>(last.operands[1].number));
    while (!work.empty()) {
      BlockId block = work.back();
      work.pop_back();
      if (open[block]) continue;
      open[block] = true;
      bool closed = false;
      for (const Inst& inst : fn().blocks[block].insts) {
        closed = closed || ((inst.op == Op::EventSubmit || inst.op == Op::EventDiscard) && inst.operands[0].number == reserve.result);
      }
      if (!closed) work.insert(work.end(), cfg_.successors[block].begin(), cfg_.successors[block].end());
    }
    return open;
  }

  bool in_cycle(BlockId block) const {
    std::vector<bool> seen(cfg_.successors.size());
    std::vector<BlockId> work = cfg_.successors[block];
    while (!work.empty()) {
      BlockId at = work.back();
      work.pop_back();
      if (at == block) return true;
      if (seen[at]) continue;
      seen[at] = true;
      work.insert(work.end(), cfg_.successors[at].begin(), cfg_.successors[at].end());
    }
    return false;
  }

  BlockId common_dominator(BlockId a, BlockId b) const {
    while (!cfg_.dominates(a, b)) a = static_cast<BlockId>(cfg_.idom[a]);
    return a;
  }

  struct Point { BlockId block; size_t index; };
  Point choose_point() {
    bool found = false;
    BlockId block = 0;
    for (BlockId at : cfg_.order) {
      for (const Inst& inst : fn().blocks[at].insts) {
        if (!uses_scratch(inst)) continue;
        block = found ? common_dominator(block, at) : at;
        found = true;
      }
    }
    while (in_cycle(block)) block = static_cast<BlockId>(cfg_.idom[block]);
    for (bool moved = true; moved;) {
      moved = false;
      for (BlockId home : cfg_.order) {
        for (const Inst& inst : fn().blocks[home].insts) {
          if (inst.op != Op::EventReserve || home == block || !open_blocks(inst, home)[block]) continue;
          block = home;
          moved = true;
        }
      }
    }
    const std::vector<Inst>& insts = fn().blocks[block].insts;
    size_t index = 0;
    while (index + 1 < insts.size() && insts[index].op != Op::EventReserve && !uses_scratch(insts[index])) ++index;
    return {block, index};
  }

  void enter_and_leave() {
    Point point = choose_point();
    ir::Builder b(module_, index_);
    // Leave first: block numbers still are those of cfg_.
    std::vector<bool> inside(fn().blocks.size());
    for (BlockId block : cfg_.order) inside[block] = cfg_.dominates(point.block, block);
    for (BlockId block = 0; block < inside.size(); ++block) {
      if (inside[block]) leave_block(b, block, inside);
    }
    // Then split the block.
    std::vector<Inst>& insts = fn().blocks[point.block].insts;
    std::vector<Inst> rest(std::make_move_iterator(insts.begin() + static_cast<std::ptrdiff_t>(point.index)), std::make_move_iterator(insts.end()));
    insts.resize(point.index);
    b.set_place(fn().loc);
    b.set_block(point.block);
    ValueId scratch = b.emit(Op::ScratchEnter, {}, ir::ptr_type(ir::PtrSpace::Map, true), "scratch");
    BlockId with = b.new_block("with_scratch"), without = b.new_block("no_scratch");
    b.br_if(scratch, with, without);
    b.set_block(without);
    bool is_tracepoint = fn().program >= 0 && module_.programs[static_cast<size_t>(fn().program)].probe == abi::ProbeKind::Tracepoint;
    b.ret(b.constant(is_tracepoint ? 1 : 0));
    fn().blocks[with].insts = std::move(rest);
    scratch_ = scratch;
  }

  void leave_block(ir::Builder& b, BlockId block, const std::vector<bool>& inside) {
    Inst& last = fn().blocks[block].insts.back();
    Inst leave;
    leave.op = Op::ScratchLeave;
    leave.loc = last.loc;
    if (last.op == Op::Ret || last.op == Op::RetVoid) {
      fn().blocks[block].insts.insert(fn().blocks[block].insts.end() - 1, leave);
      return;
    }
    for (size_t i = 0; i < fn().blocks[block].insts.back().operands.size(); ++i) {
      Operand target = fn().blocks[block].insts.back().operands[i];
      if (target.kind != Operand::Block || inside[target.number]) continue;
      BlockId edge = b.new_block("leave");
      b.set_block(edge);
      b.set_place(leave.loc);
      b.emit(Op::ScratchLeave, {});
      b.br(static_cast<BlockId>(target.number));
      fn().blocks[block].insts.back().operands[i].number = edge;
    }
  }

  // A function that a program calls: the level is there, though the kernel wants to see it tested.
  void get_at_entry() {
    ir::Builder b(module_, index_);
    std::vector<Inst> rest = std::move(fn().blocks[0].insts);
    fn().blocks[0].insts.clear();
    b.set_place(fn().loc);
    b.set_block(0);
    scratch_ = b.emit(Op::ScratchGet, {}, ir::ptr_type(ir::PtrSpace::Map, true), "scratch");
    BlockId with = b.new_block("with_scratch"), without = b.new_block("no_scratch");
    b.br_if(scratch_, with, without);
    b.set_block(without);
    if (fn().return_type.kind == ir::ScalarKind::None) b.emit(Op::RetVoid, {});
    else b.ret(b.constant(fn().kind == Function::Callback ? 1 : 0, fn().return_type));
    // Branches back to the entry do not exist: the entry has no name to branch to in the tree it came from.
    fn().blocks[with].insts = std::move(rest);
  }

  void replace_addresses() {
    for (BlockId block = 0; block < fn().blocks.size(); ++block) {
      std::vector<Inst> insts = std::move(fn().blocks[block].insts);
      std::vector<Inst> out;
      for (Inst& inst : insts) {
        if (inst.op == Op::SlotAddr && fn().slots[inst.operands[0].number].place == Slot::Scratch) {
          Inst offset;
          offset.op = Op::Const;
          offset.operands = {ir::Builder::imm(fn().slots[inst.operands[0].number].scratch_offset)};
          offset.loc = inst.loc;
          fn().values.push_back({"", ir::kI64});
          offset.result = static_cast<ValueId>(fn().values.size() - 1);
          fn().values.back().name = "at." + std::to_string(offset.result);
          inst.op = Op::PtrAdd;
          inst.operands = {ir::Builder::val(scratch_), ir::Builder::val(offset.result)};
          fn().values[inst.result].type = ir::ptr_type(ir::PtrSpace::Map);
          out.push_back(std::move(offset));
        }
        out.push_back(std::move(inst));
      }
      fn().blocks[block].insts = std::move(out);
    }
    // Addresses worked out from those are of the same kind.
    for (bool changed = true; changed;) {
      changed = false;
      for (ir::Block& block : fn().blocks) {
        for (Inst& inst : block.insts) {
          if (inst.op != Op::PtrAdd) continue;
          ir::ValueType base = fn().type(static_cast<ValueId>(inst.operands[0].number));
          base.nullable = false;
          if (fn().type(inst.result) == base) continue;
          fn().values[inst.result].type = base;
          changed = true;
        }
      }
    }
  }

  ir::Module& module_;
  uint32_t index_;
  const std::vector<bool>& needs_;
  ir::Cfg cfg_;
  ValueId scratch_ = ir::kNoValue;
};

}  // namespace

bool place_slots(ir::Module& module, DiagEngine& diags) {
  size_t count = module.functions.size();
  std::vector<bool> needs(count);
  Calls calls;
  for (const Function& function : module.functions) calls.push_back(callees(function));
  std::vector<uint32_t> above = depths_above(module, calls);
  for (uint32_t i = 0; i < count; ++i) {
    choose_places(module, i, budget_of(module, calls, above, i));
    const Function& function = module.functions[i];
    needs[i] = std::any_of(function.slots.begin(), function.slots.end(), [](const Slot& slot) { return slot.place == Slot::Scratch; });
  }
  // A loop's context in scratch reaches the callback beside the level's address, so the callback has to ask for that.
  for (uint32_t i = 0; i < count; ++i) {
    bool frame_in_scratch = std::any_of(module.functions[i].slots.begin(), module.functions[i].slots.end(),
                                        [](const Slot& slot) { return slot.place == Slot::Scratch && slot.name == "frame"; });
    if (!frame_in_scratch) continue;
    std::vector<uint32_t> work = calls[i];
    while (!work.empty()) {
      uint32_t callee = work.back();
      work.pop_back();
      if (needs[callee]) continue;
      if (module.functions[callee].kind == Function::Callback) needs[callee] = true;
      work.insert(work.end(), calls[callee].begin(), calls[callee].end());
    }
  }
  // Whoever calls what needs scratch has to take or pass a level.
  for (bool changed = true; changed;) {
    changed = false;
    for (uint32_t i = 0; i < count; ++i) {
      for (uint32_t callee : calls[i]) {
        if (!needs[callee] || needs[i]) continue;
        needs[i] = true;
        changed = true;
      }
    }
  }
  // Programs exclude each other on one level; what they call comes behind the largest of them.
  uint32_t programs = 0;
  for (Function& function : module.functions) {
    if (function.kind == Function::Program) programs = std::max(programs, layout_scratch(function, 0));
  }
  uint32_t end = programs;
  for (Function& function : module.functions) {
    if (function.kind != Function::Program) end = layout_scratch(function, end);
  }
  module.scratch_size = end;
  if (end > kMostScratch) diags.report(DiagKind::ScratchTooLarge, {}, end, kMostScratch);
  for (uint32_t i = 0; i < count; ++i) {
    if (needs[i]) Placement(module, i, needs).run();
  }
  return true;
}

}  // namespace btc::lower
