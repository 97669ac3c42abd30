// Whole functions: prologue, variables and temporaries, how a body ends.
#include "lower/build/body.h"

#include <algorithm>

#include "lower/build/walk.h"

namespace btc::lower {

using ast::NodeKind;

Body::Body(ModuleBuilder& module, uint32_t function, const TypedProbe* probe)
    : module(module), types(module.types), b(module.module(), function), probe(probe) {}

void Body::lower_probe() {
  b.set_place(probe->attach->range);
  b.add_param("ctx", ir::ptr_type(PtrSpace::Ctx));
  b.set_block(b.new_block("entry"));
  filter_by_pid();
  if (module.stops_at_exit()) stop_after_exit();
  if (module.program.guards_recursion) guard_against_recursion();
  collect_captures(probe->body);
  find_aliases(probe->body);
  make_frame();
  statements(*probe->body);
  if (!b.terminated()) return_value(b.constant(program_return()));
}

bool Body::in_memory(TypeId type) const {
  return type && types[type].kind != TypeKind::Void && types[type].kind != TypeKind::Untyped && !has_prop(types[type], kTypeScalar);
}

// What is no scalar is passed by its address; the result's memory is the caller's, and the first parameter.
void Body::lower_subprog(const ast::Subprog& subprog) {
  b.set_place(subprog.name_range);
  return_type_ = subprog.return_type;
  if (in_memory(return_type_)) result_ = b.add_param("result", ir::ptr_type(PtrSpace::Mem));
  std::vector<ValueId> params;
  for (const ast::SubprogParam& param : subprog.params) {
    params.push_back(b.add_param(param.name.substr(param.name.starts_with('$')), in_memory(param.var->type) ? ir::ptr_type(PtrSpace::Mem) : kI64));
  }
  b.set_block(b.new_block("entry"));
  collect_captures(subprog.body);
  find_aliases(subprog.body);
  for (const ast::SubprogParam& param : subprog.params) aliases_.erase(param.var);
  if (in_memory(return_type_) && frame_has_flag_) {
    result_offset_ = std::max<uint32_t>(frame_size_, 16);
    frame_size_ = result_offset_ + (types.size_of(return_type_) + 7) / 8 * 8;
  }
  make_frame();
  for (size_t i = 0; i < params.size(); ++i) {
    const ast::Variable* var = subprog.params[i].var;
    if (in_memory(var->type)) b.mem_copy(pointer_to(variable(var)), params[i], types.size_of(var->type));
    else store_scalar(params[i], var->type, variable(var));
  }
  statements(*subprog.body);
  if (!b.terminated()) b.ret(b.constant(0));
}

int64_t Body::program_return() const {
  return probe && probe->attach->parsed.kind == abi::ProbeKind::Tracepoint ? 1 : 0;
}

// `-p PID`: for probes that fire in every process. The others are attached to the process only.
void Body::filter_by_pid() {
  switch (probe->attach->parsed.kind) {
    case abi::ProbeKind::Kprobe:
    case abi::ProbeKind::Kretprobe:
    case abi::ProbeKind::Fentry:
    case abi::ProbeKind::Fexit:
    case abi::ProbeKind::Tracepoint:
    case abi::ProbeKind::Rawtracepoint: break;
    default: return;
  }
  ValueId target = fact(abi::FactKind::TargetPid, "target_pid", 4);
  ir::BlockId check = b.new_block("filter"), skip = b.new_block("skip"), go = b.new_block("go");
  b.br_if(b.is_nonzero(target), check, go);
  b.set_block(check);
  b.br_if(b.binary(Op::Eq, pid_or_tid(false, false), target), go, skip);
  b.set_block(skip);
  b.ret(b.constant(program_return()));
  b.set_block(go);
}

// Between exit() and the moment when the runtime detaches, probes go on firing. What traced programs were doing then still counts;
// a timer that fires once more would count what nobody did.
void Body::stop_after_exit() {
  if (!is_timer(*probe)) return;
  ir::BlockId over = b.new_block("over"), go = b.new_block("running");
  b.br_if(b.emit(Op::Exited, {}, kI1, "exited"), over, go);
  b.set_block(over);
  b.ret(b.constant(program_return()));
  b.set_block(go);
}

// Functions that the kernel's own locks are made of may run inside our maps' locks: a second program on the same CPU would then
// wait for the first one, for ever. None starts while another runs (fentry and fexit only: kprobes do not nest).
void Body::guard_against_recursion() {
  guard_ = b.emit(Op::GuardEnter, {}, ir::ptr_type(PtrSpace::Map, true), "guard");
  ir::BlockId busy = b.new_block("busy"), go = b.new_block("guarded");
  b.br_if(guard_, go, busy);
  b.set_block(busy);
  b.ret(b.constant(program_return()));
  b.set_block(go);
}

// ---- The frame: variables that callbacks share with this function ----

void Body::collect_captures(const ast::Node* node) {
  const std::vector<ast::Variable*>* captures = nullptr;
  if (const auto* loop = ast::dyn<ast::ForMap>(node)) captures = &loop->captures;
  if (const auto* loop = ast::dyn<ast::ForRange>(node); loop && !is_inline_loop(*loop)) {
    captures = &loop->captures;
    frame_size_ = std::max<uint32_t>(frame_size_, 16);
    frame_start_[loop] = frame_size_;
    frame_size_ += 8;
  }
  if (captures) {
    frame_has_flag_ = true;
    for (const ast::Variable* var : *captures) {
      if (!has_prop(types[var->type], kTypeScalar) || changes(node, var)) shared_.insert(var);
      auto [entry, is_new] = frame_offsets_.try_emplace(var, 0);
      if (!is_new) continue;
      if (frame_size_ == 0) frame_size_ = 16;
      entry->second = frame_size_;
      frame_size_ += (std::max<uint32_t>(types.size_of(var->type), 1) + 7) / 8 * 8;
    }
  }
  if (const auto* loop = ast::dyn<ast::While>(node)) collect_steering(loop->cond);
  for_each_child(node, [&](const ast::Node* child) { collect_captures(child); });
}

void Body::collect_steering(const ast::Node* node) {
  if (const auto* ref = ast::dyn<ast::VariableRef>(node)) steering_.insert(ref->var);
  for_each_child(node, [&](const ast::Node* child) { collect_steering(child); });
}

// What a callback only reads is copied to the frame, so that it stays a variable of this function: a register, most of the time, which
// the verifier follows, so that a `while` counting by it is seen to end.
void Body::hand_over(const std::vector<ast::Variable*>& captures) {
  for (const ast::Variable* var : captures) {
    if (lives_in_frame(var)) continue;
    store_scalar(load_scalar(var->type, variable(var), var->name.substr(1)), var->type, {frame_, frame_offsets_.at(var)});
  }
}

bool Body::lives_in_frame(const ast::Variable* variable) const {
  return frame_offsets_.count(variable) != 0 && (shared_.count(variable) != 0 || captured_.count(variable) != 0);
}

void Body::make_frame() {
  if (!frame_has_flag_) return;
  frame_size_ = std::max<uint32_t>(frame_size_, 16);
  frame_slot_ = b.new_slot("frame", frame_size_, 8);
  frame_ = b.slot_addr(frame_slot_);
  b.mem_set(frame_, 0, frame_size_);
}

// The frame's first 16 bytes say whether a callback asked for `return`, and with which value.
void Body::return_from_program() { return_value(b.constant(program_return())); }

void Body::return_value(ValueId value) {
  if (b.terminated()) return;
  if (b.fn().kind == ir::Function::Callback) {
    b.store(frame_, 0, b.constant(1));
    b.store(frame_, 8, value);
    b.ret(b.constant(1));
  } else {
    if (guard_ != kNoValue) b.emit(Op::GuardLeave, {ir::Builder::val(guard_)});
    b.ret(value);
  }
}

void Body::return_memory(const ast::Expr* expr) {
  if (b.terminated()) return;
  bool inside = b.fn().kind == ir::Function::Callback;
  Memory to = inside ? Memory{frame_, result_offset_} : Memory{result_, 0};
  store_whole(expr, return_type_, to);
  return_value(b.constant(0));
}

// A value into memory of a type that may be wider: a shorter string.
void Body::store_whole(const ast::Expr* expr, TypeId type, Memory to) {
  if (types.size_of(expr->type) != types.size_of(type)) zero(to, types.size_of(type));
  store(expr, to);
}

// ---- Memory ----

Memory Body::temp(uint32_t size, uint32_t align, std::string_view name) {
  size = std::max<uint32_t>(size, 1);
  for (FreeSlot& free : temps_) {
    if (free.taken || free.size != size || free.align < align) continue;
    free.taken = true;
    return {b.slot_addr(free.slot), 0};
  }
  uint32_t slot = b.new_slot(name, size, align);
  temps_.push_back({slot, size, align, true});
  return {b.slot_addr(slot), 0};
}

Memory Body::temp(TypeId type, std::string_view name) { return temp(types.size_of(type), 8, name); }

Memory Body::variable(const ast::Variable* variable) {
  if (lives_in_frame(variable)) return {frame_, frame_offsets_.at(variable)};
  auto [entry, is_new] = slots_.try_emplace(variable, Memory{});
  if (is_new) {
    uint32_t size = std::max<uint32_t>(types.size_of(variable->type), 1);
    uint32_t align = size >= 8 ? 8 : types.layout(variable->type).align;
    entry->second.offset = b.new_slot(variable->name.substr(variable->name.starts_with('$')), size, align);
  }
  return {b.slot_addr(static_cast<uint32_t>(entry->second.offset)), 0};
}

// What callbacks change would be a new number to the verifier in each round it looks at, and `$n++; if ($n > 10) {...}` never come to an
// end: it is to see any number instead. Not what a `while` asks for, which has to be seen to end. The frame has eight bytes for each.
void Body::set_variable(const ast::Variable* variable, ValueId value) {
  Memory memory = this->variable(variable);
  bool unknown = b.fn().kind == ir::Function::Callback && lives_in_frame(variable) && steering_.count(variable) == 0;
  if (!unknown) return store_scalar(value, variable->type, memory);
  if (b.type(value).kind == ir::ScalarKind::Ptr) value = b.ptr_to_int(value);
  b.emit(Op::StoreUnknown, {ir::Builder::val(memory.pointer), ir::Builder::imm(memory.offset), ir::Builder::val(b.bool_value(value))});
}

void Body::store_scalar(ValueId value, TypeId type, Memory to) {
  uint32_t size = types.size_of(type);
  if (b.type(value).kind == ir::ScalarKind::Ptr) value = b.ptr_to_int(value);
  value = b.bool_value(value);
  b.store(to.pointer, to.offset, b.resize(value, ir::int_of(size), false));
}

ValueId Body::load_scalar(TypeId type, Memory from, std::string_view name) {
  const Type& t = types[type];
  bool is_signed = t.kind == TypeKind::Enum ? types.enum_def(t.record).is_signed : t.kind == TypeKind::Int && t.is_signed;
  return b.resize(b.load(from.pointer, from.offset, ir::int_of(types.size_of(type)), name), kI64, is_signed, name);
}

void Body::zero(Memory to, uint32_t bytes) { b.mem_set(pointer_to(to), 0, bytes); }

void Body::store_literal(std::string_view text, uint32_t size, Memory to) {
  auto length = static_cast<uint32_t>(std::min<size_t>(text.size(), size));
  if (length < size) {
    // The constant ends in a NUL; one copy for text and terminator.
    b.mem_copy(pointer_to(to), b.rodata(text.substr(0, length)), length + 1);
    zero(to.at(length + 1), size - length - 1);
  } else {
    b.mem_copy(pointer_to(to), b.rodata(text.substr(0, length)), length);
  }
}

void Body::zero_gaps(TypeId type, Memory to) {
  Layout layout = types.layout(type);
  const std::vector<std::pair<std::string, TypeId>> members = types[type].members;
  uint32_t end = 0;
  for (size_t i = 0; i <= members.size(); ++i) {
    uint32_t begin = i < members.size() ? layout.offsets[i] : layout.size;
    if (begin > end) zero(to.at(end), begin - end);
    if (i < members.size()) end = begin + types.size_of(members[i].second);
  }
}

void Body::need(std::string_view what) {
  if (b.fn().program < 0) return;
  std::vector<std::string>& needs = module.module().programs[static_cast<size_t>(b.fn().program)].needs;
  if (std::find(needs.begin(), needs.end(), what) == needs.end()) needs.emplace_back(what);
}

}  // namespace btc::lower
