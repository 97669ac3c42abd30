// Plans and loads the copies of each program; see plan.h.
//
// Bindings of one template share a copy when nothing in it differs: same
// program and attach type, same kernel target, same patched instructions. So
// 20 tracepoints of one pattern are one program, unless records differ or the
// program asks for its probe's name on a kernel without cookies.
#include "runtime-stub/src/plan.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "runtime-stub/abi/abi.h"
#include "runtime-stub/src/facts.h"
#include "runtime-stub/src/kernel_btf.h"
#include "runtime-stub/src/records.h"
#include "runtime-stub/src/resolve.h"
#include "runtime-stub/src/sys.h"
#include "runtime-stub/src/unwind.h"
#include "runtime-stub/src/verifier_log.h"

namespace btc::rt {
namespace {

bool same_edits(const std::vector<InsnEdit>& a, const std::vector<InsnEdit>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const InsnEdit& x, const InsnEdit& y) {
    return x.insn == y.insn && x.what == y.what && x.value == y.value;
  });
}

struct Planned { CopyRequest request; std::string module; uint32_t copy; };

bool plan_copies(RunState& run) {
  std::vector<Planned> planned;
  for (Binding& binding : run.bindings) {
    const fb::Program* program = run.manifest().programs()->Get(binding.program);
    CopyRequest request;
    request.program = binding.program;
    request.session_exit = binding.session_exit;
    request.prog_type = prog_type_of(binding);
    request.attach_type = attach_type_of(binding);
    request.attach_btf_id = binding.btf_id;
    request.attach_prog_fd = binding.prog_fd;
    request.flags = program->sleepable() ? sys::kSleepable : 0;
    std::string problem;
    bool edited = make_edits(run, binding, binding.program, &request.edits, &problem);
    if (edited && binding.session_exit >= 0) edited = make_edits(run, binding, static_cast<uint32_t>(binding.session_exit), &request.exit_edits, &problem);
    if (!edited) {
      run.messages.at(program->location(), Severity::Error, problem);
      return false;
    }
    // Newest first: bindings of one program follow each other.
    auto match = std::find_if(planned.rbegin(), planned.rend(), [&](const Planned& p) {
      return p.request.program == request.program && p.request.session_exit == request.session_exit && p.request.prog_type == request.prog_type &&
             p.request.attach_type == request.attach_type && p.request.attach_btf_id == request.attach_btf_id &&
             p.request.attach_prog_fd == request.attach_prog_fd && p.module == binding.btf_module && same_edits(p.request.edits, request.edits);
    });
    if (match != planned.rend() && binding.how != How::Tracing && binding.how != How::Iter) {
      binding.copy = match->copy;
      continue;
    }
    request.attach_btf_fd = binding.prog_fd != 0 ? 0 : btf_object_fd(binding.btf_module);
    if (request.attach_btf_fd < 0) {
      run.messages.at(program->location(), Severity::Error, cat("The types of module ", binding.btf_module, " cannot be opened."));
      return false;
    }
    binding.copy = run.loader->add(request);
    planned.push_back({std::move(request), binding.btf_module, binding.copy});
  }
  return true;
}

uint32_t power_of_two_below(uint64_t n) { return n < 2 ? 1 : 1u << (63 - __builtin_clzll(n)); }

// Bytes of the event buffer: perf_rb_pages, else by what the script sends and what the machine has free (at most 4 MiB: the pages count twice in this process).
uint32_t ring_bytes(const RunState& run) {
  uint32_t page = static_cast<uint32_t>(::sysconf(_SC_PAGESIZE));
  uint64_t pages = Config::as_number(run.config.perf_rb_pages);
  if (pages != 0) return std::max(power_of_two_below(std::max<uint64_t>(pages, possible_cpus()) * 2 - 1), 1u) * page;
  bool prints = false;
  for (uint32_t i = 0; i < count_of(run.manifest().events()); ++i) {
    auto kind = static_cast<abi::EventKind>(run.manifest().events()->Get(i)->kind());
    prints |= kind != abi::EventKind::Exit && kind != abi::EventKind::RuntimeError && kind != abi::EventKind::PrintMap &&
              kind != abi::EventKind::Clear && kind != abi::EventKind::Zero;
  }
  uint64_t kilobytes = prints ? 4096 : 256;
  std::string memory;
  if (prints && read_whole_file("/proc/meminfo", &memory)) {
    size_t at = memory.find("MemAvailable:");
    std::string_view rest = at == std::string::npos ? std::string_view() : std::string_view(memory).substr(at + 13);
    uint64_t available = 0;
    if (parse_u64(next_word(rest), &available)) kilobytes = std::clamp<uint64_t>(available / 64, 256, 4096);
  }
  return power_of_two_below(kilobytes * 1024);
}

