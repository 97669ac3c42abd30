// What a kernel function takes and gives on this machine, from its BTF: where
// each argument lies in a trampoline's context, and the shape of its type, which
// is compared with what the script was compiled for.
//
// A shape is "*file" for a pointer to struct or union file, "*" for any other
// pointer, "i4" for a number of 4 bytes (the compiler also
// asks for "i", a number of any size), "s16" for a structure by value.
// The compiler writes the same words (lower/build/builtins.cpp).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime-stub/src/kernel_btf.h"
#include "runtime-stub/src/manifest_reader.h"

namespace btc::rt {

struct Signature {
  struct Argument { std::string_view name; std::string shape; uint32_t slot; };
  std::vector<Argument> arguments;
  std::string result;                  // "" for void
  bool result_signed = false;
  uint32_t slots = 0;                  // 8-byte words of all arguments; the result lies behind them
};

// Of a FUNC, or of a typedef of a pointer to a prototype. `first`: parameters left out (the `void *` of raw tracepoints).
bool read_signature(const BtfFile& btf, uint32_t id, size_t first, Signature* out);

// Byte offset in the context of what the program knows as `name` ("$retval": the result). False if there is none.
bool argument_offset(const Signature& signature, std::string_view name, uint32_t* offset);

// Bits of a result that is a number; 64 for anything else.
uint32_t result_bits(const Signature& signature);

// Why a program with these arguments cannot run on the function; "" if it can.
std::string signature_problem(const fb::Program& program, const Signature& signature, std::string_view function);

}  // namespace btc::rt
