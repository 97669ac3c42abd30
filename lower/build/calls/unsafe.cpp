// Functions that change what runs: signal() override(). write_user() is with the other memory functions.
#include "lower/build/calls.h"

namespace btc::lower {

namespace {

ValueId send_signal(Body& body, const ast::Call& call, const char* helper) {
  ir::Builder& b = body.b;
  ValueId ret = b.helper(helper, {body.scalar(call.args[0])}, "ret");
  body.b.if_then(b.binary(Op::LtS, ret, b.constant(0), "failed"), "no_signal", [&] {
    ir::Event event;
    event.kind = abi::EventKind::Warnf;
    event.format = "signal call failed with error %d";
    body.send(std::move(event), {{body.types.i64(), nullptr, ret}});
  });
  return ret;
}

}  // namespace

ValueId lower_call_Signal(Body& body, const ast::Call& call, const CallTarget&) { return send_signal(body, call, "send_signal"); }
ValueId lower_call_SignalThread(Body& body, const ast::Call& call, const CallTarget&) { return send_signal(body, call, "send_signal_thread"); }

ValueId lower_call_Override(Body& body, const ast::Call& call, const CallTarget&) {
  ValueId ctx = body.b.emit(Op::Ctx, {}, ir::ptr_type(PtrSpace::Ctx), "ctx");
  return body.b.helper("override_return", {ctx, body.scalar(call.args[0])}, "ret");
}

}  // namespace btc::lower
