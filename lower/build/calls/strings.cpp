// Strings: strlen() strncmp() strstr() str_concat(), texts of numbers.
#include <algorithm>

#include "lower/build/calls.h"

namespace btc::lower {

namespace {

struct Text { ValueId address; uint32_t capacity; };

// A string where it lies, or what a pointer points to, read near.
Text text_argument(Body& body, const ast::Expr* expr) {
  const Type type = body.types[expr->type];
  if (type.kind != TypeKind::Pointer) return {body.readable(expr), body.types.size_of(expr->type)};
  auto capacity = static_cast<uint32_t>(body.module.program.config_uint(ConfigKey::MaxStrlen));
  Memory near = body.temp(capacity, 8, "text");
  body.read_string(near, body.scalar(expr), type.space == AddrSpace::Btf ? AddrSpace::Kernel : type.space, body.b.constant(capacity), capacity);
  return {body.pointer_to(near), capacity};
}

ValueId number_text(Body& body, const ast::Call& call, const CallTarget& target, const char* function) {
  ValueId number = body.scalar(call.args[0]);
  body.b.bpf(function, {body.pointer_to(target.to), number}, "length");
  return kNoValue;
}

}  // namespace

ValueId lower_call_Strlen(Body& body, const ast::Call& call, const CallTarget&) {
  Text text = text_argument(body, call.args[0]);
  return body.b.bpf("btc_str_length", {text.address, body.b.constant(text.capacity)}, "length");
}

ValueId lower_call_Strncmp(Body& body, const ast::Call& call, const CallTarget&) {
  Text a = text_argument(body, call.args[0]);
  Text c = text_argument(body, call.args[1]);
  int64_t most = std::min<int64_t>(a.capacity, c.capacity);
  const auto* literal = ast::dyn<ast::Integer>(call.args[2]);
  ValueId limit = literal ? body.b.constant(static_cast<int64_t>(std::min<uint64_t>(static_cast<uint64_t>(most), literal->value)))
                          : body.b.at_most(body.param_within(call.args[2], limit_line('L', 0, DiagKind::StrncmpLength), call.range), most);
  return body.b.bpf("btc_str_compare", {a.address, c.address, limit}, "difference");
}

ValueId lower_call_Strstr(Body& body, const ast::Call& call, const CallTarget&) {
  Text text = text_argument(body, call.args[0]);
  Text part = text_argument(body, call.args[1]);
  return body.b.bpf("btc_str_find", {text.address, body.b.constant(text.capacity), part.address, body.b.constant(part.capacity)}, "index");
}

ValueId lower_call_StrConcat(Body& body, const ast::Call& call, const CallTarget& target) {
  Text a = text_argument(body, call.args[0]);
  Text c = text_argument(body, call.args[1]);
  uint32_t capacity = body.types.size_of(call.type);
  // The library wants room for both; what is wider than the result is built beside it and cut.
  bool fits = a.capacity + c.capacity <= capacity;
  Memory to = fits ? target.to : body.temp(a.capacity + c.capacity, 8, "joined");
  body.zero(to, fits ? capacity : a.capacity + c.capacity);
  body.b.bpf("btc_str_concat", {body.pointer_to(to), a.address, body.b.constant(a.capacity), c.address, body.b.constant(c.capacity)}, "length");
  if (!fits) body.b.mem_copy(body.pointer_to(target.to), body.pointer_to(to), capacity);
  return kNoValue;
}

ValueId lower_call_Strerror(Body& body, const ast::Call& call, const CallTarget& target) { return number_text(body, call, target, "btc_strerror"); }
ValueId lower_call_SignalName(Body& body, const ast::Call& call, const CallTarget& target) { return number_text(body, call, target, "btc_signal_name"); }
ValueId lower_call_SyscallName(Body& body, const ast::Call& call, const CallTarget& target) { return number_text(body, call, target, "btc_syscall_name"); }

}  // namespace btc::lower
