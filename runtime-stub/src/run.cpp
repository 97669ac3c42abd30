// The sequence of a run: resolve, load, begin, attach, poll, detach, end, print; the order and messages are bpftrace's.
// run_attach.cpp attaches, run_tests.cpp runs tests and benchmarks, run_losses.cpp counts what was lost.
#include "runtime-stub/src/run_impl.h"

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
#include "runtime-stub/src/maps.h"
#include "runtime-stub/src/name_filter.h"
#include "runtime-stub/src/output/status_line.h"
#include "runtime-stub/src/plan.h"
#include "runtime-stub/src/resolve.h"
#include "runtime-stub/src/session.h"
#include "runtime-stub/src/sys.h"
#include "runtime-stub/src/unwind.h"

namespace btc::rt {

namespace {

// False: a message was printed.
bool read_filter(RunState& run) {
  if (!run.options.has_probe_filter) return true;
  std::string problem;
  run.filter = std::make_unique<NameFilter>();
  if (run.filter->parse(run.options.probe_filter, &problem)) return true;
  run.messages.error(cat("Invalid --probe-filter regex '", run.options.probe_filter, "': ", problem));
  return false;
}

// Drops the bindings whose name does not match --probe-filter; begin, end and self stay. Of multi links the places that match were taken.
void filter_probes(RunState& run) {
  std::erase_if(run.bindings, [&](const Binding& binding) {
    bool special = binding.how == How::TestRun && binding.point.kind != abi::ProbeKind::Test && binding.point.kind != abi::ProbeKind::Bench;
    bool multi = binding.how == How::KprobeMulti || binding.how == How::UprobeMulti;
    return multi ? binding.sites.empty() : !special && !run.chosen(binding.name);
  });
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

}  // namespace

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

bool Run::recorded_mappings(int32_t pid, uint32_t* stamp, CodeMappings* out, int32_t* forebear) {
  uint32_t now = mapping_log_.stamp(pid);
  if (now == *stamp) return false;
  *stamp = now;
  out->clear();
  *forebear = mapping_log_.mappings_of(pid, out);
  return true;
}

void Run::unwatch(uint64_t address) {
  for (size_t i = 0; i < attached_.size(); ++i) {
    if (state_.bindings[i].how != How::Breakpoint || state_.bindings[i].point.address != address) continue;
    attached_[i].links.clear();
    attached_[i].events.clear();
  }
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
  if (!read_filter(state_)) return kFailed;
  int code = resolve_all(state_);
  if (code != 0) return code;
  bool tests = state_.options.test, benches = state_.options.bench;
  filter_probes(state_);
  if (int problem = check_probe_count(state_)) return problem;
  pair_sessions(state_);
  std::erase_if(state_.bindings, [&](const Binding& b) {
    bool out = (b.point.kind == abi::ProbeKind::Test && !tests) || (b.point.kind == abi::ProbeKind::Bench && !benches);
    if (out && left_out_ != abi::ProbeKind::Test) left_out_ = b.point.kind;
    return out;
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
  if (output_->names_user_addresses()) {
    mapping_log_.open(loop_, state_.unwind != nullptr);
    if (state_.options.pid != 0) output_->note_process(state_.options.pid);
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
  mapping_log_.drain();
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
  if (state_.unwind && !state_.unwind->refresh(*state_.loader, mapping_log_.take_news()))
    state_.messages.warning("dw_ustack: the traced processes load more code than there is room for; stacks end in what came last.");
  if (serving_) state_.server->serve([this] { return output_->metrics(); });
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
      if (child_.ended() && child_.pid() != 0) state_.messages.verbose(child_.how());
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
    if (!attach_foreign_programs(state_) || !attach_pass(1) || !attach_pass(2)) {
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
  if (total == 0 && (left_out_ == abi::ProbeKind::Test || left_out_ == abi::ProbeKind::Bench)) {
    bool test = left_out_ == abi::ProbeKind::Test;
    state_.messages.error(cat("No probes attached; use --", test ? "test to run test" : "bench to run benchmark", " probes."));
    return kFailed;
  }
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

int run_script(RunState& state) {
  Run run(state);
  return run.go();
}

}  // namespace btc::rt
