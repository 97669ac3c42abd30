// count() sum() avg() min() max() stats() hist() lhist() tseries(): one operation each; expand-aggregations makes the code.
#include "lower/build/calls.h"

namespace btc::lower {

namespace {

ValueId aggregate(Body& body, const ast::Call& call, const CallTarget& target, Op op) {
  std::vector<ir::Operand> operands{ir::Builder::map_ref(target.map), ir::Builder::val(target.key)};
  if (op != Op::AggCount) operands.push_back(ir::Builder::val(body.scalar(call.args[0])));
  body.b.emit(op, std::move(operands));
  return kNoValue;
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
  return aggregate(body, call, target, Op::AggTseries);
}

}  // namespace btc::lower
