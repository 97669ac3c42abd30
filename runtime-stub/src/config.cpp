// Reads the run-side config; see config.h. A value that came from the compiler was checked there; values from the
// environment are checked here, with bpftrace's messages.
#include "runtime-stub/src/config.h"

#include <cstdlib>

namespace btc::rt {
namespace {

struct Row { std::string Config::*member; const char* key; const char* fallback; };
const Row kRows[] = {
#define RT_CONFIG(Member, Key, Default) {&Config::Member, Key, Default},
#include "runtime-stub/src/config.def"
#undef RT_CONFIG
};

std::string environment_name(std::string_view key) {
  std::string name = "BPFTRACE_";
  for (char c : key) name.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c);
  return name;
}

// By the look of the default: number, boolean, or text.
bool is_valid(const Row& row, std::string& value) {
  std::string_view fallback = row.fallback;
  if (fallback == "true" || fallback == "false") {
    for (char& c : value) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return Config::as_bool(value) || value == "0" || value == "false" || value == "off" || value == "no";
  }
  uint64_t number;
  if (!fallback.empty() && fallback[0] >= '0' && fallback[0] <= '9') return parse_u64(value, &number, 0);
  if (row.member == &Config::missing_probes) return value == "error" || value == "warn" || value == "ignore";
  return true;
}

}  // namespace

MissingProbes Config::missing() const {
  return missing_probes == "warn" ? MissingProbes::Warn : missing_probes == "ignore" ? MissingProbes::Ignore : MissingProbes::Error;
}

uint64_t Config::as_number(const std::string& text) {
  uint64_t value = 0;
  parse_u64(text, &value, 0);
  return value;
}

bool read_config(const fb::Manifest& manifest, Config* out, std::string* error) {
  for (const Row& row : kRows) {
    for (uint32_t i = 0; i < count_of(manifest.config()); ++i)
      if (text_of(manifest.config()->Get(i)->key()) == row.key) out->*row.member = text_of(manifest.config()->Get(i)->value());
    std::string name = environment_name(row.key);
    const char* given = ::getenv(name.c_str());
    if (given == nullptr) continue;
    std::string value = given;
    if (!is_valid(row, value)) {
      *error = cat("ERROR: ", name, ": invalid value: ", given, "\n");
      return false;
    }
    out->*row.member = value;
  }
  return true;
}

}  // namespace btc::rt
