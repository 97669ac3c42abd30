// One handler per function that reaches `lower`, declared from the table: a row without its handler does not link.
//
// What the arguments look like is said in frontend/sema/typed_tree.md.
#pragma once

#include "lower/build/body.h"

namespace btc::lower {

// Where a call's result goes.
struct CallTarget {
  Memory to;                       // result types that are larger than a register
  uint32_t map = 0;                // map operators: the map ...
  ir::ValueId key = ir::kNoValue;  // ... and the key's address
};

// The result as i64 if its type is a scalar, else kNoValue.
using CallHandler = ir::ValueId (*)(Body&, const ast::Call&, const CallTarget&);

// Rows of phase Compile and Macro never get here.
#define BTC_CALL_Kernel(Enum) ir::ValueId lower_call_##Enum(Body& body, const ast::Call& call, const CallTarget& target);
#define BTC_CALL_Async(Enum) BTC_CALL_Kernel(Enum)
#define BTC_CALL_MapOperator(Enum) BTC_CALL_Kernel(Enum)
#define BTC_CALL_Compile(Enum)
#define BTC_CALL_Macro(Enum)
#define BTC_FUNC(Enum, Name, Signature, Phase, ...) BTC_CALL_##Phase(Enum)
#include "frontend/defs/functions.def"
#undef BTC_FUNC
#undef BTC_CALL_Kernel
#undef BTC_CALL_Async
#undef BTC_CALL_MapOperator
#undef BTC_CALL_Compile
#undef BTC_CALL_Macro

CallHandler call_handler(Function function);  // null for rows of phase Compile and Macro

}  // namespace btc::lower
