// Run-side config: environment over config block over default (config.def).
#pragma once

#include <string>

#include "runtime-stub/src/manifest_reader.h"

namespace btc::rt {

enum class MissingProbes : uint8_t { Error, Warn, Ignore };

struct Config {
#define RT_CONFIG(Member, Key, Default) std::string Member = Default;
#include "runtime-stub/src/config.def"
#undef RT_CONFIG

  MissingProbes missing() const;
  static bool as_bool(const std::string& text) { return text == "1" || text == "true" || text == "on" || text == "yes"; }
  static uint64_t as_number(const std::string& text);
};

// False: `*error` is a complete line for stderr.
bool read_config(const fb::Manifest& manifest, Config* out, std::string* error);

}  // namespace btc::rt
