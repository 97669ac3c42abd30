// Events: reserve a record, fill it in place, submit. Reports of run-time errors.
#include <algorithm>
#include <utility>

#include "lower/build/body.h"

namespace btc::lower {

// What an aggregation is sent as: the number it stands for.
TypeId Body::payload_type(const ast::Expr* expr) {
  const Type& type = types[expr->type];
  if (!has_prop(type, kTypeAggregation)) return expr->type;
  bool is_signed = type.is_signed && type.kind != TypeKind::Count;
  return types.int_type(8, is_signed);
}

// The record is reserved first, and values are made where they are sent from: a string is read into the ring buffer and never
// copied. Values whose making has effects (`$x++`, a call that sends something) are made before, so that a full buffer loses
// the message but not the effect; a jump between reserve and submit would leak the record. So are values whose making may
// send an error, which is to come before the message; those that only -k tells of, if the script is compiled with -k.
void Body::send(ir::Event event, const std::vector<EventField>& fields) {
  std::vector<TypeId> members;
  for (const EventField& field : fields) members.push_back(field.type);
  event.payload = types.tuple(members);
  event.loc = b.place();
  event.expanded_from = expanded_from();
  TypeId payload = event.payload;
  bool ends = event.kind == abi::EventKind::Exit && module.stops_at_exit();
  uint32_t id = module.event(std::move(event));

  std::vector<ValueId> early(fields.size(), kNoValue);
  std::vector<Memory> early_memory(fields.size());
  // With effects all of them, so that they are made in the order in which they are written.
  bool verbose = module.program.options.warning_level >= 2;
  bool any_effects = std::any_of(fields.begin(), fields.end(), [](const EventField& field) { return field.expr && has_effects(field.expr); });
  for (size_t i = 0; i < fields.size(); ++i) {
    if (!fields[i].expr || !(any_effects || may_report(fields[i].expr, verbose))) continue;
    if (has_prop(types[fields[i].type], kTypeScalar)) {
      early[i] = scalar(fields[i].expr);
    } else {
      early_memory[i] = temp(fields[i].type, "early");
      store(fields[i].expr, early_memory[i]);
    }
  }

  ValueId record = b.emit(Op::EventReserve, {ir::Builder::event_ref(id)}, ir::ptr_type(PtrSpace::Mem, true), "event");
  ir::BlockId fill = b.new_block("send"), done = b.new_block("sent");
  b.br_if(record, fill, done);
  b.set_block(fill);
  Layout layout = types.layout(payload);
  Memory memory{record, 0};
  zero_gaps(payload, memory);
  bool outer_keep_tail = std::exchange(keep_tail, true);
  for (size_t i = 0; i < fields.size(); ++i) {
    Memory to = memory.at(layout.offsets[i]);
    if (fields[i].value != kNoValue) store_scalar(fields[i].value, fields[i].type, to);
    else if (early[i] != kNoValue) store_scalar(early[i], fields[i].type, to);
    else if (early_memory[i].pointer != kNoValue) b.mem_copy(pointer_to(to), pointer_to(early_memory[i]), types.size_of(fields[i].type));
    else store(fields[i].expr, to);
  }
  keep_tail = outer_keep_tail;
  if (ends) b.emit(Op::ExitedSet, {});  // a lost exit() ends nothing
  b.emit(Op::EventSubmit, {ir::Builder::val(record)});
  b.br(done);
  b.set_block(done);
}

// printf and its family: a format, then one value per conversion.
void Body::send_formatted(abi::EventKind kind, const ast::Call& call, size_t first) {
  ir::Event event;
  event.kind = kind;
  if (const auto* format = ast::dyn<ast::String>(call.args.empty() ? nullptr : call.args[0])) event.format = format->value;
  std::vector<EventField> fields;
  for (size_t i = first; i < call.args.size(); ++i) fields.push_back({payload_type(call.args[i]), call.args[i]});
  send(std::move(event), fields);
}

void Body::report(abi::RuntimeErrorKind kind, std::string_view helper, ValueId code) {
  uint32_t event = module.error_event(kind, helper, b.place(), expanded_from());
  b.emit(Op::EventReport, {ir::Builder::event_ref(event), ir::Builder::val(b.resize(code, kI32, true, "code"))});
}

void Body::report_verbose(abi::RuntimeErrorKind kind, std::string_view helper, ValueId code) {
  ValueId level = fact(abi::FactKind::WarningLevel, "warning_level", 4);
  b.if_then(b.binary(Op::LeU, b.constant(2), level, "verbose"), "verbose", [&] { report(kind, helper, code); });
}

void Body::check_helper(ValueId ret, std::string_view helper) {
  b.if_then(b.binary(Op::LtS, ret, b.constant(0), "failed"), "failed", [&] { report_verbose(abi::RuntimeErrorKind::HelperFailed, helper, ret); });
}

}  // namespace btc::lower
