// Kernel symbols; see symbols_kernel.h.
#include "runtime-stub/src/output/symbols_kernel.h"

#include <algorithm>

#include "runtime-stub/src/output/append.h"
#include "runtime-stub/src/output/files.h"

namespace btc::rt {

void append_address(std::string& out, uint64_t addr) {
  if (addr) out += "0x";
  append_hex(out, addr);
}

// Data and per-CPU offsets cannot be on a stack, and would name addresses between functions.
static bool is_code(char type) { return type == 't' || type == 'T' || type == 'w' || type == 'W' || type == 'i'; }

void KernelSymbols::load() {
  loaded_ = true;
  std::string text;
  if (!read_file("/proc/kallsyms", &text)) return;
  symbols_.clear();
  names_.clear();
  // "ffffffff81000000 T _stext" or "ffffffffc0000000 t func\t[module]"
  for (std::string_view line : Lines(text)) {
    uint64_t addr = 0;
    std::string_view word = next_word(&line);
    if (!parse_hex(word, &addr) || addr == 0) continue;  // 0: kptr_restrict hides addresses
    std::string_view type = next_word(&line), name = next_word(&line);
    if (type.empty() || !is_code(type[0]) || name.empty()) continue;
    symbols_.push_back({addr, static_cast<uint32_t>(names_.size()), static_cast<uint32_t>(symbols_.size())});
    names_.append(name);
    names_ += '\0';
  }
  std::sort(symbols_.begin(), symbols_.end(), [](const Symbol& a, const Symbol& b) { return a.addr != b.addr ? a.addr < b.addr : a.order < b.order; });
  symbols_.shrink_to_fit();
  names_.shrink_to_fit();
}

std::string_view KernelSymbols::find(uint64_t addr, uint64_t* start) {
  if (!loaded_) load();
  auto above = std::upper_bound(symbols_.begin(), symbols_.end(), addr, [](uint64_t value, const Symbol& symbol) { return value < symbol.addr; });
  if (above == symbols_.begin()) return {};
  const Symbol& symbol = *(above - 1);
  *start = symbol.addr;
  return names_.c_str() + symbol.name;
}

void KernelSymbols::append(std::string& out, uint64_t addr, bool offset) {
  uint64_t start = 0;
  std::string_view name = find(addr, &start);
  if (name.empty()) return append_address(out, addr);
  out += name;
  if (!offset) return;
  out += '+';
  append_dec(out, addr - start);
}

}  // namespace btc::rt
