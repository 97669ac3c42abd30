// btc: the command line.

#include <cstdio>
#include <cstring>

#include "driver/commands.h"

namespace {

constexpr const char* kFooter =
    "Exit status: 0 success; 1 errors in the input, or a file or the machine stood in the way; 2 wrong command line.\n"
    "`btc run` has bpftrace's command line and exit statuses; `btc run --help` lists them.\n"
    "An artifact lists its own options with `ARTIFACT --help`.";

// Two habits of compilers that CLI11 does not know: -MD and -MF as words of their own, and everything behind `--` as one list
// (it would give the first word to FILE).
struct CommandLine {
  std::vector<std::string> words;    // reversed, as CLI11 takes them
  std::vector<std::string> behind;
};

CommandLine split(int argc, char** argv) {
  CommandLine line;
  int i = 1;
  for (; i < argc && strcmp(argv[i], "--") != 0; ++i) {
    bool make_rule = strcmp(argv[i], "-MD") == 0 || strcmp(argv[i], "-MF") == 0;
    line.words.insert(line.words.begin(), make_rule ? std::string("-") + argv[i] : argv[i]);
  }
  for (++i; i < argc; ++i) line.behind.emplace_back(argv[i]);
  return line;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[1], "run") == 0) return btc::run_command(argc - 1, argv + 1);

  CommandLine line = split(argc, argv);
  CLI::App app{"btc compiles bpftrace scripts ahead of time into standalone executables.", "btc"};
  app.footer(kFooter);
  app.set_version_flag("-V,--version", std::string("btc v") + btc::version());
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  btc::Action chosen;
  btc::add_compile(app, &chosen, line.behind);
  app.add_subcommand("run", "Compile and run a script at once, with bpftrace's command line");
  btc::add_check(app, &chosen);
  btc::add_fmt(app, &chosen);
  btc::add_inspect(app, &chosen);
  btc::add_machine(app, &chosen);
  btc::add_profile(app, &chosen);
  btc::add_explain(app, &chosen);
  btc::add_docs(app, &chosen);
  btc::add_flamegraph(app, &chosen);
  try {
    app.parse(line.words);
  } catch (const CLI::RequiredError& error) {
    if (!app.get_subcommands().empty()) return app.exit(error), btc::kExitUsage;  // of a command
    fprintf(stderr, "btc: %s%s%s; `btc --help` lists the commands\n", argc > 1 ? "no command '" : "a command is missing", argc > 1 ? argv[1] : "", argc > 1 ? "'" : "");
    return btc::kExitUsage;
  } catch (const CLI::ParseError& error) {
    int status = app.exit(error);
    return status == 0 ? btc::kExitOk : btc::kExitUsage;
  }
  return chosen ? chosen() : btc::kExitUsage;
}
