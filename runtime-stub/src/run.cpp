// The sequence of a run: resolve, load, begin, attach, poll, detach, end,
// print; the order and messages are bpftrace's.
#include "runtime-stub/src/run.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime-stub/abi/abi.h"
#include "runtime-stub/src/attach.h"
#include "runtime-stub/src/child.h"
#include "runtime-stub/src/event_loop.h"
#include "runtime-stub/src/maps.h"
#include "runtime-stub/src/name_filter.h"
#include "runtime-stub/src/output/status_line.h"
#include "runtime-stub/src/plan.h"
#include "runtime-stub/src/resolve.h"
#include "runtime-stub/src/session.h"
#include "runtime-stub/src/schedule.h"
#include "runtime-stub/src/sys.h"
#include "runtime-stub/src/unwind.h"

namespace btc::rt {
namespace {

constexpr int kFailed = 255;                   // bpftrace's run() returning -1
constexpr int kUsage = 1;

class Run final : public Target {
 public:
  explicit Run(RunState& state) : state_(state) {}
  int go();

  // Target, for the output.
  bool read_map(uint32_t map, MapEntries* out) override { return read_map_entries(map_fd(map), out); }
  bool clear_map(uint32_t map) override { return clear_map_entries(map_fd(map)); }
  bool zero_map(uint32_t map) override { return zero_map_entries(map_fd(map)); }
  void unwatch(uint64_t address) override;
  std::string_view probe_name(uint64_t index) override {
    return index < state_.names.size() ? std::string_view(state_.names[index]) : std::string_view();
  }
  std::string_view probe_file(int32_t probe) override;

 private:
  int map_fd(uint32_t map) const { return state_.loader->map_fd(text_of(state_.manifest().maps()->Get(map)->bpf_name())); }
  int prepare();
  bool collect_unwind_tables();                  // of dw_ustack()
  bool open_output();
  bool start_server();
  bool run_programs(abi::ProbeKind kind);
  int run_tests();
  bool attach_pass(uint8_t pass);
  bool attach_one(size_t index);
  void drain();
  void poll(bool only_drain);
  void let_calls_end();
  void keep_time();
  void show_status();
  void read_iterators();
  uint64_t count(abi::ProbeKind kind) const;
  uint64_t lost_events() const;
  void report_losses();
  uint64_t stop_deadline();
  void report_probe_losses();
  void finish();
  void notify_service(std::string_view text) const;

