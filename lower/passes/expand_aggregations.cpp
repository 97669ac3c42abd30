// agg.* -> lookup, update in place, insert on a miss.
//
// Aggregations are per CPU, so the hit path needs no atomics and no helper but the lookup. On a miss an all-zero entry is
// inserted (NOEXIST: another CPU may have been faster, whose entry must stay) and looked up again; if it is still not there the
// map is full, which is counted and reported. A histogram is one value, its bucket computed by the library: one lookup per event.
//
//   before:  agg.count @, %key            after:           %entry: ptr.map? = map.lookup @, %key
//                                                          br.if %entry, ^hit, ^miss
//                                                        ^hit:   %n = load %entry, 0; add 1; store
//                                                        ^miss:  map.update @, %key, $zero, 1; %entry.1 = map.lookup ...
//
// Values too large for a zero on the stack start from btc_zero, an array entry that is never written (Module::zero_size).
// Arrays (maps without a key) always have their entry.
//
// agg.read adds up over the CPUs (map_lookup_percpu_elem, 5.19), up to the fact NumCpus, which the kernel knows when it checks the loop.
#include <algorithm>

#include "lower/passes/rewrite.h"
#include "runtime-stub/abi/aggregates.h"

namespace btc::lower {

namespace {

using ir::kI1;
using ir::kI64;
using ir::Op;
using ir::ValueId;

constexpr uint32_t kZeroOnStack = 64;  // bytes

bool is_aggregation(const ir::Inst& inst) { return inst.op >= Op::AggCount && inst.op <= Op::AggRead; }

class Expander {
 public:
  Expander(ir::Module& module, uint32_t function) : module_(module), rewriter_(module, function), b_(rewriter_.b) {}

  void run() {
    rewriter_.run([&](ir::Builder&, const ir::Inst& inst) {
      if (!is_aggregation(inst)) return false;
      if (inst.op == Op::AggRead) read(inst);
      else update(inst);
      return true;
    });
  }

 private:
  const Type& value_type(uint32_t map) const { return (*module_.types)[module_.maps[map].value]; }

  void update(const ir::Inst& inst) {
    auto map = static_cast<uint32_t>(inst.operands[0].number);
    auto key = static_cast<ValueId>(inst.operands[1].number);
    ValueId value = inst.operands.size() > 2 ? static_cast<ValueId>(inst.operands[2].number) : ir::kNoValue;
    // What does not depend on the entry comes first: it stands once for both paths.
    ValueId index = ir::kNoValue;
    if (inst.op == Op::AggHist) index = b_.bpf("btc_hist_bucket", {value, b_.constant(value_type(map).p0)}, "bucket");
    if (inst.op == Op::AggLhist) index = linear_bucket(value_type(map), value);
    ValueId time = ir::kNoValue;
    if (inst.op == Op::AggTseries) {
      if (inst.operands.size() > 3) time = static_cast<ValueId>(inst.operands[3].number);
      else time = b_.binary(Op::Add, b_.helper("ktime_get_boot_ns", {}, "nsecs"), b_.fact(find_fact(module_, abi::FactKind::TaiDelta, "tai_delta", 8)), "time");
      ValueId epoch = b_.binary(Op::DivU, time, b_.constant(std::max<int64_t>(value_type(map).p0, 1)), "epoch");
      index = epoch;
    }
    auto change = [&](ValueId entry) { apply(inst.op, map, entry, value, index, time); };
    ValueId entry = b_.map_lookup(map, key);
    bool is_array = module_.maps[map].kind == ir::MapKind::Array || module_.maps[map].kind == ir::MapKind::PercpuArray;
    if (is_array) return b_.if_then(entry, "hit", [&] { change(entry); });
    b_.if_else(entry, "hit", [&] { change(entry); },
                      [&] {
                        insert_zero(map, key);
                        ValueId fresh = b_.map_lookup(map, key, "fresh");
                        b_.if_else(fresh, "inserted", [&] { change(fresh); }, [&] { report_full(map, inst.loc); });
                      });
  }

