// Kernel symbols from /proc/kallsyms, read on first use.
//
// Kept compact: one block of text for all names and one sorted array of
// (address, name), about 20 bytes a symbol beside its name. Modules that are loaded later are
// found by reading again when an address does not lie in what is known.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace btc::rt {

class KernelSymbols {
 public:
  // "vfs_read" or "vfs_read+24"; unknown addresses: "0xffffffff81234567" ("0" for null).
  void append(std::string& out, uint64_t addr, bool offset);
  // Empty if unknown; `start` is the symbol's address.
  std::string_view find(uint64_t addr, uint64_t* start);

 private:
  struct Symbol {
    uint64_t addr;
    uint32_t name;           // offset in names_
    uint32_t order;          // line in the file: of aliases the last one wins
  };
  void load();
  bool loaded_ = false;
  std::string names_;        // NUL-terminated
  std::vector<Symbol> symbols_;
};

// An address without a name, as C++ streams print pointers: "0x1f", "0".
void append_address(std::string& out, uint64_t addr);

}  // namespace btc::rt