  RunState& state_;
  Child child_;
  EventLoop loop_;
  Ring ring_;
  bool has_ring_ = false, serving_ = false;
  std::unique_ptr<Output> output_;
  std::vector<Attached> attached_;             // by binding
  Schedule schedule_;
  uint64_t attached_count_ = 0, lost_shown_ = 0, handled_ = 0;
  bool exiting_ = false, finishing_ = false;
  uint64_t stop_deadline_ = 0, lost_in_backlog_ = 0, next_loss_check_ = 0;
  int exit_code_ = 0;
  int attach_code_ = kFailed;                  // exit status when attaching fails
};

uint64_t Run::count(abi::ProbeKind kind) const {
  return static_cast<uint64_t>(std::count_if(state_.bindings.begin(), state_.bindings.end(), [&](const Binding& b) { return b.point.kind == kind; }));
}

std::string_view Run::probe_file(int32_t probe) {
  for (const Binding& binding : state_.bindings)
    if (static_cast<int32_t>(state_.manifest().programs()->Get(binding.program)->probe_index()) == probe && !binding.file.empty() &&
        binding.how != How::Iter)
      return binding.file;
  return {};
}

void Run::unwatch(uint64_t address) {
  for (size_t i = 0; i < attached_.size(); ++i) {
    if (state_.bindings[i].how != How::Breakpoint || state_.bindings[i].point.address != address) continue;
    attached_[i].links.clear();
    attached_[i].events.clear();
  }
}

// Drops the bindings whose name does not match --probe-filter; begin, end and self stay. False: a message was printed.
bool filter_probes(RunState& run) {
  if (!run.options.has_probe_filter) return true;
  NameFilter filter;
  std::string problem;
  if (!filter.parse(run.options.probe_filter, &problem)) {
    run.messages.error(cat("Invalid --probe-filter regex '", run.options.probe_filter, "': ", problem));
    return false;
  }
  std::erase_if(run.bindings, [&](const Binding& binding) {
    bool special = binding.how == How::TestRun && binding.point.kind != abi::ProbeKind::Test && binding.point.kind != abi::ProbeKind::Bench;
    return !special && !filter.search(binding.name);
  });
  return true;
}

void raise_file_limit(uint64_t probes) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  uint64_t wanted = probes * (2 + online_cpus().size()) + 256;
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
  if (limit.rlim_max < wanted) {
    rlimit both{wanted, wanted};
    if (::setrlimit(RLIMIT_NOFILE, &both) == 0) return;
  }
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

int Run::prepare() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  state_.start_boot_ns = static_cast<uint64_t>(now.tv_sec) * 1000000000 + static_cast<uint64_t>(now.tv_nsec);
  std::string error;
  if (state_.options.has_command) {
    if (!child_.prepare(state_.options.command, &error)) { write_all(STDERR_FILENO, error); return kUsage; }
    state_.child_pid = child_.pid();
  }
  // Programs of test and bench probes are loaded only in their modes.
  int code = resolve_all(state_);
  if (code != 0) return code;
  bool tests = state_.options.test, benches = state_.options.bench;
  if (!filter_probes(state_)) return kFailed;
  if (int problem = check_probe_count(state_)) return problem;
  pair_sessions(state_);
  std::erase_if(state_.bindings, [&](const Binding& b) {
    return (b.point.kind == abi::ProbeKind::Test && !tests) || (b.point.kind == abi::ProbeKind::Bench && !benches);
  });
  uint64_t probes = 0;
  for (const Binding& binding : state_.bindings) probes += std::max<size_t>(1, binding.sites.size());
  raise_file_limit(probes);
  if (!open_kprobes(state_)) return kUsage;
  if (needs_unwind_tables(state_) && !collect_unwind_tables()) return kFailed;
  if (!load_script(state_, &code)) return code;
  if (state_.unwind && !state_.unwind->fill_maps(*state_.loader)) {
    state_.messages.error("Could not fill the tables of dw_ustack().");
    return kFailed;
  }
  state_.unwind.reset();                         // the kernel has them now
  return open_output() ? 0 : kUsage;
}

bool Run::collect_unwind_tables() {
  std::vector<int> pids = state_.options.dwarf_pids;
  if (state_.options.pid != 0) pids.push_back(state_.options.pid);
  std::string error;
  if (state_.options.has_command) {
    pids.push_back(child_.pid());
    if (!child_.run_to_entry(&error)) {
      state_.messages.error(error);
      return false;
    }
  }
  if (pids.empty()) {
    state_.messages.error("dw_ustack requires a target process. Use -p, -c, or --dwarf-pid to specify one.");
    return false;
  }
  state_.unwind = std::make_unique<UnwindTables>();
  for (int pid : pids) state_.unwind->add_process(pid);
  return true;
}

bool Run::open_output() {
  std::string error;
  OutputOptions& options = state_.options.output;
  const Config& config = state_.config;
  options.allow_unsafe |= state_.manifest().unsafe();
  options.stop = EventLoop::stop_flag();
  options.print_maps_on_exit = Config::as_bool(config.print_maps_on_exit);
  options.cpp_demangle = Config::as_bool(config.cpp_demangle);
  options.show_debug_info = Config::as_bool(config.show_debug_info);
  options.max_cat_bytes = Config::as_number(config.max_cat_bytes);
  options.str_trunc_trailer = config.str_trunc_trailer;
  options.symbol_cache = config.cache_user_symbols == "NONE" ? SymbolCache::None
                       : config.cache_user_symbols == "PER_PROGRAM" || (config.cache_user_symbols.empty() && state_.child_pid != 0)
                           ? SymbolCache::PerProgram : SymbolCache::PerPid;
  output_ = Output::open(&state_.manifest(), this, options, &error);
  if (output_ == nullptr) {
    state_.messages.error(error);
    return false;
  }
  int ring = state_.loader->map_fd(abi::kRingMap);
  MapShape shape;
  if (ring >= 0 && map_shape(ring, &shape)) {
    if (!ring_.open(ring, shape.max_entries, &error)) {
      state_.messages.error(error);
      return false;
    }
    has_ring_ = true;
    loop_.watch(ring);
  }
  return start_server();
}

bool Run::start_server() {
  if (state_.server == nullptr || state_.options.listen.empty()) return true;
  std::string url, error;
  if (!state_.server->open(state_.options.listen, &url, &error)) {
    state_.messages.error(error);
    return false;
  }
  if (!state_.options.output.quiet) state_.messages.say(Severity::Plain, cat("Metrics at ", url));
  loop_.watch(state_.server->fd());
  serving_ = true;
  return true;
}

void Run::drain() {
  if (!has_ring_) return;
  // What follows an exit() in the buffer is dropped, as bpftrace does.
  bool ending = false;
  uint64_t dropped = 0;
  ring_.drain([&](const uint8_t* data, uint32_t size) {
    abi::EventHeader header;
    // After SIGINT the backlog gets a moment, then it counts as lost: its commands and files could take minutes.
    if (loop_.stopped() && !finishing_ && monotonic_ms() > stop_deadline()) ++dropped;
    if (size < sizeof header || ending || dropped != 0) return true;
    memcpy(&header, data, sizeof header);
    uint32_t payload = std::min<uint32_t>(header.size, size - static_cast<uint32_t>(sizeof header));
    ++handled_;
    Next next = output_->handle_event(header, data + sizeof header, payload);
    if (next.exit) {
      exiting_ = ending = true;
      exit_code_ = next.code;
    }
    return !output_->broken();
  });
  lost_in_backlog_ += dropped;
  output_->flush_batch();
}

uint64_t Run::stop_deadline() {
  constexpr uint64_t kGraceMs = 300;
  if (stop_deadline_ == 0) stop_deadline_ = monotonic_ms() + kGraceMs;
  return stop_deadline_;
}

uint64_t Run::lost_events() const {
  int fd = state_.loader->map_fd(abi::kLossMap);
  uint64_t in_kernel = fd < 0 ? 0 : sum_percpu_counter(fd, abi::kLostEvents) + sum_percpu_counter(fd, abi::kLostNested);
  return in_kernel + lost_in_backlog_;
}

// Programs that this process starts itself.
bool Run::run_programs(abi::ProbeKind kind) {
  for (const Binding& binding : state_.bindings) {
    if (binding.point.kind != kind) continue;
    int result = sys::test_run(state_.loader->copy_fd(binding.copy), nullptr, 0, 0, nullptr, nullptr);
    if (result < 0) {
      state_.messages.error(cat("Cannot run ", binding.name, ": ", error_text(-result),
                                result == -ENOTSUP || result == -EINVAL ? " (BPF_PROG_TEST_RUN of raw tracepoints came with Linux 5.10)" : ""));
      return false;
    }
    state_.messages.verbose(cat("Attaching '", binding.name, "' probe"));
  }
  return true;
}

bool Run::attach_one(size_t index) {
  Binding& binding = state_.bindings[index];
  state_.messages.verbose(cat("Trying to attach probe: ", binding.name));
  AttachError error = attach(state_, binding, &attached_[index]);
  if (error.error == 0) {
    attached_count_ += attached_[index].count != 0 ? attached_[index].count : binding.count;
    return true;
  }
  attached_[index] = {};
  MissingProbes policy = state_.config.missing();
  if (report_untraceable(state_, binding)) error.missing = true;
  if (error.missing) {
    bool fatal = report_missing(state_, binding.program, binding.point, state_.missing);
    if (fatal) attach_code_ = kUsage;
    return !fatal;
  }
  if (binding.from_pattern && binding.how == How::Kprobe && (error.error == EINVAL || error.error == EADDRNOTAVAIL)) {
    // On the kernel's list of traceable functions, but not for kprobes: the pattern goes on without it.
    state_.messages.verbose(cat("Unable to attach probe: ", binding.name, ". Skipping."));
    return true;
  }
  std::string cause = error.detail.empty() ? std::string(error_text(error.error)) : error.detail;
  if (error.is_message && policy != MissingProbes::Ignore) {
    state_.messages.say(policy == MissingProbes::Error ? Severity::Error : Severity::Warning, cause);
    cause.clear();
  }
  if (policy == MissingProbes::Error)
    state_.messages.error(cat("Unable to attach probe: ", binding.name, ". If this is expected, set the 'missing_probes' config variable to 'warn'."));
  else if (policy == MissingProbes::Warn) state_.messages.warning(cat("Unable to attach probe: ", binding.name, ". Skipping."));
  if (policy != MissingProbes::Ignore && !cause.empty()) state_.messages.say(Severity::Hint, cat("the kernel says: ", cause));
  return policy != MissingProbes::Error;
}

bool Run::attach_pass(uint8_t pass) {
  constexpr uint64_t kPatienceMs = 500, kStepMs = 200;
  size_t n = state_.bindings.size();
  bool terminal = !state_.options.output.quiet && ::isatty(STDERR_FILENO) != 0;
  uint64_t next_status = monotonic_ms() + kPatienceMs;
  for (size_t i = 0; i < n; ++i) {
    size_t index = pass == 1 ? i : n - 1 - i;
    if (loop_.stopped()) return false;
    if (terminal && monotonic_ms() > next_status) {
      show_status_line(cat("Attaching: ", i, " of ", n, " probes"));
      next_status = monotonic_ms() + kStepMs;
    }
    if (abi::probe_info(state_.bindings[index].point.kind).attach_pass == pass && !attach_one(index)) return false;
  }
  clear_status_line();
  return true;
}

// A status line is for runs whose output goes to a file: on a terminal it would stand between the lines, and a pipe's reader may
// write to the same terminal.
static bool wants_status(const OutputOptions& options) {
  struct stat out {};
  if (options.quiet || ::isatty(STDERR_FILENO) == 0) return false;
  return !options.file.empty() || (::fstat(STDOUT_FILENO, &out) == 0 && S_ISREG(out.st_mode));
}

void Run::show_status() {
  std::string text = cat(schedule_.running() / 1000, " s");
  if (state_.options.duration_ms != 0) append(text, cat(" of ", state_.options.duration_ms / 1000, " s"));
  append(text, cat(": ", handled_, " events, ", lost_events(), " lost"));
  show_status_line(text);
}

void Run::keep_time() {
  if (schedule_.maps_due()) {
    output_->publish();
    output_->flush_batch();
  }
  if (schedule_.status_due()) show_status();
  if (serving_) state_.server->serve([this] { return output_->metrics(); });
}

// Asking the kernel is a system call that a script may be tracing: once in a while, not at each event, which would make the next one.
void Run::report_losses() {
  constexpr uint64_t kEveryMs = 100;
  uint64_t now = monotonic_ms();
  if (now < next_loss_check_) return;
  next_loss_check_ = now + kEveryMs;
  if (uint64_t lost = lost_events(); lost > lost_shown_) {
    output_->lost(lost - lost_shown_);
    lost_shown_ = lost;
  }
}

void Run::poll(bool only_drain) {
  constexpr uint64_t kStatusMs = 1000;
  int idle_ms = 100;
  schedule_.start(state_.options.duration_ms, state_.options.interval_ms, wants_status(state_.options.output) ? kStatusMs : 0);
  while (!exiting_ && !output_->broken()) {
    drain();
    report_losses();
    if (exiting_ || only_drain || loop_.stopped() || schedule_.over()) return;
    keep_time();
    if (loop_.process_ended() || child_.ended()) {
      drain();
      return;
    }
    loop_.wait(schedule_.sleep(idle_ms));
    for (int n = loop_.take_user_signals(); n > 0; --n) run_programs(abi::ProbeKind::Self);
  }
}

// After exit(): calls that traced programs had begun still count in maps, as in bpftrace, which takes about as long to detach. What
// they send does not.
void Run::let_calls_end() {
  constexpr timespec kStep{0, 500000};
  constexpr int kSteps = 4;
  auto forget = [](const uint8_t*, uint32_t) { return true; };
  for (int i = 0; i < kSteps && attached_count_ != 0 && has_ring_; ++i) {
    ring_.drain(forget);
    ::nanosleep(&kStep, nullptr);
  }
  detach_all(attached_);
  if (has_ring_) ring_.drain(forget);
}

void Run::read_iterators() {
  for (size_t i = 0; i < attached_.size(); ++i) {
    if (!attached_[i].iterator || attached_[i].links.empty()) continue;
    int link = attached_[i].links[0].get();
    const std::string& pin = state_.bindings[i].file;
    if (!pin.empty()) {
      std::string path = pin[0] == '/' ? pin : cat("/sys/fs/bpf/", pin);
      int result = sys::obj_pin(link, path.c_str());
      if (result < 0) state_.messages.error(cat("Failed to pin iter probe link: ", path, ": ", error_text(-result)));
      else output_->raw(cat("Program pinned to ", path, "\n"));
      continue;
    }
    Fd fd(sys::iter_create(link));
    if (!fd) { state_.messages.error("Failed to open iter probe link"); exit_code_ = kUsage; continue; }
    char buffer[8192];
    while (!loop_.stopped()) {
      ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
      if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (n <= 0) break;
      output_->raw({buffer, static_cast<size_t>(n)});
    }
  }
  drain();
}

int Run::run_tests() {
  int code = 0;
  std::vector<std::string> names;
  std::vector<const Binding*> bindings;
  abi::ProbeKind kind = state_.options.test ? abi::ProbeKind::Test : abi::ProbeKind::Bench;
  for (const Binding& binding : state_.bindings) {
    if (binding.point.kind != kind) continue;
    names.push_back(binding.point.func);
    bindings.push_back(&binding);
  }
  std::vector<bool> passed;
  uint8_t packet[14] = {};                       // XDP wants an Ethernet header
  for (size_t i = 0; i < bindings.size(); ++i) {
    int program = state_.loader->copy_fd(bindings[i]->copy);
    uint64_t repeat = 1;
    while (true) {
      uint32_t retval = 0, duration = 0;
      uint64_t errors = output_->errorf_count();
      output_->begin_capture();
      int result = sys::test_run(program, packet, sizeof packet, static_cast<uint32_t>(repeat), &retval, &duration);
      drain();
      std::string captured = output_->end_capture();
      if (result < 0) {
        state_.messages.error(cat("Cannot run ", bindings[i]->name, ": ", error_text(-result)));
        return kFailed;
      }
      bool good = exit_code_ == 0 && output_->errorf_count() == errors;
      exiting_ = false;
      int code_of_exit = exit_code_;
      exit_code_ = 0;
      if (state_.options.test) {
        passed.push_back(good && retval == 0);
        if (!passed.back()) code = 1;
        output_->test_result(names, i, duration, passed, captured);
        break;
      }
      if (code_of_exit == 0 && retval != 0) break;           // a benchmark may skip itself
      uint64_t total = uint64_t{duration} * repeat;
      if (total < 1000) repeat *= 1000;
      else if (total < 10000) repeat *= 100;
      else if (total < 100000) repeat *= 10;
      else if (total < 1000000) repeat *= 2;
      else {
        if (good) output_->bench_result(names, i, duration, repeat);
        else { state_.messages.error(cat("Benchmark '", names[i], "' failed.")); code = 1; }
        break;
      }
      repeat = std::min<uint64_t>(repeat, 1u << 30);
    }
  }
  return code;
}

// systemd's readiness protocol: one datagram.
void Run::notify_service(std::string_view text) const {
  const char* where = ::getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  if (where == nullptr || strlen(where) >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  strcpy(address.sun_path, where);
  if (address.sun_path[0] == '@') address.sun_path[0] = 0;
  Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (fd)
    ::sendto(fd.get(), text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&address),
             static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + strlen(where)));
}

