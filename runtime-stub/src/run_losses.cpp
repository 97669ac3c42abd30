// Events that did not arrive: while the script runs, and by probe at its end.
#include <algorithm>

#include "runtime-stub/abi/abi.h"
#include "runtime-stub/src/run_impl.h"
#include "runtime-stub/src/sys.h"

namespace btc::rt {

uint64_t Run::lost_events() const {
  int fd = state_.loader->map_fd(abi::kLossMap);
  uint64_t in_kernel = fd < 0 ? 0 : sum_percpu_counter(fd, abi::kLostEvents) + sum_percpu_counter(fd, abi::kLostNested);
  return in_kernel + lost_in_backlog_;
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

}  // namespace btc::rt
