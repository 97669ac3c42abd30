// One function per way of attaching, by direct system calls; see attach.h.
//
// Perf events (tracepoints, probes, timers) get their program through a BPF
// link where the kernel has those (5.15), else through an ioctl.
#include "runtime-stub/src/attach.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/hw_breakpoint.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime-stub/src/resolve.h"
#include "runtime-stub/src/sys.h"
#include "runtime-stub/src/zip_member.h"

namespace btc::rt {
namespace {

AttachError failed(int negative_errno, std::string detail = {}) { return {-negative_errno, false, std::move(detail), false}; }
AttachError missing(int negative_errno) { return {-negative_errno, true, {}, false}; }

// Connects a program to an open perf event.
AttachError connect(RunState& run, Binding& binding, Fd event, uint64_t cookie, Attached* out) {
  int program = run.loader->copy_fd(binding.copy);
  if (run.features.perf_link()) {
    int link = sys::link_perf(program, event.get(), cookie);
    if (link < 0) return failed(link);
    out->links.emplace_back(link);
  } else if (::ioctl(event.get(), PERF_EVENT_IOC_SET_BPF, program) < 0) {
    return failed(-errno);
  }
  if (::ioctl(event.get(), PERF_EVENT_IOC_ENABLE, 0) < 0) return failed(-errno);
  out->events.push_back(std::move(event));
  return {};
}

perf_event_attr event_attr(uint32_t type, uint64_t config) {
  perf_event_attr attr;
  memset(&attr, 0, sizeof attr);
  attr.type = type;
  attr.config = config;
  return attr;
}

AttachError attach_tracepoint(RunState& run, Binding& binding, Attached* out) {
  std::string text;
  uint64_t id = 0;
  if (!read_whole_file(cat(tracefs(), "/events/", binding.point.target, "/", binding.point.func, "/id").c_str(), &text)) return failed(-errno);
  parse_u64(trim(text), &id);
  // No period: the program runs all the same, nothing is sampled, and events that must not be sampled (irq_work_exit) may be opened.
  perf_event_attr attr = event_attr(PERF_TYPE_TRACEPOINT, id);
  int event = sys::perf_open(&attr, -1, 0);
  if (event < 0) return failed(event);
  AttachError error = connect(run, binding, Fd(event), binding.name_index, out);
  if (error.error == EINVAL) error.detail = "Invalid argument: events made through kprobe_events or uprobe_events run no programs of tracepoints; a kprobe or uprobe on their place does";
  return error;
}

// Type number of the dynamic PMUs "kprobe" and "uprobe" (4.17), and the config bit that asks for the return.
struct ProbePmu { uint32_t type = 0; uint64_t return_bit = 0; };
ProbePmu read_pmu(const char* name) {
  ProbePmu pmu;
  std::string text;
  uint64_t number = 0;
  if (read_whole_file(cat("/sys/bus/event_source/devices/", name, "/type").c_str(), &text) && parse_u64(trim(text), &number))
    pmu.type = static_cast<uint32_t>(number);
  if (read_whole_file(cat("/sys/bus/event_source/devices/", name, "/format/retprobe").c_str(), &text) && trim(text).starts_with("config:") &&
      parse_u64(trim(text).substr(7), &number) && number < 64)
    pmu.return_bit = 1ull << number;
  return pmu;
}

const ProbePmu& kprobe_pmu() {
  static const ProbePmu pmu = read_pmu("kprobe");
  return pmu;
}

// A kprobe that does nothing yet. -ENOENT: no such function.
int open_kprobe(const Binding& binding, const Site& site) {
  perf_event_attr attr = event_attr(kprobe_pmu().type, binding.is_return ? kprobe_pmu().return_bit : 0);
  attr.kprobe_func = site.symbol.empty() ? 0 : reinterpret_cast<uint64_t>(site.symbol.c_str());
  attr.probe_offset = site.offset;               // also the address, where there is no function
  attr.disabled = 1;
  return sys::perf_open(&attr, -1, 0);
}

AttachError attach_kprobe(RunState& run, Binding& binding, Attached* out) {
  if (kprobe_pmu().type == 0) return failed(-EOPNOTSUPP, "this kernel has no kprobes (CONFIG_KPROBES, CONFIG_KPROBE_EVENTS)");
  for (Site& site : binding.sites) {
    int event = site.event ? site.event.release() : open_kprobe(binding, site);
    if (event == -ENOENT && site.offset == 0) return missing(event);
    if (event == -EADDRNOTAVAIL) return failed(event, cat("several functions are called ", site.symbol));
    if (event == -EILSEQ) return {EILSEQ, false, "Possible attachment attempt in the middle of an instruction, try a different offset.", true};
    if (event == -EINVAL) return failed(event, "Invalid argument: the kernel allows no kprobe there (see /sys/kernel/debug/kprobes/blacklist)");
    if (event < 0) return failed(event);
    AttachError error = connect(run, binding, Fd(event), site.name, out);
    if (error.error != 0) return error;
  }
  return {};
}

// The kernel keeps one semaphore for the instruction of a uprobe, whoever traces it: a static probe's, or none.
AttachError refused_uprobe(const RunState& run, const Binding& binding, int error) {
  if (error != -EINVAL) return failed(error);
  for (const Binding& other : run.bindings)
    for (const Site& theirs : other.sites)
      for (const Site& ours : binding.sites)
        if (other.file == binding.file && theirs.offset == ours.offset && theirs.semaphore != ours.semaphore)
          return failed(error, cat("Invalid argument: ", other.name, " traces the same instruction; with a semaphore and without one is not possible at once"));
  return failed(error, "Invalid argument: the kernel allows no probe there, or somebody traces the same instruction with another semaphore, or without one");
}

AttachError attach_uprobe(RunState& run, Binding& binding, Attached* out) {
  static const ProbePmu pmu = read_pmu("uprobe");
  constexpr int kSemaphoreShift = 32;            // PERF_UPROBE_REF_CTR_OFFSET_SHIFT
  if (pmu.type == 0) return failed(-EOPNOTSUPP, "this kernel has no uprobes (CONFIG_UPROBES, CONFIG_UPROBE_EVENTS)");
  std::string path = archive_of(binding.file);
  for (const Site& site : binding.sites) {
    perf_event_attr attr = event_attr(pmu.type, (binding.is_return ? pmu.return_bit : 0) | site.semaphore << kSemaphoreShift);
    attr.uprobe_path = reinterpret_cast<uint64_t>(path.c_str());
    attr.probe_offset = site.offset;
    int event = sys::perf_open(&attr, binding.pid, binding.pid > 0 ? -1 : 0);
    if (event < 0) return refused_uprobe(run, binding, event);
    AttachError error = connect(run, binding, Fd(event), site.name, out);
    if (error.error != 0) return error;
  }
  return {};
}

// One link for all functions. The kernel refuses the whole list for one function that it cannot look up or trace (lists differ
// between kernels in what they let through); then the halves are tried, and such a function ends up alone and is left out.
struct MultiKprobe {
  int program;
  bool is_return, is_session;
  std::vector<const char*> symbols;
  std::vector<uint64_t> cookies;
  Attached* out;
  uint32_t attached = 0, refused = 0;
};

int attach_range(MultiKprobe& all, size_t begin, size_t end) {
  constexpr uint32_t kMaxRefused = 100;
  sys::Multi multi{.prog_fd = all.program, .is_return = all.is_return, .is_session = all.is_session, .count = static_cast<uint32_t>(end - begin),
                   .symbols = all.symbols.data() + begin, .cookies = all.cookies.data() + begin};
  int link = sys::link_kprobe_multi(multi);
  if (link >= 0) {
    all.out->links.emplace_back(link);
    all.attached += multi.count;
    return 0;
  }
  bool one_is_wrong = link == -ESRCH || link == -ENOENT || link == -EINVAL || link == -EADDRNOTAVAIL;
  if (!one_is_wrong) return link;
  if (end - begin == 1) return ++all.refused > kMaxRefused ? link : 0;
  size_t middle = begin + (end - begin) / 2;
  int result = attach_range(all, begin, middle);
  return result < 0 ? result : attach_range(all, middle, end);
}

AttachError attach_kprobe_multi(RunState& run, Binding& binding, Attached* out) {
  MultiKprobe all{run.loader->copy_fd(binding.copy), binding.is_return, binding.how == How::KprobeSession, {}, {}, out};
  for (const Site& site : binding.sites) {
    all.symbols.push_back(site.symbol.c_str());
    all.cookies.push_back(site.name);
  }
  int result = attach_range(all, 0, all.symbols.size());
  if (result < 0) return failed(result);
  if (all.attached == 0) return missing(-ENOENT);
  if (all.refused > 0) run.messages.verbose(cat(binding.name, ": the kernel refused ", all.refused, " of ", all.symbols.size(), " functions"));
  out->count = all.attached;
  return {};
}

AttachError attach_uprobe_multi(RunState& run, Binding& binding, Attached* out) {
  std::vector<uint64_t> offsets, semaphores, cookies;
  bool has_semaphores = false;
  for (const Site& site : binding.sites) {
    offsets.push_back(site.offset);
    semaphores.push_back(site.semaphore);
    cookies.push_back(site.name);
    has_semaphores |= site.semaphore != 0;
  }
  std::string path = archive_of(binding.file);
  sys::Multi multi{.prog_fd = run.loader->copy_fd(binding.copy), .is_return = binding.is_return,
                   .count = static_cast<uint32_t>(offsets.size()), .path = path.c_str(), .offsets = offsets.data(),
                   .ref_counters = has_semaphores ? semaphores.data() : nullptr, .cookies = cookies.data(),
                   .pid = binding.pid > 0 ? static_cast<uint32_t>(binding.pid) : 0};
  int link = sys::link_uprobe_multi(multi);
  if (link < 0) return refused_uprobe(run, binding, link);
  out->links.emplace_back(link);
  return {};
}

AttachError attach_tracing(RunState& run, Binding& binding, Attached* out) {
  int link = sys::link_tracing(run.loader->copy_fd(binding.copy), 0, 0);
  if (link == -E2BIG) return failed(link, "the function has room for no more programs (38, BPF_MAX_TRAMP_LINKS)");
  if (link == -EBUSY) return failed(link, "the function has no place for a tracer (notrace), or something holds it that shares with nobody (a live patch)");
  if (link < 0) return failed(link);
  out->links.emplace_back(link);
  return {};
}

AttachError attach_iter(RunState& run, Binding& binding, Attached* out) {
  // cgroup: all of them, from the root of the unified hierarchy; the kernel takes no link without an order (6.1).
  bool cgroups = binding.name.ends_with(":cgroup");
  // -p: iterators over tasks are of that process (6.1).
  bool tasks = binding.name.find(":task") != std::string::npos;
  int pid = tasks ? run.target_pid() : 0;
  int link = sys::link_iter(run.loader->copy_fd(binding.copy), cgroups ? sys::kCgroupsFromTop : 0, pid);
  if ((link == -E2BIG || link == -EINVAL) && pid != 0) return failed(link, "iterators over the tasks of one process (-p) came with Linux 6.1");
  if (link == -EBADF) return failed(link, "this iterator walks the entries of one map, which a script has no way to name");
  if (link < 0) return failed(link);
  out->links.emplace_back(link);
  out->iterator = true;
  return {};
}

AttachError attach_perf_event(RunState& run, Binding& binding, Attached* out) {
  std::vector<int> cpus = online_cpus();
  if (!binding.every_cpu) cpus.resize(1);
  for (int cpu : cpus) {
    perf_event_attr attr = event_attr(binding.perf_type, binding.perf_config);
    attr.sample_period = binding.perf_period;    // and the frequency: a union
    attr.freq = binding.perf_freq;
    int event = sys::perf_open(&attr, binding.pid, cpu);
    if (event == -ENODEV && binding.every_cpu) continue;   // the CPU went away meanwhile
    if (event == -ENOENT || event == -EOPNOTSUPP)
      return failed(event, binding.perf_type == PERF_TYPE_HARDWARE ? "this machine has no such hardware counter (in virtual machines this is usual)"
                                                                   : "this kernel has no such event");
    if (event < 0) return failed(event);
    AttachError error = connect(run, binding, Fd(event), binding.name_index, out);
    if (error.error != 0) return error;
  }
  return {};
}

AttachError attach_breakpoint(RunState& run, Binding& binding, Attached* out) {
  // A kernel address: every CPU. A process: each of its threads, and those it starts later.
  std::vector<std::pair<int, int>> places;
  if (binding.pid < 0)
    for (int cpu : online_cpus()) places.emplace_back(-1, cpu);
  else
    for (const std::string& thread : list_folder(cat("/proc/", binding.pid, "/task").c_str())) {
      uint64_t tid;
      if (parse_u64(thread, &tid)) places.emplace_back(static_cast<int>(tid), -1);
    }
  bool some = false;
  for (auto [pid, cpu] : places) {
    perf_event_attr attr = event_attr(PERF_TYPE_BREAKPOINT, 0);
    attr.bp_type = static_cast<uint32_t>(binding.perf_config);
    attr.bp_addr = binding.point.address;
    attr.bp_len = binding.perf_config == HW_BREAKPOINT_X ? sizeof(long) : binding.point.length;
    attr.sample_period = 1;
    attr.inherit = binding.pid > 0;
    int event = sys::perf_open(&attr, pid, cpu);
    if (event == -ENOSPC) return failed(event, "all debug registers of the CPU are in use");
    if (event == (pid < 0 ? -ENODEV : -ESRCH)) continue;   // the CPU or the thread went away meanwhile
    if (event < 0) return failed(event);
    AttachError error = connect(run, binding, Fd(event), binding.name_index, out);
    if (error.error != 0) return error;
    some = true;
  }
  return some ? AttachError{} : failed(-ESRCH);
}

AttachError attach_nothing(RunState&, Binding&, Attached*) { return {}; }

struct Way { AttachError (*attach)(RunState&, Binding&, Attached*); const char* name; };
constexpr Way kWays[] = {
  {attach_nothing, "test run"}, {attach_tracepoint, "perf event"}, {attach_kprobe, "perf event"}, {attach_kprobe_multi, "kprobe_multi"},
  {attach_kprobe_multi, "kprobe session"}, {attach_uprobe, "perf event"}, {attach_uprobe_multi, "uprobe_multi"}, {attach_tracing, "tracing link"},
  {attach_perf_event, "perf event"}, {attach_breakpoint, "debug register"}, {attach_iter, "iterator"},
};
static_assert(sizeof kWays / sizeof *kWays == static_cast<size_t>(How::kCount));

}  // namespace

bool report_untraceable(RunState& run, const Binding& binding) {
  using K = abi::ProbeKind;
  bool kernel_function = (binding.point.kind == K::Kprobe || binding.point.kind == K::Kretprobe) && !binding.point.has_address;
  if (!kernel_function || binding.from_pattern || binding.sites.size() != 1 || is_traceable(run, binding.point.func)) return false;
  warn_untraceable(run, binding.program, binding.point.func);
  return !run.options.output.allow_unsafe && !run.manifest().unsafe();
}

static bool opens_early(const Binding& binding) {
  return binding.how == How::Kprobe && !binding.from_pattern && binding.sites.size() == 1 && binding.refusal.empty();
}

bool open_kprobes(RunState& run) {
  if (kprobe_pmu().type == 0) return true;       // said when their turn comes
  std::vector<int> events(run.bindings.size(), 0);
  auto open = [&](size_t i, bool is_return) {
    Binding& binding = run.bindings[i];
    if (binding.is_return != is_return || !opens_early(binding)) return;
    events[i] = open_kprobe(binding, binding.sites[0]);
    if (events[i] >= 0) binding.sites[0].event = Fd(events[i]);
  };
  // Of several kprobes on one function the kernel runs the last one that was opened first. So it does for kretprobes where the
  // function begins, and at its return those in the other order.
  for (size_t i = run.bindings.size(); i-- > 0;) open(i, false);
  for (size_t i = 0; i < run.bindings.size(); ++i) open(i, true);
  bool fatal = false;
  size_t next = 0;
  std::erase_if(run.bindings, [&](const Binding& binding) {
    if (events[next++] != -ENOENT || !report_untraceable(run, binding)) return false;
    fatal |= report_missing(run, binding.program, binding.point, run.missing);
    return true;
  });
  return !fatal;
}

AttachError attach(RunState& run, Binding& binding, Attached* out) {
  if (!binding.refusal.empty()) return {EINVAL, false, binding.refusal, true};
  return kWays[static_cast<size_t>(binding.how)].attach(run, binding, out);
}

std::string describe(const Binding& binding) {
  std::string text = cat(binding.name, " (", kWays[static_cast<size_t>(binding.how)].name);
  if (!binding.file.empty()) text += cat(", ", binding.file);
  if (binding.sites.size() > 1) text += cat(", ", binding.sites.size(), " places");
  else if (binding.is_wrapped) text += cat(", ", binding.sites[0].symbol);
  return text += ')';
}

// Closing a link takes the program off its event at once, but newer kernels (6.12 on) then wait for a grace period of some 30 ms
// each. Several helpers share the waiting. They are bare clones with our memory and descriptors that do nothing but close(): the C
// library's threads are 75 KB.
struct Closer { const std::vector<int>* fds; std::atomic<size_t> next{0}; };

int close_some(void* argument) {
  auto* closer = static_cast<Closer*>(argument);
  for (size_t i; (i = closer->next.fetch_add(1)) < closer->fds->size();) {
    long result = SYS_close;                     // not ::close: errno belongs to the parent
    asm volatile("syscall" : "+a"(result) : "D"(static_cast<long>((*closer->fds)[i])) : "rcx", "r11", "memory");
  }
  return 0;
}

static void close_together(const std::vector<int>& fds) {
  constexpr size_t kHelpers = 64, kStack = 4096;
  Closer closer{&fds};
  size_t count = std::min(kHelpers, fds.empty() ? 0 : fds.size() - 1);
  std::vector<uint64_t> stacks(count * kStack / sizeof(uint64_t));
  std::vector<int> helpers;
  for (size_t i = 0; i < count; ++i) {
    void* top = reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(stacks.data() + (i + 1) * kStack / sizeof(uint64_t)) & ~uintptr_t{15});
    int pid = ::clone(close_some, top, CLONE_VM | CLONE_FILES | CLONE_FS, &closer);
    if (pid < 0) break;
    helpers.push_back(pid);
  }
  close_some(&closer);
  for (int pid : helpers)
    while (::waitpid(pid, nullptr, __WCLONE) < 0 && errno == EINTR) {}
}

