// Words of the BIR text that come from enums: one table each, read by the printer and the parser.
#pragma once

#include <optional>
#include <string_view>

#include "lower/ir/ir.h"

namespace btc::ir {

inline constexpr const char* kEventNames[] = {
#define BTC_EVENT(Kind, Text, ...) Text,
#include "runtime-stub/abi/events.def"
#undef BTC_EVENT
};
inline constexpr const char* kErrorNames[] = {
#define BTC_RUNTIME_ERROR(Kind, ...) #Kind,
#include "runtime-stub/abi/runtime_errors.def"
#undef BTC_RUNTIME_ERROR
};
inline constexpr const char* kFactNames[] = {
#define BTC_FACT(Kind, ...) #Kind,
#include "runtime-stub/abi/facts.def"
#undef BTC_FACT
};
inline constexpr const char* kProbeNames[] = {
#define BTC_PROBE(Kind, Bit, Name, ...) Name,
#include "runtime-stub/abi/probes.def"
#undef BTC_PROBE
};
inline constexpr const char* kCoreNames[] = {"struct", "union", "int", "pointer", "array", "enum", "fwd", "void"};
inline constexpr const char* kMapNames[] = {"hash", "lruhash", "percpuhash", "percpulruhash", "array", "percpuarray"};
inline constexpr const char* kPlaceNames[] = {"", "stack", "scratch", "register"};
inline constexpr const char* kFunctionNames[] = {"program", "subprog", "callback"};
inline constexpr const char* kParamNames[] = {"int", "str", "bool", "uint"};
inline constexpr const char* kOriginNames[] = {"script", "kernel", "tracepoint", "func_args", "uprobe_args", "program"};

// Index of `word` in one of the tables above.
template <size_t N>
std::optional<size_t> find_name(const char* const (&names)[N], std::string_view word) {
  for (size_t i = 0; i < N; ++i) {
    if (word == names[i]) return i;
  }
  return std::nullopt;
}

}  // namespace btc::ir
