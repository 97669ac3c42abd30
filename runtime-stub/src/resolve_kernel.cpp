// Kernel functions and tracepoints; see resolve.h.
//
// A single kprobe is not looked up here, unless it has the name of a system
// call: the kernel does that when it is opened, and reading its lists of
// functions (some 60,000 lines) costs more than everything else. attach.cpp
// reports one that does not exist.
#include <algorithm>
#include <cerrno>

#include "runtime-stub/src/facts.h"
#include "runtime-stub/src/kernel_btf.h"
#include "runtime-stub/src/records.h"
#include "runtime-stub/src/resolve.h"
#include "runtime-stub/src/signature.h"
#include "runtime-stub/src/sys.h"

namespace btc::rt {
namespace {

bool has_star(std::string_view text) { return text.find('*') != std::string_view::npos; }

// One site per name; names that several functions share can be given to the kernel only once.
void add_multi(RunState& run, const abi::AttachPoint& point, const std::vector<TraceableFunction>& functions, Resolution* out) {
  Binding& binding = out->add(How::KprobeMulti, point);
  binding.is_return = point.kind == abi::ProbeKind::Kretprobe;
  abi::AttachPoint one = point;
  for (const TraceableFunction& function : functions) {
    one.func = function.name;
    if (run.filter != nullptr && !run.chosen(shown_name(one, out->wrapped))) continue;
    Site site;
    site.symbol = function.name;
    binding.sites.push_back(std::move(site));
  }
  binding.count = static_cast<uint32_t>(binding.sites.size());
}

void add_single(const abi::AttachPoint& point, Resolution* out) {
  Binding& binding = out->add(How::Kprobe, point);
  binding.is_return = point.kind == abi::ProbeKind::Kretprobe;
  Site site;
  if (!point.has_address) site.symbol = point.target.empty() || point.target == "vmlinux" ? point.func : cat(point.target, ":", point.func);
  site.offset = point.has_address ? point.address : point.offset;
  binding.sites.push_back(std::move(site));
}

}  // namespace

bool module_loaded(std::string_view module) {
  return module == "vmlinux" || file_exists(cat("/sys/module/", module, "/initstate"));
}

// On the kernel's list, yet not for patterns: places that are no functions, and what the kernel's own tests of kprobe.multi leave out because
// probes run through it. A star stands for the rest of the name.
constexpr std::string_view kNotForPatterns[] = {"__ftrace_invalid_address__*", "rcu_*", "arch_cpu_idle", "default_idle", "bpf_dispatcher_xdp_func"};

static bool for_patterns(std::string_view name) {
  for (std::string_view left_out : kNotForPatterns)
    if (abi::wildcard_match(left_out, name)) return false;
  return true;
}

bool traceable_functions(RunState& run, std::string_view function, std::string_view module, std::vector<TraceableFunction>* out) {
  std::string path = run.options.traceable_functions.empty() ? cat(tracefs(), "/available_filter_functions") : run.options.traceable_functions;
  std::string text;
  if (!read_whole_file(path.c_str(), &text)) {
    // Locked down machines do not show the list: functions that the kernel's types know are the next best.
    if (vmlinux_btf() == nullptr || !run.options.traceable_functions.empty()) return false;
    bool kernel = module.empty() || abi::wildcard_match(module, "vmlinux");
    vmlinux_btf()->for_each(BTF_KIND_FUNC, [&](uint32_t, const btf_type&, std::string_view name) {
      if (kernel && for_patterns(name) && abi::wildcard_match(function, name)) out->push_back({std::string(name), ""});
      return true;
    });
  }
  for_each_line(text, [&](std::string_view line) {
    std::string_view name = next_word(line), in = next_word(line);
    if (in.size() > 2 && in.front() == '[') in = in.substr(1, in.size() - 2);
    if (name.empty() || !for_patterns(name)) return true;
    if (!abi::wildcard_match(function, name)) return true;
    if (!module.empty() && !abi::wildcard_match(module, in.empty() ? "vmlinux" : in)) return true;
    out->push_back({std::string(name), std::string(in)});
    return true;
  });
  auto less = [](const TraceableFunction& a, const TraceableFunction& b) { return a.name != b.name ? a.name < b.name : a.module < b.module; };
  auto same = [](const TraceableFunction& a, const TraceableFunction& b) { return a.name == b.name && a.module == b.module; };
  std::sort(out->begin(), out->end(), less);
  out->erase(std::unique(out->begin(), out->end(), same), out->end());
  return true;
}

bool is_traceable(RunState& run, std::string_view function) {
  std::vector<TraceableFunction> found;
  return traceable_functions(run, function, "", &found) && !found.empty();
}

void warn_untraceable(RunState& run, uint32_t program, std::string_view function) {
  if (run.config.missing() == MissingProbes::Ignore) return;
  run.messages.at(run.manifest().programs()->Get(program)->location(), Severity::Warning,
                  cat(function, " is not traceable (either non-existing, inlined, or marked as \"notrace\"); attaching to it will likely fail"));
}

void resolve_special(RunState&, const abi::AttachPoint& point, Resolution* out) { out->add(How::TestRun, point); }

static void resolve_function(RunState& run, const abi::AttachPoint& point, Resolution* out) {
  if (!run.options.traceable_functions.empty() && !point.has_address && !is_traceable(run, point.func)) {
    warn_untraceable(run, out->index, point.func);
    if (!run.options.output.allow_unsafe && !run.manifest().unsafe()) return;
  }
  // Where the kernel has no kprobes but fprobes, a multi link of one function does the same.
  if (!run.features.kprobes() && point.target.empty() && !point.has_address && point.offset == 0 && run.features.kprobe_multi())
    add_multi(run, point, {{point.func, ""}}, out);
  else add_single(point, out);
}

static void resolve_functions(RunState& run, const abi::AttachPoint& pattern, std::vector<TraceableFunction> functions, Resolution* out) {
  bool names = !out->program->uses_probe_name() || reads_cookie(run, *out->program);
  if (pattern.target.empty() && names && run.features.kprobe_multi()) {
    auto same_name = [](const TraceableFunction& a, const TraceableFunction& b) { return a.name == b.name; };
    functions.erase(std::unique(functions.begin(), functions.end(), same_name), functions.end());
    add_multi(run, pattern, functions, out);
    return;
  }
  out->expanded = true;
  for (const TraceableFunction& function : functions) {
    abi::AttachPoint match = pattern;
    match.func = function.name;
    match.target = pattern.target.empty() ? "" : function.module;
    match.wildcard = false;
    add_single(match, out);
  }
}

void resolve_kprobe(RunState& run, const abi::AttachPoint& written, Resolution* out) {
  if (!written.target.empty() && !has_star(written.target) && !module_loaded(written.target)) {
    out->problem = cat("specified module ", written.target, " in probe ", abi::probe_info(written.kind).name, ":", written.target, ":", written.func,
                       " is not loaded.");
    return;
  }
  if (written.has_address && !run.options.output.allow_unsafe && !run.manifest().unsafe()) {
    out->problem = "Attaching to a kernel address is unsafe. To use you need the --unsafe flag";
    return;
  }
  // A system call by its plain name, where the kernel has only the wrapper.
  abi::AttachPoint wrapper = written;
  bool kernel = written.target.empty() || written.target == "vmlinux";
  wrapper.func = kernel && !written.has_address ? abi::syscall_wrapper(written.func) : "";
  if (!has_star(written.func) && !has_star(written.target)) {
    out->wrapped = !wrapper.func.empty() && has_kernel_symbol(wrapper.func) && !has_kernel_symbol(written.func);
    resolve_function(run, out->wrapped ? wrapper : written, out);
    return;
  }
  std::vector<TraceableFunction> functions;
  bool readable = traceable_functions(run, written.func, written.target, &functions);
  if (readable && functions.empty() && !wrapper.func.empty()) {
    out->wrapped = true;
    readable = traceable_functions(run, wrapper.func, written.target, &functions);
  }
  if (!readable) {
    out->problem = cat("Cannot read the list of traceable functions (", tracefs(), "/available_filter_functions): ", error_text(errno));
    return;
  }
  if (!functions.empty()) resolve_functions(run, out->wrapped ? wrapper : written, std::move(functions), out);
}

// Of a pattern's matches those that the program cannot be attached to.
struct LeftOut { size_t count = 0; std::string example; };

static void report_left_out(RunState& run, const LeftOut& left_out, std::string_view what, Resolution* out) {
  if (left_out.count == 0 || run.config.missing() == MissingProbes::Ignore) return;
  run.messages.at(out->program->location(), Severity::Warning,
                  cat(left_out.count, " ", what, left_out.count == 1 ? "" : "s", " of the pattern cannot be traced by this program and are left out. ", left_out.example));
}

void resolve_tracepoint(RunState& run, const abi::AttachPoint& point, Resolution* out) {
  if (tracefs().empty()) {
    out->problem = "tracefs is not mounted: mount -t tracefs nodev /sys/kernel/tracing";
    return;
  }
  auto add = [&](const std::string& category, const std::string& event) {
    abi::AttachPoint match = point;
    match.target = category;
    match.func = event;
    match.wildcard = false;
    Binding& binding = out->add(How::Tracepoint, match);
    binding.record = cat(category, ":", event);
  };
  std::string events = cat(tracefs(), "/events/");   // those of category ftrace cannot be enabled: they are the tracers' own
  if (!has_star(point.target) && !has_star(point.func)) {
    if (file_exists(cat(events, point.target, "/", point.func, "/enable"))) add(point.target, point.func);
    return;
  }
  out->expanded = true;
  std::vector<std::string> categories = {point.target};
  if (has_star(point.target)) categories = list_folder(events.c_str());
  LeftOut left_out;
  for (const std::string& category : categories) {
    if (!abi::wildcard_match(point.target, category)) continue;
    for (const std::string& event : list_folder(cat(events, category).c_str())) {
      if (!abi::wildcard_match(point.func, event) || !file_exists(cat(events, category, "/", event, "/enable"))) continue;
      std::string problem = missing_field(*out->program, cat(category, ":", event));
      if (problem.empty()) add(category, event);
      else if (left_out.count++ == 0) left_out.example = cat("For one, ", problem, ".");
    }
  }
  report_left_out(run, left_out, "tracepoint", out);
}

// The typedef btf_trace_<event> names a raw tracepoint's prototype; modules have their own.
void resolve_rawtracepoint(RunState& run, const abi::AttachPoint& point, Resolution* out) {
  constexpr std::string_view kPrefix = "btf_trace_";
  if (vmlinux_btf() == nullptr) {
    out->problem = "This kernel has no type information (/sys/kernel/btf/vmlinux), which rawtracepoint probes need.";
    return;
  }
  std::vector<std::string> modules = {"vmlinux"};
  for (std::string& module : btf_modules()) modules.push_back(std::move(module));
  bool pattern = has_star(point.func) || has_star(point.target);
  out->expanded = pattern;
  for (const std::string& module : modules) {
    if (!point.target.empty() && !abi::wildcard_match(point.target, module)) continue;
    const BtfFile* btf = module_btf(module);
    if (btf == nullptr) continue;
    btf->for_each(BTF_KIND_TYPEDEF, [&](uint32_t id, const btf_type&, std::string_view name) {
      if (!name.starts_with(kPrefix) || !abi::wildcard_match(point.func, name.substr(kPrefix.size()))) return true;
      abi::AttachPoint match = point;
      match.func = name.substr(kPrefix.size());
      match.target = module;
      match.wildcard = false;
      Binding& binding = out->add(How::Tracing, match);
      binding.btf_id = id;
      binding.btf_module = module;
      return pattern;
    });
    if (!pattern && !out->found.empty()) break;
  }
  (void)run;
}

// Why the program cannot run on this function of this kernel.
static std::string changed_signature(const fb::Program* program, const BtfFile& btf, uint32_t id, std::string_view function) {
  Signature signature;
  if (count_of(program->func_args()) == 0 || !read_signature(btf, id, 0, &signature)) return {};
  return signature_problem(*program, signature, function);
}

static void resolve_bpf_program(const abi::AttachPoint& point, Resolution* out) {
  uint32_t id = 0;
  while (sys::next_id(BPF_PROG_GET_NEXT_ID, id, &id) >= 0) {
    if (point.bpf_prog_id != 0 && id != point.bpf_prog_id) continue;
    bpf_attr attr;
    __builtin_memset(&attr, 0, sizeof attr);
    attr.prog_id = id;
    Fd fd(sys::bpf(BPF_PROG_GET_FD_BY_ID, &attr, sizeof attr));
    if (!fd) continue;
    bpf_prog_info info;
    __builtin_memset(&info, 0, sizeof info);
    if (sys::info(fd.get(), &info, sizeof info) < 0 || info.btf_id == 0 || info.nr_func_info == 0) continue;
    uint32_t record_size = info.func_info_rec_size, count = info.nr_func_info;
    std::vector<uint8_t> records(size_t{record_size} * count);
    __builtin_memset(&info, 0, sizeof info);
    info.func_info = reinterpret_cast<uint64_t>(records.data());
    info.nr_func_info = count;
    info.func_info_rec_size = record_size;
    if (sys::info(fd.get(), &info, sizeof info) < 0 || record_size < 8) continue;
    uint32_t type_id;
    __builtin_memcpy(&type_id, records.data() + 4, 4);
    Fd btf_fd(sys::btf_get_fd(info.btf_id));
    if (!btf_fd) continue;
    bpf_btf_info btf_info;
    __builtin_memset(&btf_info, 0, sizeof btf_info);
    if (sys::info(btf_fd.get(), &btf_info, sizeof btf_info) < 0) continue;
    std::vector<uint8_t> bytes(btf_info.btf_size);
    btf_info.btf = reinterpret_cast<uint64_t>(bytes.data());
    if (sys::info(btf_fd.get(), &btf_info, sizeof btf_info) < 0) continue;
    auto btf = BtfFile::parse(std::move(bytes), nullptr);
    const btf_type* func = btf != nullptr ? btf->type(type_id) : nullptr;
    if (func == nullptr || !abi::wildcard_match(point.func, btf->name(*func))) continue;
    abi::AttachPoint match = point;
    match.func = btf->name(*func);
    match.bpf_prog_id = id;
    match.wildcard = false;
    Binding& binding = out->add(How::Tracing, match);
    binding.btf_id = type_id;
    binding.prog_fd = fd.release();
  }
}

void resolve_trampoline(RunState& run, const abi::AttachPoint& point, Resolution* out) {
  if (point.target == "bpf") return resolve_bpf_program(point, out);
  if (vmlinux_btf() == nullptr) {
    out->problem = cat("This kernel has no type information (/sys/kernel/btf/vmlinux), which ", abi::probe_info(point.kind).name, " probes need.");
    return;
  }
  auto add = [&](const std::string& function, const std::string& module, uint32_t id) {
    abi::AttachPoint match = point;
    match.func = function;
    match.target = module;
    match.wildcard = false;
    Binding& binding = out->add(How::Tracing, match);
    binding.btf_id = id;
    binding.btf_module = module;
  };
  if (!has_star(point.func) && !has_star(point.target)) {
    BtfPlace place;
    if (point.target.empty()) find_btf_function(point.func, &place);
    else if (const BtfFile* btf = module_btf(point.target)) place = {btf->find(point.func, BTF_KIND_FUNC), point.target, btf};
    if (place.id == 0) return;
    out->problem = changed_signature(out->program, *place.btf, place.id, point.func);
    if (out->problem.empty()) add(point.func, place.module, place.id);
    return;
  }
  out->expanded = true;
  LeftOut left_out;
  std::vector<TraceableFunction> traceable;
  bool filter = traceable_functions(run, point.func, point.target, &traceable);
  std::vector<std::string> modules = {"vmlinux"};
  for (std::string& module : btf_modules()) modules.push_back(std::move(module));
  for (const std::string& module : modules) {
    if (!point.target.empty() && !abi::wildcard_match(point.target, module)) continue;
    const BtfFile* btf = module_btf(module);
    if (btf == nullptr) continue;
    btf->for_each(BTF_KIND_FUNC, [&](uint32_t id, const btf_type&, std::string_view name) {
      if (!abi::wildcard_match(point.func, name)) return true;
      auto at = std::lower_bound(traceable.begin(), traceable.end(), name, [](const TraceableFunction& f, std::string_view n) { return f.name < n; });
      if (filter && (at == traceable.end() || at->name != name)) return true;
      std::string problem = changed_signature(out->program, *btf, id, name);
      if (problem.empty()) add(std::string(name), module, id);
      else if (left_out.count++ == 0) left_out.example = std::move(problem);
      return true;
    });
  }
  report_left_out(run, left_out, "function", out);
}

void resolve_iter(RunState&, const abi::AttachPoint& point, Resolution* out) {
  constexpr std::string_view kPrefix = "bpf_iter_";
  std::string object = point.func.empty() ? point.target : point.func;
  BtfPlace place;
  if (find_btf_function(cat(kPrefix, object), &place).empty()) {
    out->lacking = cat("iter ", object, " not available for your kernel version.");
    return;
  }
  Binding& binding = out->add(How::Iter, point);
  binding.btf_id = place.id;
  binding.btf_module = place.module;
  binding.file = point.pin;
}

}  // namespace btc::rt