void size_maps(RunState& run) {
  uint64_t keys = Config::as_number(run.config.max_map_keys);
  for (uint32_t i = 0; i < count_of(run.manifest().maps()); ++i) {
    const fb::Map* map = run.manifest().maps()->Get(i);
    if (map->entries_from_config() && keys != 0) run.loader->set_map_entries(text_of(map->bpf_name()), static_cast<uint32_t>(std::min<uint64_t>(keys, UINT32_MAX)));
  }
  if (run.loader->has_map(abi::kLargeScratchMap)) run.loader->set_map_entries(abi::kLargeScratchMap, possible_cpus() * abi::kScratchLevels);
  if (run.loader->has_map(abi::kProbeNames)) run.loader->set_map_entries(abi::kProbeNames, std::max<uint32_t>(static_cast<uint32_t>(run.names.size()), 1));
  if (run.loader->has_map(abi::kRingMap)) run.loader->set_map_entries(abi::kRingMap, ring_bytes(run));
}

// For programs that compare their probe's name: `strcontains(probe, "read")`.
bool fill_probe_names(const RunState& run) {
  int fd = run.loader->map_fd(abi::kProbeNames);
  char text[abi::kProbeTextBytes];
  for (uint32_t i = 0; fd >= 0 && i < run.names.size(); ++i) {
    memset(text, 0, sizeof text);
    memcpy(text, run.names[i].data(), std::min(run.names[i].size(), sizeof text - 1));
    if (sys::map_update(fd, &i, text, sizeof text, 1) != 0) return false;
  }
  return true;
}

}  // namespace

bool load_script(RunState& run, int* code) {
  if (code != nullptr) *code = 255;
  LoaderOptions options;
  options.verbose = run.options.verbose;
  options.log_size = static_cast<uint32_t>(std::clamp<uint64_t>(Config::as_number(run.config.log_size), 4096, 64 << 20));
  if (const char* btf = ::getenv("BPFTRACE_BTF")) options.btf_path = btf;
  options.typed_reads = [&run](uint32_t type) { return run.features.typed_reads(type); };
  LoadFailure failure;
  run.loader = Loader::open(run.artifact, options, &failure);
  if (run.loader == nullptr) {
    report_load_failure(run, failure);
    return false;
  }
  size_maps(run);
  if (run.unwind) run.unwind->size_maps(*run.loader);
  if (!fill_facts(run) || !plan_copies(run)) {
    if (code != nullptr) *code = 1;
    return false;
  }
  if (!run.loader->load(&failure)) {
    report_load_failure(run, failure);
    return false;
  }
  if (fill_probe_names(run)) return true;
  run.messages.error("Could not fill the table of probe names.");
  return false;
}

bool attach_foreign_programs(RunState& run) {
  MissingProbes policy = run.config.missing();
  for (uint32_t i = 0; i < count_of(run.manifest().foreign_programs()); ++i) {
    const fb::ForeignProgram* program = run.manifest().foreign_programs()->Get(i);
    std::string why;
    switch (run.loader->attach_foreign(i, &why)) {
      case Loader::Attached::Yes: run.messages.verbose(cat("Attached ", foreign_name(*program))); continue;
      case Loader::Attached::NoRule: run.messages.verbose(cat("Loaded, nothing to attach it to: ", foreign_name(*program))); continue;
      case Loader::Attached::Failed: break;
    }
    if (policy == MissingProbes::Ignore) continue;
    std::string text = cat("Unable to attach ", foreign_name(*program), policy == MissingProbes::Warn ? ". Skipping.\n" : ".\n", trim(why));
    bool fatal = policy == MissingProbes::Error;
    run.messages.at(program->location(), fatal ? Severity::Error : Severity::Warning, text,
                    fatal ? "If this is expected, set the 'missing_probes' config variable to 'warn'." : "");
    if (fatal) return false;
  }
  return true;
}

}  // namespace btc::rt
