#include "driver/machine.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <map>

#include "driver/commands.h"
#include "driver/profile_list.h"
#include "driver/stub_exec.h"
#include "frontend/profile/profile.h"

namespace btc {
namespace {

int become_stub(std::vector<std::string> args) {
  std::string error;
  become_executable(backend::embedded_stub(), args, &error);
  fprintf(stderr, "ERROR: failed to start the runtime: %s\n", error.c_str());
  return kExitError;
}

// Parameters below the uprobes of a listing: the runtime that makes it does not read types.
class ParameterLines {
 public:
  explicit ParameterLines(const ProgramSearch& search) : search_(search) {}

  std::string after(const std::string& line) {
    size_t first = line.find(':'), last = line.rfind(':');
    if (!line.starts_with("uprobe:") || last == first || line.ends_with('"')) return "";    // a C++ name is no name of DWARF
    std::string program = line.substr(first + 1, last - first - 1), out;
    auto [entry, fresh] = programs_.try_emplace(program);
    if (fresh) entry->second = DebugInfo::open(program, search_);
    if (fresh && !entry->second)
      fprintf(stderr, "WARNING: No DWARF found for \"%s\", cannot show parameter info\n", program.c_str());
    if (!entry->second) return "";
    for (const std::string& parameter : entry->second->parameter_texts(line.substr(last + 1))) out += "    " + parameter + "\n";
    return out;
  }

 private:
  const ProgramSearch& search_;
  std::map<std::string, std::unique_ptr<DebugInfo>> programs_;
};

// Runs the listing as a child and adds to what it prints.
int list_with_parameters(std::string_view executable, const std::vector<std::string>& args, const ProgramSearch& search) {
  int ends[2];
  if (pipe(ends) != 0) return perror("btc: pipe"), kExitError;
  fflush(stdout);
  pid_t child = fork();
  if (child < 0) return perror("btc: fork"), kExitError;
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
    std::string error;
    become_executable(executable, args, &error);
    fprintf(stderr, "ERROR: failed to start the runtime: %s\n", error.c_str());
    _exit(kExitError);
  }
  close(ends[1]);
  FILE* lines = fdopen(ends[0], "r");
  ParameterLines parameters(search);
  char* line = nullptr;
  size_t capacity = 0;
  for (ssize_t size; lines != nullptr && (size = getline(&line, &capacity, lines)) >= 0;) {
    std::string text(line, static_cast<size_t>(size));
    while (!text.empty() && text.back() == '\n') text.pop_back();
    printf("%s\n%s", text.c_str(), parameters.after(text).c_str());
  }
  free(line);
  if (lines != nullptr) fclose(lines);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : kExitError;
}

int list_other_kernel(const std::string& what, bool verbose, const std::string& which) {
  std::string error;
  std::unique_ptr<Profile> profile = which == "builtin" ? open_builtin_profile(&error) : open_profile_file(which, &error);
  if (profile) return profile_list(*profile, what, verbose);
  fprintf(stderr, "ERROR: kernel profile '%s': %s\n", which.c_str(), error.c_str());
  return kExitError;
}

}  // namespace

int machine_info() { return become_stub({"btc", "--info"}); }
int machine_doctor() { return become_stub({"btc", "--doctor"}); }

int machine_list(const std::string& what, bool verbose, bool is_program, const ScriptOptions& options,
                 const std::vector<std::string>& run_options) {
  struct stat st {};
  bool is_file = !is_program && what.find(':') == std::string::npos && stat(what.c_str(), &st) == 0 && S_ISREG(st.st_mode);
  std::vector<std::string> args = {"btc", "--list"};
  if (verbose) args.emplace_back("-v");
  args.insert(args.end(), run_options.begin(), run_options.end());
  if (!is_program && !is_file && !options.profile.empty() && options.profile != "host") return list_other_kernel(what, verbose, options.profile);
  if (!is_program && !is_file) {
    if (!what.empty()) args.push_back(what);
    return verbose ? list_with_parameters(backend::embedded_stub(), args, options.compile.programs) : become_stub(args);
  }
  // A script: compile it and let the artifact say what it would attach here.
  ScriptOptions script = options;
  if (!is_program) script.file = what;
  CompileRequest request;
  bool usage = false;
  if (!make_request(script, &request, &usage)) return kExitError;
  if (!run_options.empty()) script.warnings.emplace_back("no-needs-process");    // -p
  Compilation c;
  if (!apply_warnings(script, c.diags)) return kExitError;
  bool ok = compile(c, request);
  print_diagnostics(c.diags, options.diag_format);
  if (!ok) return kExitError;
  if (verbose) return list_with_parameters(c.output, args, script.compile.programs);
  std::string error;
  become_executable(c.output, args, &error);
  fprintf(stderr, "ERROR: failed to start the compiled script: %s\n", error.c_str());
  return kExitError;
}

void add_machine(CLI::App& app, Action* chosen) {
  struct Args { ScriptOptions script; std::string pattern, pid; bool verbose = false; };
  auto args = std::make_shared<Args>();
  CLI::App* list = app.add_subcommand("list", "List probes that a pattern matches on this machine (with --profile: on that kernel), or that a script would attach");
  add_script_options(*list, &args->script);
  list->remove_option(list->get_option("file"));
  list->add_option("pattern", args->pattern, "Probe pattern, e.g. 'tracepoint:sched:*', or a script file");
  list->add_flag("-v,--verbose", args->verbose, "Also show arguments");
  list->add_option("-p,--pid", args->pid, "Probes of this process: its program and libraries")->type_name("PID");
  std::string ignored;
  list->callback([args, chosen] {
    *chosen = [args] {
      bool is_program = !args->script.programs.empty();
      return machine_list(is_program ? args->script.programs.back() : args->pattern, args->verbose, is_program, args->script,
                          args->pid.empty() ? std::vector<std::string>() : std::vector<std::string>{"-p", args->pid});
    };
  });
  CLI::App* doctor = app.add_subcommand("doctor", "Say what this machine lacks for tracing");
  doctor->callback([chosen] { *chosen = [] { return machine_doctor(); }; });
}

}  // namespace btc
