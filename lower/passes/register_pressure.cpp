// Liveness of values and of slots that LLVM would keep in registers.
//
// LLVM spills what does not fit into BPF's registers to the program's stack, 8 bytes each, and gives up at 512 bytes. So a
// function with a hundred live variables has to keep most of them elsewhere, and that is decided here, where scratch memory
// is known: at every point with too many, those with the fewest accesses are chosen to live in memory, variables first.
//
//   before:  %a: i64 = builtin nsecs            after:  %a: i64 = builtin nsecs
//            ...                                        store %spill, 0, %a       ; slot $a, in scratch
//            map.update @x, %key, %value                ...
//            %b: i64 = add %a, %one                     %a.1: i64 = load %spill, 0
//
// Pointers stay: the kernel forgets what they point to when they are stored. What is made again for nothing (constants,
// addresses of slots) does not count.
#include "lower/passes/register_pressure.h"

#include <algorithm>
#include <bit>
#include <set>

#include "lower/ir/builder.h"
#include "lower/ir/cfg.h"

namespace btc::lower {

using ir::BlockId;
using ir::Function;
using ir::Inst;
using ir::Op;
using ir::Operand;
using ir::ValueId;

std::vector<bool> promotable_slots(const Function& function) {
  std::vector<bool> promotable(function.slots.size(), true);
  std::vector<int64_t> slot_of(function.values.size(), -1);
  std::vector<uint32_t> width(function.slots.size());
  for (const ir::Block& block : function.blocks) {
    for (const Inst& inst : block.insts) {
      if (inst.op == Op::SlotAddr) slot_of[inst.result] = static_cast<int64_t>(inst.operands[0].number);
    }
  }
  for (const ir::Block& block : function.blocks) {
    for (const Inst& inst : block.insts) {
      for (size_t i = 0; i < inst.operands.size(); ++i) {
        if (inst.operands[i].kind != Operand::Value || slot_of[inst.operands[i].number] < 0) continue;
        auto slot = static_cast<size_t>(slot_of[inst.operands[i].number]);
        bool is_access = (inst.op == Op::Load || inst.op == Op::Store) && i == 0 && inst.operands[1].number == 0;
        uint32_t bytes = !is_access ? 0 : ir::bytes_of(function.type(inst.op == Op::Load ? inst.result : static_cast<ValueId>(inst.operands[2].number)));
        if (!is_access || (width[slot] != 0 && width[slot] != bytes)) promotable[slot] = false;
        width[slot] = bytes;
      }
    }
  }
  return promotable;
}

namespace {

constexpr uint32_t kNone = UINT32_MAX;

// Items are the slots, then the values, of a function.
class Pressure {
 public:
  Pressure(ir::Module& module, uint32_t function, uint32_t most) : module_(module), index_(function), most_(most), cfg_(ir::make_cfg(fn())) {}

  std::vector<uint32_t> run() {
    find_items();
    if (items_in_all_ <= most_) return {};
    find_live_out();
    for (BlockId block : cfg_.order) thin_out(block);
    return demote();
  }

 private:
  Function& fn() { return module_.functions[index_]; }
  uint32_t item_of(ValueId value) const { return slots_ + value; }
  bool is_value(uint32_t item) const { return item >= slots_; }

  // What an instruction reads and writes; kNone: nothing that counts.
  template <typename Visit>
  void for_reads(const Inst& inst, Visit&& visit) const {
    for (size_t i = 0; i < inst.operands.size(); ++i) {
      if (inst.operands[i].kind == Operand::Value && counts_[item_of(static_cast<ValueId>(inst.operands[i].number))]) visit(item_of(static_cast<ValueId>(inst.operands[i].number)));
    }
    if (inst.op == Op::Load && slot_at(inst) != kNone) visit(slot_at(inst));
  }
  uint32_t written(const Inst& inst) const {
    if (inst.op == Op::Store && slot_at(inst) != kNone) return slot_at(inst);
    return inst.result != ir::kNoValue && counts_[item_of(inst.result)] ? item_of(inst.result) : kNone;
  }
  uint32_t slot_at(const Inst& inst) const { return slot_of_[inst.operands[0].number]; }

  static bool is_free(const Inst& inst) {
    switch (inst.op) {
      case Op::Const: case Op::SlotAddr: case Op::RodataAddr: case Op::FactAddr: case Op::MapAddr: case Op::Ctx: return true;
      default: return false;
    }
  }

