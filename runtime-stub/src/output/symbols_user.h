// User symbols: addresses in a process to names.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "runtime-stub/src/output/output.h"

namespace btc::rt {

class UserSymbols {
 public:
  UserSymbols();
  ~UserSymbols();
  void configure(const OutputOptions& options, Target* target);

  // "malloc", "malloc+18" with `offset`, "malloc+18 (/lib/libc.so.6)" with `module`; unknown addresses "0x55d0c0de",
  // with `module` followed by " ([unknown])". `probe` is the script's probe that saw the address.
  void append(std::string& out, uint64_t addr, int32_t pid, int32_t probe, bool offset, bool module);
  // A frame of a stack as whole lines, each begun by `prefix`: first the functions that were inlined there, then the one that has a
  // symbol. `is_call`: the address is where a call returns to, so the place of the call lies before it. Perf's form has the module, the
  // other one the place in the source.
  void append_frame(std::string& out, std::string_view prefix, uint64_t addr, int32_t pid, int32_t probe, bool is_call, bool perf);
  // Reads the process's mappings now, for when it will be gone.
  void note_process(int32_t pid);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace btc::rt