  void report_full(uint32_t map, SourceRange place) {
    b_.emit(Op::LossCountMap, {ir::Builder::map_ref(map)});
    ir::Event event;
    event.kind = abi::EventKind::RuntimeError;
    event.payload = module_.types->tuple({module_.types->int_type(4, true)});
    event.error = abi::RuntimeErrorKind::MapFull;
    event.helper = "map_update_elem";
    event.loc = place;
    module_.events.push_back(std::move(event));
    ValueId code = b_.constant(-7, ir::kI32);  // -E2BIG
    b_.emit(Op::EventReport, {ir::Builder::event_ref(static_cast<uint32_t>(module_.events.size() - 1)), ir::Builder::val(code)});
  }

  void insert_zero(uint32_t map, ValueId key) {
    uint32_t size = module_.maps[map].bpf_value_size;
    if (size <= kZeroOnStack) {
      uint32_t slot = b_.new_slot("zero", size, 8);
      ValueId zero = b_.slot_addr(slot);
      b_.mem_set(zero, 0, size);
      b_.map_update(map, key, zero, 1);
      return;
    }
    module_.zero_size = std::max(module_.zero_size, size);
    ValueId zero = b_.emit(Op::ZeroAddr, {}, ir::ptr_type(ir::PtrSpace::Map, true), "zero");
    b_.if_then(zero, "zeroed", [&] { b_.map_update(map, key, zero, 1); });
  }

  void add_to(ValueId entry, int64_t offset, ValueId by, const char* name) {
    b_.store(entry, offset, b_.binary(Op::Add, b_.load(entry, offset, kI64, name), by, name));
  }

  void apply(Op op, uint32_t map, ValueId entry, ValueId value, ValueId index, ValueId time) {
    switch (op) {
      case Op::AggCount: return add_to(entry, 0, b_.constant(1), "count");
      case Op::AggSum: return add_to(entry, 0, value, "sum");
      case Op::AggAvg:
        add_to(entry, offsetof(abi::AvgValue, total), value, "total");
        return add_to(entry, offsetof(abi::AvgValue, count), b_.constant(1), "count");
      case Op::AggMin:
      case Op::AggMax: return keep_extreme(op == Op::AggMin, value_type(map).is_signed, entry, value);
      case Op::AggHist: return count_bucket(entry, index, abi::hist_buckets(static_cast<uint32_t>(value_type(map).p0)));
      case Op::AggLhist: {
        const Type& type = value_type(map);
        return count_bucket(entry, index, abi::lhist_buckets(type.p0, type.p1, type.p2));
      }
      case Op::AggTseries: return add_to_series(map, entry, value, index, time);
      default: return;
    }
  }

  void keep_extreme(bool is_min, bool is_signed, ValueId entry, ValueId value) {
    ValueId old = b_.load(entry, offsetof(abi::MinMaxValue, value), kI64, "best");
    ValueId is_set = b_.load(entry, offsetof(abi::MinMaxValue, is_set), kI64, "is_set");
    Op less = is_signed ? Op::LtS : Op::LtU;
    ValueId better = is_min ? b_.binary(less, value, old, "better") : b_.binary(less, old, value, "better");
    ValueId take = b_.binary(Op::Or, better, b_.is_zero(is_set, "unset"), "take");
    b_.if_then(take, "take", [&] {
      b_.store(entry, offsetof(abi::MinMaxValue, value), value);
      b_.store(entry, offsetof(abi::MinMaxValue, is_set), b_.constant(1));
    });
  }

  // The kernel cannot see that a bucket's number is in range, so that is tested.
  void count_bucket(ValueId entry, ValueId index, uint32_t buckets) {
    b_.if_then(b_.binary(Op::LtU, index, b_.constant(buckets), "in_range"), "bucket", [&] {
      ValueId offset = b_.binary(Op::Shl, index, b_.constant(3), "offset");
      add_to(b_.ptr_add(entry, offset, "slot"), 0, b_.constant(1), "count");
    });
  }

