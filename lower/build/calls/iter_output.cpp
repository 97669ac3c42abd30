// printf in iterators. The kernel formats it into the iterator's own file
// (bpf_seq_printf, 5.9), so that a pinned iterator can be read when the script
// is gone, and no output is lost however much there is. It knows fewer forms
// than we do; a script that uses others sends its lines like any other script,
// all of them, so that they stay in order.
#include "frontend/sema/kernel_format.h"
#include "lower/build/body.h"
#include "lower/build/walk.h"

namespace btc::lower {

namespace {

// False as soon as one printf has to be sent. Bodies of loops may be functions of their own, which have no context.
bool all_printed(const TypeTable& types, const ast::Node* node, bool in_loop) {
  in_loop |= node->kind == ast::NodeKind::ForMap || node->kind == ast::NodeKind::ForRange;
  const auto* call = ast::dyn<ast::Call>(node);
  bool good = !call || call->function != Function::Printf || (!in_loop && !sema::kernel_format(types, *call).empty());
  for_each_child(node, [&](const ast::Node* child) { good = good && all_printed(types, child, in_loop); });
  return good;
}

}  // namespace

bool Body::prints_by_kernel() {
  if (!probe || probe->attach->parsed.kind != abi::ProbeKind::Iter) return false;
  if (!prints_by_kernel_) prints_by_kernel_ = all_printed(types, probe->body, false);
  return *prints_by_kernel_;
}

void Body::print_by_kernel(const ast::Call& call) {
  std::string format = sema::kernel_format(types, call);
  size_t count = call.args.size() - 1;
  std::vector<ValueId> values;
  for (size_t i = 1; i < call.args.size(); ++i) {
    const ast::Expr* arg = call.args[i];
    if (types[arg->type].kind != TypeKind::String) {
      values.push_back(scalar(arg));
      continue;
    }
    uint32_t size = types.size_of(arg->type);
    Memory text = temp((size + 8) & ~7u, 8, "text");       // an array of characters may lack its NUL
    zero(text, (size + 8) & ~7u);
    store(arg, text);
    values.push_back(b.emit(Op::PtrToInt, {ir::Builder::val(pointer_to(text))}, kI64, "text"));
  }
  ValueId data = b.constant(0);
  if (count > 0) {
    Memory words = temp(static_cast<uint32_t>(8 * count), 8, "data");
    for (size_t i = 0; i < count; ++i) b.store(words.pointer, static_cast<int64_t>(words.offset + 8 * i), values[i]);
    data = pointer_to(words);
  }
  // Every iterator's context begins with its struct bpf_iter_meta, and that with the file.
  ValueId meta = b.ctx_load(0, ir::ptr_type(PtrSpace::Btf), "meta");
  ValueId file = b.load(meta, 0, ir::ptr_type(PtrSpace::Btf), "seq");
  // The kernel asks again with a larger buffer when a line does not fit: nothing to report.
  b.helper("seq_printf", {file, b.rodata(format), b.constant(static_cast<int64_t>(format.size() + 1)), data, b.constant(static_cast<int64_t>(8 * count))}, "printed");
}

}  // namespace btc::lower
