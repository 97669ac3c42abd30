// btc flamegraph: draws stacks that an artifact wrote with -f folded or -f json.
#include <cstdio>

#include "driver/commands.h"
#include "driver/files.h"
#include "driver/flamegraph.h"

namespace btc {
namespace {

int flamegraph_main(const std::string& file, const std::string& out, const FlameGraphOptions& options) {
  std::string text, error;
  if (!read_file(file, &text, &error)) {
    fprintf(stderr, "ERROR: failed to open file '%s': %s\n", file.c_str(), error.c_str());
    return kExitError;
  }
  std::vector<FoldedStack> stacks;
  if (!read_stacks(text, &stacks, &error)) {
    fprintf(stderr, "ERROR: %s: %s\n", file.c_str(), error.c_str());
    return kExitError;
  }
  if (stacks.empty()) fprintf(stderr, "WARNING: %s holds no stacks; record them with -f folded or -f json\n", file.c_str());
  if (write_file(out, draw_flame_graph(stacks, options), false, &error)) return kExitOk;
  fprintf(stderr, "ERROR: failed to write '%s': %s\n", out.c_str(), error.c_str());
  return kExitError;
}

}  // namespace

void add_flamegraph(CLI::App& app, Action* chosen) {
  struct Args { std::string file, out = "-"; FlameGraphOptions options; };
  auto args = std::make_shared<Args>();
  CLI::App* command = app.add_subcommand("flamegraph", "Draw stacks as a clickable SVG");
  command->add_option("file", args->file, "Output of -f folded or -f json; - for standard input")->required()->type_name("FILE");
  command->add_option("-o,--output", args->out, "SVG file to write (default: standard output)")->type_name("FILE");
  command->add_option("--title", args->options.title, "Title of the drawing")->type_name("TEXT");
  command->add_option("--width", args->options.width, "Width in pixels")->check(CLI::Range(200, 20000));
  command->add_flag("--inverted", args->options.inverted, "Outermost functions on top");
  command->callback([args, chosen] { *chosen = [args] { return flamegraph_main(args->file, args->out, args->options); }; });
}

}  // namespace btc
