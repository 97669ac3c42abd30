// The BIR verifier: says at compile time what the kernel's verifier would say at load, with a place in the script.
//
// Invariants of every module
//   Module     1  event, map, fact, param, core type, program and function indexes are in range; elements of core types too
//              2  symbols are unique; access chains fit their core type
//   Function   3  there is an entry block; every block ends in exactly one terminator; blocks named by one exist
//              4  a value is defined once, and its definition dominates every use
//              5  operands have the kinds their row in ops.def asks for, and types that fit (rules in check_types)
//              6  a pointer that may be null is tested by `br.if` on every path to a load, store, read or helper that takes it
//              7  a reserved event is submitted or discarded exactly once on every path where it is not null
//              8  direct loads and stores stay inside their slot
//              9  a callback or function that is called exists and gets the arguments it declares
// And of a canonical one
//   10  no agg.* operation is left, every slot has a place, stack slots of a function fit 512 bytes
//
// What it does not know: whether a loop ends, and sizes behind pointers other than slots.
#include <fmt/format.h>

#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "lower/ir/cfg.h"
#include "lower/ir/ir.h"

namespace btc::ir {
namespace {

constexpr uint32_t kStackBytes = 512;  // MAX_BPF_STACK

bool is_int(ValueType type) { return type.kind >= ScalarKind::I1 && type.kind <= ScalarKind::I64; }
bool is_ptr(ValueType type) { return type.kind == ScalarKind::Ptr; }
bool is_memory(PtrSpace space) { return space == PtrSpace::Mem || space == PtrSpace::Map; }

class Verifier {
 public:
  Verifier(const Module& module, DiagEngine& diags) : module_(module), diags_(diags) {}

  bool run() {
    check_module();
    if (!ok_) return false;
    for (const Function& function : module_.functions) check_function(function);
    return ok_;
  }

 private:
  template <typename... Args>
  void report(SourceRange range, fmt::format_string<Args...> format, Args&&... args) {
    diags_.report(DiagKind::BirInvalid, range, fmt::format(format, std::forward<Args>(args)...));
    ok_ = false;
  }
  std::string name(ValueId id) const { return "%" + function_->values[id].name; }
  ValueType type(ValueId id) const { return function_->values[id].type; }

  // ---- Module ----
  void check_module() {
    if (module_.stage != "raw" && module_.stage != "canonical") report({}, "unknown stage {}", module_.stage);
    for (const CoreType& core : module_.core_types) {
      if (core.elem >= module_.core_types.size()) report({}, "core type {} has no element #{}", core.name, core.elem);
      for (const CoreType::Member& member : core.members) {
        if (member.type >= module_.core_types.size()) report({}, "core type {} has no type #{}", core.name, member.type);
      }
    }
    std::unordered_set<std::string> symbols;
    auto take_symbol = [&](const std::string& symbol, SourceRange range) {
      if (!symbols.insert(symbol).second) report(range, "symbol {} is there twice", symbol);
    };
    for (const Map& map : module_.maps) take_symbol(map.bpf_name, map.loc);
    for (const Function& function : module_.functions) take_symbol(function.name, function.loc);
    for (const Event& event : module_.events) {
      if (event.map >= static_cast<int>(module_.maps.size())) report(event.loc, "event has no map {}", event.map);
    }
    for (const Fact& fact : module_.facts) {
      if (fact.param >= static_cast<int>(module_.params.size())) report(fact.loc, "fact {} has no parameter {}", fact.name, fact.param);
    }
    std::vector<int> bodies(module_.programs.size());
    for (const Function& function : module_.functions) {
      if (function.program >= static_cast<int>(module_.programs.size())) report(function.loc, "function &{} has no probe", function.name);
      if (function.kind != Function::Program) continue;
      if (function.program < 0) report(function.loc, "program &{} has no probe", function.name);
      else if (function.program < static_cast<int>(bodies.size())) ++bodies[static_cast<size_t>(function.program)];
    }
    for (size_t i = 0; i < bodies.size(); ++i) {
      if (bodies[i] != 1) report(module_.programs[i].loc, "probe #{} has {} programs", i, bodies[i]);
    }
  }

