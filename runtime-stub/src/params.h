// Values of the script's parameters: $1 ... and getopt's, from the command line.
#pragma once

#include <string>
#include <vector>

#include "runtime-stub/src/manifest_reader.h"
#include "runtime-stub/src/options.h"

namespace btc::rt {

struct ParamValue {
  int64_t number = 0;
  std::string text;
};

// One value per row of Manifest.params. False: `*error` holds complete lines for stderr, exit with 1.
bool bind_params(const fb::Manifest& manifest, const Options& options, std::vector<ParamValue>* out, std::string* error);
std::string describe_params(const fb::Manifest& manifest);   // for --help

}  // namespace btc::rt
