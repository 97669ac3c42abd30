// The table of handlers, in the order of functions.def.
#include "lower/build/calls.h"

namespace btc::lower {
namespace {

#define BTC_CALL_Kernel(Enum) &lower_call_##Enum,
#define BTC_CALL_Async(Enum) BTC_CALL_Kernel(Enum)
#define BTC_CALL_MapOperator(Enum) BTC_CALL_Kernel(Enum)
#define BTC_CALL_Compile(Enum) nullptr,
#define BTC_CALL_Macro(Enum) nullptr,
#define BTC_FUNC(Enum, Name, Signature, Phase, ...) BTC_CALL_##Phase(Enum)
constexpr CallHandler kHandlers[] = {
#include "frontend/defs/functions.def"
};
#undef BTC_FUNC

}  // namespace

CallHandler call_handler(Function function) { return kHandlers[static_cast<size_t>(function)]; }

}  // namespace btc::lower