  // ---- One function ----
  void check_function(const Function& function) {
    function_ = &function;
    bool ok_before = ok_;
    ok_ = true;
    check_shape();
    if (ok_) check_operands();
    if (ok_) {
      cfg_ = make_cfg(function);
      check_definitions();
    }
    if (ok_) {
      check_null_tests();
      check_events();
      if (module_.stage == "canonical") check_canonical();
    }
    ok_ = ok_ && ok_before;
  }

  void check_shape() {
    if (function_->blocks.empty()) return report(function_->loc, "function &{} has no blocks", function_->name);
    if (function_->kind == Function::Program && (function_->params.size() != 1 || type(function_->params[0]) != ValueType{ScalarKind::Ptr, PtrSpace::Ctx})) {
      report(function_->loc, "program &{} must take one ptr.ctx", function_->name);
    }
    for (const Slot& slot : function_->slots) {
      bool align_ok = slot.align == 1 || slot.align == 2 || slot.align == 4 || slot.align == 8;
      if (slot.size == 0 || !align_ok) report(function_->loc, "slot ${} has size {} and alignment {}", slot.name, slot.size, slot.align);
    }
    for (const Block& block : function_->blocks) {
      if (block.insts.empty()) report(function_->loc, "block ^{} is empty", block.name);
      for (size_t i = 0; i < block.insts.size(); ++i) {
        bool is_last = i + 1 == block.insts.size();
        const Inst& inst = block.insts[i];
        bool ends = (op_info(inst.op).flags & OpTerm) != 0;
        if (ends && !is_last) report(inst.loc, "`{}` in the middle of ^{}", op_info(inst.op).mnemonic, block.name);
        if (!ends && is_last) report(inst.loc, "block ^{} has no end", block.name);
      }
    }
  }

  // Invariant 5: kinds and ranges of operands first, so that everything later may index freely.
  void check_operands() {
    for (const Block& block : function_->blocks) {
      for (const Inst& inst : block.insts) {
        if (inst.result >= function_->values.size()) report(inst.loc, "result out of range");
        bool fits = operands_fit(inst);
        if (fits && ok_) check_types(inst);
      }
    }
  }

  bool operands_fit(const Inst& inst) {
    const OpInfo& info = op_info(inst.op);
    size_t i = 0;
    for (const char* letter = info.operands; *letter != '\0'; ++letter) {
      if (*letter == '*') {
        for (; i < inst.operands.size(); ++i) {
          if (!operand_fits(inst, inst.operands[i], 'V')) return false;
        }
        break;
      }
      if (i >= inst.operands.size()) return report(inst.loc, "`{}` has too few operands", info.mnemonic), false;
      if (!operand_fits(inst, inst.operands[i], *letter)) return false;
      ++i;
    }
    if (i != inst.operands.size()) return report(inst.loc, "`{}` has too many operands", info.mnemonic), false;
    return true;
  }

  bool operand_fits(const Inst& inst, const Operand& operand, char letter) {
    auto wants = [&](Operand::Kind kind, size_t limit) {
      if (operand.kind == kind && operand.number < limit) return true;
      report(inst.loc, "`{}`: operand out of range or of another kind", op_info(inst.op).mnemonic);
      return false;
    };
    constexpr size_t kAny = ~size_t{0};
    switch (letter) {
      case 'V': return wants(Operand::Value, function_->values.size()) && (operand.number != kNoValue || wants(Operand::Value, 0));
      case 'I': return operand.kind == Operand::Int || wants(Operand::Int, 0);
      case 'S': return wants(Operand::Slot, function_->slots.size());
      case 'M': return wants(Operand::Map, module_.maps.size());
      case 'E': return wants(Operand::Event, module_.events.size());
      case 'F': return wants(Operand::Fact, module_.facts.size());
      case 'B': return wants(Operand::Block, function_->blocks.size());
      case 'C': return wants(Operand::ChainRef, kAny) && chain_fits(inst, operand.chain);
      case 'T': return wants(Operand::CoreType, module_.core_types.size());
      case 'N': return wants(Operand::Name, kAny);
      case 'L': return wants(Operand::Func, module_.functions.size());
      default: return wants(Operand::Text, kAny);
    }
  }

