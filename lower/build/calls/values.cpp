// Values that are worked out in the kernel or only named for the runtime: numbers, addresses, times.
#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "lower/build/calls.h"

namespace btc::lower {

namespace {

std::string text_of(const ast::Call& call, size_t i) {
  const auto* string = i < call.args.size() ? ast::dyn<ast::String>(call.args[i]) : nullptr;
  return string ? string->value : "";
}

// Bytes of a place or of a small integer.
void copy_bytes(Body& body, const ast::Expr* from, uint32_t bytes, Memory to) {
  if (has_prop(body.types[from->type], kTypeScalar)) {
    if (body.types[from->type].kind == TypeKind::Pointer) {
      AddrSpace space = body.types[from->type].space;
      return body.read(to, body.scalar(from), space == AddrSpace::Btf ? AddrSpace::Kernel : space, bytes);
    }
    Memory whole = body.temp(8, 8, "bytes");
    body.b.store(whole.pointer, whole.offset, body.scalar(from));
    return body.b.mem_copy(body.pointer_to(to), body.pointer_to(whole), std::min<uint32_t>(bytes, 8));
  }
  Place where = body.place(from);
  where.type = body.types.array(body.types.int_type(1, false), std::min(bytes, body.types.size_of(from->type)));
  body.copy(where, to);
}

}  // namespace

ValueId lower_call_Bswap(Body& body, const ast::Call& call, const CallTarget&) {
  ir::Builder& b = body.b;
  uint32_t size = body.types.size_of(call.args[0]->type);
  ValueId value = b.resize(body.scalar(call.args[0]), ir::int_of(size), false, "narrow");
  if (size == 1) return b.resize(value, kI64, false, "value");
  ValueId swapped = b.emit(Op::Bswap, {ir::Builder::val(value)}, ir::int_of(size), "swapped");
  return body.convert(b.resize(swapped, kI64, false, "swapped"), body.types.u64(), call.type);
}

ValueId lower_call_Cgroupid(Body& body, const ast::Call& call, const CallTarget&) {
  return body.named_fact(abi::FactKind::CgroupId, "cgroup_", 8, call.args[0], call.range);
}
ValueId lower_call_KfuncExist(Body& body, const ast::Call& call, const CallTarget&) {
  return body.named_fact(abi::FactKind::KfuncExists, "has_", 1, call.args[0], call.range);
}
ValueId lower_call_KfuncAllowed(Body& body, const ast::Call& call, const CallTarget& target) { return lower_call_KfuncExist(body, call, target); }

ValueId lower_call_PidOf(Body& body, const ast::Call& call, const CallTarget&) { return body.pid_or_tid(false, call.variant == 1); }
ValueId lower_call_TidOf(Body& body, const ast::Call& call, const CallTarget&) { return body.pid_or_tid(true, call.variant == 1); }

ValueId lower_call_NsecsOf(Body& body, const ast::Call& call, const CallTarget&) {
  switch (static_cast<abi::ClockMode>(call.variant)) {
    case abi::ClockMode::Boot: return body.b.builtin("nsecs");
    case abi::ClockMode::Monotonic: return body.b.helper("ktime_get_ns", {}, "nsecs");
    case abi::ClockMode::Tai:
      body.need("helper:ktime_get_tai_ns");
      return body.b.helper("ktime_get_tai_ns", {}, "nsecs");
    case abi::ClockMode::SwTai: return body.b.binary(Op::Add, body.b.builtin("nsecs"), body.fact(abi::FactKind::TaiDelta, "tai_delta", 8), "nsecs");
  }
  return kNoValue;
}

// timestamp_t: u32 format, u32 clock, u64 nanoseconds.
ValueId lower_call_Strftime(Body& body, const ast::Call& call, const CallTarget& target) {
  TypeId u32 = body.types.int_type(4, false);
  body.store_scalar(body.b.constant(body.module.string_index(text_of(call, 0))), u32, target.to);
  body.store_scalar(body.b.constant(call.variant), u32, target.to.at(4));
  body.store_scalar(body.scalar(call.args[1]), body.types.u64(), target.to.at(8));
  return kNoValue;
}

// cgroup_path_t: u64 filter, u64 id.
ValueId lower_call_CgroupPath(Body& body, const ast::Call& call, const CallTarget& target) {
  body.store_scalar(body.b.constant(body.module.string_index(text_of(call, 1))), body.types.u64(), target.to);
  body.store_scalar(body.scalar(call.args[0]), body.types.u64(), target.to.at(8));
  return kNoValue;
}

// inet: u64 address family, then the bytes.
ValueId lower_call_Ntop(Body& body, const ast::Call& call, const CallTarget& target) {
  bool has_family = call.args.size() == 2;
  const ast::Expr* address = call.args[has_family ? 1 : 0];
  uint32_t capacity = body.types[call.type].size;
  uint32_t bytes = has_prop(body.types[address->type], kTypeScalar) ? std::min<uint32_t>(4, capacity) : std::min(capacity, body.types.size_of(address->type));
  ValueId family = has_family ? body.scalar(call.args[0]) : body.b.constant(bytes == 16 ? AF_INET6 : AF_INET);
  body.store_scalar(family, body.types.u64(), target.to);
  if (bytes < capacity) body.zero(target.to.at(8), capacity);
  copy_bytes(body, address, bytes, target.to.at(8));
  return kNoValue;
}

ValueId lower_call_Pton(Body& body, const ast::Call& call, const CallTarget& target) {
  unsigned char bytes[16] = {};
  uint32_t size = body.types.size_of(call.type);
  inet_pton(size == 16 ? AF_INET6 : AF_INET, text_of(call, 0).c_str(), bytes);
  body.b.mem_copy(body.pointer_to(target.to), body.b.rodata({reinterpret_cast<const char*>(bytes), size}), size);
  return kNoValue;
}

ValueId lower_call_Macaddr(Body& body, const ast::Call& call, const CallTarget& target) {
  copy_bytes(body, call.args[0], 6, target.to);
  return kNoValue;
}

ValueId lower_call_SocketCookie(Body& body, const ast::Call& call, const CallTarget&) {
  Place socket = body.pointee(call.args[0]);
  return body.b.helper("get_socket_cookie", {body.address(socket)}, "cookie");
}

}  // namespace btc::lower
