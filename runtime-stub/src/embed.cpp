// btc::Script: a run inside somebody else's process; see include/btc/runtime.h.
//
// The same steps as run.cpp, but driven from outside, without signal handlers,
// child processes and exit codes of its own. Part of the library only: the
// linker leaves it out of executables.
#include "runtime-stub/include/btc/runtime.h"

#include <poll.h>

#include <algorithm>
#include <ctime>

#include "runtime-stub/abi/abi.h"
#include "runtime-stub/src/attach.h"
#include "runtime-stub/src/maps.h"
#include "runtime-stub/src/plan.h"
#include "runtime-stub/src/resolve.h"
#include "runtime-stub/src/ring.h"
#include "runtime-stub/src/sys.h"

namespace btc {

using namespace rt;

struct Script::State final : public Target {
  explicit State(std::span<const uint8_t> bytes) : object{bytes.data(), bytes.size()} {}

  Bytes object;
  RunState run;
  Ring ring;
  bool has_ring = false, loaded = false, is_attached = false, prints = true, ended = false;
  int ring_fd = -1, exit_code = 0;
  std::unique_ptr<Output> output;
  std::vector<Attached> links;
  std::vector<Handler> handlers;               // by event
  uint64_t probes = 0;

  bool fail(std::string_view text) {
    run.messages.error(text);
    return false;
  }
  int fd_of(uint32_t map) const {
    if (!loaded || map >= count_of(run.manifest().maps())) return -1;
    return run.loader->map_fd(text_of(run.manifest().maps()->Get(map)->bpf_name()));
  }
  bool read_map(uint32_t map, MapEntries* out) override { return fd_of(map) >= 0 && read_map_entries(fd_of(map), out); }
  bool clear_map(uint32_t map) override { return fd_of(map) >= 0 && clear_map_entries(fd_of(map)); }
  bool zero_map(uint32_t map) override { return fd_of(map) >= 0 && zero_map_entries(fd_of(map)); }
  std::string_view probe_name(uint64_t index) override {
    return index < run.names.size() ? std::string_view(run.names[index]) : std::string_view();
  }

