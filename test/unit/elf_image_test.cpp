// ELF files of both classes in memory: what is there is read, what is cut off or points outside is absent.
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime-stub/src/elf_image.h"

namespace btc::rt {
namespace {

struct Class32 { using Ehdr = Elf32_Ehdr; using Phdr = Elf32_Phdr; using Shdr = Elf32_Shdr; using Sym = Elf32_Sym; static constexpr uint8_t kClass = ELFCLASS32; };
struct Class64 { using Ehdr = Elf64_Ehdr; using Phdr = Elf64_Phdr; using Shdr = Elf64_Shdr; using Sym = Elf64_Sym; static constexpr uint8_t kClass = ELFCLASS64; };

// One loaded segment at 0x8000, one symbol "work" at 0x8010; sections: none, .symtab, .strtab.
template <typename C>
std::vector<uint8_t> make_image() {
  constexpr char kNames[] = "\0.symtab\0.strtab\0work";
  typename C::Ehdr header{};
  typename C::Phdr segment{};
  typename C::Shdr sections[3] = {};
  typename C::Sym symbol{};
  size_t names_at = sizeof header + sizeof segment + sizeof sections + 2 * sizeof symbol;
  memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = C::kClass;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_phoff = sizeof header;
  header.e_phnum = 1;
  header.e_phentsize = sizeof segment;
  header.e_shoff = sizeof header + sizeof segment;
  header.e_shnum = 3;
  header.e_shentsize = sizeof sections[0];
  header.e_shstrndx = 2;
  segment.p_type = PT_LOAD;
  segment.p_vaddr = 0x8000;
  segment.p_filesz = static_cast<decltype(segment.p_filesz)>(names_at + sizeof kNames);
  sections[1].sh_name = 1;
  sections[1].sh_type = SHT_SYMTAB;
  sections[1].sh_link = 2;
  sections[1].sh_offset = static_cast<decltype(sections[1].sh_offset)>(sizeof header + sizeof segment + sizeof sections);
  sections[1].sh_size = 2 * sizeof symbol;
  sections[2].sh_name = 9;
  sections[2].sh_type = SHT_STRTAB;
  sections[2].sh_offset = static_cast<decltype(sections[2].sh_offset)>(names_at);
  sections[2].sh_size = sizeof kNames;
  symbol.st_name = 17;
  symbol.st_value = 0x8010;
  symbol.st_size = 5;
  symbol.st_info = STT_FUNC;
  std::vector<uint8_t> image(names_at + sizeof kNames);
  uint8_t* to = image.data();
  auto put = [&](const void* from, size_t size) { memcpy(to, from, size); to += size; };
  put(&header, sizeof header);
  put(&segment, sizeof segment);
  put(sections, sizeof sections);
  to += sizeof symbol;                           // the first symbol is always empty
  put(&symbol, sizeof symbol);
  put(kNames, sizeof kNames);
  return image;
}

std::string described(const ElfImage& elf) {
  if (!elf.ok()) return "none";
  std::string text;
  int table = elf.find_section_type(SHT_SYMTAB);
  if (table > 0)
    elf.for_each_symbol(static_cast<uint32_t>(table), [&](std::string_view name, const Elf64_Sym& symbol) {
      uint64_t offset = 0, address = 0;
      if (elf.file_offset(symbol.st_value, &offset)) elf.address_of(offset, &address);
      text += std::string(name) + " " + std::to_string(symbol.st_value) + " " + std::to_string(symbol.st_size) + " at " + std::to_string(offset) + " is " + std::to_string(address) + "; ";
      return true;
    });
  return text + std::string(elf.section_count() > 1 ? elf.section_name(1) : "");
}

TEST(ElfImage, BothClassesReadTheSame) {
  constexpr const char* kExpected = " 0 0 at 0 is 0; work 32784 5 at 16 is 32784; .symtab";
  std::vector<uint8_t> wide = make_image<Class64>(), narrow = make_image<Class32>();
  EXPECT_EQ(described(ElfImage(wide)), kExpected);
  EXPECT_EQ(described(ElfImage(wide, ElfClass::Any)), kExpected);
  EXPECT_EQ(described(ElfImage(narrow, ElfClass::Any)), kExpected);
  EXPECT_EQ(described(ElfImage(narrow)), "none");
  EXPECT_TRUE(ElfImage(wide, ElfClass::Any).is_64());
  EXPECT_FALSE(ElfImage(narrow, ElfClass::Any).is_64());
  ElfImage moved;
  moved = ElfImage(narrow, ElfClass::Any);
  EXPECT_EQ(described(moved), kExpected);
}

TEST(ElfImage, CutAndChangedFilesAreNoDanger) {
  for (const std::vector<uint8_t>& whole : {make_image<Class32>(), make_image<Class64>()}) {
    for (size_t size = 0; size < whole.size(); ++size) described(ElfImage(Bytes(whole).first(size), ElfClass::Any));
    for (size_t at = 0; at < whole.size(); ++at) {
      std::vector<uint8_t> changed = whole;
      for (uint8_t byte : {0x01, 0x7f, 0xff}) {
        changed[at] = byte;
        described(ElfImage(changed, ElfClass::Any));
      }
    }
  }
}

}  // namespace
}  // namespace btc::rt
