// The language tables as arrays, in row order, and their look-ups by name.
#include "frontend/defs/tables.h"

#include <cctype>
#include <string>

namespace btc {

static const BuiltinInfo kBuiltins[] = {
#define BTC_BUILTIN(Enum, Name, Type, Stab, Probes, Pending, Doc) \
  {Builtin::Enum, Name, Type, Stability::Stab, static_cast<uint32_t>(Probes), Pending, Doc},
#include "frontend/defs/builtins.def"
#undef BTC_BUILTIN
};

static const FunctionInfo kFunctions[] = {
#define BTC_FUNC(Enum, Name, Signature, Ph, Probes, Flags, Doc, Example) \
  {Function::Enum, Name, Signature, Phase::Ph, static_cast<uint32_t>(Probes), static_cast<uint32_t>(Flags), Doc, Example},
#include "frontend/defs/functions.def"
#undef BTC_FUNC
};

static const ConfigInfo kConfig[] = {
#define BTC_CONFIG(Enum, Key, Type, Default, Choices, Side, Doc) \
  {ConfigKey::Enum, Key, ConfigType::Type, Default, Choices, ConfigSide::Side, Doc},
#include "frontend/defs/config.def"
#undef BTC_CONFIG
};

const BuiltinInfo& builtin_info(Builtin id) { return kBuiltins[static_cast<size_t>(id)]; }
const FunctionInfo& function_info(Function id) { return kFunctions[static_cast<size_t>(id)]; }
const ConfigInfo& config_info(ConfigKey id) { return kConfig[static_cast<size_t>(id)]; }

const BuiltinInfo* find_builtin(std::string_view name) {
  if (name == "arg") return nullptr;  // only with a number behind it
  for (const BuiltinInfo& row : kBuiltins)
    if (name == row.name) return &row;
  return nullptr;
}

const FunctionInfo* find_function(std::string_view name) {
  for (const FunctionInfo& row : kFunctions)
    if (name == row.name) return &row;
  return nullptr;
}

const ConfigInfo* find_config(std::string_view key) {
  std::string lower;
  for (char c : key) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (lower.starts_with("bpftrace_")) lower.erase(0, 9);
  for (const ConfigInfo& row : kConfig)
    if (lower == row.key) return &row;
  return nullptr;
}

}  // namespace btc
