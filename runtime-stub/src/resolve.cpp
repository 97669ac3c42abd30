// Table of binders and the policy for what is missing; see resolve.h.
#include "runtime-stub/src/resolve.h"

#include <linux/bpf.h>

#include "runtime-stub/src/sys.h"

namespace btc::rt {
namespace {

constexpr ResolveFunction resolver(abi::ProbeKind kind) {
  using K = abi::ProbeKind;
  switch (kind) {
    case K::Begin: case K::End: case K::Self: case K::Test: case K::Bench: return resolve_special;
    case K::Kprobe: case K::Kretprobe: return resolve_kprobe;
    case K::Uprobe: case K::Uretprobe: return resolve_uprobe;
    case K::Usdt: return resolve_usdt;
    case K::Tracepoint: return resolve_tracepoint;
    case K::Rawtracepoint: return resolve_rawtracepoint;
    case K::Fentry: case K::Fexit: return resolve_trampoline;
    case K::Profile: case K::Interval: case K::Software: case K::Hardware: case K::Watchpoint: return resolve_perf;
    case K::Iter: return resolve_iter;
    case K::kCount: break;
  }
  return nullptr;
}

// Attach points of one probe share probe_index; it loses its last one when this says so.
bool probe_is_empty(RunState& run, const std::vector<bool>& missing, uint32_t index) {
  const auto* programs = run.manifest().programs();
  uint32_t probe = programs->Get(index)->probe_index();
  for (uint32_t i = 0; i < programs->size(); ++i)
    if (programs->Get(i)->probe_index() == probe && !missing[i]) return false;
  return true;
}

std::string needs_text(RunState& run, const fb::Program* program, uint32_t type) {
  for (uint32_t i = 0; i < count_of(program->needs()); ++i) {
    std::string_view need = text_of(program->needs()->Get(i));
    std::string_view what = need.substr(0, need.find(':')), name = need.substr(need.find(':') + 1);
    if (what == "helper" && helper_id(name) != 0 && !run.features.helper(type, name)) return cat("the BPF helper ", name, "()");
    // The helper answers 0 at returns of user functions before Linux 6.6, which brought uprobe_multi, too.
    bool user_return = static_cast<abi::ProbeKind>(program->probe_kind()) == abi::ProbeKind::Uretprobe;
    if (user_return && name == "get_func_ip" && kernel_version() < version_of(6, 6)) return "the BPF helper get_func_ip() for user functions (Linux 6.6)";
    if (what == "kfunc" && !run.features.kfunc(name)) return cat("the kernel function ", name, "()");
    if (what == "btf" && !run.features.kernel_btf()) return "type information (BTF)";
  }
  return {};
}

}  // namespace

uint64_t RunState::name_index(std::string_view name) {
  for (uint64_t i = names.size(); i-- > 0;)
    if (names[i] == name) return i;
  names.emplace_back(name);
  return names.size() - 1;
}

std::string shown_name(abi::AttachPoint point, bool wrapped) {
  if (wrapped) point.func = abi::unwrapped_syscall(point.func);
  return point.display_name();
}

Binding& Resolution::add(How how, const abi::AttachPoint& point) {
  Binding& binding = found.emplace_back();
  binding.program = index;
  binding.how = how;
  binding.point = point;
  binding.is_wrapped = wrapped;
  binding.name = text_of(program->custom_name()).empty() ? shown_name(point, wrapped) : std::string(text_of(program->custom_name()));
  return binding;
}

bool reads_cookie(RunState& run, const fb::Program& program) {
  using K = abi::ProbeKind;
  switch (static_cast<K>(program.probe_kind())) {
    case K::Kprobe: case K::Kretprobe: case K::Uprobe: case K::Uretprobe: case K::Usdt: case K::Tracepoint: break;
    default: return false;
  }
  return program.wildcard() && run.features.attach_cookie(BPF_PROG_TYPE_KPROBE);
}

uint32_t prog_type_of(const Binding& binding) {
  switch (binding.how) {
    case How::TestRun:
      return binding.point.kind == abi::ProbeKind::Test || binding.point.kind == abi::ProbeKind::Bench ? BPF_PROG_TYPE_XDP
                                                                                                      : BPF_PROG_TYPE_RAW_TRACEPOINT;
    case How::Tracepoint: return BPF_PROG_TYPE_TRACEPOINT;
    case How::Kprobe: case How::KprobeMulti: case How::KprobeSession: case How::Uprobe: case How::UprobeMulti: return BPF_PROG_TYPE_KPROBE;
    case How::Tracing: case How::Iter: return BPF_PROG_TYPE_TRACING;
    case How::PerfEvent: case How::Breakpoint: return BPF_PROG_TYPE_PERF_EVENT;
    case How::kCount: break;
  }
  return BPF_PROG_TYPE_UNSPEC;
}

uint32_t attach_type_of(const Binding& binding) {
  switch (binding.how) {
    case How::KprobeMulti: return sys::kTraceKprobeMulti;
    case How::KprobeSession: return sys::kTraceKprobeSession;
    case How::UprobeMulti: return sys::kTraceUprobeMulti;
    case How::Iter: return sys::kTraceIter;
    case How::Tracing:
      return binding.point.kind == abi::ProbeKind::Rawtracepoint ? sys::kTraceRawTp
           : binding.point.kind == abi::ProbeKind::Fentry        ? sys::kTraceFentry : sys::kTraceFexit;
    default: return 0;
  }
}

// A pattern may match nothing, as long as its probe keeps another attach point; a name may not. True if the policy makes it an error.
bool report_missing(RunState& run, uint32_t index, const abi::AttachPoint& point, std::vector<bool>& missing, std::string_view reason) {
  int place = run.manifest().programs()->Get(index)->location();
  MissingProbes policy = run.config.missing();
  missing[index] = true;
  if (policy == MissingProbes::Ignore) return false;
  bool is_error = policy == MissingProbes::Error;
  Severity severity = is_error ? Severity::Error : Severity::Warning;
  bool said = !point.wildcard || !reason.empty();
  std::string text = !reason.empty() ? std::string(reason)
                                     : cat("No matches for ", abi::probe_info(point.kind).name, " ", point.target, point.target.empty() ? "" : ":",
                                           point.func, is_error ? "." : "");
  if (said) run.messages.at(place, severity, is_error ? text : cat(text, ". Skipping."));
  if (!probe_is_empty(run, missing, index)) return is_error && said;
  run.messages.at(place, severity,
                  is_error ? "Probe has no valid attach points. If this is expected, set the 'missing_probes' config variable to 'warn'."
                           : "Probe has no valid attach points. It is being removed which may cause issues with program behavior.");
  return is_error;
}

static void report_program_limit(RunState& run, const fb::Program* program, uint64_t count, uint64_t limit) {
  run.messages.at(program->location(), Severity::Error,
                  cat("Your program is trying to generate more than ", count, " BPF programs, which exceeds the current limit of ", limit),
                  "You can increase the limit through the BPFTRACE_MAX_BPF_PROGS environment variable.");
}

// In bpftrace each function of a pattern that asks for its name is a program. One program serves them all here, so max_bpf_progs
// refuses none of them; but where there are too many probes as well, this is the limit that is met first.
static bool exceeds_as_programs(RunState& run) {
  uint64_t limit = Config::as_number(run.config.max_bpf_progs);
  for (const Binding& binding : run.bindings) {
    const fb::Program* program = run.manifest().programs()->Get(binding.program);
    if (!program->uses_probe_name() || binding.count <= limit) continue;
    report_program_limit(run, program, binding.count, limit);
    return true;
  }
  return false;
}

int check_probe_count(RunState& run) {
  uint64_t limit = Config::as_number(run.config.max_probes), count = 0;
  for (const Binding& binding : run.bindings) count += binding.count;
  if (count == 0) {
    if (!run.options.output.quiet) write_all(STDOUT_FILENO, "No probes to attach\n");
    return 1;
  }
  if (count <= limit) return 0;
  if (!exceeds_as_programs(run))
    run.messages.error(cat("Can't attach to ", count, " probes because it exceeds the current limit of ", limit,
                           " probes.\nYou can increase the limit through the BPFTRACE_MAX_PROBES environment variable, but BE CAREFUL since a "
                           "high number of probes attached can cause your system to crash."));
  return 1;
}

int resolve_all(RunState& run) {
  const auto* programs = run.manifest().programs();
  uint64_t limit = Config::as_number(run.config.max_bpf_progs), expanded = 0;
  run.missing.assign(count_of(programs), false);
  bool failed = false;
  for (uint32_t i = 0; i < count_of(programs); ++i) {
    const fb::Program* program = programs->Get(i);
    std::string text(text_of(program->attach()));
    std::string filled, not_given;
    if (program->has_params() && abi::substitute_params(text, run.options.positional, &filled, &not_given)) text = filled;
    abi::AttachPoint point;
    abi::AttachPointError error;
    if (!abi::parse_attach_point(text, &point, &error)) {
      run.messages.at(program->location(), Severity::Error, error.message, not_given.empty() ? error.hint : cat("Parameter ", not_given, " was not given."));
      failed = true;
      continue;
    }
    Resolution result;
    result.program = program;
    result.index = i;
    if (ResolveFunction resolve = resolver(point.kind)) resolve(run, point, &result);
    if (!result.problem.empty()) {
      run.messages.at(program->location(), Severity::Error, result.problem);
      failed = true;
      continue;
    }
    if (result.found.empty()) {
      failed |= report_missing(run, i, point, run.missing, result.lacking);
      continue;
    }
    if (result.expanded) expanded += result.found.size();
    if (expanded > limit) {
      report_program_limit(run, program, expanded, limit);
      return 1;
    }
    std::string lacking = needs_text(run, program, prog_type_of(result.found.front()));
    if (!lacking.empty()) {
      run.messages.at(program->location(), Severity::Error,
                      cat("This kernel lacks ", lacking, ", which ", result.found.front().name, " needs."));
      failed = true;
      continue;
    }
    for (Binding& binding : result.found) {
      binding.name_index = run.name_index(binding.name);
      binding.from_pattern = result.expanded;
      bool multi = binding.how == How::KprobeMulti || binding.how == How::UprobeMulti;
      for (Site& site : binding.sites) {
        site.name = binding.name_index;
        if (!multi || !program->uses_probe_name() || !text_of(program->custom_name()).empty()) continue;
        abi::AttachPoint one = binding.point;
        one.func = site.symbol;
        run.names.push_back(shown_name(one, binding.is_wrapped));
        site.name = run.names.size() - 1;
      }
      if (binding.record.empty()) binding.record = text_of(program->record());
      run.bindings.push_back(std::move(binding));
    }
  }
  return failed ? 1 : 0;
}

}  // namespace btc::rt
