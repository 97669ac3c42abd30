// Appends instructions to a function: one method per family of operations, types worked out from the operands.
//
// Values are named after what they hold in the script ("tid", "delta"); a name that is taken gets ".1", ".2" ... in order of
// creation, so the text depends on nothing but the script. Constants are shared within a block.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "lower/ir/ir.h"

namespace btc::ir {

inline constexpr ValueType kI1{ScalarKind::I1}, kI8{ScalarKind::I8}, kI16{ScalarKind::I16}, kI32{ScalarKind::I32}, kI64{ScalarKind::I64};
constexpr ValueType ptr_type(PtrSpace space, bool nullable = false) { return {ScalarKind::Ptr, space, nullable}; }
// The integer type of so many bytes (1, 2, 4, 8).
constexpr ValueType int_of(uint32_t bytes) { return bytes == 1 ? kI8 : bytes == 2 ? kI16 : bytes == 4 ? kI32 : kI64; }

class Builder {
 public:
  // Functions are held by index: the module's vector may grow while this one is being built.
  Builder(Module& module, uint32_t function) : module_(module), index_(function) {
    if (fn().values.empty()) fn().values.emplace_back();
  }

  Module& module() { return module_; }
  Function& fn() { return module_.functions[index_]; }
  const Function& fn() const { return module_.functions[index_]; }
  uint32_t index() const { return index_; }
  ValueType type(ValueId value) const { return fn().values[value].type; }

  void set_place(SourceRange place) { place_ = place; }
  SourceRange place() const { return place_; }

  // ---- Values, slots, blocks ----
  ValueId new_value(std::string_view name, ValueType type) {
    fn().values.push_back({unique(value_names_, fn().values, name.empty() ? "v" : name), type});
    return static_cast<ValueId>(fn().values.size() - 1);
  }
  ValueId add_param(std::string_view name, ValueType type) {
    ValueId id = new_value(name, type);
    fn().params.push_back(id);
    return id;
  }
  uint32_t new_slot(std::string_view name, uint32_t size, uint32_t align) {
    Slot slot;
    slot.name = unique(slot_names_, fn().slots, name.empty() ? "s" : name);
    slot.size = size == 0 ? 1 : size;
    slot.align = align;
    fn().slots.push_back(std::move(slot));
    return static_cast<uint32_t>(fn().slots.size() - 1);
  }
  BlockId new_block(std::string_view name) {
    fn().blocks.push_back({unique(block_names_, fn().blocks, name), {}});
    return static_cast<BlockId>(fn().blocks.size() - 1);
  }
  void set_block(BlockId block) { block_ = block; }
  BlockId block() const { return block_; }
  bool terminated() const {
    const std::vector<Inst>& insts = fn().blocks[block_].insts;
    return !insts.empty() && (op_info(insts.back().op).flags & OpTerm) != 0;
  }

  // ---- Operands ----
  static Operand val(ValueId id) { return number(Operand::Value, id); }
  static Operand imm(int64_t value) { return number(Operand::Int, static_cast<uint64_t>(value)); }
  static Operand map_ref(uint32_t map) { return number(Operand::Map, map); }
  static Operand event_ref(uint32_t event) { return number(Operand::Event, event); }
  static Operand block_ref(BlockId block) { return number(Operand::Block, block); }
  static Operand func_ref(uint32_t function) { return number(Operand::Func, function); }
  static Operand core_ref(uint32_t type) { return number(Operand::CoreType, type); }
  static Operand word(std::string_view text) { return with_text(Operand::Name, text); }
  static Operand text(std::string_view text) { return with_text(Operand::Text, text); }
  static Operand chain_ref(Chain chain) {
    Operand operand;
    operand.kind = Operand::ChainRef;
    operand.chain = std::move(chain);
    return operand;
  }

  // Any operation; `type` None: no result. After a terminator nothing more is added (unreachable code of the script).
  ValueId emit(Op op, std::vector<Operand> operands, ValueType type = {}, std::string_view name = {}) {
    ValueId result = type.kind == ScalarKind::None ? kNoValue : new_value(name, type);
    if (terminated()) set_block(new_block("unreachable"));
    Inst inst;
    inst.op = op;
    inst.result = result;
    inst.operands = std::move(operands);
    inst.loc = place_;
    fn().blocks[block_].insts.push_back(std::move(inst));
    return result;
  }

