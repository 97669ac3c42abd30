// A little-endian ELF file in memory, read without trusting it.
//
// Used for the artifact's own object and for the programs and libraries that
// are traced. Every offset and count is checked against the image; what does
// not fit reads as absent. 32-bit files are refused (`ok()` is false) unless
// the reader says that it knows them; their tables are shown in the 64-bit form.
#pragma once

#include <cstdint>
#include <elf.h>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime-stub/src/support.h"

namespace btc::rt {

using Bytes = std::span<const uint8_t>;

enum class ElfClass : uint8_t { Only64, Any };

class ElfImage {
 public:
  ElfImage() = default;
  explicit ElfImage(Bytes bytes, ElfClass accepted = ElfClass::Only64);
  ElfImage(ElfImage&&) = default;
  ElfImage& operator=(ElfImage&&) = default;

  bool ok() const { return header_ != nullptr; }
  const Elf64_Ehdr& header() const { return *header_; }
  bool is_64() const { return wide_.empty(); }
  Bytes bytes() const { return bytes_; }
  uint32_t section_count() const { return section_count_; }
  const Elf64_Shdr& section(uint32_t index) const { return sections_[index]; }
  std::string_view section_name(uint32_t index) const;
  int find_section(std::string_view name) const;             // index or -1
  int find_section_type(uint32_t type) const;
  Bytes section_bytes(uint32_t index) const;                 // empty for NOBITS and for what lies outside
  std::span<const Elf64_Phdr> segments() const { return segments_; }

  // File offset of a virtual address inside a loaded segment; false if it is in none.
  bool file_offset(uint64_t address, uint64_t* offset) const;
  bool address_of(uint64_t offset, uint64_t* address) const;   // the other way round
  bool is_position_independent() const { return header_->e_type == ET_DYN; }

  // fn(name, symbol) for every symbol of a symbol table section; stops when it returns false.
  template <typename Fn>
  void for_each_symbol(uint32_t section, Fn&& fn) const {
    Bytes table = section_bytes(section);
    if (sections_[section].sh_link >= section_count_) return;
    Bytes names = section_bytes(sections_[section].sh_link);
    for (size_t size = is_64() ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym); table.size() >= size; table = table.subspan(size)) {
      Elf64_Sym symbol = symbol_at(table.data());
      if (!fn(string_at(names, symbol.st_name), symbol)) return;
    }
  }
  static std::string_view string_at(Bytes table, uint32_t offset);  // "" if outside or unterminated

  // By symbol of a .dynsym section two bytes that tell its version (.gnu.version); empty if the file has none.
  Bytes symbol_versions(uint32_t section) const;

  // The build id note's bytes, or empty.
  Bytes build_id() const;

 private:
  bool widen();
  Elf64_Sym symbol_at(const uint8_t* data) const;
  Bytes bytes_;
  std::vector<uint64_t> wide_;                 // of a 32-bit file: header, sections and segments, which the pointers point to
  const Elf64_Ehdr* header_ = nullptr;
  const Elf64_Shdr* sections_ = nullptr;
  std::span<const Elf64_Phdr> segments_;
  uint32_t section_count_ = 0;
};

std::string hex_text(Bytes bytes);                           // "0a1b"

// A file mapped into memory, read-only.
class MappedFile {
 public:
  MappedFile() = default;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  MappedFile& operator=(MappedFile&& other) {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~MappedFile();
  bool open(const char* path);                               // false with errno
  Bytes bytes() const { return bytes_; }

 private:
  Bytes bytes_;
};

}  // namespace btc::rt
