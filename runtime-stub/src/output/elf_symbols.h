// The symbols of one ELF file, as a compact sorted table.
//
// Functions and objects of .symtab and .dynsym, completed by the separate debug file (build id or debug link) if
// there is one. Files come from other people's processes: every offset is checked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace btc::rt {

class SourceLines;

class ElfSymbols {
 public:
  // Reads the file `open_path`, which its process knows as `path`. Debug files are searched below `root` ("" or where that process' file tree
  // can be reached). False: not an ELF file.
  // With `lines` also opens what says the file's source lines, in it or in its debug file.
  bool load(const std::string& open_path, const std::string& path, const std::string& root, SourceLines* lines = nullptr,
            const std::vector<std::string>& debug_dirs = {});
  // Reads an image in memory (the vdso).
  bool load_image(const uint8_t* image, size_t size);

  // Address as the file's symbols count it, of byte `offset` of the file. False: not part of a loaded segment.
  bool vaddr_of(uint64_t offset, uint64_t* vaddr) const;
  // The symbol that covers `vaddr`; empty if none does.
  std::string_view find(uint64_t vaddr, uint64_t* start) const;
  bool is_fixed() const { return fixed_; }       // ET_EXEC: addresses in the process are those of the file
  size_t count() const { return symbols_.size(); }

 private:
  friend class ElfReader;
  struct Segment { uint64_t offset, vaddr, size; };
  struct Symbol {
    uint64_t addr;
    uint32_t size;
    uint32_t name;           // offset in names_
    uint8_t rank;            // of several symbols at an address the lowest rank is shown
  };
  void finish();
  const char* name(const Symbol& symbol) const { return names_.c_str() + symbol.name; }

  bool fixed_ = false;
  std::vector<Segment> segments_;
  std::vector<Symbol> symbols_;
  std::string names_;
};

}  // namespace btc::rt
