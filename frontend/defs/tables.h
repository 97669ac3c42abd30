// Enumerations and row structs of the language tables (builtins, functions,
// config, map kinds). The rows live in the .def files beside this header; the
// probe table lives in runtime-stub/abi/probes.def, shared with the runtime.
#pragma once

#include <cstdint>
#include <string_view>

namespace btc {

// Which probe types a builtin or function may be used in.
enum ProbeSet : uint32_t {
#define BTC_PROBE(Kind, Bit, ...) kIn##Kind = 1u << Bit,
#include "runtime-stub/abi/probes.def"
#undef BTC_PROBE
  kInAny = 0xffffffffu,
  kInRegs = kInKprobe | kInKretprobe | kInUprobe | kInUretprobe | kInUsdt | kInProfile | kInInterval | kInSoftware | kInHardware | kInWatchpoint,
};

enum class Stability : uint8_t { Stable /* one value per program invocation */, Volatile };

enum class Builtin : uint16_t {
#define BTC_BUILTIN(Enum, ...) Enum,
#include "frontend/defs/builtins.def"
#undef BTC_BUILTIN
  kCount
};
struct BuiltinInfo {
  Builtin id;
  const char* name;
  const char* type;       // type text as TypeTable::parse_text reads it; "special" = computed by sema
  Stability stability;
  uint32_t probes;        // ProbeSet
  bool pending;
  const char* doc;
};
const BuiltinInfo& builtin_info(Builtin id);
const BuiltinInfo* find_builtin(std::string_view name);  // "arg3" is not here: see sema/resolve_names

enum class Phase : uint8_t {
  Kernel,       // computed in the BPF program
  Async,        // an event the runtime handles
  Compile,      // folded by the compiler
  Macro,        // a macro of frontend/sema/prelude.cpp, expanded by sema
  MapOperator,  // only as the right side of a map assignment: count() hist() ...
};
enum FuncFlag : uint32_t {
  kFuncNone = 0,
  kFuncUnsafe = 1u << 0,    // needs --unsafe
  kFuncNoReturn = 1u << 1,  // ends the probe: exit()
  kFuncDiscardWarn = 1u << 2,  // an unused result is worth a warning
  kFuncPending = 1u << 3,
};

enum class Function : uint16_t {
#define BTC_FUNC(Enum, ...) Enum,
#include "frontend/defs/functions.def"
#undef BTC_FUNC
  kCount
};
struct FunctionInfo {
  Function id;
  const char* name;
  const char* signature;
  Phase phase;
  uint32_t probes;   // ProbeSet
  uint32_t flags;    // FuncFlag
  const char* doc;
  const char* example;
};
const FunctionInfo& function_info(Function id);
const FunctionInfo* find_function(std::string_view name);

enum class ConfigKey : uint8_t {
#define BTC_CONFIG(Enum, ...) Enum,
#include "frontend/defs/config.def"
#undef BTC_CONFIG
  kCount
};
enum class ConfigType : uint8_t { Bool, Uint, String, Choice };
enum class ConfigSide : uint8_t { Compile, Run, Both };  // Run keys travel in the manifest and obey the target's environment
struct ConfigInfo {
  ConfigKey id;
  const char* key;          // "max_strlen"; environment: BPFTRACE_MAX_STRLEN
  ConfigType type;
  const char* default_value;
  const char* choices;      // "a|b|c" for Choice
  ConfigSide side;
  const char* doc;
};
const ConfigInfo& config_info(ConfigKey id);
const ConfigInfo* find_config(std::string_view key);  // any case, optional BPFTRACE_ prefix

}  // namespace btc