// In the child that holds the events: nothing else stays, so that programs and maps are gone with the parent. A mapping of a map keeps it, too.
static void keep_only(std::vector<int> kept) {
  std::sort(kept.begin(), kept.end());
  unsigned next = 0;
  for (int fd : kept) {
    if (static_cast<unsigned>(fd) > next) ::syscall(SYS_close_range, next, fd - 1, 0);
    next = static_cast<unsigned>(fd) + 1;
  }
  ::syscall(SYS_close_range, next, ~0U, 0);      // 5.9
  std::string maps;
  read_whole_file("/proc/self/maps", &maps);
  for_each_line(maps, [](std::string_view line) {
    uint64_t begin, end;
    std::string_view range = next_word(line);
    size_t dash = range.find('-');
    bool of_bpf = line.find("anon_inode:bpf") != std::string_view::npos && dash != std::string_view::npos;
    if (of_bpf && parse_u64(range.substr(0, dash), &begin, 16) && parse_u64(range.substr(dash + 1), &end, 16)) ::munmap(reinterpret_cast<void*>(begin), end - begin);
    return true;
  });
}

void detach_all(std::vector<Attached>& attached) {
  size_t unlinked = 0, events = 0;
  std::vector<int> links;
  for (Attached& one : attached) {
    for (Fd& event : one.events) ::ioctl(event.get(), PERF_EVENT_IOC_DISABLE, 0);
    if (one.links.size() < one.events.size()) unlinked += one.events.size();
    for (Fd& link : one.links) links.push_back(link.release());
    one.links.clear();
    events += one.events.size();
  }
  close_together(links);
  // With a link the program is off as soon as the link is closed. The event itself takes the kernel a grace period (64-80 ms
  // each, one after another), so a child holds them while this process goes on. Without links (before 5.15) it has to be waited for.
  int gone[2] = {-1, -1};
  if (unlinked == 0 && events > 0 && ::pipe2(gone, O_CLOEXEC) == 0) {
    pid_t holder = ::fork();
    if (holder == 0) {
      std::vector<int> kept = {gone[0]};
      for (Attached& one : attached)
        for (Fd& event : one.events) kept.push_back(event.get());
      keep_only(std::move(kept));
      ::setsid();
      char word;
      while (::read(gone[0], &word, 1) < 0 && errno == EINTR) {}   // until the parent has closed its copies
      ::_exit(0);
    }
  }
  attached.clear();
  for (int fd : gone)
    if (fd >= 0) ::close(fd);
}

}  // namespace btc::rt
