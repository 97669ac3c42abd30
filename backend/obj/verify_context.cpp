// Checks finished code for accesses through a changed context pointer.
//
// The kernel allows `*(ctx + constant)` in one instruction only. Whether LLVM
// folded every access that far cannot be said before code generation, so it is
// looked up afterwards: a data-flow over registers and stack slots of each
// program with three values, joined upwards:
//
//   Other < Context < Changed (context plus something)
#include "backend/obj/verify_context.h"

#include <algorithm>
#include <array>
#include <map>

namespace btc::backend {

namespace {

enum Holds : uint8_t { Other, Context, Changed };

struct State {
  std::array<Holds, 11> regs{};
  std::map<int16_t, Holds> stack;      // spilled pointers by frame offset
  bool reached = false;
  // True if something went up.
  bool join(const State& from) {
    bool grew = !reached;
    reached = true;
    for (size_t i = 0; i < regs.size(); ++i) {
      if (from.regs[i] > regs[i]) { regs[i] = from.regs[i]; grew = true; }
    }
    for (const auto& [slot, holds] : from.stack) {
      Holds& known = stack[slot];
      if (holds > known) { known = holds; grew = true; }
    }
    return grew;
  }
};

enum : uint8_t { kLd = 0, kLdx = 1, kSt = 2, kStx = 3, kAlu = 4, kJmp = 5, kJmp32 = 6, kAlu64 = 7 };
constexpr uint8_t kFramePointer = 10, kMovX = 0xbf, kCall = 0x85, kExit = 0x95, kJa = 0x05, kLddw = 0x18;

class Checker {
 public:
  Checker(const CodeSection& code, const CodeSection::Symbol& function, bool big_endian)
      : code_(code), function_(function), big_endian_(big_endian), states_(function.count) {}

  std::vector<uint32_t> run() {
    State start;
    start.regs[1] = Context;
    std::vector<uint32_t> work;
    flow(start, 0, work);
    while (!work.empty()) {
      uint32_t at = work.back();
      work.pop_back();
      step(at, work);
    }
    std::sort(bad_.begin(), bad_.end());
    bad_.erase(std::unique(bad_.begin(), bad_.end()), bad_.end());
    return bad_;
  }

  // After run().
  std::vector<ContextLoad> loads() const {
    std::vector<ContextLoad> found;
    for (uint32_t at = 0; at < function_.count; ++at) {
      const Insn& insn = code_.insns[function_.insn + at];
      if (states_[at].reached && (insn.code & 7) == kLdx && states_[at].regs[insn.src(big_endian_) % 11] == Context) found.push_back({at, insn.off});
    }
    return found;
  }

 private:
  void flow(const State& state, int64_t to, std::vector<uint32_t>& work) {
    if (to < 0 || to >= function_.count) return;
    if (states_[static_cast<size_t>(to)].join(state)) work.push_back(static_cast<uint32_t>(to));
  }

  void step(uint32_t at, std::vector<uint32_t>& work) {
    const Insn& insn = code_.insns[function_.insn + at];
    State state = states_[at];
    uint8_t dst = insn.dst(big_endian_) % 11, src = insn.src(big_endian_) % 11;
    int64_t next = at + 1;
    switch (insn.code & 7) {
      case kLd: state.regs[dst] = Other; next += insn.code == kLddw; break;
      case kLdx:
        if (state.regs[src] == Changed) bad_.push_back(at);
        state.regs[dst] = src == kFramePointer && state.stack.count(insn.off) ? state.stack[insn.off] : Other;
        break;
      case kSt:
      case kStx:
        if (state.regs[dst] == Changed) bad_.push_back(at);
        if (dst == kFramePointer) state.stack[insn.off] = (insn.code & 7) == kStx ? state.regs[src] : Other;
        break;
      case kAlu: state.regs[dst] = Other; break;
      case kAlu64: alu(insn, dst, src, state); break;
      default:
        if (insn.code == kExit) return;
        if (insn.code == kCall) {
          for (int i = 0; i <= 5; ++i) state.regs[static_cast<size_t>(i)] = Other;
          break;
        }
        flow(state, next + insn.off, work);
        if (insn.code == kJa) return;
    }
    flow(state, next, work);
  }

  void alu(const Insn& insn, uint8_t dst, uint8_t src, State& state) {
    bool by_register = (insn.code & 8) != 0;
    uint8_t operation = insn.code & 0xf0;
    if (insn.code == kMovX) { state.regs[dst] = state.regs[src]; return; }
    if (operation == 0xb0) { state.regs[dst] = Other; return; }                    // mov imm
    bool sum = operation == 0x00 || operation == 0x10;                             // add, sub
    bool context = state.regs[dst] != Other || (by_register && state.regs[src] != Other);
    state.regs[dst] = sum && context ? Changed : Other;
  }

  const CodeSection& code_;
  const CodeSection::Symbol& function_;
  bool big_endian_;
  std::vector<State> states_;
  std::vector<uint32_t> bad_;
};

}  // namespace

std::vector<ContextLoad> find_context_loads(const CodeSection& code, const CodeSection::Symbol& function, bool big_endian) {
  Checker checker(code, function, big_endian);
  checker.run();
  return checker.loads();
}

std::vector<ContextMisuse> find_context_misuse(const ObjectInfo& object) {
  std::vector<ContextMisuse> found;
  for (const CodeSection& code : object.sections) {
    if (code.name == ".text") continue;  // subprograms: their first argument is no context
    for (const CodeSection::Symbol& function : code.functions) {
      for (uint32_t insn : Checker(code, function, object.big_endian).run()) {
        ContextMisuse misuse{function.name, insn, "", 0, ""};
        for (const LineRecord& line : code.lines) {
          if (line.insn > function.insn + insn) break;
          misuse.file = line.file;
          misuse.line = line.line;
          misuse.text = line.text;
        }
        found.push_back(misuse);
      }
    }
  }
  return found;
}

}  // namespace btc::backend