  bool chain_fits(const Inst& inst, const Chain& chain) {
    uint32_t at = chain.type;
    if (at >= module_.core_types.size()) return report(inst.loc, "no core type #{}", at), false;
    for (uint32_t step : chain.path) {
      const CoreType& core = module_.core_types[at];
      bool is_record = core.kind == CoreType::Struct || core.kind == CoreType::Union;
      if (is_record && step < core.members.size()) {
        at = core.members[step].type;
      } else if (core.kind == CoreType::Array) {
        at = core.elem;
      } else {
        return report(inst.loc, "core type {} #{} has no member {}", core.name, at, step), false;
      }
    }
    return true;
  }

  // ---- Types ----
  ValueType operand_type(const Inst& inst, size_t i) const { return type(static_cast<ValueId>(inst.operands[i].number)); }

  void want_int(const Inst& inst, size_t i) {
    if (!is_int(operand_type(inst, i))) type_error(inst, i, "an integer");
  }
  void want_i64(const Inst& inst, size_t i) {
    if (operand_type(inst, i).kind != ScalarKind::I64) type_error(inst, i, "i64");
  }
  void want_ptr(const Inst& inst, size_t i) {
    if (!is_ptr(operand_type(inst, i))) type_error(inst, i, "a pointer");
  }
  void want_memory(const Inst& inst, size_t i) {
    ValueType actual = operand_type(inst, i);
    if (!is_ptr(actual) || !is_memory(actual.space)) type_error(inst, i, "a pointer to memory or a map value");
  }
  void want_readable(const Inst& inst, size_t i) {
    ValueType actual = operand_type(inst, i);
    if (!is_ptr(actual) || (!is_memory(actual.space) && actual.space != PtrSpace::Ro)) type_error(inst, i, "a pointer to readable memory");
  }
  void want_space(const Inst& inst, size_t i, PtrSpace space) {
    ValueType actual = operand_type(inst, i);
    if (actual.kind != ScalarKind::I64 && (!is_ptr(actual) || (actual.space != space && !(space == PtrSpace::Kernel && actual.space == PtrSpace::Btf)))) {
      type_error(inst, i, print(ValueType{ScalarKind::Ptr, space}).c_str());
    }
  }
  void type_error(const Inst& inst, size_t i, const char* wanted) {
    auto id = static_cast<ValueId>(inst.operands[i].number);
    report(inst.loc, "`{}`: {} is {}, not {}", op_info(inst.op).mnemonic, name(id), print(type(id)), wanted);
  }
  void want_result(const Inst& inst, ValueType wanted) {
    if (type(inst.result) != wanted) report(inst.loc, "`{}`: result {} is {}, not {}", op_info(inst.op).mnemonic, name(inst.result), print(type(inst.result)), print(wanted));
  }
  void want_int_result(const Inst& inst) {
    if (!is_int(type(inst.result))) report(inst.loc, "`{}`: result {} is not an integer", op_info(inst.op).mnemonic, name(inst.result));
  }

  static constexpr ValueType kI1{ScalarKind::I1};
  static constexpr ValueType kI64{ScalarKind::I64};
  static constexpr ValueType pointer(PtrSpace space, bool nullable = false) { return {ScalarKind::Ptr, space, nullable}; }

