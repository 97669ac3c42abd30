// Attach points: one body each, and what the probe's type says about its
// arguments, result, context and memory.
#include "frontend/parse/parser.h"
#include "frontend/sema/sema.h"

namespace btc::sema {

using abi::ProbeKind;

const char* Sema::provider(const Body& body) const {
  return body.attach ? abi::probe_info(body.attach->parsed.kind).name : "function";
}

bool Sema::in_set(const Body& body, uint32_t set) const {
  return body.attach != nullptr && (set & (1u << abi::probe_info(body.attach->parsed.kind).bit)) != 0;
}

AddrSpace Sema::probe_space(const Body& body) const {
  if (body.attach != nullptr && body.attach->may_be_syscall()) return AddrSpace::None;  // a caller's pointers, or the kernel's: the address tells
  if (in_set(body, kInKprobe | kInKretprobe | kInFentry | kInFexit | kInTracepoint | kInIter | kInRawtracepoint)) return AddrSpace::Kernel;
  if (in_set(body, kInUprobe | kInUretprobe | kInUsdt)) return AddrSpace::User;
  return AddrSpace::None;
}

// What the kernel's locks are made of. Programs on these may start while another program holds a lock of a map.
static constexpr const char* kLockFunctions[] = {"_raw_spin_lock", "_raw_spin_lock_irqsave", "_raw_spin_unlock_irqrestore", "queued_spin_lock_slowpath"};

void Sema::check_attach_point(const ast::Probe& probe, const AttachPoint& attach) {
  const abi::AttachPoint& parsed = attach.parsed;
  if (parsed.kind == ProbeKind::Iter && (script_.probes.size() > 1 || probe.attach_points.size() > 1))
    report(DiagKind::IterAlone, attach.range);
  bool has_report = parsed.kind == ProbeKind::Test || parsed.kind == ProbeKind::Bench;
  if (has_report && !named_probes_.insert({parsed.kind, parsed.func}).second)
    report(DiagKind::ProbeNameTwice, attach.range, parsed.func, parsed.kind == ProbeKind::Test ? "TEST" : "BENCH");
  if ((parsed.kind == ProbeKind::Fentry || parsed.kind == ProbeKind::Fexit) && parsed.target != "bpf" && !attach.has_params) {
    for (const char* function : kLockFunctions) {
      if (!abi::wildcard_match(parsed.func, function) || (!parsed.target.empty() && !abi::wildcard_match(parsed.target, "vmlinux"))) continue;
      if (!program_.guards_recursion) report(DiagKind::DangerousFunction, attach.range, std::string("vmlinux:") + function);
      program_.guards_recursion = true;
    }
  }
  bool kernel_address = (parsed.kind == ProbeKind::Kprobe || parsed.kind == ProbeKind::Kretprobe) && parsed.has_address;
  if (kernel_address && !options_.unsafe) report(DiagKind::AddressUnsafe, attach.range);
  if (parsed.kind == ProbeKind::Iter && profile_ != nullptr && !parsed.wildcard && !attach.has_params &&
      !profile_->find_iter_context(types_, parsed.func.empty() ? parsed.target : parsed.func)) {
    std::string object = parsed.func.empty() ? parsed.target : parsed.func;
    suggest(report(DiagKind::UnknownIter, attach.range, object), object, profile_->names("iter"));
  }
}

// Parameters in an attach point (`interval:s:$1`) are put in now if they are baked in, else on the target. The type of a probe decides
// what its body may do, so that must be known here.
void Sema::settle_attach_params(AttachPoint& attach) {
  if (!options_.bake_params) {
    if (!attach.parse_ok) report(DiagKind::ProbeTypeParam, attach.range).hint(DiagKind::ProbeTypeParamHint);
    return;
  }
  std::string text, not_given;
  if (!abi::substitute_params(attach.text, options_.baked_params, &text, &not_given)) return;
  attach.text = text;
  attach.has_params = false;
  btc::check_attach_point(attach, diags_, not_given.empty() ? "" : "Parameter " + not_given + " was not given.");
}

void Sema::make_bodies() {
  auto add = [&](Script& script, uint32_t first_index) {
    for (size_t i = 0; i < script.probes.size(); ++i) {
      ast::Probe& probe = *script.probes[i];
      bool first = true;
      for (AttachPoint& attach : probe.attach_points) {
        if (attach.has_params) settle_attach_params(attach);
        if (!attach.parse_ok) continue;
        check_attach_point(probe, attach);
        auto body = std::make_unique<Body>();
        body->probe = &probe;
        body->attach = &attach;
        body->probe_index = first_index + static_cast<uint32_t>(i);
        locate_source_line(*body);
        Block* block = first && probe.attach_points.size() == 1 ? probe.body : clone_block(arena_, probe.body);
        if (probe.predicate != nullptr) {
          auto* branch = make<IfExpr>(probe.predicate_range);
          branch->cond = probe.attach_points.size() == 1 ? probe.predicate : clone(arena_, probe.predicate);
          branch->then_block = block;
          auto* stmt = arena_.make<ExprStmt>(probe.predicate_range);
          stmt->expr = branch;
          block = make<Block>(probe.body->range);
          block->stmts.push_back(stmt);
        }
        body->block = block;
        bodies_.push_back(std::move(body));
        first = false;
      }
    }
  };
  uint32_t index = 0;
  for (auto& script : imported_) {
    add(*script, index);
    index += static_cast<uint32_t>(script->probes.size());
  }
  add(script_, index);
}

TypeId Sema::args_type(Body& body, SourceRange range) {
  if (body.args_type && (!final_ || *body.args_type != lattice_.error())) return *body.args_type;
  const abi::AttachPoint& attach = body.attach->parsed;
  auto from_proto = [&](std::optional<Profile::FunctionProto> proto, const char* what) {
    if (!proto) {
      auto builder = report(DiagKind::NoPrototype, range, what, attach.func);
      builder.hint(DiagKind::ProfileHint);
      return lattice_.error();
    }
    if (types_.record(proto->args_record).fields.empty()) {
      report(DiagKind::NoParameters, range);
      return lattice_.error();
    }
    return types_.struct_type(proto->args_record);
  };
  // The first function a pattern matches gives the types; the runtime checks the others by name.
  auto function_name = [&]() -> std::string {
    if (!attach.wildcard || profile_ == nullptr) return attach.func;
    std::vector<std::string> matches = profile_->match_functions(attach.func);
    return matches.empty() ? attach.func : matches.front();
  };
  TypeId type = lattice_.error();
  switch (attach.kind) {
    case ProbeKind::Tracepoint:
      type = tracepoint_args(*body.attach, range);
      break;
    case ProbeKind::Fentry:
    case ProbeKind::Fexit:
      if (attach.target == "bpf")
        report(DiagKind::ArgsOfBpf, range);
      else
        type = from_proto(profile_ ? profile_->find_function(types_, function_name(), attach.wildcard ? "" : attach.target) : std::nullopt, "function");
      break;
    case ProbeKind::Rawtracepoint:
      type = from_proto(profile_ ? profile_->find_raw_tracepoint(types_, attach.func) : std::nullopt, "raw tracepoint");
      break;
    case ProbeKind::Uprobe:
      type = uprobe_args(body, range);
      break;
    default:
      break;
  }
  // Their members are trusted pointers where the kernel checks them.
  if (type != lattice_.error() && attach.kind != ProbeKind::Tracepoint)
    type = lattice_.with_space(type, attach.kind == ProbeKind::Uprobe ? AddrSpace::User : AddrSpace::Btf);
  if (attach.kind == ProbeKind::Tracepoint && type != lattice_.error())
    type = lattice_.with_space(type, attach.target == "syscalls" ? AddrSpace::User : AddrSpace::Kernel);
  body.args_type = type;
  return type;
}

TypeId Sema::retval_type(Body& body, SourceRange range) {
  if (body.retval_type && (!final_ || *body.retval_type != lattice_.error())) return *body.retval_type;
  const abi::AttachPoint& attach = body.attach->parsed;
  TypeId type = lattice_.with_space(types_.u64(), probe_space(body));
  if (attach.kind == ProbeKind::Fentry || attach.kind == ProbeKind::Fexit) {
    // The first function of a pattern that returns something gives the type; the runtime leaves out those that return something else.
    std::vector<std::string> names = {attach.func};
    if (attach.wildcard && profile_ != nullptr) names = profile_->match_functions(attach.func);
    std::optional<Profile::FunctionProto> proto;
    for (size_t i = 0; i < names.size() && profile_ && attach.kind == ProbeKind::Fexit && attach.target != "bpf"; ++i) {
      proto = profile_->find_function(types_, names[i], attach.wildcard ? "" : attach.target);
      if (proto && !lattice_.is(proto->return_type, TypeKind::Void)) break;
    }
    if (attach.target == "bpf" && attach.kind == ProbeKind::Fexit) {
      type = types_.u64();
    } else if (!proto || lattice_.is(proto->return_type, TypeKind::Void)) {
      report(DiagKind::NoReturnValue, range);
      type = lattice_.error();
    } else {
      type = proto->return_type;
      // Functions of a pattern return numbers of several widths.
      if (attach.wildcard && lattice_.is_int(type)) type = types_.int_type(8, true);
      // The value lies behind the arguments, so lowering needs to know those even if the script does not name them.
      if (!body.args_type && !types_.record(proto->args_record).fields.empty()) body.args_type = types_.struct_type(proto->args_record);
      if (lattice_.is(type, TypeKind::Pointer) && types_[type].space == AddrSpace::None) type = lattice_.with_space(type, AddrSpace::Kernel);
    }
  }
  body.retval_type = type;
  return type;
}

TypeId Sema::ctx_type(Body& body, SourceRange range) {
  auto context = [&](const char* name) {
    std::optional<TypeId> record = profile_ ? profile_->find_struct(types_, name, false) : std::nullopt;
    return types_.pointer(record.value_or(types_.void_type()), AddrSpace::Ctx);
  };
  if (in_set(body, kInKprobe | kInKretprobe | kInUprobe | kInUretprobe | kInUsdt)) return context("pt_regs");
  if (in_set(body, kInProfile | kInInterval | kInSoftware | kInHardware | kInWatchpoint)) return context("bpf_perf_event_data");
  if (in_set(body, kInIter)) {
    const abi::AttachPoint& attach = body.attach->parsed;
    auto record = profile_ ? profile_->find_iter_context(types_, attach.func.empty() ? attach.target : attach.func) : std::nullopt;
    if (record) return types_.pointer(*record, AddrSpace::Ctx);
    return lattice_.error();
  }
  if (in_set(body, kInTracepoint)) {
    report(DiagKind::CtxInTracepoint, range);
    return lattice_.error();
  }
  report(DiagKind::BuiltinNotHere, range, "ctx", provider(body));
  return lattice_.error();
}

}  // namespace btc::sema