// Which probes lost events, and which the kernel passed over because a program was running already on that CPU (5.12).
void Run::report_probe_losses() {
  int losses = state_.loader->map_fd(abi::kLossMap);
  const auto& programs = *state_.manifest().programs();
  uint32_t first = abi::lost_program_first(count_of(state_.manifest().maps()));
  std::vector<uint64_t> missed(programs.size());
  std::vector<uint32_t> seen;                    // many bindings may share a copy
  for (const Binding& binding : state_.bindings) {
    if (std::find(seen.begin(), seen.end(), binding.copy) != seen.end()) continue;
    seen.push_back(binding.copy);
    bpf_prog_info info{};
    int fd = state_.loader->copy_fd(binding.copy);
    if (fd >= 0 && sys::info(fd, &info, sizeof info) >= 0) missed[binding.program] += info.recursion_misses;
  }
  for (uint32_t i = 0; i < programs.size(); ++i) {
    uint64_t lost = programs.size() > 1 && losses >= 0 ? sum_percpu_counter(losses, first + i) : 0;
    if (lost != 0) output_->probe_lost(text_of(programs[i]->attach()), lost);
    if (missed[i] != 0) output_->probe_missed(text_of(programs[i]->attach()), missed[i]);
  }
}

void Run::finish() {
  if (loop_.stopped()) drain();                  // the backlog, before what end probes send
  finishing_ = true;
  run_programs(abi::ProbeKind::End);
  drain();                                       // an exit() of an end probe sets the status, too
  if (uint64_t lost = lost_events(); lost > 0) {
    if (lost > lost_shown_) output_->lost(lost - lost_shown_);
    output_->total_lost(lost);
  }
  report_probe_losses();
  int losses = state_.loader->map_fd(abi::kLossMap);
  for (uint32_t i = 0; losses >= 0 && i < count_of(state_.manifest().maps()); ++i)
    if (uint64_t lost = sum_percpu_counter(losses, abi::kLostMapFirst + i)) output_->map_lost(i, lost);
  output_->end();
}