  void check_types(const Inst& inst) {
    const OpInfo& info = op_info(inst.op);
    if (info.result != '-' && (inst.result == kNoValue || type(inst.result).kind == ScalarKind::None)) return report(inst.loc, "`{}` without a result", info.mnemonic);
    if (info.result == '-' && inst.result != kNoValue) return report(inst.loc, "`{}` has no result", info.mnemonic);
    if (info.result == 'p' && !is_ptr(type(inst.result))) return report(inst.loc, "`{}`: result must be a pointer", info.mnemonic);
    switch (inst.op) {
      case Op::Const: return want_int_result(inst);
      case Op::Add: case Op::Sub: case Op::Mul: case Op::DivU: case Op::ModU: case Op::And: case Op::Or: case Op::Xor:
      case Op::Shl: case Op::ShrU: case Op::ShrS: {
        want_int(inst, 0);
        if (operand_type(inst, 1) != operand_type(inst, 0)) type_error(inst, 1, print(operand_type(inst, 0)).c_str());
        return want_result(inst, operand_type(inst, 0));
      }
      case Op::Eq: case Op::Ne: case Op::LtS: case Op::LtU: case Op::LeS: case Op::LeU:
        want_int(inst, 0);
        if (operand_type(inst, 1) != operand_type(inst, 0)) type_error(inst, 1, print(operand_type(inst, 0)).c_str());
        return want_result(inst, kI1);
      case Op::Zext: case Op::Sext:
        want_int(inst, 0), want_int_result(inst);
        if (is_int(operand_type(inst, 0)) && type(inst.result).kind <= operand_type(inst, 0).kind) report(inst.loc, "`{}`: {} is not wider", info.mnemonic, name(inst.result));
        return;
      case Op::Trunc:
        want_int(inst, 0), want_int_result(inst);
        if (is_int(operand_type(inst, 0)) && type(inst.result).kind >= operand_type(inst, 0).kind) report(inst.loc, "`trunc`: {} is not narrower", name(inst.result));
        return;
      case Op::Select:
        if (operand_type(inst, 0) != kI1) type_error(inst, 0, "i1");
        if (operand_type(inst, 1) != operand_type(inst, 2)) type_error(inst, 2, print(operand_type(inst, 1)).c_str());
        return want_result(inst, operand_type(inst, 1));
      case Op::Bswap: want_int(inst, 0); return want_result(inst, operand_type(inst, 0));
      case Op::Opaque: want_int(inst, 0); return want_result(inst, operand_type(inst, 0));
      case Op::PtrToInt: want_ptr(inst, 0); return want_result(inst, kI64);
      case Op::IntToPtr:
        want_i64(inst, 0);
        if (type(inst.result).space != PtrSpace::Kernel && type(inst.result).space != PtrSpace::User) report(inst.loc, "`inttoptr` only makes ptr.kernel and ptr.user");
        return;
      case Op::SlotAddr: return want_result(inst, pointer(PtrSpace::Mem));
      case Op::RodataAddr: case Op::FactAddr: return want_result(inst, pointer(PtrSpace::Ro));
      case Op::PtrAdd: {
        want_ptr(inst, 0), want_i64(inst, 1);
        ValueType moved = operand_type(inst, 0);
        moved.nullable = false;
        return want_result(inst, moved);
      }
      case Op::Load: {
        want_ptr(inst, 0);
        PtrSpace space = operand_type(inst, 0).space;
        if (is_ptr(operand_type(inst, 0)) && (space == PtrSpace::Kernel || space == PtrSpace::User)) type_error(inst, 0, "a pointer that may be loaded from directly");
        if (type(inst.result) == kI1) report(inst.loc, "`load` of i1: load i8 and compare");
        return check_slot_bounds(inst, 0, static_cast<int64_t>(inst.operands[1].number), bytes_of(type(inst.result)));
      }
      case Op::Store:
        want_memory(inst, 0);
        if (operand_type(inst, 2) == kI1) type_error(inst, 2, "storable: extend i1 first");
        return check_slot_bounds(inst, 0, static_cast<int64_t>(inst.operands[1].number), bytes_of(operand_type(inst, 2)));
      case Op::StoreUnknown:
        want_memory(inst, 0), want_i64(inst, 2);
        return check_slot_bounds(inst, 0, static_cast<int64_t>(inst.operands[1].number), 8);
      case Op::MemCopy:
        want_memory(inst, 0), want_readable(inst, 1);
        check_slot_bounds(inst, 0, 0, inst.operands[2].number);
        return check_slot_bounds(inst, 1, 0, inst.operands[2].number);
      case Op::MemSet: want_memory(inst, 0); return check_slot_bounds(inst, 0, 0, inst.operands[2].number);
      case Op::MemEq:
        want_readable(inst, 0), want_readable(inst, 1);
        check_slot_bounds(inst, 0, 0, inst.operands[2].number), check_slot_bounds(inst, 1, 0, inst.operands[2].number);
        return want_result(inst, kI1);
      case Op::Ctx: return want_result(inst, pointer(PtrSpace::Ctx));
      case Op::CtxLoad: case Op::FactLoad: case Op::Builtin: return;
      case Op::RecordLoad: case Op::RecordDataLen: case Op::CopyConst: case Op::CoreOffset: case Op::CoreSize: case Op::CoreTypeId:
      case Op::CoreEnum: case Op::AggRead:
        return want_result(inst, kI64);
      case Op::RecordAddr: case Op::RecordDataLoc: return want_result(inst, pointer(PtrSpace::Kernel));
      case Op::ReadKernel: case Op::ReadUser:
        want_memory(inst, 0), want_space(inst, 1, inst.op == Op::ReadKernel ? PtrSpace::Kernel : PtrSpace::User);
        check_slot_bounds(inst, 0, 0, inst.operands[2].number);
        return want_result(inst, kI64);
      case Op::ReadKernelN: case Op::ReadUserN: case Op::ReadStrKernel: case Op::ReadStrUser: {
        bool is_kernel = inst.op == Op::ReadKernelN || inst.op == Op::ReadStrKernel;
        want_memory(inst, 0), want_space(inst, 1, is_kernel ? PtrSpace::Kernel : PtrSpace::User), want_i64(inst, 2);
        check_slot_bounds(inst, 0, 0, inst.operands[3].number);
        return want_result(inst, kI64);
      }
      case Op::CoreAddr: want_ptr(inst, 0); return;
      case Op::CoreLoad:
        if (operand_type(inst, 0).space != PtrSpace::Btf) type_error(inst, 0, "ptr.btf");
        return;
      case Op::CoreBitfield: want_ptr(inst, 0); return want_result(inst, kI64);
      case Op::CoreShift: return want_result(inst, kI64);
      case Op::CoreFieldExists: case Op::CoreTypeExists: case Op::Exited: return want_result(inst, kI1);
      case Op::BuiltinMem: return want_memory(inst, 1);
      case Op::StackRead:
        want_memory(inst, 0);
        want_int(inst, 1);
        return want_result(inst, kI64);
      case Op::MapLookup: want_readable(inst, 1); return want_result(inst, pointer(PtrSpace::Map, true));
      case Op::MapLookupPercpu: want_readable(inst, 1), want_int(inst, 2); return want_result(inst, pointer(PtrSpace::Map, true));
      case Op::MapUpdate: want_readable(inst, 1), want_readable(inst, 2); return want_result(inst, kI64);
      case Op::MapDelete: want_readable(inst, 1); return want_result(inst, kI64);
      case Op::MapForEach: want_memory(inst, 2), want_callback(inst, 1, 4); return want_result(inst, kI64);
      case Op::LoopN: want_int(inst, 0), want_memory(inst, 2), want_callback(inst, 1, 2); return want_result(inst, kI64);
      case Op::AggCount: return want_readable(inst, 1);
      case Op::AggSum: case Op::AggMin: case Op::AggMax: case Op::AggAvg: case Op::AggHist: case Op::AggLhist: case Op::AggTseries:
        want_readable(inst, 1);
        return want_i64(inst, 2);
      case Op::EventReserve: return want_result(inst, pointer(PtrSpace::Mem, true));
      case Op::EventReport:
        if (operand_type(inst, 1) != ValueType{ScalarKind::I32}) type_error(inst, 1, "i32");
        if (module_.events[inst.operands[0].number].kind != abi::EventKind::RuntimeError) report(inst.loc, "`event.report` of an event that is no runtime_error");
        return;
      case Op::EventSubmit: case Op::EventDiscard: return want_memory(inst, 0);
      case Op::ZeroAddr: case Op::ScratchEnter: case Op::ScratchGet: case Op::GuardEnter: return want_result(inst, pointer(PtrSpace::Map, true));
      case Op::Call: return want_arguments(inst);
      case Op::BrIf:
        if (operand_type(inst, 0) != kI1 && !is_ptr(operand_type(inst, 0))) type_error(inst, 0, "i1 or a pointer");
        return;
      case Op::Ret:
        if (operand_type(inst, 0) != function_->return_type) type_error(inst, 0, print(function_->return_type).c_str());
        return;
      case Op::RetVoid:
        if (function_->return_type.kind != ScalarKind::None) report(inst.loc, "`ret.void` in a function that returns {}", print(function_->return_type));
        return;
      default: return;
    }
  }