  void find_items() {
    std::vector<bool> promotable = promotable_slots(fn());
    slots_ = static_cast<uint32_t>(fn().slots.size());
    size_t items = slots_ + fn().values.size();
    slot_of_.assign(fn().values.size(), kNone);
    counts_.assign(items, false);
    accesses_.assign(items, 0);
    home_.assign(items, kNone);
    crosses_.assign(items, false);
    std::vector<bool> free(fn().values.size());
    for (const ir::Block& block : fn().blocks) {
      for (const Inst& inst : block.insts) {
        if (inst.result == ir::kNoValue) continue;
        bool moved = inst.op == Op::PtrAdd && free[inst.operands[0].number] && free[inst.operands[1].number];
        free[inst.result] = is_free(inst) || moved;
        counts_[item_of(inst.result)] = !free[inst.result];
        if (inst.op != Op::SlotAddr) continue;
        auto slot = static_cast<uint32_t>(inst.operands[0].number);
        if (promotable[slot]) slot_of_[inst.result] = slot, counts_[slot] = true, crosses_[slot] = true;
      }
    }
    for (ValueId param : fn().params) counts_[item_of(param)] = true;
    for (BlockId block : cfg_.order) {
      for (const Inst& inst : fn().blocks[block].insts) {
        auto seen = [&](uint32_t item) {
          ++accesses_[item];
          if (home_[item] == kNone) home_[item] = block;
          if (home_[item] != block) crosses_[item] = true;
        };
        for_reads(inst, seen);
        if (uint32_t item = written(inst); item != kNone) seen(item);
      }
    }
    // Those that are live in several blocks get a bit in the sets of all blocks.
    bit_.assign(items, kNone);
    for (uint32_t item = 0; item < items; ++item) {
      if (counts_[item]) ++items_in_all_;
      if (counts_[item] && crosses_[item]) bit_[item] = static_cast<uint32_t>(items_.size()), items_.push_back(item);
    }
  }

  // Bits by word, those without any left out: most of what lives in several blocks lives in two, and there are many of both.
  struct Word {
    uint32_t index; uint64_t bits;
    bool operator==(const Word&) const = default;
  };
  using Bits = std::vector<Word>;
  static Bits bits_of(std::vector<uint32_t>& numbers) {
    Bits found;
    std::sort(numbers.begin(), numbers.end());
    for (uint32_t number : numbers) {
      if (found.empty() || found.back().index != number / 64) found.push_back({number / 64, 0});
      found.back().bits |= uint64_t{1} << (number % 64);
    }
    return found;
  }
  // a and b, or a without b.
  static Bits merge(const Bits& a, const Bits& b, bool subtract) {
    Bits merged;
    size_t i = 0, j = 0;
    while (i < a.size() || (j < b.size() && !subtract)) {
      if (j == b.size() || (i < a.size() && a[i].index < b[j].index)) merged.push_back(a[i++]);
      else if (i < a.size() && a[i].index == b[j].index) {
        uint64_t bits = subtract ? a[i].bits & ~b[j].bits : a[i].bits | b[j].bits;
        if (bits != 0) merged.push_back({a[i].index, bits});
        ++i, ++j;
      } else if (subtract) ++j;
      else merged.push_back(b[j++]);
    }
    return merged;
  }

  void find_live_out() {
    size_t count = fn().blocks.size();
    std::vector<Bits> reads(count), writes(count);
    std::vector<BlockId> read_in(items_.size(), kNone), written_in(items_.size(), kNone);   // by bit: the last block that does
    for (BlockId block : cfg_.order) {
      std::vector<uint32_t> read_here, written_here;
      auto note = [&](uint32_t item, std::vector<BlockId>& last, std::vector<uint32_t>& here) {
        if (item == kNone || bit_[item] == kNone || last[bit_[item]] == block) return;
        last[bit_[item]] = block;
        here.push_back(bit_[item]);
      };
      for (const Inst& inst : fn().blocks[block].insts) {
        for_reads(inst, [&](uint32_t item) { if (bit_[item] != kNone && written_in[bit_[item]] != block) note(item, read_in, read_here); });
        note(written(inst), written_in, written_here);
      }
      reads[block] = bits_of(read_here);
      writes[block] = bits_of(written_here);
    }
    std::vector<Bits> live_in = reads;
    live_out_.assign(count, {});
    for (bool changed = true; changed;) {
      changed = false;
      for (size_t i = cfg_.order.size(); i-- > 0;) {
        BlockId block = cfg_.order[i];
        Bits& out = live_out_[block];
        for (BlockId next : cfg_.successors[block]) out = merge(out, live_in[next], false);
        Bits in = merge(reads[block], merge(out, writes[block], true), false);
        if (in == live_in[block]) continue;
        live_in[block] = std::move(in);
        changed = true;
      }
    }
  }