  // ---- Integers ----
  ValueId constant(int64_t value, ValueType type = kI64) {
    if (terminated()) set_block(new_block("unreachable"));
    auto [entry, is_new] = constants_.try_emplace({block_, type.kind, value}, kNoValue);
    if (is_new) entry->second = emit(Op::Const, {imm(value)}, type, "c");
    return entry->second;
  }
  ValueId binary(Op op, ValueId a, ValueId b, std::string_view name = {}) {
    bool compares = op >= Op::Eq && op <= Op::LeU;
    return emit(op, {val(a), val(b)}, compares ? kI1 : type(a), name);
  }
  ValueId add_imm(ValueId a, int64_t b, std::string_view name = {}) { return b == 0 ? a : binary(Op::Add, a, constant(b, type(a)), name); }
  // To another width: truncates, or extends by sign.
  ValueId resize(ValueId value, ValueType to, bool is_signed, std::string_view name = {}) {
    ValueType from = type(value);
    if (from.kind == to.kind) return value;
    Op op = from.kind > to.kind ? Op::Trunc : is_signed ? Op::Sext : Op::Zext;
    return emit(op, {val(value)}, to, name);
  }
  // i1 -> i64 and back.
  ValueId bool_value(ValueId flag, std::string_view name = {}) { return type(flag) == kI1 ? emit(Op::Zext, {val(flag)}, kI64, name) : flag; }
  ValueId is_nonzero(ValueId value, std::string_view name = {}) { return type(value) == kI1 ? value : binary(Op::Ne, value, constant(0, type(value)), name); }
  ValueId is_zero(ValueId value, std::string_view name = {}) { return binary(Op::Eq, value, constant(0, type(value)), name); }
  ValueId select(ValueId flag, ValueId a, ValueId b, std::string_view name = {}) { return emit(Op::Select, {val(flag), val(a), val(b)}, type(a), name); }

  ValueId at_most(ValueId value, int64_t limit) { return select(binary(Op::LtU, constant(limit), value, "over"), constant(limit), value, "size"); }

  // ---- Memory ----
  ValueId slot_addr(uint32_t slot) { return emit(Op::SlotAddr, {number(Operand::Slot, slot)}, ptr_type(PtrSpace::Mem), fn().slots[slot].name); }
  ValueId rodata(std::string_view bytes) { return emit(Op::RodataAddr, {text(bytes)}, ptr_type(PtrSpace::Ro), "str"); }
  ValueId ptr_add(ValueId pointer, int64_t bytes, std::string_view name = {}) {
    return bytes == 0 ? pointer : ptr_add(pointer, constant(bytes), name);
  }
  ValueId ptr_add(ValueId pointer, ValueId bytes, std::string_view name) {
    ValueType result = type(pointer);
    result.nullable = false;
    return emit(Op::PtrAdd, {val(pointer), val(bytes)}, result, name);
  }
  ValueId load(ValueId pointer, int64_t offset, ValueType type, std::string_view name = {}) { return emit(Op::Load, {val(pointer), imm(offset)}, type, name); }
  void store(ValueId pointer, int64_t offset, ValueId value) { emit(Op::Store, {val(pointer), imm(offset), val(value)}); }
  void mem_copy(ValueId to, ValueId from, uint32_t bytes) { if (bytes != 0) emit(Op::MemCopy, {val(to), val(from), imm(bytes)}); }
  void mem_set(ValueId to, uint8_t byte, uint32_t bytes) { if (bytes != 0) emit(Op::MemSet, {val(to), imm(byte), imm(bytes)}); }
  ValueId mem_eq(ValueId a, ValueId b, uint32_t bytes) { return emit(Op::MemEq, {val(a), val(b), imm(bytes)}, kI1, "same"); }
  ValueId ptr_to_int(ValueId pointer, std::string_view name = "addr") { return type(pointer).kind == ScalarKind::Ptr ? emit(Op::PtrToInt, {val(pointer)}, kI64, name) : pointer; }
  ValueId int_to_ptr(ValueId address, PtrSpace space, std::string_view name = "p") { return emit(Op::IntToPtr, {val(address)}, ptr_type(space), name); }