  void want_callback(const Inst& inst, size_t i, size_t params) {
    const Function& callee = module_.functions[inst.operands[i].number];
    if (callee.kind != Function::Callback || callee.params.size() != params) report(inst.loc, "`{}`: &{} is not a callback of {} parameters", op_info(inst.op).mnemonic, callee.name, params);
  }
  // Memory may have moved to scratch, which lies in a map's value.
  static bool argument_fits(ValueType param, ValueType given) {
    bool moved = param.kind == ScalarKind::Ptr && given == ValueType{ScalarKind::Ptr, PtrSpace::Map} && param == ValueType{ScalarKind::Ptr, PtrSpace::Mem};
    return moved || param == given;
  }
  void want_arguments(const Inst& inst) {
    const Function& callee = module_.functions[inst.operands[0].number];
    bool fits = callee.kind == Function::Subprog && callee.params.size() + 1 == inst.operands.size() && callee.params.size() <= 5;
    for (size_t i = 0; fits && i < callee.params.size(); ++i) fits = argument_fits(callee.type(callee.params[i]), operand_type(inst, i + 1));
    if (!fits) report(inst.loc, "`call`: arguments do not fit &{}", callee.name);
    want_result(inst, callee.return_type);
  }

  // Invariant 8, for addresses that are a slot plus constants.
  void check_slot_bounds(const Inst& inst, size_t i, int64_t offset, uint64_t bytes) {
    if (current_ != function_) find_slot_values();
    const SlotPlace& place = slot_of_value_[inst.operands[i].number];
    if (place.slot < 0) return;
    const Slot& slot = function_->slots[static_cast<size_t>(place.slot)];
    int64_t begin = place.offset + offset;
    if (begin < 0 || bytes > slot.size || static_cast<uint64_t>(begin) + bytes > slot.size) {
      report(inst.loc, "`{}` of {} bytes at {} leaves slot ${} of {} bytes", op_info(inst.op).mnemonic, bytes, begin, slot.name, slot.size);
    }
  }
  // Called before all instructions are checked: what their operands name may not exist.
  void find_slot_values() {
    current_ = function_;
    size_t count = function_->values.size();
    slot_of_value_.assign(count, {});
    std::vector<std::optional<int64_t>> constants(count);
    for (const Block& block : function_->blocks) {
      for (const Inst& inst : block.insts) {
        if (inst.operands.empty() || inst.result >= count) continue;
        const Operand& first = inst.operands[0];
        if (inst.op == Op::Const) constants[inst.result] = static_cast<int64_t>(first.number);
        if (inst.op == Op::SlotAddr && first.kind == Operand::Slot && first.number < function_->slots.size()) slot_of_value_[inst.result] = {static_cast<int64_t>(first.number), 0};
        if (inst.op != Op::PtrAdd || inst.operands.size() != 2 || first.number >= count || inst.operands[1].number >= count) continue;
        const SlotPlace base = slot_of_value_[first.number];
        const std::optional<int64_t> by = constants[inst.operands[1].number];
        if (base.slot >= 0 && by) slot_of_value_[inst.result] = {base.slot, base.offset + *by};
      }
    }
  }

