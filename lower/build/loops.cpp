// Loops. Short ranges with constant bounds, `while` and `unroll` are loops of the function itself, which every kernel that btc
// supports can check (bounded loops: 5.3). Longer ranges use bpf_loop (5.17) and maps bpf_for_each_map_elem (5.13): the
// body becomes a callback, so the verifier looks at it once.
//
// A callback returns 0 to go on and 1 to stop. What it shares with the outer function lies in the frame.
#include <optional>

#include "lower/build/body.h"
#include "lower/build/walk.h"

namespace btc::lower {

using ast::NodeKind;

namespace {

constexpr int64_t kMostInlineSteps = 64;

std::optional<int64_t> steps(const ast::ForRange& loop) {
  const auto* begin = ast::dyn<ast::Integer>(loop.begin);
  const auto* end = ast::dyn<ast::Integer>(loop.end);
  const auto* begin_cast = ast::dyn<ast::Cast>(loop.begin);
  const auto* end_cast = ast::dyn<ast::Cast>(loop.end);
  if (begin_cast) begin = ast::dyn<ast::Integer>(begin_cast->operand);
  if (end_cast) end = ast::dyn<ast::Integer>(end_cast->operand);
  if (!begin || !end) return std::nullopt;
  return static_cast<int64_t>(end->value) - static_cast<int64_t>(begin->value);
}

}  // namespace

// Whether something within the node changes the variable, or takes its address.
bool changes(const ast::Node* node, const ast::Variable* variable) {
  const ast::Expr* target = nullptr;
  if (const auto* assign = ast::dyn<ast::Assign>(node)) target = assign->target;
  if (const auto* unary = ast::dyn<ast::Unary>(node); unary && unary->op >= ast::UnaryOp::AddressOf) target = unary->operand;
  if (const auto* call = ast::dyn<ast::Call>(node); call && call->function == Function::Find) target = call->args.back();
  const auto* ref = target ? ast::dyn<ast::VariableRef>(target) : nullptr;
  bool found = ref && ref->var == variable;
  for_each_child(node, [&](const ast::Node* child) { found = found || changes(child, variable); });
  return found;
}

void Body::while_loop(const ast::While& loop) {
  ir::BlockId head = b.new_block("while"), body = b.new_block("body"), done = b.new_block("endwhile");
  b.br(head);
  b.set_block(head);
  branch(loop.cond, body, done);
  b.set_block(body);
  loops_.push_back({LoopKind::Inline, done, head});
  statements(*loop.body);
  loops_.pop_back();
  b.br(head);
  b.set_block(done);
}

void Body::unroll(const ast::Unroll& loop) {
  const auto* count = ast::dyn<ast::Integer>(loop.count);
  if (!count) return repeat(loop);
  ir::BlockId done = b.new_block("unrolled");
  for (uint64_t i = 0; i < count->value && !b.terminated(); ++i) {
    ir::BlockId next = b.new_block("again");
    loops_.push_back({LoopKind::Inline, done, next});
    StatementScope scope(*this);
    statements(*loop.body);
    loops_.pop_back();
    b.br(next);
    b.set_block(next);
  }
  b.br(done);
  b.set_block(done);
}

// unroll ($1) { ... }: as often as the parameter says, which the kernel knows when it checks the program.
void Body::repeat(const ast::Unroll& loop) {
  ValueId times = param_within(loop.count, limit_line('L', 1, DiagKind::UnrollMin) + limit_line('M', 100, DiagKind::UnrollMax), loop.range);
  Memory counter = temp(8, 8, "round");
  b.store(counter.pointer, counter.offset, b.constant(0));
  ir::BlockId head = b.new_block("unroll"), body = b.new_block("body"), next = b.new_block("again"), done = b.new_block("unrolled");
  b.br(head);
  b.set_block(head);
  b.br_if(b.binary(Op::LtU, b.load(counter.pointer, counter.offset, kI64, "round"), times, "more"), body, done);
  b.set_block(body);
  loops_.push_back({LoopKind::Inline, done, next});
  statements(*loop.body);
  loops_.pop_back();
  b.br(next);
  b.set_block(next);
  b.store(counter.pointer, counter.offset, b.binary(Op::Add, b.load(counter.pointer, counter.offset, kI64, "round"), b.constant(1), "round"));
  b.br(head);
  b.set_block(done);
}

void Body::jump(const ast::Jump& jump) {
  if (jump.jump == ast::JumpKind::Return) {
    if (jump.value && in_memory(return_type_)) return return_memory(jump.value);
    if (jump.value && types[jump.value->type].kind != TypeKind::Void) return return_value(scalar(jump.value));
    return return_from_program();
  }
  bool stop = jump.jump == ast::JumpKind::Break;
  if (!loops_.empty() && loops_.back().kind == LoopKind::Inline) return b.br(stop ? loops_.back().on_break : loops_.back().on_continue);
  if (b.fn().kind == ir::Function::Callback) b.ret(b.constant(stop ? 1 : 0));
}

uint32_t Body::loop_function(std::string_view name, SourceRange place) {
  std::string symbol = "loop_" + std::to_string(module.module().functions.size());
  (void)name;
  return module.new_function(ir::Function::Callback, std::move(symbol), place, b.fn().program);
}

// What both kinds of callbacks begin and end with.
void Body::begin_callback(Body& inner, ValueId frame, const std::vector<ast::Variable*>& captures) {
  inner.outer_ = this;
  inner.frame_ = frame;
  inner.frame_offsets_ = frame_offsets_;
  inner.frame_start_ = frame_start_;
  inner.shared_ = shared_;
  inner.steering_ = steering_;
  inner.captured_ = captured_;                   // a loop within a callback hands the same frame on
  inner.captured_.insert(captures.begin(), captures.end());
  inner.return_type_ = return_type_;
  inner.result_offset_ = result_offset_;
  inner.aliases_ = aliases_;
}

void Body::after_callback() {
  // `return` inside: the callback has set the flag.
  ValueId flag = b.load(frame_, 0, kI64, "returned");
  ir::BlockId leave = b.new_block("leave"), go = b.new_block("looped");
  b.br_if(b.is_nonzero(flag), leave, go);
  b.set_block(leave);
  if (result_ != kNoValue) b.mem_copy(result_, b.ptr_add(frame_, int64_t{result_offset_}, "value"), types.size_of(return_type_));
  if (b.fn().kind == ir::Function::Callback) b.ret(b.constant(1));
  else b.ret(b.load(frame_, 8, kI64, "value"));
  b.set_block(go);
}

void Body::for_map(const ast::ForMap& loop) {
  need("helper:for_each_map_elem");
  const ast::MapSymbol* map = loop.map->map;
  uint32_t index = module.map_index(map);
  module.map_needs_hash(index);
  uint32_t function = loop_function(loop.decl->name, loop.range);
  {
    Body inner(module, function, probe);
    inner.b.set_place(loop.range);
    inner.b.add_param("map", ir::ptr_type(PtrSpace::Mem));
    ValueId key = inner.b.add_param("key", ir::ptr_type(PtrSpace::Map));
    ValueId value = inner.b.add_param("value", ir::ptr_type(PtrSpace::Map));
    ValueId frame = inner.b.add_param("frame", ir::ptr_type(PtrSpace::Mem));
    begin_callback(inner, frame, loop.captures);
    inner.b.set_block(inner.b.new_block("entry"));
    // `$kv` is a tuple: key and value are copied, since the entry may change or vanish under the loop.
    const ast::Variable* pair = loop.decl->var;
    Memory memory = inner.variable(pair);
    const Type tuple = types[pair->type];
    Layout layout = types.layout(pair->type);
    inner.zero_gaps(pair->type, memory);
    inner.b.mem_copy(inner.pointer_to(memory.at(layout.offsets[0])), key, types.size_of(tuple.members[0].second));
    Memory to = memory.at(layout.offsets[1]);
    bool is_aggregation = has_prop(types[map->value], kTypeAggregation);
    if (is_aggregation) {
      inner.need("helper:map_lookup_percpu_elem");
      module.fact(abi::FactKind::NumCpus, "num_cpus", 4);
      ValueId total = inner.b.emit(Op::AggRead, {ir::Builder::map_ref(index), ir::Builder::val(key)}, kI64, "total");
      inner.store_scalar(total, tuple.members[1].second, to);
    } else {
      inner.b.mem_copy(inner.pointer_to(to), value, types.size_of(tuple.members[1].second));
    }
    inner.statements(*loop.body);
    if (!inner.b.terminated()) inner.b.ret(inner.b.constant(0));
  }
  hand_over(loop.captures);
  b.emit(Op::MapForEach, {ir::Builder::map_ref(index), ir::Builder::func_ref(function), ir::Builder::val(frame_)}, kI64, "visited");
  after_callback();
}

void Body::for_range(const ast::ForRange& loop) {
  auto count = steps(loop);
  if (count && *count <= 0) return;
  if (count && *count <= kMostInlineSteps) return for_range_inline(loop);
  need("helper:loop");
  ValueId begin = scalar(loop.begin);
  ValueId end = scalar(loop.end);
  // The loop's own number counts from 0; the first one is handed over in the frame's place for it.
  uint32_t function = loop_function(loop.decl->name, loop.range);
  uint32_t start_offset = frame_start_.at(&loop);
  b.store(frame_, start_offset, begin);
  {
    Body inner(module, function, probe);
    inner.b.set_place(loop.range);
    ValueId index = inner.b.add_param("index", kI64);
    ValueId frame = inner.b.add_param("frame", ir::ptr_type(PtrSpace::Mem));
    begin_callback(inner, frame, loop.captures);
    inner.b.set_block(inner.b.new_block("entry"));
    ValueId start = inner.b.load(frame, start_offset, kI64, "start");
    inner.store_scalar(inner.b.binary(Op::Add, start, index, "i"), loop.decl->var->type, inner.variable(loop.decl->var));
    inner.statements(*loop.body);
    if (!inner.b.terminated()) inner.b.ret(inner.b.constant(0));
  }
  ValueId raw = b.binary(Op::Sub, end, begin, "count");
  ValueId empty = b.binary(Op::LeS, end, begin, "empty");
  ValueId steps_value = b.select(empty, b.constant(0), raw, "count");
  hand_over(loop.captures);
  ValueId ran = b.emit(Op::LoopN, {ir::Builder::val(steps_value), ir::Builder::func_ref(function), ir::Builder::val(frame_)}, kI64, "ran");
  after_callback();
  constexpr int64_t kMostSteps = 1 << 23;        // BPF_MAX_LOOPS: the kernel runs none of a longer loop's steps
  if (count && *count <= kMostSteps) return;
  // Inlined by the verifier the error is a 32-bit number (5.19: BPF_MOV32_IMM of -E2BIG).
  ran = b.resize(b.resize(ran, kI32, true), kI64, true, "ran");
  b.if_then(b.binary(Op::LtS, ran, b.constant(0), "refused"), "refused", [&] { report(abi::RuntimeErrorKind::LoopRefused, "loop", ran); });
}

void Body::for_range_inline(const ast::ForRange& loop) {
  bool is_copy = changes(loop.body, loop.decl->var);  // of what counts the rounds
  TypeId type = loop.decl->var->type;
  Memory own = is_copy ? temp(type, "round") : Memory{};
  auto counter = [&] { return is_copy ? own : variable(loop.decl->var); };
  ValueId end = scalar(loop.end);
  store_scalar(scalar(loop.begin), type, counter());
  ir::BlockId head = b.new_block("for"), body = b.new_block("body"), next = b.new_block("next"), done = b.new_block("endfor");
  b.br(head);
  b.set_block(head);
  b.br_if(b.binary(Op::LtS, load_scalar(type, counter(), "i"), end, "more"), body, done);
  b.set_block(body);
  if (is_copy) store_scalar(load_scalar(type, own, "i"), type, variable(loop.decl->var));
  loops_.push_back({LoopKind::Inline, done, next});
  statements(*loop.body);
  loops_.pop_back();
  b.br(next);
  b.set_block(next);
  Memory again = counter();
  store_scalar(b.add_imm(load_scalar(type, again, "i"), 1, "i"), type, again);
  b.br(head);
  b.set_block(done);
}

bool is_inline_loop(const ast::ForRange& loop) {
  auto count = steps(loop);
  return count && *count <= kMostInlineSteps;
}

}  // namespace btc::lower
