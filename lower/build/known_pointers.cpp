// Chains of pointers whose types the kernel's verifier knows: `curtask->mm->…`, `args.file->f_inode->…` of fentry, `ctx.task->…` of iterators.
//
// Behind such a pointer the kernel itself guards every load (a fault reads as 0), which costs one instruction instead of the call of
// a helper. So a place keeps the pointers on the way to it (Place::links) until something is read, and then there are two ways:
//
//   typed     direct loads; each pointer is tested against null, because the kernel wants that of some of them (6.4)
//   guarded   probe_read_kernel, as for every other address
//
// Which one a program takes is a per-copy constant; the kernel's verifier drops the other. The loader chooses the guarded way on kernels
// without bpf_get_current_task_btf (before 5.11), and for programs that the kernel refuses otherwise: its types may say less about a
// pointer than the profile's.
//
// What is left out: pointers that come out of a map, out of a variable that gets more than one of these values, or out of arithmetic.
// The kernel forgets the types of some of them, and nobody can say at compile time of which. Pointers that are wanted as numbers: the
// kernel lets nobody compute with typed ones, so those come guarded.
#include "lower/build/body.h"
#include "lower/build/walk.h"
#include "runtime-stub/abi/abi.h"

namespace btc::lower {

using ast::NodeKind;

namespace {

// The same pointer under another name of its type, or in another address space.
const ast::Expr* without_casts(const TypeTable& types, const ast::Expr* pointer) {
  while (const auto* cast = ast::dyn<ast::Cast>(pointer)) {
    const Type &from = types[cast->operand->type], &to = types[cast->type];
    if (from.kind != TypeKind::Pointer || to.kind != TypeKind::Pointer || from.elem != to.elem) break;
    pointer = cast->operand;
  }
  return pointer;
}

bool is_builtin(const ast::Expr* expr, Builtin builtin) {
  if (!expr) return false;
  const auto* identifier = ast::dyn<ast::Identifier>(expr);
  return identifier && identifier->builtin == builtin;
}

// `args.file`, `ctx.task`: the same all through a run of the program.
bool is_member_of(const ast::Expr* expr, Builtin builtin) {
  const auto* access = ast::dyn<ast::FieldAccess>(expr);
  return access && is_builtin(access->base, builtin);
}

}  // namespace

// ---- Variables that are only another name: `$task = curtask;` ----

void Body::find_aliases(const ast::Node* body) {
  std::unordered_map<const ast::Variable*, const ast::Expr*> values;   // null: more than one, or something else happens to it
  auto set = [&](const ast::Expr* target, const ast::Expr* value) {
    const auto* ref = ast::dyn<ast::VariableRef>(target);
    if (!ref || !ref->var) return;
    auto [entry, is_new] = values.try_emplace(ref->var, value);
    bool again = !is_new && is_builtin(entry->second, Builtin::Curtask) && is_builtin(value, Builtin::Curtask);
    if (!is_new && !again) entry->second = nullptr;
  };
  auto visit = [&](auto&& self, const ast::Node* node) -> void {
    switch (node->kind) {
      case NodeKind::Assign: {
        const auto* assign = ast::as<ast::Assign>(node);
        if (assign->target) set(assign->target, assign->op ? nullptr : without_casts(types, assign->value));
        break;
      }
      case NodeKind::VarDecl: {
        const auto* decl = ast::as<ast::VarDecl>(node);
        set(decl->var, decl->init ? without_casts(types, decl->init) : nullptr);
        break;
      }
      case NodeKind::Unary:
        if (ast::as<ast::Unary>(node)->op >= ast::UnaryOp::AddressOf) set(ast::as<ast::Unary>(node)->operand, nullptr);
        break;
      case NodeKind::Call:
        if (ast::as<ast::Call>(node)->function == Function::Find) {
          for (const ast::Expr* arg : ast::as<ast::Call>(node)->args) set(arg, nullptr);
        }
        break;
      default: break;
    }
    for_each_child(node, [&](const ast::Node* child) { self(self, child); });
  };
  visit(visit, body);
  for (const auto& [variable, value] : values) {
    if (value && (is_builtin(value, Builtin::Curtask) || is_member_of(value, Builtin::Args) || is_member_of(value, Builtin::Ctx))) aliases_[variable] = value;
  }
}

// The expression that a pointer stands for, as far as it is known.
const ast::Expr* Body::origin(const ast::Expr* pointer) const {
  pointer = without_casts(types, pointer);
  const auto* ref = ast::dyn<ast::VariableRef>(pointer);
  auto alias = ref ? aliases_.find(ref->var) : aliases_.end();
  if (alias == aliases_.end() || types[alias->second->type].elem != types[pointer->type].elem) return pointer;
  // The arguments are not at hand in the callback of a loop.
  bool outside = b.fn().kind == ir::Function::Program || is_builtin(alias->second, Builtin::Curtask);
  return outside ? alias->second : pointer;
}

// ---- Where chains start ----

bool Body::is_known(const Place& place) const {
  return place.kind == Place::Core && (place.is_indirect() || b.type(place.base).space == PtrSpace::Btf);
}

// Sets the start of a chain at what `pointer` points to; false if it is an address like any other.
bool Body::start_chain(const ast::Expr* pointer, Place* out) {
  pointer = origin(pointer);
  out->base = trusted_argument(pointer);
  if (out->base != kNoValue) return true;
  if (is_builtin(pointer, Builtin::Curtask)) {
    out->root = Place::Task;
    return true;
  }
  bool has_context = b.fn().kind == ir::Function::Program;
  if (has_context && is_iterated(pointer)) {
    out->root = Place::InContext;
    out->offset = iterated_offset(*ast::as<ast::FieldAccess>(pointer));
    return true;
  }
  // The kernel says of some arguments of raw tracepoints that they may be null (6.13).
  const Field* field = has_context && probe->attach->parsed.kind == abi::ProbeKind::Rawtracepoint ? argument_field(pointer) : nullptr;
  if (field) {
    uint32_t index = ast::as<ast::FieldAccess>(pointer)->path[0];
    note_argument(index, field->name, field->type);
    out->root = Place::InContext;
    out->offset = 8 * static_cast<int64_t>(index);
    return true;
  }
  bool is_place = pointer->kind == NodeKind::FieldAccess || pointer->kind == NodeKind::ArrayAccess;
  if (!is_place || is_member_of(pointer, Builtin::Args) || is_member_of(pointer, Builtin::Ctx)) return false;
  PlaceScope scope(b, pointer->range);
  Place member = place(pointer);
  if (!is_known(member) || member.path.empty() || member.bit_size != 0) {
    out->base = b.int_to_ptr(load(member), PtrSpace::Kernel, types.record(out->record).name);
    return true;
  }
  out->root = member.root;
  out->base = member.base;
  out->offset = member.offset;
  out->links = std::move(member.links);
  out->links.push_back({member.record, std::move(member.path), member.type});
  return true;
}

bool Body::is_iterated(const ast::Expr* expr) const {
  return probe && probe->attach->parsed.kind == abi::ProbeKind::Iter && is_member_of(expr, Builtin::Ctx) && types[expr->type].kind == TypeKind::Pointer;
}

// Pointers of such contexts lie in nameless unions.
int64_t Body::iterated_offset(const ast::FieldAccess& access) const {
  int64_t offset = 0;
  TypeId at = types[access.base->type].elem;
  for (uint32_t step : access.path) {
    const Field member = types.record(types[at].record).fields[step];
    offset += member.bit_offset / 8;
    at = member.type;
  }
  return offset;
}

ValueId Body::iterated_object(const ast::Expr* expr) {
  const auto* access = ast::dyn<ast::FieldAccess>(expr);
  while (access && !is_iterated(access)) access = ast::dyn<ast::FieldAccess>(access->base);
  if (!access) return kNoValue;
  return b.ctx_load(iterated_offset(*access), ir::ptr_type(PtrSpace::Btf, true), access->field);
}

// The argument that `args.file` is, of a probe whose arguments the kernel knows.
const Field* Body::argument_field(const ast::Expr* pointer) const {
  if (!probe || !is_member_of(pointer, Builtin::Args)) return nullptr;
  const auto* access = ast::as<ast::FieldAccess>(pointer);
  const Record& record = types.record(types[access->base->type].record);
  return record.origin == RecordOrigin::FuncArgs && access->path.size() == 1 ? &record.fields[access->path[0]] : nullptr;
}

// A pointer argument of a trampoline as the kernel's verifier knows it: typed, so its members load directly (5.5).
ValueId Body::trusted_argument(const ast::Expr* pointer) {
  if (iterated != kNoValue && is_iterated(pointer)) return iterated;
  const Field* field = argument_field(pointer);
  abi::ProbeKind kind = probe ? probe->attach->parsed.kind : abi::ProbeKind::Begin;
  if (!field || (kind != abi::ProbeKind::Fentry && kind != abi::ProbeKind::Fexit)) return kNoValue;
  uint32_t index = ast::as<ast::FieldAccess>(pointer)->path[0];
  note_argument(index, field->name, field->type);
  return b.ctx_load(8 * static_cast<int64_t>(index), ir::ptr_type(PtrSpace::Btf), field->name);
}

// ---- Following them ----

ValueId Body::guarded_root(const Place& place) {
  if (place.root == Place::Task) return b.int_to_ptr(b.builtin("curtask"), PtrSpace::Kernel, "curtask");
  if (place.root == Place::InContext) return b.int_to_ptr(b.ctx_load(place.offset, kI64, "object"), PtrSpace::Kernel, "object");
  return place.base;
}

// Calls `use` with the address where the last part of the chain starts, once for each way; `missing` if a pointer on it is null.
void Body::follow(const Place& place, const std::function<void(ValueId)>& use, const std::function<void()>& missing) {
  ValueId choice = b.emit(Op::CopyConst, {ir::Builder::imm(abi::kCopyTypedReads)}, kI64, "typed_reads");
  ir::BlockId typed = b.new_block("typed"), guarded = b.new_block("guarded"), done = b.new_block("followed");
  b.br_if(b.binary(Op::Eq, choice, b.constant(1), "typed"), typed, guarded);

  b.set_block(typed);
  ir::BlockId null = place.root == Place::InContext || !place.links.empty() ? b.new_block("null") : done;
  auto not_null = [&](ValueId pointer) {
    ir::BlockId next = b.new_block("not_null");
    b.br_if(pointer, next, null);
    b.set_block(next);
  };
  ValueId at = place.base;
  if (place.root == Place::Task) at = b.emit(Op::Helper, {ir::Builder::word("get_current_task_btf")}, ir::ptr_type(PtrSpace::Btf), "curtask");
  if (place.root == Place::InContext) not_null(at = b.ctx_load(place.offset, ir::ptr_type(PtrSpace::Btf, true), "object"));
  for (const Place::Link& link : place.links) {
    ir::Chain chain{module.core().record(link.record), link.path};
    at = b.emit(Op::CoreLoad, {ir::Builder::val(at), ir::Builder::chain_ref(std::move(chain))}, ir::ptr_type(PtrSpace::Btf, true), "link");
    not_null(at);
  }
  use(at);
  b.br(done);
  if (null != done) {
    b.set_block(null);
    missing();
    b.br(done);
  }

  b.set_block(guarded);
  at = guarded_root(place);
  for (const Place::Link& link : place.links) {
    Place pointer;
    pointer.kind = Place::Core;
    pointer.base = at;
    pointer.record = link.record;
    pointer.path = link.path;
    pointer.type = link.type;
    at = b.int_to_ptr(load(pointer), PtrSpace::Kernel, "link");
  }
  use(at);
  b.br(done);
  b.set_block(done);
}

Place Body::followed(const Place& place, ValueId base) {
  Place out = place;
  out.root = Place::Address;
  out.links.clear();
  out.base = base;
  out.offset = 0;
  return out;
}

// A number; anything else goes the way of an address.
ValueId Body::load_followed(const Place& place) {
  if (place.bit_size != 0 || types[place.type].kind == TypeKind::Pointer) return load(followed(place));
  Memory result = temp(8, 8, "field");
  follow(place, [&](ValueId base) { b.store(result.pointer, result.offset, load(followed(place, base))); }, [&] { b.store(result.pointer, result.offset, b.constant(0)); });
  return b.load(result.pointer, result.offset, kI64, "field");
}

// The same place from an address that helpers take, with no pointer left to follow.
Place Body::followed(const Place& place) {
  if (!place.is_indirect()) return place;
  if (place.links.empty()) return followed(place, guarded_root(place));
  Memory result = temp(8, 8, "address");
  follow(place, [&](ValueId base) { b.store(result.pointer, result.offset, b.ptr_to_int(base)); }, [&] { b.store(result.pointer, result.offset, b.constant(0)); });
  return followed(place, b.int_to_ptr(b.load(result.pointer, result.offset, kI64, "address"), PtrSpace::Kernel, "link"));
}

// A typed pointer as a number that one may compute with: read back from memory, its type is forgotten.
ValueId Body::plain_number(ValueId pointer) {
  Memory typed = temp(8, 8, "typed"), number = temp(8, 8, "number");
  b.store(typed.pointer, typed.offset, b.ptr_to_int(pointer));
  read(number, b.ptr_to_int(pointer_to(typed)), AddrSpace::Kernel, 8);
  return b.load(number.pointer, number.offset, kI64, "number");
}

}  // namespace btc::lower
