// Lengths of x86 instructions, so that a uprobe inside one is noticed before the kernel writes a breakpoint there.
//
// Only lengths: no operands, no meaning. Knows prefixes, the opcode maps of both modes, VEX, EVEX, XOP and 3DNow!; left out are
// 16-bit mode, APX and extrq and insertq of SSE4a. Bytes that are no instruction have length 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace btc::rt {

// Of the instruction that `code` begins with; 0 if it is not known or not whole. `is_64`: of a 64-bit program.
size_t x86_length(std::span<const uint8_t> code, bool is_64);

enum class Boundary : uint8_t { Begins, Inside, Unknown };
// Whether an instruction begins at `offset`, going through `function` from its first byte.
Boundary x86_boundary(std::span<const uint8_t> function, uint64_t offset, bool is_64);

}  // namespace btc::rt
