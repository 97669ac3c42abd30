// Options that compile and check share, and the way they become a CompileRequest.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

#include "driver/compile.h"

namespace btc {

struct ScriptOptions {
  std::vector<std::string> programs;   // -e
  std::string file;
  std::string profile;
  std::string diag_format = "text";
  std::vector<std::string> warnings;   // -W no-SLUG, -W error=SLUG
  std::vector<std::string> no_features;
  std::vector<std::string> program_copies;   // --program NAME=COPY
  CompileOptions compile;
  bool more_warnings = false;          // -k
  bool no_warnings = false;
};

void add_script_options(CLI::App& command, ScriptOptions* options);
// Reads the script into `request`. False: said on stderr, return kExitError (or kExitUsage if `*usage`).
bool make_request(const ScriptOptions& options, CompileRequest* request, bool* usage);
// Applies -W; false if a name is unknown (said on stderr).
bool apply_warnings(const ScriptOptions& options, DiagEngine& diags);
// Prints what was found to stderr in the chosen form.
void print_diagnostics(const DiagEngine& diags, const std::string& format);

}  // namespace btc
