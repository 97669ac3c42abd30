// kprobe sessions (6.10): one program, attached by one link, runs at a
// function's entry and at its return. The script has two probes, so two
// programs; here they become one:
//
//   r6 = ctx; is_return = bpf_session_is_return() & 1; r1 = r6
//   if is_return goto B
//   A: main part of the entry's program
//   B: main part of the return's program
//   subprograms of A, subprograms of B
//
// Which probes are joined: session.h. Pure: no system calls.
#pragma once

#include <cstdint>
#include <linux/bpf.h>
#include <vector>

namespace btc::rt {

// A program ready to load: instructions, main part first, with its records of functions and lines (instruction offsets count from
// 0, ascending).
struct ProgramCode {
  std::vector<bpf_insn> insns;
  std::vector<bpf_func_info> functions;
  std::vector<bpf_line_info> lines;
};

ProgramCode merge_session(const ProgramCode& entry, const ProgramCode& exit, uint32_t is_return_btf_id);

}  // namespace btc::rt