  bool may_move(uint32_t item) {
    if (!is_value(item)) return true;
    ir::ValueType type = fn().type(item - slots_);
    return type.kind != ir::ScalarKind::Ptr && type.kind != ir::ScalarKind::I1 && type.kind != ir::ScalarKind::None;
  }

  // Variables before values, rarely used ones before others.
  struct Rank {
    bool is_local; uint32_t accesses, item;
    auto operator<=>(const Rank&) const = default;
  };
  Rank rank(uint32_t item) const { return {!crosses_[item], accesses_[item], item}; }

  // Walks a block backwards; where too many are live, the cheapest ones go.
  void thin_out(BlockId block) {
    std::set<Rank> movable;
    std::vector<bool>& live = live_;
    live.resize(counts_.size());
    std::vector<uint32_t> touched;             // to be taken back: a set of all items for each block would be too many
    uint32_t count = 0;
    auto add = [&](uint32_t item) {
      if (live[item] || moved_.count(item) != 0) return;
      live[item] = true;
      touched.push_back(item);
      ++count;
      if (may_move(item)) movable.insert(rank(item));
      while (count > most_ && !movable.empty()) {
        uint32_t gone = movable.begin()->item;
        movable.erase(movable.begin());
        moved_.insert(gone);
        live[gone] = false;
        --count;
      }
    };
    for (const Word& word : live_out_[block]) {
      for (uint64_t bits = word.bits; bits != 0; bits &= bits - 1) add(items_[word.index * 64 + static_cast<uint32_t>(std::countr_zero(bits))]);
    }
    const std::vector<Inst>& insts = fn().blocks[block].insts;
    for (size_t i = insts.size(); i-- > 0;) {
      uint32_t item = written(insts[i]);
      if (item != kNone && live[item]) {
        live[item] = false;
        --count;
        movable.erase(rank(item));
      }
      for_reads(insts[i], add);
    }
    for (uint32_t item : touched) live[item] = false;
  }

  std::vector<uint32_t> demote() {
    std::vector<uint32_t> slots;
    std::vector<uint32_t> slot_of_value(fn().values.size(), kNone);
    ir::Builder b(module_, index_);
    for (uint32_t item : moved_) {
      uint32_t slot = item;
      if (is_value(item)) {
        uint32_t bytes = ir::bytes_of(fn().type(item - slots_));
        slot = slot_of_value[item - slots_] = b.new_slot(fn().values[item - slots_].name, bytes, bytes);
      }
      slots.push_back(slot);
    }
    if (!moved_.empty() && is_value(*moved_.rbegin())) store_and_load(b, slot_of_value);
    return slots;
  }

  void store_and_load(ir::Builder& b, const std::vector<uint32_t>& slot_of_value) {
    auto slot_of = [&](uint64_t value) { return value < slot_of_value.size() ? slot_of_value[value] : kNone; };
    size_t blocks = fn().blocks.size();
    for (BlockId block = 0; block < blocks; ++block) {
      std::vector<Inst> insts = std::move(fn().blocks[block].insts);
      fn().blocks[block].insts.clear();
      b.set_block(block);
      if (block == 0) {
        for (ValueId param : fn().params) {
          if (slot_of(param) != kNone) b.store(b.slot_addr(slot_of(param)), 0, param);
        }
      }
      for (Inst& inst : insts) {
        b.set_place(inst.loc);
        for (Operand& operand : inst.operands) {
          if (operand.kind != Operand::Value || slot_of(operand.number) == kNone) continue;
          auto value = static_cast<ValueId>(operand.number);
          operand.number = b.load(b.slot_addr(slot_of(value)), 0, fn().type(value), fn().values[value].name);
        }
        ValueId result = inst.result;
        fn().blocks[block].insts.push_back(std::move(inst));
        if (result != ir::kNoValue && slot_of(result) != kNone) b.store(b.slot_addr(slot_of(result)), 0, result);
      }
    }
  }

  ir::Module& module_;
  uint32_t index_;
  uint32_t most_;
  ir::Cfg cfg_;
  uint32_t slots_ = 0;
  uint32_t items_in_all_ = 0;
  std::vector<uint32_t> slot_of_;       // by value: the promotable slot whose address it is
  std::vector<bool> counts_, crosses_, live_;  // by item
  std::vector<uint32_t> accesses_, home_, bit_;
  std::vector<uint32_t> items_;         // by bit
  std::vector<Bits> live_out_;          // by block
  std::set<uint32_t> moved_;
};

}  // namespace

std::vector<uint32_t> bound_register_pressure(ir::Module& module, uint32_t function, uint32_t most) { return Pressure(module, function, most).run(); }

}  // namespace btc::lower