  // ---- Invariant 4 ----
  void check_definitions() {
    defined_at_.assign(function_->values.size(), {-1, 0});
    for (ValueId param : function_->params) defined_at_[param] = {0, 0};
    for (BlockId block = 0; block < function_->blocks.size(); ++block) {
      const std::vector<Inst>& insts = function_->blocks[block].insts;
      for (size_t i = 0; i < insts.size(); ++i) {
        if (insts[i].result == kNoValue) continue;
        if (defined_at_[insts[i].result].block >= 0) report(insts[i].loc, "{} is defined twice", name(insts[i].result));
        defined_at_[insts[i].result] = {static_cast<int>(block), i + 1};
      }
    }
    for (BlockId block : cfg_.order) {
      const std::vector<Inst>& insts = function_->blocks[block].insts;
      for (size_t i = 0; i < insts.size(); ++i) {
        for (const Operand& operand : insts[i].operands) {
          if (operand.kind != Operand::Value) continue;
          auto id = static_cast<ValueId>(operand.number);
          Definition at = defined_at_[id];
          bool before = at.block >= 0 && (at.block == static_cast<int>(block) ? at.index <= i : cfg_.dominates(static_cast<BlockId>(at.block), block));
          if (!before) report(insts[i].loc, "{} is used where it may not be defined", name(id));
        }
      }
    }
  }

