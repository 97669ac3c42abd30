// count() sum() avg() min() max() stats() hist() lhist() tseries(): one operation each; expand-aggregations makes the code.
#include "lower/build/calls.h"

namespace btc::lower {

namespace {

ValueId aggregate(Body& body, const ast::Call& call, const CallTarget& target, Op op, ValueId time = kNoValue) {
  std::vector<ir::Operand> operands{ir::Builder::map_ref(target.map), ir::Builder::val(target.key)};
  if (op != Op::AggCount) operands.push_back(ir::Builder::val(body.scalar(call.args[0])));
  if (time != kNoValue) operands.push_back(ir::Builder::val(time));
  body.b.emit(op, std::move(operands));
  return kNoValue;
}

// The map that tests name as clock, if the script has it.
const ast::MapSymbol* clock_map(const Program& program) {
  for (const auto& symbol : program.maps)
    if (symbol->is_scalar() && symbol->name == program.config_value(ConfigKey::DummyTsMap)) return symbol.get();
  return nullptr;
}

}  // namespace

ValueId lower_call_Count(Body& body, const ast::Call& call, const CallTarget& target) { return aggregate(body, call, target, Op::AggCount); }
ValueId lower_call_Sum(Body& body, const ast::Call& call, const CallTarget& target) { return aggregate(body, call, target, Op::AggSum); }
ValueId lower_call_Min(Body& body, const ast::Call& call, const CallTarget& target) { return aggregate(body, call, target, Op::AggMin); }
ValueId lower_call_Max(Body& body, const ast::Call& call, const CallTarget& target) { return aggregate(body, call, target, Op::AggMax); }
ValueId lower_call_Avg(Body& body, const ast::Call& call, const CallTarget& target) { return aggregate(body, call, target, Op::AggAvg); }
ValueId lower_call_Stats(Body& body, const ast::Call& call, const CallTarget& target) { return aggregate(body, call, target, Op::AggAvg); }
ValueId lower_call_Hist(Body& body, const ast::Call& call, const CallTarget& target) { return aggregate(body, call, target, Op::AggHist); }
ValueId lower_call_Lhist(Body& body, const ast::Call& call, const CallTarget& target) { return aggregate(body, call, target, Op::AggLhist); }
ValueId lower_call_Tseries(Body& body, const ast::Call& call, const CallTarget& target) {
  // Which interval it is: by the wall-clock-like TAI time that the script's other clocks do not have to agree with.
  body.module.fact(abi::FactKind::TaiDelta, "tai_delta", 8);
  const ast::MapSymbol* clock = clock_map(body.module.program);
  return aggregate(body, call, target, Op::AggTseries, clock ? body.map_scalar(clock, nullptr) : kNoValue);
}

}  // namespace btc::lower
