// Source places of a program's addresses, from its DWARF: file and line, and the
// functions that the compiler inlined there.
//
// The file is mapped and read only where an address asks for it; which unit covers
// which addresses is learnt once. Sections compressed with zlib are unpacked.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace btc::rt {

struct SourceFrame {
  std::string_view name;     // of an inlined function, possibly mangled; empty: the function that holds the address
  std::string file;          // "" if unknown
  uint64_t line = 0;
};

class SourceLines {
 public:
  SourceLines();
  ~SourceLines();
  // False if the file has no debug information.
  bool open(const char* path);
  // Innermost first, the last is the function itself; empty if nothing is known of `vaddr`.
  const std::vector<SourceFrame>& find(uint64_t vaddr);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace btc::rt
