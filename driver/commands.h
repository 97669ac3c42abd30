// The subcommands of btc. Each adds its options to the application and returns what to run when it was chosen.
#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <string>
#include <vector>

namespace btc {

// Exit statuses, as `btc --help` lists them.
enum ExitStatus : int {
  kExitOk = 0,
  kExitError = 1,   // the input has errors, or a file or the machine stood in the way
  kExitUsage = 2,   // wrong command line
};

using Action = std::function<int()>;
void add_compile(CLI::App& app, Action* chosen, const std::vector<std::string>& baked_params);
void add_check(CLI::App& app, Action* chosen);
void add_fmt(CLI::App& app, Action* chosen);
void add_explain(CLI::App& app, Action* chosen);
void add_inspect(CLI::App& app, Action* chosen);
void add_profile(CLI::App& app, Action* chosen);
void add_flamegraph(CLI::App& app, Action* chosen);
void add_docs(CLI::App& app, Action* chosen);
void add_machine(CLI::App& app, Action* chosen);  // list, doctor: served by the runtime stub

// `btc run` has bpftrace's command line, which CLI11 cannot describe: it gets everything after the word `run`.
int run_command(int argc, char** argv);

const char* version();

}  // namespace btc
