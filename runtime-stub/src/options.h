// The artifact's command line; the options are the rows of options.def.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime-stub/src/output/output.h"

namespace btc::rt {

enum class Option : uint8_t {
#define BTC_OPTION(Id, ...) Id,
#include "runtime-stub/src/options.def"
#undef BTC_OPTION
  kCount
};

struct Options {
  OutputOptions output;
  int verbose = 0;
  int pid = 0;                          // -p
  bool has_command = false;
  std::string command;                  // -c
  uint64_t duration_ms = 0, interval_ms = 0;  // --duration, --interval
  bool has_server = false;              // this stub can --listen
  std::string listen;
  bool dry_run = false, test = false, bench = false;
  bool list = false, doctor = false, help = false, version = false, info = false;
  std::string probe_filter;
  bool has_probe_filter = false;
  std::string traceable_functions;
  std::vector<std::string> no_features;
  std::vector<int> dwarf_pids;          // --dwarf-pid
  std::vector<std::string> positional;  // $1 ...
  std::vector<std::string> named;       // "name=value" or "name", after --
};

// False: `*error` says why (complete lines for stderr), exit with 1.
bool parse_options(int argc, char** argv, Options* out, std::string* error);
std::string help_text(const Options& options, std::string_view program, std::string_view script, std::string_view params);

}  // namespace btc::rt
