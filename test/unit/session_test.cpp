// Two programs of a kprobe session made one: parts in order, calls still meeting their subprograms, records where the code went.
#include "runtime-stub/src/session_merge.h"

#include <gtest/gtest.h>

namespace btc::rt {
namespace {

constexpr bpf_insn kExit = {BPF_JMP | BPF_EXIT, 0, 0, 0, 0};
constexpr bpf_insn mov(int32_t value) { return {BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, value}; }
constexpr bpf_insn call(int32_t distance) { return {BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, distance}; }

// main: `before` moves, a call of the subprogram, exit; then the subprogram: mov mark, exit.
ProgramCode program(int before, int32_t mark) {
  ProgramCode code;
  for (int i = 0; i < before; ++i) code.insns.push_back(mov(i));
  code.insns.push_back(call(1));
  code.insns.push_back(kExit);
  auto sub = static_cast<uint32_t>(code.insns.size());
  code.insns.push_back(mov(mark));
  code.insns.push_back(kExit);
  code.functions = {{0, 1}, {sub, 2}};
  code.lines = {{0, 0, 0, 1 << 10}, {sub, 0, 0, 2 << 10}};
  return code;
}

uint32_t call_target(const ProgramCode& code, uint32_t insn) { return static_cast<uint32_t>(static_cast<int32_t>(insn) + code.insns[insn].imm + 1); }

TEST(Session, CallsMeetTheirSubprograms) {
  ProgramCode merged = merge_session(program(2, 100), program(5, 200), 77);
  ASSERT_EQ(merged.insns.size(), 6u + 6u + 9u);
  EXPECT_EQ(merged.insns[1].imm, 77);
  std::vector<int32_t> marks;
  for (uint32_t i = 0; i < merged.insns.size(); ++i)
    if (merged.insns[i].code == (BPF_JMP | BPF_CALL) && merged.insns[i].src_reg == BPF_PSEUDO_CALL) marks.push_back(merged.insns[call_target(merged, i)].imm);
  EXPECT_EQ(marks, (std::vector<int32_t>{100, 200}));
}

TEST(Session, ReturnJumpsToTheSecondPart) {
  ProgramCode merged = merge_session(program(2, 100), program(5, 200), 77);
  // `if r0 == 0 goto +1; gotol`: behind the jump lies the entry's part, its target is the return's.
  EXPECT_EQ(merged.insns[6].imm, 0);
  EXPECT_EQ(merged.insns[5].imm, 4);
  EXPECT_EQ(merged.insns[static_cast<size_t>(6 + merged.insns[5].imm)].imm, 0);
  EXPECT_EQ(merged.insns[static_cast<size_t>(6 + merged.insns[5].imm + 4)].imm, 4);
}

TEST(Session, RecordsAscend) {
  ProgramCode merged = merge_session(program(2, 100), program(5, 200), 77);
  ASSERT_EQ(merged.functions.size(), 3u);
  ASSERT_EQ(merged.lines.size(), 5u);
  for (size_t i = 1; i < merged.functions.size(); ++i) EXPECT_LT(merged.functions[i - 1].insn_off, merged.functions[i].insn_off);
  for (size_t i = 1; i < merged.lines.size(); ++i) EXPECT_LT(merged.lines[i - 1].insn_off, merged.lines[i].insn_off);
  for (size_t i = 1; i < merged.functions.size(); ++i) EXPECT_GE(merged.insns[merged.functions[i].insn_off].imm, 100);
}

}  // namespace
}  // namespace btc::rt