  bool load();
  bool open_output();
  bool run_programs(abi::ProbeKind kind);
  bool attach_pass(uint8_t pass);
  void drain();
};

bool Script::State::load() {
  std::string error;
  if (run.artifact.manifest == nullptr && !open_artifact(object, &run.artifact, &error)) return fail(error);
  run.messages = Messages(run.artifact.manifest, ColorMode::Never, 0);
  run.options.output.quiet = true;
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  run.start_boot_ns = static_cast<uint64_t>(now.tv_sec) * 1000000000 + static_cast<uint64_t>(now.tv_nsec);
  if (!bind_params(run.manifest(), run.options, &run.params, &error) || !read_config(run.manifest(), &run.config, &error)) {
    write_all(2, error);
    return false;
  }
  if (std::string wrong = missing_right(); !wrong.empty()) return fail(wrong);
  if (resolve_all(run) != 0) return false;
  std::erase_if(run.bindings, [](const Binding& b) {
    return b.point.kind == abi::ProbeKind::Test || b.point.kind == abi::ProbeKind::Bench;
  });
  if (run.bindings.empty()) return fail("No probes to attach");
  loaded = load_script(run) && open_output();
  return loaded;
}

bool Script::State::open_output() {
  std::string error;
  OutputOptions& options = run.options.output;
  options.allow_unsafe |= run.manifest().unsafe();
  options.print_maps_on_exit = true;
  options.cpp_demangle = Config::as_bool(run.config.cpp_demangle);
  options.max_cat_bytes = Config::as_number(run.config.max_cat_bytes);
  options.str_trunc_trailer = run.config.str_trunc_trailer;
  output = Output::open(&run.manifest(), this, options, &error);
  if (output == nullptr) return fail(error);
  ring_fd = run.loader->map_fd(abi::kRingMap);
  MapShape shape;
  if (ring_fd < 0 || !map_shape(ring_fd, &shape)) return true;
  has_ring = ring.open(ring_fd, shape.max_entries, &error);
  return has_ring || fail(error);
}

bool Script::State::run_programs(abi::ProbeKind kind) {
  for (const Binding& binding : run.bindings) {
    if (binding.point.kind != kind) continue;
    int result = sys::test_run(run.loader->copy_fd(binding.copy), nullptr, 0, 0, nullptr, nullptr);
    if (result < 0) return fail(cat("Cannot run ", binding.name, ": ", error_text(-result)));
  }
  return true;
}

bool Script::State::attach_pass(uint8_t pass) {
  for (size_t i = 0; i < run.bindings.size(); ++i) {
    size_t index = pass == 1 ? i : run.bindings.size() - 1 - i;   // the second pass goes backwards, as in run.cpp
    Binding& binding = run.bindings[index];
    if (abi::probe_info(binding.point.kind).attach_pass != pass) continue;
    AttachError error = rt::attach(run, binding, &links[index]);
    if (error.error == 0) {
      probes += binding.count;
      continue;
    }
    links[index] = {};
    std::string why = error.detail.empty() ? std::string(error_text(error.error)) : error.detail;
    if (run.config.missing() == MissingProbes::Error) return fail(cat("Unable to attach probe: ", binding.name, ": ", why));
    if (run.config.missing() == MissingProbes::Warn)
      run.messages.warning(cat("Unable to attach probe: ", binding.name, ": ", why, ". Skipping."));
  }
  return true;
}

void Script::State::drain() {
  if (!has_ring) return;
  ring.drain([&](const uint8_t* data, uint32_t size) {
    abi::EventHeader header;
    if (size < sizeof header) return true;
    memcpy(&header, data, sizeof header);
    const uint8_t* payload = data + sizeof header;
    uint32_t length = std::min<uint32_t>(header.size, size - static_cast<uint32_t>(sizeof header));
    if (header.event < handlers.size() && handlers[header.event]) {
      handlers[header.event]({payload, length});
      return true;
    }
    bool is_exit = header.event < count_of(run.manifest().events()) &&
                   static_cast<abi::EventKind>(run.manifest().events()->Get(header.event)->kind()) == abi::EventKind::Exit;
    if (!prints && !is_exit) return true;
    Next next = output->handle_event(header, payload, length);
    if (next.exit) {
      ended = true;
      exit_code = next.code;
    }
    return !next.exit;
  });
  if (prints) output->flush_batch();
}

Script::Script(std::span<const uint8_t> object) : state_(std::make_unique<State>(object)) {}
Script::~Script() { detach(); }

void Script::set_param(std::string_view name, std::string value) {
  state_->run.options.named.push_back(cat(name, "=", value));
}
void Script::set_positional(uint32_t number, std::string value) {
  std::vector<std::string>& given = state_->run.options.positional;
  if (number == 0) return;
  if (given.size() < number) given.resize(number, "0");
  given[number - 1] = std::move(value);
}
void Script::set_target_pid(int pid) { state_->run.options.pid = pid; }
void Script::print_output(bool enabled) { state_->prints = enabled; }
void Script::allow_unsafe(bool enabled) { state_->run.options.output.allow_unsafe = enabled; }
void Script::on_event(uint32_t event, Handler handler) {
  if (state_->handlers.size() <= event) state_->handlers.resize(event + 1);
  state_->handlers[event] = std::move(handler);
}

bool Script::load() { return state_->loaded || state_->load(); }

bool Script::attach() {
  State& s = *state_;
  if (!s.loaded || s.is_attached) return s.is_attached;
  if (!s.run_programs(abi::ProbeKind::Begin)) return false;
  s.probes = 0;
  s.links.resize(s.run.bindings.size());
  s.is_attached = attach_foreign_programs(s.run) && s.attach_pass(1) && s.attach_pass(2);
  if (!s.is_attached) {
    detach_all(s.links);
    s.run.loader->detach_foreign();
  }
  return s.is_attached;
}

bool Script::poll(int timeout_ms) {
  State& s = *state_;
  if (!s.is_attached || s.ended) return false;
  s.drain();
  if (s.ended) return false;
  pollfd ready{s.ring_fd, POLLIN, 0};
  ::poll(&ready, s.has_ring ? 1 : 0, timeout_ms);
  s.drain();
  return !s.ended;
}

void Script::detach() {
  State& s = *state_;
  if (!s.is_attached) return;
  s.is_attached = false;
  detach_all(s.links);
  s.run_programs(abi::ProbeKind::End);
  s.run.loader->detach_foreign();
  s.drain();
}

void Script::print_maps() {
  if (state_->output == nullptr) return;
  state_->output->dump_maps();
  state_->output->flush_batch();
}

uint32_t Script::probe_count() const { return static_cast<uint32_t>(state_->probes); }
int Script::exit_code() const { return state_->exit_code; }
int Script::map_fd(std::string_view bpf_name) const { return state_->loaded ? state_->run.loader->map_fd(bpf_name) : -1; }

uint64_t Script::lost_events() const {
  int fd = map_fd(abi::kLossMap);
  return fd < 0 ? 0 : sum_percpu_counter(fd, abi::kLostEvents) + sum_percpu_counter(fd, abi::kLostNested);
}

bool Script::read_map(uint32_t map, MapBytes* out) const {
  MapEntries entries;
  if (!state_->read_map(map, &entries)) return false;
  out->key_size = entries.key_size;
  out->value_size = entries.value_size;
  out->cpus = entries.cpus;
  out->count = entries.count;
  out->keys = std::move(entries.keys);
  out->values = std::move(entries.values);
  return true;
}

bool Script::clear_map(uint32_t map) { return state_->clear_map(map); }

}  // namespace btc