  // ---- The machine ----
  ValueId ctx_load(int64_t offset, ValueType type, std::string_view name) { return emit(Op::CtxLoad, {imm(offset)}, type, name); }
  ValueId builtin(std::string_view name) { return emit(Op::Builtin, {word(name)}, kI64, name); }
  ValueId fact(uint32_t fact) {
    ValueType type = int_of(module_.facts[fact].size);
    ValueId value = emit(Op::FactLoad, {number(Operand::Fact, fact)}, type, module_.facts[fact].name);
    return resize(value, kI64, false, module_.facts[fact].name);
  }
  ValueId fact_addr(uint32_t fact) { return emit(Op::FactAddr, {number(Operand::Fact, fact)}, ptr_type(PtrSpace::Ro), module_.facts[fact].name); }
  ValueId call_named(Op op, std::string_view function, const std::vector<ValueId>& args, std::string_view name = "ret") {
    std::vector<Operand> operands{word(function)};
    for (ValueId arg : args) operands.push_back(val(arg));
    return emit(op, std::move(operands), kI64, name);
  }
  ValueId helper(std::string_view function, const std::vector<ValueId>& args, std::string_view name = "ret") { return call_named(Op::Helper, function, args, name); }
  ValueId bpf(std::string_view function, const std::vector<ValueId>& args, std::string_view name = "ret") { return call_named(Op::BpfCall, function, args, name); }

  // ---- Maps ----
  ValueId map_lookup(uint32_t map, ValueId key, std::string_view name = "entry") { return emit(Op::MapLookup, {map_ref(map), val(key)}, ptr_type(PtrSpace::Map, true), name); }
  ValueId map_update(uint32_t map, ValueId key, ValueId value, int64_t flags) { return emit(Op::MapUpdate, {map_ref(map), val(key), val(value), imm(flags)}, kI64, "ret"); }

  // ---- Control ----
  void br(BlockId to) { if (!terminated()) emit(Op::Br, {block_ref(to)}); }
  void br_if(ValueId flag, BlockId then_block, BlockId else_block) { emit(Op::BrIf, {val(flag), block_ref(then_block), block_ref(else_block)}); }

  // ---- If-like control; there is no phi, results go through memory ----
  // `branch` ends the current block with a jump to one of the two blocks.
  template <typename Branch, typename Then, typename Else>
  void if_else_by(std::string_view name, Branch&& branch, Then&& then_part, Else&& else_part) {
    BlockId then_block = new_block(name), else_block = new_block(std::string(name) + "_else"), done = new_block(std::string(name) + "_end");
    branch(then_block, else_block);
    set_block(then_block);
    then_part();
    br(done);
    set_block(else_block);
    else_part();
    br(done);
    set_block(done);
  }
  template <typename Then, typename Else>
  void if_else(ValueId flag, std::string_view name, Then&& then_part, Else&& else_part) {
    if_else_by(name, [&](BlockId then_block, BlockId else_block) { br_if(flag, then_block, else_block); }, then_part, else_part);
  }
  template <typename Then>
  void if_then(ValueId flag, std::string_view name, Then&& then_part) {
    BlockId then_block = new_block(name), done = new_block(std::string(name) + "_end");
    br_if(flag, then_block, done);
    set_block(then_block);
    then_part();
    br(done);
    set_block(done);
  }
  void ret(ValueId value) { emit(Op::Ret, {val(value)}); }

 private:
  static Operand number(Operand::Kind kind, uint64_t value) {
    Operand operand;
    operand.kind = kind;
    operand.number = value;
    return operand;
  }
  static Operand with_text(Operand::Kind kind, std::string_view text) {
    Operand operand;
    operand.kind = kind;
    operand.text = std::string(text);
    return operand;
  }
  // Filled with the names that the function has when the first new one is wanted: most passes make few or none.
  struct Names {
    std::unordered_map<std::string, uint32_t> taken;
    bool filled = false;
  };
  template <typename Named>
  static std::string unique(Names& known, const std::vector<Named>& present, std::string_view wanted) {
    auto& names = known.taken;
    if (!known.filled) {
      names.reserve(present.size());
      for (const Named& named : present) names.emplace(named.name, 1);
      known.filled = true;
    }
    std::string base;
    for (char c : wanted) base += (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ? c : '_';
    uint32_t& count = names[base];
    if (count++ == 0) return base;
    for (;; ++count) {
      std::string name = base + "." + std::to_string(count - 1);
      if (names.try_emplace(name, 1).second) return name;
    }
  }

  Module& module_;
  uint32_t index_;
  BlockId block_ = 0;
  SourceRange place_;
  Names value_names_, slot_names_, block_names_;
  std::map<std::tuple<BlockId, ScalarKind, int64_t>, ValueId> constants_;
};

}  // namespace btc::ir
