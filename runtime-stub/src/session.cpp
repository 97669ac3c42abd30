// Pairing; see session.h.
#include "runtime-stub/src/session.h"

#include <algorithm>

#include "runtime-stub/src/resolve.h"

namespace btc::rt {
namespace {

const abi::AttachPoint& point_of(const RunState& run, size_t binding) { return run.bindings[binding].point; }

// One attach point in its probe, of a function or pattern as it is, and nothing in it that differs from function to function.
bool may_join(const RunState& run, size_t index, abi::ProbeKind kind) {
  const Binding& binding = run.bindings[index];
  const abi::AttachPoint& point = binding.point;
  const fb::Program* program = run.manifest().programs()->Get(binding.program);
  if (point.kind != kind || (binding.how != How::Kprobe && binding.how != How::KprobeMulti) || binding.from_pattern) return false;
  if (!point.target.empty() || point.has_address || point.offset != 0 || program->uses_probe_name() || program->sleepable()) return false;
  return std::none_of(run.bindings.begin(), run.bindings.end(), [&](const Binding& other) {
    return &other != &binding && run.manifest().programs()->Get(other.program)->probe_index() == program->probe_index();
  });
}

}  // namespace

void pair_sessions(RunState& run) {
  using K = abi::ProbeKind;
  bool has_returns = std::any_of(run.bindings.begin(), run.bindings.end(), [](const Binding& b) { return b.point.kind == K::Kretprobe; });
  if (!has_returns || !run.features.kprobe_session()) return;
  for (size_t i = 0; i < run.bindings.size(); ++i) {
    if (!may_join(run, i, K::Kprobe)) continue;
    size_t found = 0, partner = 0;
    for (size_t k = 0; k < run.bindings.size(); ++k) {
      if (point_of(run, k).func != point_of(run, i).func || !may_join(run, k, K::Kretprobe)) continue;
      ++found;
      partner = k;
    }
    if (found != 1) continue;
    Binding& entry = run.bindings[i];
    // A function that the kernel cannot trace is reported as a probe of its own.
    if (entry.how == How::Kprobe && !is_traceable(run, entry.point.func)) continue;
    entry.how = How::KprobeSession;
    entry.session_exit = static_cast<int>(run.bindings[partner].program);
    run.bindings.erase(run.bindings.begin() + static_cast<ptrdiff_t>(partner));
    if (partner < i) --i;
  }
}

}  // namespace btc::rt
