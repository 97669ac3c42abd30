// Merging; see session_merge.h.
#include "runtime-stub/src/session_merge.h"

namespace btc::rt {
namespace {

constexpr uint8_t kMov = BPF_ALU64 | BPF_MOV | BPF_X, kCall = BPF_JMP | BPF_CALL, kLddw = BPF_LD | BPF_IMM | BPF_DW;
constexpr uint8_t kLongJump = BPF_JMP32 | BPF_JA;      // by `imm` (6.6)
constexpr uint8_t kPseudoFunc = 4;                     // BPF_PSEUDO_FUNC: the address of a callback

uint32_t main_size(const ProgramCode& code) {
  return code.functions.size() > 1 ? code.functions[1].insn_off : static_cast<uint32_t>(code.insns.size());
}

// Where the two parts of one program went.
struct Moved {
  uint32_t main, main_at, rest_at;
  uint32_t operator()(uint32_t insn) const { return insn < main ? main_at + insn : rest_at + (insn - main); }
};

// Jumps stay within their part; calls and addresses of subprograms cross it.
void copy_part(const ProgramCode& from, uint32_t begin, uint32_t end, const Moved& moved, std::vector<bpf_insn>* out) {
  for (uint32_t i = begin; i < end; ++i) {
    bpf_insn insn = from.insns[i];
    bool is_call = insn.code == kCall && insn.src_reg == BPF_PSEUDO_CALL, is_address = insn.code == kLddw && insn.src_reg == kPseudoFunc;
    if (is_call || is_address) {
      auto target = static_cast<uint32_t>(static_cast<int32_t>(i) + insn.imm + 1);
      insn.imm = static_cast<int32_t>(moved(target)) - static_cast<int32_t>(moved(i)) - 1;
    }
    out->push_back(insn);
    if (insn.code == kLddw && i + 1 < end) out->push_back(from.insns[++i]);
  }
}

// Records of one part, in the order of the new places.
template <typename Record>
void copy_records(const std::vector<Record>& from, bool of_main, const Moved& moved, std::vector<Record>* out) {
  for (Record record : from) {
    if ((record.insn_off < moved.main) != of_main) continue;
    record.insn_off = moved(record.insn_off);
    out->push_back(record);
  }
}

}  // namespace

ProgramCode merge_session(const ProgramCode& entry, const ProgramCode& exit, uint32_t is_return_btf_id) {
  uint32_t entry_main = main_size(entry), exit_main = main_size(exit);
  ProgramCode out;
  out.insns = {
    {kMov, 6, 1, 0, 0},
    {kCall, 0, BPF_PSEUDO_KFUNC_CALL, 0, static_cast<int32_t>(is_return_btf_id)},
    {BPF_ALU64 | BPF_AND | BPF_K, 0, 0, 0, 1},
    {kMov, 1, 6, 0, 0},
    {BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1, 0},
    {kLongJump, 0, 0, 0, static_cast<int32_t>(entry_main)},
  };
  auto start = static_cast<uint32_t>(out.insns.size());
  uint32_t rest = start + entry_main + exit_main;
  Moved entry_moved{entry_main, start, rest};
  Moved exit_moved{exit_main, start + entry_main, rest + static_cast<uint32_t>(entry.insns.size()) - entry_main};
  copy_part(entry, 0, entry_main, entry_moved, &out.insns);
  copy_part(exit, 0, exit_main, exit_moved, &out.insns);
  copy_part(entry, entry_main, static_cast<uint32_t>(entry.insns.size()), entry_moved, &out.insns);
  copy_part(exit, exit_main, static_cast<uint32_t>(exit.insns.size()), exit_moved, &out.insns);

  if (!entry.functions.empty()) {
    out.functions.push_back(entry.functions[0]);
    copy_records(entry.functions, false, entry_moved, &out.functions);
    copy_records(exit.functions, false, exit_moved, &out.functions);
  }
  if (!entry.lines.empty() && !exit.lines.empty()) {
    out.lines.push_back(entry.lines[0]);                // the kernel wants a line for the first instruction
    copy_records(entry.lines, true, entry_moved, &out.lines);
    copy_records(exit.lines, true, exit_moved, &out.lines);
    copy_records(entry.lines, false, entry_moved, &out.lines);
    copy_records(exit.lines, false, exit_moved, &out.lines);
  }
  return out;
}

}  // namespace btc::rt