  // As abi::lhist_bucket.
  ValueId linear_bucket(const Type& type, ValueId value) {
    int64_t min = type.p0, max = type.p1, step = std::max<int64_t>(type.p2, 1);
    ValueId distance = b_.binary(Op::Sub, value, b_.constant(min), "distance");
    ValueId inside = b_.add_imm(b_.binary(Op::DivU, distance, b_.constant(step), "steps"), 1, "bucket");
    ValueId above = b_.binary(Op::LtS, b_.constant(max), value, "above");
    ValueId bucket = b_.select(above, b_.constant(1 + (max - min) / step), inside, "bucket");
    ValueId below = b_.binary(Op::LtS, value, b_.constant(min), "below");
    return b_.select(below, b_.constant(0), bucket, "bucket");
  }

  void add_to_series(uint32_t map, ValueId entry, ValueId value, ValueId epoch, ValueId time) {
    using Slot = abi::TSeriesSlot;
    const Type type = value_type(map);
    auto agg = static_cast<abi::TSeriesAgg>(type.p2);
    ValueId place = b_.binary(Op::ModU, epoch, b_.constant(std::max<int64_t>(type.p1, 1)), "place");
    // LLVM knows what a remainder is at most, the kernel verifier does not: the test below has to stay.
    place = b_.emit(Op::Opaque, {ir::Builder::val(place)}, kI64, "place");
    b_.if_then(b_.binary(Op::LtU, place, b_.constant(type.p1), "in_range"), "series", [&] {
      ValueId slot = b_.ptr_add(entry, b_.binary(Op::Mul, place, b_.constant(sizeof(Slot)), "offset"), "slot");
      ValueId is_current = b_.binary(Op::Eq, b_.load(slot, offsetof(Slot, epoch), kI64, "epoch"), epoch, "current");
      b_.if_else(is_current, "again",
                        [&] {
                          ValueId old = b_.load(slot, offsetof(Slot, value), kI64, "old");
                          ValueId next = value;
                          Op less = type.is_signed ? Op::LtS : Op::LtU;
                          if (agg == abi::TSeriesAgg::Avg || agg == abi::TSeriesAgg::Sum) next = b_.binary(Op::Add, old, value, "sum");
                          if (agg == abi::TSeriesAgg::Max) next = b_.select(b_.binary(less, old, value), value, old, "max");
                          if (agg == abi::TSeriesAgg::Min) next = b_.select(b_.binary(less, value, old), value, old, "min");
                          b_.store(slot, offsetof(Slot, value), next);
                          if (agg == abi::TSeriesAgg::Last) b_.store(slot, offsetof(Slot, meta), time);
                          else add_to(slot, offsetof(Slot, meta), b_.constant(1), "writes");
                        },
                        [&] {
                          b_.store(slot, offsetof(Slot, value), value);
                          b_.store(slot, offsetof(Slot, meta), agg == abi::TSeriesAgg::Last ? time : b_.constant(1));
                          b_.store(slot, offsetof(Slot, epoch), epoch);
                        });
    });
  }

  // ---- agg.read ----
  uint32_t cell(const char* name) {
    uint32_t slot = b_.new_slot(name, 8, 8);
    b_.store(b_.slot_addr(slot), 0, b_.constant(0));
    return slot;
  }
  ValueId get(uint32_t slot, const char* name) { return b_.load(b_.slot_addr(slot), 0, kI64, name); }
  void set(uint32_t slot, ValueId value) { b_.store(b_.slot_addr(slot), 0, value); }