int Run::go() {
  std::string error;
  if (!loop_.open(&error)) { state_.messages.error(error); return kFailed; }
  if (int code = prepare()) return code;
  if (!run_programs(abi::ProbeKind::Begin)) return kFailed;
  bool testing = state_.options.test || state_.options.bench;
  int code = 0;
  attached_.resize(state_.bindings.size());
  if (testing) {
    code = run_tests();
  } else {
    bool stopped = false;
    for (uint8_t pass : {uint8_t{1}, uint8_t{2}}) {
      if (attach_pass(pass)) continue;
      stopped = true;
      break;
    }
    if (stopped) {
      detach_all(attached_);
      return attach_code_;
    }
    if (state_.options.dry_run) {
      detach_all(attached_);
      return 0;
    }
  }
  uint64_t signals = count(abi::ProbeKind::Self), special = count(abi::ProbeKind::Begin) + count(abi::ProbeKind::End);
  uint64_t total = attached_count_ + special + signals + (testing ? count(abi::ProbeKind::Test) + count(abi::ProbeKind::Bench) : 0);
  bool all_missing = std::all_of(state_.bindings.begin(), state_.bindings.end(), [&](const Binding& b) { return state_.missing[b.program]; });
  if (total == 0 && all_missing) {
    if (!state_.options.output.quiet) write_all(STDOUT_FILENO, "No probes to attach\n");
    return kUsage;
  }
  if (total == 0) {
    state_.messages.error("Attachment failed for all probes.");
    return kFailed;
  }
  if (!testing && !state_.options.output.quiet) output_->attached(total);
  output_->flush_batch();
  if (::getenv("__BPFTRACE_NOTIFY_PROBES_ATTACHED") != nullptr) write_all(STDOUT_FILENO, "__BPFTRACE_NOTIFY_PROBES_ATTACHED\n");
  // What begin sent comes before anything that the child prints.
  if (!testing) drain();
  if (!testing && state_.options.has_command && !child_.release(&error)) {
    state_.messages.error(error);
    detach_all(attached_);
    return kFailed;
  }
  notify_service("READY=1\nSTATUS=Processing events...");
  if (state_.target_pid() != 0) loop_.watch_process(state_.target_pid());
  bool iterates = std::any_of(attached_.begin(), attached_.end(), [](const Attached& a) { return a.iterator; });
  if (iterates) read_iterators();
  else poll(testing || (attached_count_ == 0 && signals == 0));
  clear_status_line();
  notify_service("STOPPING=1\nSTATUS=Shutting down...");
  if (exiting_) let_calls_end();
  else detach_all(attached_);
  finish();
  if (!testing) output_->dump_maps();
  int written = output_->close();
  return code != 0 ? code : exit_code_ != 0 ? exit_code_ : written;
}

}  // namespace

int run_script(RunState& state) {
  Run run(state);
  return run.go();
}

}  // namespace btc::rt