  // ---- Invariant 6 ----
  // Blocks where `pointer` is known not to be null: dominated by a `br.if` edge that tested it.
  bool is_tested(ValueId pointer, BlockId block) const {
    auto [first, end] = tests_.equal_range(pointer);
    for (auto at = first; at != end; ++at) {
      const Inst& last = function_->blocks[at->second].insts.back();
      auto hit = static_cast<BlockId>(last.operands[1].number);
      if (last.operands[1].number == last.operands[2].number) continue;
      if (cfg_.predecessors[hit].size() == 1 && cfg_.dominates(hit, block)) return true;
    }
    return false;
  }

  static bool may_be_null(const Inst& inst) {
    switch (inst.op) {
      case Op::BrIf: case Op::PtrToInt: case Op::Eq: case Op::Ne: case Op::Select: case Op::Helper: case Op::Kfunc: case Op::BpfCall: case Op::ForeignCall: return true;
      default: return false;
    }
  }

  void check_null_tests() {
    tests_.clear();
    for (BlockId from : cfg_.order) {
      const Inst& last = function_->blocks[from].insts.back();
      if (last.op == Op::BrIf) tests_.emplace(static_cast<ValueId>(last.operands[0].number), from);
    }
    for (BlockId block : cfg_.order) {
      for (const Inst& inst : function_->blocks[block].insts) {
        if (may_be_null(inst)) continue;
        for (const Operand& operand : inst.operands) {
          if (operand.kind != Operand::Value) continue;
          auto id = static_cast<ValueId>(operand.number);
          if (!is_ptr(type(id)) || !type(id).nullable || is_tested(id, block)) continue;
          report(inst.loc, "{} may be null here; `br.if` on it before `{}`", name(id), op_info(inst.op).mnemonic);
        }
      }
    }
  }

