// Reads the command line by the table in options.def; see options.h.
#include "runtime-stub/src/options.h"

#include <cerrno>
#include <unistd.h>

#include "runtime-stub/abi/feature_names.h"
#include "runtime-stub/src/schedule.h"
#include "runtime-stub/src/support.h"
#include "runtime-stub/src/sys.h"

namespace btc::rt {
namespace {

struct Row { Option id; char letter; const char* name; const char* argument; const char* doc; };
constexpr Row kRows[] = {
#define BTC_OPTION(Id, Short, Long, Argument, Doc) {Option::Id, Short, Long, Argument, Doc},
#include "runtime-stub/src/options.def"
#undef BTC_OPTION
};

const Row* find_long(std::string_view name) {
  for (const Row& row : kRows)
    if (name == row.name) return &row;
  return nullptr;
}
const Row* find_short(char letter) {
  for (const Row& row : kRows)
    if (row.letter != 0 && row.letter == letter) return &row;
  return nullptr;
}
bool takes_argument(const Row& row) { return row.argument[0] != 0; }

bool set_pid(std::string_view text, Options* out, std::string* error) {
  size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  uint64_t value = 0;
  if (digits == 0) *error = cat("ERROR: Failed to parse pid: invalid integer: ", text, "\n");
  else if (digits != text.size()) *error = cat("ERROR: Failed to parse pid: invalid trailing bytes: ", text, "\n");
  else if (!parse_u64(text, &value) || value == 0 || value > 4194304) *error = cat("ERROR: Pid out of range: ", text, "\n");
  else out->pid = static_cast<int>(value);
  return error->empty();
}

// There is no run for a process that is not there: a mistyped number would trace nothing, for ever.
bool check_process(int pid, std::string* error) {
  int fd = sys::pidfd_open(pid);
  if (fd >= 0) ::close(fd);
  if (fd >= 0 || fd == -ENOSYS || fd == -EPERM) return true;     // some containers refuse the call itself
  *error = cat("ERROR: Failed to attach to pid: Unable to open pidfd (", error_text(-fd), ")\n");
  return false;
}

bool set_span(const Row& row, std::string_view text, uint64_t* out, std::string* error) {
  if (parse_time_span(text, out)) return true;
  *error = cat("ERROR: option --", row.name, " takes a time such as 10s, 500ms, 2m or 1h, not '", text, "'\n");
  return false;
}

bool set_listen(std::string_view address, Options* out, std::string* error) {
  out->listen = address;
  if (out->has_server) return true;
  *error = "ERROR: this executable has no server for --listen: compile the script with --with=listen\n";
  return false;
}

bool set_traceable(std::string_view file, Options* out, std::string* error) {
  out->traceable_functions = file;
  if (::access(out->traceable_functions.c_str(), R_OK) == 0) return true;
  *error = cat("ERROR: Failed to open kernel function info: Could not read functions from ", file, ". (", error_text(errno), ")\n");
  return false;
}

bool apply(const Row& row, std::string_view value, Options* out, std::string* error) {
  switch (row.id) {
    case Option::Output: out->output.file = value; return true;
    case Option::Format:
      if (parse_output_format(value, &out->output.format)) return true;
      *error = cat("ERROR: Invalid output format \"", value, "\"\nValid formats: 'text', 'json'\n");
      return false;
    case Option::Buffering:
      if (parse_buffer_mode(value, &out->output.buffering)) return true;
      *error = "ERROR: USAGE: -B must be either 'line', 'full', or 'none'.\n";
      return false;
    case Option::Quiet: out->output.quiet = true; return true;
    case Option::Verbose: ++out->verbose; return true;
    case Option::Pid: return set_pid(value, out, error);
    case Option::Command: out->command = value; out->has_command = true; return true;
    case Option::Duration: return set_span(row, value, &out->duration_ms, error);
    case Option::Interval: return set_span(row, value, &out->interval_ms, error);
    case Option::Listen: return set_listen(value, out, error);
    case Option::Checks: out->output.warning_level = 2; return true;
    case Option::NoWarnings: out->output.warning_level = 0; return true;
    case Option::Unsafe: out->output.allow_unsafe = true; return true;
    case Option::DryRun: out->dry_run = true; return true;
    case Option::ProbeFilter: out->probe_filter = value; out->has_probe_filter = true; return true;
    case Option::Traceable: return set_traceable(value, out, error);
    case Option::DebugInfo:
      for (std::string_view dir : split(value, ':')) out->output.debug_dirs.emplace_back(dir);
      return true;
    case Option::Test: out->test = true; return true;
    case Option::Bench: out->bench = true; return true;
    case Option::List: out->list = true; return true;
    case Option::Doctor: out->doctor = true; return true;
    case Option::Help: out->help = true; return true;
    case Option::Version: out->version = true; return true;
    case Option::NoFeature:
      for (std::string_view name : split(value, ',')) {
        if (!abi::is_feature_name(name)) { *error = abi::kFeatureUsage; return false; }
        out->no_features.emplace_back(name);
      }
      return true;
    case Option::Mode:
      if (value == "bpftrace-test" || value == "test") out->test = true;
      else if (value == "bpftrace-bench" || value == "bench") out->bench = true;
      return true;
    case Option::Info: out->info = true; return true;
    case Option::DwarfPid: {
      Options other;
      if (!set_pid(value, &other, error)) return false;
      out->dwarf_pids.push_back(other.pid);
      return true;
    }
    case Option::UsdtActivation:
    case Option::kCount: return true;
  }
  return true;
}

}  // namespace

bool parse_options(int argc, char** argv, Options* out, std::string* error) {
  bool only_params = false;
  for (int i = 1; i < argc; ++i) {
    std::string_view arg = argv[i];
    if (only_params) {
      if (arg.starts_with("--")) out->named.emplace_back(arg.substr(2));
      else out->positional.emplace_back(arg);
      continue;
    }
    if (arg == "--") { only_params = true; continue; }
    if (arg.size() < 2 || arg[0] != '-') { out->positional.emplace_back(arg); continue; }
    if (arg[1] == '-') {
      size_t equals = arg.find('=');
      std::string_view name = arg.substr(2, equals == std::string_view::npos ? equals : equals - 2);
      const Row* row = find_long(name);
      if (row == nullptr) { *error = cat("ERROR: unknown option --", name, "; parameters of the script follow after --\n"); return false; }
      std::string_view value;
      if (equals != std::string_view::npos && takes_argument(*row)) value = arg.substr(equals + 1);
      else if (equals != std::string_view::npos) { *error = cat("ERROR: option --", name, " takes no value\n"); return false; }
      else if (takes_argument(*row)) {
        if (++i >= argc) { *error = cat("ERROR: option --", name, " needs a value\n"); return false; }
        value = argv[i];
      }
      if (!apply(*row, value, out, error)) return false;
      continue;
    }
    for (size_t k = 1; k < arg.size(); ++k) {
      const Row* row = find_short(arg[k]);
      if (row == nullptr) { *error = cat("ERROR: unknown option -", arg[k], "\n"); return false; }
      std::string_view value;
      bool argument = takes_argument(*row);
      if (argument && k + 1 < arg.size()) value = arg.substr(k + 1);
      else if (argument) {
        if (++i >= argc) { *error = cat("ERROR: option -", row->letter, " needs a value\n"); return false; }
        value = argv[i];
      }
      if (!apply(*row, value, out, error)) return false;
      if (argument) break;
    }
  }
  if (out->pid != 0 && out->has_command) {
    *error = "ERROR: USAGE: Cannot use both -c and -p.\n";
    return false;
  }
  return out->pid == 0 || check_process(out->pid, error);
}

std::string help_text(const Options& options, std::string_view program, std::string_view script, std::string_view params) {
  std::string text = cat("USAGE: ", program, " [options] [parameters] [-- --name=value ...]\n\n");
  if (!script.empty()) append(text, cat("Runs the tracing script ", script, ", compiled by btc.\n\n"));
  append(text, "OPTIONS:\n");
  for (const Row& row : kRows) {
    if (row.doc[0] == 0 || (row.id == Option::Listen && !options.has_server)) continue;
    std::string left = "    ";
    if (row.letter != 0) append(left, cat('-', row.letter, ", "));
    append(left, cat("--", row.name));
    if (takes_argument(row)) append(left, cat(' ', row.argument));
    left.resize(left.size() < 34 ? 34 : left.size() + 1, ' ');
    append(text, cat(left, row.doc, "\n"));
  }
  if (!params.empty()) append(text, cat("\nPARAMETERS OF THE SCRIPT:\n", params));
  append(text,
         "\nENVIRONMENT:\n"
         "    BPFTRACE_MAX_PROBES, BPFTRACE_MISSING_PROBES, ... the script's config keys, in capitals\n"
         "    BPFTRACE_BTF      kernel type information from this file\n"
         "    BPFTRACE_COLOR    colours of messages: auto, always, never\n"
         "\nEXIT STATUS:\n"
         "    0    the script ended\n"
         "    N    the script called exit(N)\n"
         "    1    wrong usage, wrong parameters, or nothing to attach\n"
         "    255  loading or attaching failed\n");
  return text;
}

}  // namespace btc::rt
