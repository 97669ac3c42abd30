// Diagnosis: what this machine offers, what it lacks for this artifact, and
// what to do about it.
#include <cerrno>
#include <linux/bpf.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "runtime-stub/src/kernel_btf.h"
#include "runtime-stub/src/resolve.h"
#include "runtime-stub/src/survey.h"
#include "runtime-stub/src/sys.h"

namespace btc::rt {
namespace {

struct Check { std::string name; bool good; bool needed; std::string advice; };

bool probe_kind_used(const RunState& run, abi::ProbeKind kind) {
  if (run.artifact.manifest == nullptr) return false;
  for (uint32_t i = 0; i < count_of(run.manifest().programs()); ++i)
    if (run.manifest().programs()->Get(i)->probe_kind() == static_cast<uint8_t>(kind)) return true;
  return false;
}
template <typename... Kinds>
bool uses(const RunState& run, Kinds... kinds) { return (probe_kind_used(run, kinds) || ...); }

bool may_load() {
  bpf_insn insns[] = {{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0}, {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
  int fd = sys::prog_load_raw(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, insns, 2, nullptr, 0);
  if (fd >= 0) ::close(fd);
  return fd >= 0;
}

// The artifact's own demands, beyond its probe types.
void add_needs(RunState& run, std::vector<Check>* checks) {
  const auto* programs = run.manifest().programs();
  std::vector<std::string> seen;
  for (uint32_t i = 0; i < count_of(programs); ++i)
    for (uint32_t k = 0; k < count_of(programs->Get(i)->needs()); ++k) {
      std::string need(text_of(programs->Get(i)->needs()->Get(k)));
      bool known = false;
      for (const std::string& one : seen) known |= one == need;
      if (known) continue;
      seen.push_back(need);
      size_t colon = need.find(':');
      std::string name = colon == std::string::npos ? "" : need.substr(colon + 1);
      if (need.starts_with("helper:"))
        checks->push_back({cat("BPF helper ", name), run.features.helper(BPF_PROG_TYPE_RAW_TRACEPOINT, name) ||
                           run.features.helper(BPF_PROG_TYPE_KPROBE, name), true, "a newer kernel has it"});
      else if (need.starts_with("kfunc:"))
        checks->push_back({cat("kernel function ", name), run.features.kfunc(name), true, "a newer kernel has it"});
    }
}

std::vector<Check> check_machine(RunState& run) {
  using K = abi::ProbeKind;
  bool script = run.artifact.manifest != nullptr;
  bool needs_btf = script && (run.manifest().core_relocations() > 0 || uses(run, K::Fentry, K::Fexit, K::Rawtracepoint, K::Iter));
  std::vector<Check> checks;
  checks.push_back({"rights to load BPF programs", may_load(), true, "run as root, or with CAP_BPF and CAP_PERFMON"});
  checks.push_back({"tracefs", !tracefs().empty(), !script || uses(run, K::Tracepoint), "mount -t tracefs nodev /sys/kernel/tracing"});
  checks.push_back({"kernel types (BTF)", run.features.kernel_btf(), needs_btf,
                    "CONFIG_DEBUG_INFO_BTF; or set BPFTRACE_BTF to a file with this kernel's BTF"});
  checks.push_back({"kprobes", run.features.kprobes(), uses(run, K::Kprobe, K::Kretprobe), "CONFIG_KPROBES and CONFIG_KPROBE_EVENTS"});
  checks.push_back({"uprobes", run.features.uprobes(), uses(run, K::Uprobe, K::Uretprobe, K::Usdt), "CONFIG_UPROBES and CONFIG_UPROBE_EVENTS"});
  checks.push_back({"trampolines (fentry, fexit)", run.features.trampolines(), uses(run, K::Fentry, K::Fexit),
                    "Linux 5.5 with CONFIG_DEBUG_INFO_BTF and CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS; some security policies refuse them"});
  checks.push_back({"hardware counters", file_exists("/sys/bus/event_source/devices/cpu"), uses(run, K::Hardware),
                    "virtual machines often have none"});
  if (script) add_needs(run, &checks);
  return checks;
}

std::string yes_no(bool value) { return value ? "yes" : "no"; }

}  // namespace

int run_doctor(RunState& run) {
  utsname name{};
  ::uname(&name);
  std::string text = cat("kernel ", name.release, " ", name.machine, "\n");
  bool lacking = false;
  for (const Check& check : check_machine(run)) {
    append(text, cat(check.good ? "ok       " : check.needed ? "MISSING  " : "absent   ", check.name));
    if (!check.good) append(text, cat(": ", check.advice));
    append(text, "\n");
    lacking |= !check.good && check.needed;
  }
  if (run.artifact.manifest != nullptr)
    append(text, lacking ? cat(run.artifact.script_name(), " cannot run here.\n") : cat("Nothing is missing for ", run.artifact.script_name(), ".\n"));
  write_all(STDOUT_FILENO, text);
  return lacking ? 1 : 0;
}

int run_info(RunState& run) {
  utsname name{};
  ::uname(&name);
  Features& f = run.features;
  std::string text = cat("System\n  OS: ", name.sysname, " ", name.release, " ", name.version, "\n  Arch: ", name.machine, "\n\nKernel helpers\n");
  struct Row { const char* label; const char* helper; uint32_t type; };
  constexpr Row kHelpers[] = {{"dpath", "d_path", BPF_PROG_TYPE_TRACING}, {"get_tai_ns", "ktime_get_tai_ns", BPF_PROG_TYPE_KPROBE},
    {"get_func_ip", "get_func_ip", BPF_PROG_TYPE_KPROBE}, {"lookup_percpu_elem", "map_lookup_percpu_elem", BPF_PROG_TYPE_KPROBE},
    {"loop", "loop", BPF_PROG_TYPE_KPROBE}, {"for_each_map_elem", "for_each_map_elem", BPF_PROG_TYPE_KPROBE},
    {"get_attach_cookie", "get_attach_cookie", BPF_PROG_TYPE_KPROBE}, {"get_current_task_btf", "get_current_task_btf", BPF_PROG_TYPE_KPROBE},
    {"ktime_get_boot_ns", "ktime_get_boot_ns", BPF_PROG_TYPE_KPROBE}};
  for (const Row& row : kHelpers) append(text, cat("  ", row.label, ": ", yes_no(f.helper(row.type, row.helper)), "\n"));
  append(text, cat("\nKernel features\n  btf: ", yes_no(f.kernel_btf()), "\n  module btf: ", yes_no(!btf_modules().empty()), "\n  perf links: ",
                   yes_no(f.perf_link()), "\n\nProbe types\n  kprobe: ", yes_no(f.kprobes()), "\n  uprobe: ", yes_no(f.uprobes()), "\n  tracepoint: ",
                   yes_no(!tracefs().empty()), "\n  fentry: ", yes_no(f.trampolines()), "\n  kprobe_multi: ", yes_no(f.kprobe_multi()),
                   "\n  uprobe_multi: ", yes_no(f.uprobe_multi()),
                   "\n  kprobe_session: ", yes_no(f.kprobe_session()), "\n  iter: ", yes_no(f.kernel_btf()), "\n"));
  write_all(STDOUT_FILENO, text);
  return 0;
}

}  // namespace btc::rt
