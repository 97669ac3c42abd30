// Summarises verifier logs; see verifier_log.h. Line info of the object puts "; <source line> @ file.bt:3" into the log (6.8 adds
// the "@" part; before, only the text); the last one before the end is where the verifier stopped.
#include "runtime-stub/src/verifier_log.h"

#include <algorithm>
#include <cerrno>
#include <unistd.h>

namespace btc::rt {
namespace {

struct Cause { const char* text; const char* meaning; };
constexpr Cause kCauses[] = {
  {"unknown func", "this kernel does not have a BPF helper that the script needs"},
  {"invalid func unknown#195896080", "the kernel's types lack a field or type that the script reads"},
  {"cannot use helper", "this kernel does not allow a helper in this type of probe"},
  {"program of this type cannot use helper", "this kernel does not allow a helper in this type of probe"},
  {"is not allowed in probe", "this kernel does not allow a helper in this type of probe"},
  {"BPF program is too large", "the program is too complex for this kernel's verifier"},
  {"too many instructions", "the program is too complex for this kernel's verifier"},
  {"The sequence of", "the program is too complex for this kernel's verifier"},
  {"back-edge", "the kernel cannot see that a loop ends"},
  {"infinite loop detected", "the kernel cannot see that a loop ends"},
  {"combined stack size", "the program needs more stack than the kernel gives"},
  {"calling kernel function", "this kernel does not allow a kernel function that the script calls"},
  {"is not allowed to call", "this kernel does not allow a kernel function that the script calls"},
};

constexpr std::string_view kLogCut = "the program is too complex for this kernel's verifier, or its log is longer than log_size";

std::string_view last_source_line(std::string_view log) {
  std::string_view last;
  for_each_line(log, [&](std::string_view line) {
    if (line.starts_with("; ")) last = line.substr(2);
    return true;
  });
  return last;
}

std::string_view last_complaint(std::string_view log) {
  std::string_view last;
  for_each_line(log, [&](std::string_view line) {
    if (!line.empty() && !line.starts_with("processed ") && !line.starts_with("; ") && !line.starts_with("verification time") &&
        !line.starts_with("stack depth") && !line.starts_with("cur state:") && !line.starts_with("old state:"))
      last = line;
    return true;
  });
  return last;
}

std::string_view meaning_of(std::string_view log) {
  for (const Cause& cause : kCauses)
    if (log.find(cause.text) != std::string_view::npos) return cause.meaning;
  return {};
}

// libbpf: "map 'AT_x': failed to create: Argument list too long(-7)". What the kernel means by that, in the script's words.
bool report_map_failure(RunState& run, const LoadFailure& failure) {
  constexpr std::string_view kBefore = "map '", kAfter = "': failed to create: ";
  size_t after = failure.log.find(kAfter);
  size_t before = after == std::string::npos ? after : failure.log.rfind(kBefore, after);
  if (before == std::string::npos) return false;
  std::string_view name = std::string_view(failure.log).substr(before + kBefore.size(), after - before - kBefore.size());
  for (uint32_t i = 0; i < count_of(run.manifest().maps()); ++i) {
    const fb::Map* map = run.manifest().maps()->Get(i);
    if (text_of(map->bpf_name()) != name) continue;
    uint32_t key = map->key() >= 0 ? run.manifest().types()->Get(static_cast<uint32_t>(map->key()))->size() : 8;
    std::string text = cat("The kernel refused to create map ", text_of(map->name()), ": ", error_text(failure.error), ".");
    if (failure.error == E2BIG && key > 512 && kernel_version() < version_of(5, 11))
      append(text, cat(" Its key has ", key, " bytes; kernels before 5.11 allow 512."));
    else if (failure.error == E2BIG || failure.error == ENOMEM)
      append(text, cat(" It has room for ", map->max_entries(), " entries of ", key, " and ", map->bpf_value_size(), " bytes."));
    run.messages.at(map->location(), Severity::Error, text,
                    failure.error == E2BIG || failure.error == ENOMEM ? "max_strlen, max_map_keys and `let @m = hash(N)` make maps smaller." : "");
    return true;
  }
  return false;
}

// libbpf: "extern 'CONFIG_HZ' (strong): not resolved".
bool report_unknown_extern(const RunState& run, const LoadFailure& failure) {
  constexpr std::string_view kBefore = "extern '", kAfter = "' (strong): not resolved";
  size_t after = failure.log.find(kAfter), before = after == std::string::npos ? after : failure.log.rfind(kBefore, after);
  if (before == std::string::npos) return false;
  std::string_view name = std::string_view(failure.log).substr(before + kBefore.size(), after - before - kBefore.size());
  bool config = name.starts_with("CONFIG_");
  run.messages.error(cat("This kernel has no ", name, ", which the imported C needs."));
  run.messages.say(Severity::Hint, cat(config ? "neither /boot/config-<release> nor /proc/config.gz says it; " : "", "with __weak it reads 0."));
  return true;
}

// "12: (85) call bpf_d_path#147", "... cannot use helper bpf_d_path#147": the helper of the last such line.
std::string_view last_helper(std::string_view log) {
  size_t at = log.rfind(" bpf_");
  if (at == std::string_view::npos) return {};
  std::string_view rest = log.substr(at + 1);
  size_t end = rest.find_first_of("#\n ");
  return end != std::string_view::npos && rest[end] == '#' ? rest.substr(0, end) : std::string_view();
}

// The expression of the script that the kernel refused, and why, if the log says more than that a register is wrong.
void report_place(RunState& run, const LoadFailure& failure, std::string_view meaning, std::string_view complaint) {
  if (failure.file.empty()) return;
  constexpr std::string_view kNotAllowed[] = {"helper call is not allowed in probe", "cannot use helper", "unknown func"};
  bool not_allowed = std::any_of(std::begin(kNotAllowed), std::end(kNotAllowed), [&](std::string_view text) { return complaint.find(text) != std::string_view::npos; });
  std::string_view helper = not_allowed ? last_helper(failure.log) : std::string_view();
  std::string text = !failure.lacking.empty() ? cat("this kernel has no ", failure.lacking)
                   : !helper.empty() ? cat("helper ", helper, " not allowed in probe") : std::string(!meaning.empty() ? meaning : complaint);
  if (!text.empty()) run.messages.at_source(failure.file, failure.line, failure.column, Severity::Error, text);
}

// A program of imported C: the kernel's words, or libbpf's, are about its author's code.
void report_foreign_failure(const RunState& run, const LoadFailure& failure) {
  const fb::ForeignProgram* program = run.manifest().foreign_programs()->Get(static_cast<uint32_t>(failure.foreign));
  std::string text = cat("Error loading BPF program ", foreign_name(*program), ": ", error_text(failure.error), ".");
  if (std::string_view meaning = meaning_of(failure.log); !meaning.empty()) append(text, cat("\nCause: ", meaning, "."));
  if (std::string_view complaint = last_complaint(failure.log); !complaint.empty()) append(text, cat("\nThe kernel says: ", trim(complaint)));
  run.messages.at(program->location(), Severity::Error, text, run.messages.verbosity() > 0 ? "" : "-v shows the kernel's whole log.");
  if (run.messages.verbosity() > 0) run.messages.say(Severity::Plain, trim(failure.log));
}

const Binding* binding_of(const RunState& run, int program) {
  for (const Binding& binding : run.bindings)
    if (static_cast<int>(binding.program) == program) return &binding;
  return nullptr;
}

}  // namespace

void report_load_failure(RunState& run, const LoadFailure& failure) {
  if (failure.error == 1 /* EPERM */ && ::geteuid() != 0) {
    run.messages.error("Loading BPF programs needs root rights (CAP_BPF and CAP_PERFMON).");
    return;
  }
  if (failure.foreign >= 0) return report_foreign_failure(run, failure);
  if (failure.program < 0) {
    if (report_map_failure(run, failure) || report_unknown_extern(run, failure)) return;
    run.messages.error(failure.message);
    if (!failure.log.empty()) run.messages.say(Severity::Plain, trim(failure.log));
    return;
  }
  const fb::Program* program = run.manifest().programs()->Get(static_cast<uint32_t>(failure.program));
  const Binding* binding = binding_of(run, failure.program);
  std::string_view meaning = meaning_of(failure.log);
  // The kernel answers "no space" when the log was cut, whatever its reason to refuse the program. Before 6.4 it keeps the beginning.
  bool reason_lost = failure.error == ENOSPC;
  if (reason_lost && meaning.empty()) meaning = kLogCut;
  std::string text = cat("Error loading BPF program for ", binding != nullptr ? binding->name : std::string(text_of(program->attach())),
                         reason_lost ? "" : ": ", reason_lost ? "" : error_text(failure.error), ".");
  if (failure.error == 1) append(text, " This machine does not allow programs of this type (lockdown, or a security policy).");
  if (!failure.lacking.empty()) append(text, cat("\nCause: this kernel has no ", failure.lacking, ", which the script reads."));
  else if (!meaning.empty()) append(text, cat("\nCause: ", meaning, "."));
  std::string_view source = last_source_line(failure.log), complaint = meaning == kLogCut ? "" : last_complaint(failure.log);
  report_place(run, failure, meaning, complaint);
  if (!source.empty()) append(text, cat("\nThe kernel stopped at: ", source));
  if (!complaint.empty() && failure.lacking.empty()) append(text, cat("\nThe kernel says: ", complaint));
  run.messages.at(program->location(), Severity::Error, text,
                  run.messages.verbosity() > 0 || failure.log.empty() ? "" : "-v shows the kernel's whole log.");
  if (run.messages.verbosity() > 0 && !failure.log.empty()) run.messages.say(Severity::Plain, failure.log);
}

}  // namespace btc::rt