  void read(const ir::Inst& inst) {
    auto map = static_cast<uint32_t>(inst.operands[0].number);
    auto key = static_cast<ValueId>(inst.operands[1].number);
    const Type type = value_type(map);
    bool is_extreme = type.kind == TypeKind::Min || type.kind == TypeKind::Max;
    bool is_average = type.kind == TypeKind::Avg || type.kind == TypeKind::Stats;
    uint32_t total = cell("total"), more = cell("more"), cpu = cell("cpu");
    ValueId cpus = b_.fact(find_fact(module_, abi::FactKind::NumCpus, "num_cpus", 4));
    ir::BlockId head = b_.new_block("cpus"), body = b_.new_block("cpu"), found = b_.new_block("part"), next = b_.new_block("next_cpu"), done = b_.new_block("summed");
    b_.br(head);
    b_.set_block(head);
    b_.br_if(b_.binary(Op::LtU, get(cpu, "cpu"), cpus, "more_cpus"), body, done);
    b_.set_block(body);
    ValueId part = b_.emit(Op::MapLookupPercpu, {ir::Builder::map_ref(map), ir::Builder::val(key), ir::Builder::val(get(cpu, "cpu"))}, ir::ptr_type(ir::PtrSpace::Map, true), "part");
    b_.br_if(part, found, done);
    b_.set_block(found);
    if (is_extreme) {
      ValueId is_set = b_.load(part, offsetof(abi::MinMaxValue, is_set), kI64, "is_set");
      b_.if_then(b_.is_nonzero(is_set), "set", [&] {
        ValueId value = b_.load(part, offsetof(abi::MinMaxValue, value), kI64, "value");
        ValueId best = get(total, "best");
        Op less = type.is_signed ? Op::LtS : Op::LtU;
        ValueId better = type.kind == TypeKind::Min ? b_.binary(less, value, best, "better") : b_.binary(less, best, value, "better");
        ValueId take = b_.binary(Op::Or, better, b_.is_zero(get(more, "seen")), "take");
        set(total, b_.select(take, value, best, "best"));
        set(more, b_.constant(1));
      });
    } else {
      set(total, b_.binary(Op::Add, get(total, "total"), b_.load(part, 0, kI64, "part"), "total"));
      if (is_average) set(more, b_.binary(Op::Add, get(more, "count"), b_.load(part, offsetof(abi::AvgValue, count), kI64, "part"), "count"));
    }
    b_.br(next);
    b_.set_block(next);
    set(cpu, b_.add_imm(get(cpu, "cpu"), 1, "cpu"));
    b_.br(head);
    b_.set_block(done);
    ValueId result = get(total, "total");
    if (is_average) result = average(result, get(more, "count"), type.is_signed);
    rewriter_.replace(inst.result, result);
  }

  ValueId average(ValueId total, ValueId count, bool is_signed) {
    ValueId none = b_.is_zero(count, "none");
    ValueId divisor = b_.select(none, b_.constant(1), count, "divisor");
    if (!is_signed) return b_.binary(Op::DivU, total, divisor, "average");
    // BPF divides unsigned (before 6.6): the sign is taken off and put back.
    ValueId is_negative = b_.binary(Op::LtS, total, b_.constant(0), "negative");
    ValueId magnitude = b_.select(is_negative, b_.binary(Op::Sub, b_.constant(0), total, "opposite"), total, "magnitude");
    ValueId quotient = b_.binary(Op::DivU, magnitude, divisor, "quotient");
    return b_.select(is_negative, b_.binary(Op::Sub, b_.constant(0), quotient, "opposite"), quotient, "average");
  }

  ir::Module& module_;
  Rewriter rewriter_;
  ir::Builder& b_;
};

}  // namespace

bool expand_aggregations(ir::Module& module, DiagEngine&) {
  bool changed = false;
  for (uint32_t i = 0; i < module.functions.size(); ++i) {
    if (!any_inst(module.functions[i], is_aggregation)) continue;
    Expander(module, i).run();
    changed = true;
  }
  return changed;
}

}  // namespace btc::lower
