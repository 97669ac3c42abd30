// Functions that send something to the runtime: printf() print() time() exit() ...
#include "lower/build/calls.h"

namespace btc::lower {

namespace {

ir::Event make_event(abi::EventKind kind, std::string format = {}) {
  ir::Event event;
  event.kind = kind;
  event.format = std::move(format);
  return event;
}

const ast::MapSymbol* map_of(const ast::Expr* expr) {
  if (const auto* access = ast::dyn<ast::MapAccess>(expr)) return access->map->map;
  const auto* ref = ast::dyn<ast::MapRef>(expr);
  return ref ? ref->map : nullptr;
}

std::string text_of(const ast::Expr* expr) {
  const auto* string = ast::dyn<ast::String>(expr);
  return string ? string->value : "";
}

uint32_t number_of(const ast::Call& call, size_t i) {
  const auto* integer = i < call.args.size() ? ast::dyn<ast::Integer>(call.args[i]) : nullptr;
  return integer ? static_cast<uint32_t>(integer->value) : 0;
}

ValueId map_event(Body& body, const ast::Call& call, abi::EventKind kind) {
  ir::Event event = make_event(kind);
  event.map = static_cast<int>(body.module.map_index(map_of(call.args[0])));
  body.send(std::move(event), {});
  return kNoValue;
}

}  // namespace

ValueId lower_call_Printf(Body& body, const ast::Call& call, const CallTarget&) {
  if (body.prints_by_kernel()) return body.print_by_kernel(call), kNoValue;
  return body.send_formatted(abi::EventKind::Printf, call, 1), kNoValue;
}
ValueId lower_call_Errorf(Body& body, const ast::Call& call, const CallTarget&) { return body.send_formatted(abi::EventKind::Errorf, call, 1), kNoValue; }
ValueId lower_call_Warnf(Body& body, const ast::Call& call, const CallTarget&) { return body.send_formatted(abi::EventKind::Warnf, call, 1), kNoValue; }
ValueId lower_call_Cat(Body& body, const ast::Call& call, const CallTarget&) { return body.send_formatted(abi::EventKind::Cat, call, 1), kNoValue; }
ValueId lower_call_System(Body& body, const ast::Call& call, const CallTarget&) { return body.send_formatted(abi::EventKind::System, call, 1), kNoValue; }
ValueId lower_call_Clear(Body& body, const ast::Call& call, const CallTarget&) { return map_event(body, call, abi::EventKind::Clear); }
ValueId lower_call_Zero(Body& body, const ast::Call& call, const CallTarget&) { return map_event(body, call, abi::EventKind::Zero); }

ValueId lower_call_Time(Body& body, const ast::Call& call, const CallTarget&) {
  body.send(make_event(abi::EventKind::Time, call.args.empty() ? "%H:%M:%S\n" : text_of(call.args[0])), {});
  return kNoValue;
}

ValueId lower_call_Exit(Body& body, const ast::Call& call, const CallTarget&) {
  TypeId code = body.types.int_type(1, false);
  if (call.args.empty()) body.send(make_event(abi::EventKind::Exit), {{code, nullptr, body.b.constant(0)}});
  else body.send(make_event(abi::EventKind::Exit), {{code, nullptr, body.scalar(call.args[0])}});
  body.return_from_program();
  return kNoValue;
}

ValueId lower_call_Unwatch(Body& body, const ast::Call& call, const CallTarget&) {
  body.send(make_event(abi::EventKind::Unwatch), {{body.types.u64(), call.args[0]}});
  return kNoValue;
}

// Variants: 0 a value, 1 a whole map, 2 one entry of a map.
ValueId lower_call_Print(Body& body, const ast::Call& call, const CallTarget&) {
  const ast::Expr* what = call.args[0];
  const ast::MapSymbol* map = map_of(what);
  if (call.variant == 1 && map) {
    ir::Event event = make_event(abi::EventKind::PrintMap);
    event.map = static_cast<int>(body.module.map_index(map));
    event.top = number_of(call, 1);
    event.div = number_of(call, 2);
    TypeId u32 = body.types.int_type(4, false);
    body.send(std::move(event), {{u32, nullptr, body.b.constant(number_of(call, 1))}, {u32, nullptr, body.b.constant(number_of(call, 2))}});
    return kNoValue;
  }
  const auto* access = ast::dyn<ast::MapAccess>(what);
  if (call.variant == 2 && access && access->key) {
    ir::Event event = make_event(abi::EventKind::PrintMapItem);
    event.map = static_cast<int>(body.module.map_index(map));
    // An aggregation's value is spread over the CPUs; the runtime has to collect it anyway.
    bool is_aggregation = has_prop(body.types[map->value], kTypeAggregation);
    if (is_aggregation) body.send(std::move(event), {{map->key, access->key}});
    else body.send(std::move(event), {{map->key, access->key}, {map->value, what}});
    return kNoValue;
  }
  body.send(make_event(abi::EventKind::PrintValue), {{body.payload_type(what), what}});
  return kNoValue;
}

// join(argv, separator): up to 16 strings of an array of pointers, NULL ends it.
ValueId lower_call_Join(Body& body, const ast::Call& call, const CallTarget&) {
  constexpr uint32_t kMost = 16;
  TypeTable& types = body.types;
  ir::Builder& b = body.b;
  auto size = static_cast<uint32_t>(body.module.program.config_uint(ConfigKey::MaxStrlen));
  AddrSpace space = types[call.args[0]->type].space;
  ir::Event event = make_event(abi::EventKind::Join, call.args.size() > 1 ? text_of(call.args[1]) : " ");
  std::vector<TypeId> members{types.int_type(4, false)};
  for (uint32_t i = 0; i < kMost; ++i) members.push_back(types.string(size));
  event.payload = types.tuple(members);
  event.loc = b.place();
  uint32_t id = body.module.event(std::move(event));
  ValueId array = body.scalar(call.args[0]);
  ValueId record = b.emit(Op::EventReserve, {ir::Builder::event_ref(id)}, ir::ptr_type(PtrSpace::Mem, true), "event");
  ir::BlockId fill = b.new_block("send"), submit = b.new_block("submit"), done = b.new_block("sent");
  b.br_if(record, fill, done);
  b.set_block(fill);
  b.store(record, 0, b.constant(0, kI32));
  for (uint32_t i = 0; i < kMost; ++i) {
    Memory pointer = body.temp(8, 8, "arg");
    body.read(pointer, b.add_imm(array, 8 * i, "at"), space, 8);
    ValueId text = b.load(pointer.pointer, pointer.offset, kI64, "arg");
    ir::BlockId next = b.new_block("arg");
    b.br_if(b.is_nonzero(text), next, submit);
    b.set_block(next);
    body.read_string({record, 4 + static_cast<int64_t>(i) * size}, text, space, b.constant(size), size);
    b.store(record, 0, b.constant(i + 1, kI32));
  }
  b.br(submit);
  b.set_block(submit);
  b.emit(Op::EventSubmit, {ir::Builder::val(record)});
  b.br(done);
  b.set_block(done);
  return kNoValue;
}

// debugf: to the kernel's trace pipe.
ValueId lower_call_Debugf(Body& body, const ast::Call& call, const CallTarget&) {
  std::string format = text_of(call.args[0]);
  std::vector<ValueId> args{body.b.rodata(format), body.b.constant(static_cast<int64_t>(format.size() + 1))};
  for (size_t i = 1; i < call.args.size() && i < 4; ++i) {
    bool is_string = body.types[call.args[i]->type].kind == TypeKind::String;
    args.push_back(is_string ? body.readable(call.args[i]) : body.scalar(call.args[i]));
  }
  body.b.helper("trace_printk", args, "printed");
  return kNoValue;
}

// Payload: time, length, bytes from `offset` behind the packet's start.
ValueId lower_call_Skboutput(Body& body, const ast::Call& call, const CallTarget&) {
  constexpr uint32_t kMost = 2048;
  TypeTable& types = body.types;
  ir::Builder& b = body.b;
  TypeId skb = types[call.args[1]->type].elem;
  uint32_t record_index = types[skb].record;
  const Record& sk_buff = types.record(record_index);
  uint32_t data_field = 0;
  for (uint32_t i = 0; i < sk_buff.fields.size(); ++i) {
    if (sk_buff.fields[i].name == "data") data_field = i;
  }
  ir::Event event = make_event(abi::EventKind::Skboutput, text_of(call.args[0]));
  event.payload = types.tuple({types.u64(), types.int_type(4, false), types.array(types.int_type(1, false), kMost)});
  event.loc = b.place();
  uint32_t id = body.module.event(std::move(event));
  Place packet = body.field(body.pointee(call.args[1]), record_index, {data_field});
  ValueId data = body.load(packet);
  ValueId length = body.scalar(call.args[2]);
  ValueId offset = call.args.size() > 3 ? body.scalar(call.args[3]) : b.constant(0);
  ValueId too_long = b.binary(Op::LtU, b.constant(kMost), length, "too_long");
  length = b.select(too_long, b.constant(kMost), length, "length");
  ValueId record = b.emit(Op::EventReserve, {ir::Builder::event_ref(id)}, ir::ptr_type(PtrSpace::Mem, true), "event");
  body.b.if_then(record, "send", [&] {
    b.store(record, 0, b.builtin("nsecs"));
    b.store(record, 8, b.resize(length, kI32, false, "length"));
    ValueId to = b.ptr_add(record, 12);
    ValueId from = b.binary(Op::Add, data, offset, "from");
    b.emit(Op::ReadKernelN, {ir::Builder::val(to), ir::Builder::val(from), ir::Builder::val(length), ir::Builder::imm(kMost)}, kI64, "ret");
    b.emit(Op::EventSubmit, {ir::Builder::val(record)});
  });
  return b.constant(0);
}

}  // namespace btc::lower