  // ---- Invariant 7 ----
  void check_events() {
    for (BlockId block : cfg_.order) {
      for (const Inst& inst : function_->blocks[block].insts) {
        if (inst.op == Op::EventReserve) check_event(inst, block);
        if (inst.op == Op::EventSubmit || inst.op == Op::EventDiscard) check_is_reserved(inst);
      }
    }
  }
  void check_is_reserved(const Inst& inst) {
    auto id = static_cast<ValueId>(inst.operands[0].number);
    Definition at = defined_at_[id];
    bool reserved = at.block >= 0 && at.index > 0 && function_->blocks[static_cast<size_t>(at.block)].insts[at.index - 1].op == Op::EventReserve;
    if (!reserved) report(inst.loc, "{} is not a reserved event", name(id));
  }
  void check_event(const Inst& reserve, BlockId home) {
    const Inst& last = function_->blocks[home].insts.back();
    if (last.op != Op::BrIf || last.operands[0].number != reserve.result) {
      return report(reserve.loc, "the block that reserves {} must end in `br.if` on it", name(reserve.result));
    }
    // Two facts per block: reached while the record is open, reached after it was closed. What follows the close is of interest only where
    // the record can be named at all, below the block that got it: else the time for a script of n events would grow with n * n.
    std::unordered_map<BlockId, uint8_t> seen;
    auto got = static_cast<BlockId>(last.operands[1].number);
    std::vector<std::pair<BlockId, bool>> work{{got, true}};
    while (!work.empty()) {
      auto [block, open] = work.back();
      work.pop_back();
      uint8_t bit = open ? 1 : 2;
      if ((seen[block] & bit) != 0) continue;
      seen[block] |= bit;
      bool stopped = false;
      for (const Inst& inst : function_->blocks[block].insts) {
        if (inst.op == Op::EventReserve && inst.result == reserve.result) {
          if (open) return report(inst.loc, "{} is reserved again before it is submitted", name(reserve.result));
          stopped = true;
          break;
        }
        bool uses = false;
        for (const Operand& operand : inst.operands) uses = uses || (operand.kind == Operand::Value && operand.number == reserve.result);
        if (uses && !open) return report(inst.loc, "{} is used after it was submitted or discarded", name(reserve.result));
        if (uses && (inst.op == Op::EventSubmit || inst.op == Op::EventDiscard)) open = false;
        if (open && (inst.op == Op::Ret || inst.op == Op::RetVoid)) return report(inst.loc, "{} is neither submitted nor discarded on a path to this `{}`", name(reserve.result), op_info(inst.op).mnemonic);
      }
      if (stopped) continue;
      for (BlockId next : cfg_.successors[block])
        if (open || cfg_.dominates(got, next)) work.emplace_back(next, open);
    }
  }

  // ---- Invariant 10 ----
  void check_canonical() {
    uint64_t stack = 0;
    for (const Slot& slot : function_->slots) {
      if (slot.place == Slot::Unplaced) report(function_->loc, "slot ${} of &{} has no place", slot.name, function_->name);
      if (slot.place == Slot::Stack) stack += (slot.size + 7) / 8 * 8;
    }
    if (stack > kStackBytes) report(function_->loc, "&{} needs {} bytes of stack, more than {}", function_->name, stack, kStackBytes);
    for (BlockId block : cfg_.order) {
      for (const Inst& inst : function_->blocks[block].insts) {
        if (inst.op >= Op::AggCount && inst.op <= Op::AggRead) report(inst.loc, "`{}` in a canonical module", op_info(inst.op).mnemonic);
      }
    }
  }

  const Module& module_;
  DiagEngine& diags_;
  bool ok_ = true;
  const Function* function_ = nullptr;
  Cfg cfg_;
  struct Definition { int block; size_t index; };  // index + 1 of the instruction; 0: parameter
  std::vector<Definition> defined_at_;
  struct SlotPlace { int64_t slot = -1; int64_t offset = 0; };
  std::vector<SlotPlace> slot_of_value_;
  const Function* current_ = nullptr;
  std::unordered_multimap<ValueId, BlockId> tests_;  // value -> blocks that end in a `br.if` on it
};

}  // namespace

bool verify(const Module& module, DiagEngine& diags) { return Verifier(module, diags).run(); }

}  // namespace btc::ir
