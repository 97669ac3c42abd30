// Attaching, in two passes, and what is said about probes that cannot be attached.
#include <cerrno>
#include <unistd.h>

#include "runtime-stub/src/output/status_line.h"
#include "runtime-stub/src/resolve.h"
#include "runtime-stub/src/run_impl.h"
#include "runtime-stub/src/sys.h"

namespace btc::rt {

bool Run::attach_one(size_t index) {
  Binding& binding = state_.bindings[index];
  state_.messages.verbose(cat("Trying to attach probe: ", describe(binding)));
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
  bool fatal = policy == MissingProbes::Error;
  if (policy == MissingProbes::Ignore) return true;
  Severity severity = fatal ? Severity::Error : Severity::Warning;
  if (error.is_message) {
    state_.messages.say(severity, cause);
    cause.clear();
  }
  state_.messages.at(state_.manifest().programs()->Get(binding.program)->location(), severity,
                     cat("Unable to attach probe: ", binding.name, fatal ? ". If this is expected, set the 'missing_probes' config variable to 'warn'." : ". Skipping."),
                     cause.empty() ? cause : cat("the kernel says: ", cause));
  return !fatal;
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

}  // namespace btc::rt
