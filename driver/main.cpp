// btc: the command line.

#include <cstdio>
#include <cstring>

#include "driver/commands.h"

namespace {

constexpr const char* kFooter =
    "Exit status: 0 success; 1 errors in the input, or a file or the machine stood in the way; 2 wrong command line.\n"
    "`btc run` has bpftrace's command line and exit statuses; `btc run --help` lists them.\n"
    "An artifact lists its own options with `ARTIFACT --help`.";

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[1], "run") == 0) return btc::run_command(argc - 1, argv + 1);

  CLI::App app{"btc compiles bpftrace scripts ahead of time into standalone executables.", "btc"};
  app.footer(kFooter);
  app.set_version_flag("-V,--version", std::string("btc v") + btc::version());
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  btc::Action chosen;
  btc::add_compile(app, &chosen);
  app.add_subcommand("run", "Compile and run a script at once, with bpftrace's command line");
  btc::add_check(app, &chosen);
  btc::add_fmt(app, &chosen);
  btc::add_inspect(app, &chosen);
  btc::add_machine(app, &chosen);
  btc::add_profile(app, &chosen);
  btc::add_explain(app, &chosen);
  btc::add_docs(app, &chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    int status = app.exit(error);
    return status == 0 ? btc::kExitOk : btc::kExitUsage;
  }
  return chosen ? chosen() : btc::kExitUsage;
}
