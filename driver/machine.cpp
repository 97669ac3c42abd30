#include "driver/machine.h"

#include <sys/stat.h>

#include <cstdio>

#include "driver/commands.h"
#include "driver/stub_exec.h"

namespace btc {
namespace {

int become_stub(std::vector<std::string> args) {
  std::string error;
  become_executable(backend::embedded_stub(), args, &error);
  fprintf(stderr, "ERROR: failed to start the runtime: %s\n", error.c_str());
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
  if (!is_program && !is_file) {
    if (!what.empty()) args.push_back(what);
    return become_stub(args);
  }
  // A script: compile it and let the artifact say what it would attach here.
  ScriptOptions script = options;
  if (!is_program) script.file = what;
  CompileRequest request;
  bool usage = false;
  if (!make_request(script, &request, &usage)) return kExitError;
  Compilation c;
  bool ok = compile(c, request);
  print_diagnostics(c.diags, options.diag_format);
  if (!ok) return kExitError;
  std::string error;
  become_executable(c.output, args, &error);
  fprintf(stderr, "ERROR: failed to start the compiled script: %s\n", error.c_str());
  return kExitError;
}

void add_machine(CLI::App& app, Action* chosen) {
  struct Args { ScriptOptions script; std::string pattern, pid; bool verbose = false; };
  auto args = std::make_shared<Args>();
  CLI::App* list = app.add_subcommand("list", "List probes that a pattern matches on this machine, or that a script would attach");
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
