// Checked reading of ELF files; see elf_image.h.
#include "runtime-stub/src/elf_image.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace btc::rt {

static bool fits(Bytes bytes, uint64_t offset, uint64_t size) { return offset <= bytes.size() && size <= bytes.size() - offset; }

bool ElfImage::widen() {
  Elf32_Ehdr narrow;
  if (bytes_.size() < sizeof narrow) return false;
  memcpy(&narrow, bytes_.data(), sizeof narrow);
  uint32_t sections = narrow.e_shentsize == sizeof(Elf32_Shdr) && fits(bytes_, narrow.e_shoff, uint64_t{narrow.e_shnum} * sizeof(Elf32_Shdr)) ? narrow.e_shnum : 0;
  uint32_t segments = narrow.e_phentsize == sizeof(Elf32_Phdr) && fits(bytes_, narrow.e_phoff, uint64_t{narrow.e_phnum} * sizeof(Elf32_Phdr)) ? narrow.e_phnum : 0;
  static_assert(sizeof(Elf64_Ehdr) % 8 == 0 && sizeof(Elf64_Shdr) % 8 == 0 && sizeof(Elf64_Phdr) % 8 == 0);
  wide_.resize((sizeof(Elf64_Ehdr) + sections * sizeof(Elf64_Shdr) + segments * sizeof(Elf64_Phdr)) / 8);
  auto* header = reinterpret_cast<Elf64_Ehdr*>(wide_.data());
  auto* wide_sections = reinterpret_cast<Elf64_Shdr*>(header + 1);
  auto* wide_segments = reinterpret_cast<Elf64_Phdr*>(wide_sections + sections);
  memcpy(header->e_ident, narrow.e_ident, EI_NIDENT);
  header->e_type = narrow.e_type;
  header->e_machine = narrow.e_machine;
  header->e_shstrndx = narrow.e_shstrndx;
  for (uint32_t i = 0; i < sections; ++i) {
    Elf32_Shdr s;
    memcpy(&s, bytes_.data() + narrow.e_shoff + i * sizeof s, sizeof s);
    wide_sections[i] = {s.sh_name, s.sh_type, s.sh_flags, s.sh_addr, s.sh_offset, s.sh_size, s.sh_link, s.sh_info, s.sh_addralign, s.sh_entsize};
  }
  for (uint32_t i = 0; i < segments; ++i) {
    Elf32_Phdr s;
    memcpy(&s, bytes_.data() + narrow.e_phoff + i * sizeof s, sizeof s);
    wide_segments[i] = {s.p_type, s.p_flags, s.p_offset, s.p_vaddr, s.p_paddr, s.p_filesz, s.p_memsz, s.p_align};
  }
  header_ = header;
  sections_ = wide_sections;
  section_count_ = sections;
  segments_ = {wide_segments, segments};
  return true;
}

ElfImage::ElfImage(Bytes bytes, ElfClass accepted) : bytes_(bytes) {
  if (bytes.size() < EI_NIDENT || memcmp(bytes.data(), ELFMAG, SELFMAG) != 0 || bytes[EI_DATA] != ELFDATA2LSB) return;
  if (bytes[EI_CLASS] == ELFCLASS32 && accepted == ElfClass::Any) {
    widen();
    return;
  }
  auto* header = reinterpret_cast<const Elf64_Ehdr*>(bytes.data());
  if (bytes[EI_CLASS] != ELFCLASS64 || bytes.size() < sizeof *header) return;
  header_ = header;
  if (header->e_phentsize == sizeof(Elf64_Phdr) && header->e_phoff % 8 == 0 && fits(bytes, header->e_phoff, uint64_t{header->e_phnum} * sizeof(Elf64_Phdr)))
    segments_ = {reinterpret_cast<const Elf64_Phdr*>(bytes.data() + header->e_phoff), header->e_phnum};
  if (header->e_shoff == 0 || header->e_shoff % 8 != 0 || header->e_shentsize != sizeof(Elf64_Shdr)) return;
  if (!fits(bytes, header->e_shoff, uint64_t{header->e_shnum} * sizeof(Elf64_Shdr))) return;
  sections_ = reinterpret_cast<const Elf64_Shdr*>(bytes.data() + header->e_shoff);
  section_count_ = header->e_shnum;
}

Elf64_Sym ElfImage::symbol_at(const uint8_t* data) const {
  if (is_64()) {
    Elf64_Sym symbol;
    memcpy(&symbol, data, sizeof symbol);
    return symbol;
  }
  Elf32_Sym s;
  memcpy(&s, data, sizeof s);
  return {s.st_name, s.st_info, s.st_other, s.st_shndx, s.st_value, s.st_size};
}

std::string_view ElfImage::string_at(Bytes table, uint32_t offset) {
  if (offset >= table.size()) return {};
  const char* text = reinterpret_cast<const char*>(table.data()) + offset;
  size_t size = strnlen(text, table.size() - offset);
  if (size == table.size() - offset) return {};
  return {text, size};
}

Bytes ElfImage::section_bytes(uint32_t index) const {
  if (index >= section_count_) return {};
  const Elf64_Shdr& section = sections_[index];
  if (section.sh_type == SHT_NOBITS || !fits(bytes_, section.sh_offset, section.sh_size)) return {};
  return bytes_.subspan(section.sh_offset, section.sh_size);
}

std::string_view ElfImage::section_name(uint32_t index) const {
  return string_at(section_bytes(header_->e_shstrndx), sections_[index].sh_name);
}

int ElfImage::find_section(std::string_view name) const {
  for (uint32_t i = 1; i < section_count_; ++i)
    if (section_name(i) == name) return static_cast<int>(i);
  return -1;
}

int ElfImage::find_section_type(uint32_t type) const {
  for (uint32_t i = 1; i < section_count_; ++i)
    if (sections_[i].sh_type == type) return static_cast<int>(i);
  return -1;
}

bool ElfImage::file_offset(uint64_t address, uint64_t* offset) const {
  for (const Elf64_Phdr& segment : segments())
    if (segment.p_type == PT_LOAD && address >= segment.p_vaddr && address - segment.p_vaddr < segment.p_filesz) {
      *offset = address - segment.p_vaddr + segment.p_offset;
      return true;
    }
  return false;
}

bool ElfImage::address_of(uint64_t offset, uint64_t* address) const {
  for (const Elf64_Phdr& segment : segments())
    if (segment.p_type == PT_LOAD && offset >= segment.p_offset && offset - segment.p_offset < segment.p_filesz) {
      *address = offset - segment.p_offset + segment.p_vaddr;
      return true;
    }
  return false;
}

Bytes ElfImage::symbol_versions(uint32_t section) const {
  for (uint32_t i = 1; i < section_count_; ++i)
    if (sections_[i].sh_type == SHT_GNU_versym && sections_[i].sh_link == section) return section_bytes(i);
  return {};
}

std::string hex_text(Bytes bytes) {
  std::string text;
  for (uint8_t byte : bytes) { text.push_back("0123456789abcdef"[byte >> 4]); text.push_back("0123456789abcdef"[byte & 15]); }
  return text;
}

Bytes ElfImage::build_id() const {
  int index = find_section(".note.gnu.build-id");
  if (index < 0) return {};
  Bytes note = section_bytes(static_cast<uint32_t>(index));
  if (note.size() < 16) return {};
  uint32_t name_size, size;
  memcpy(&name_size, note.data(), 4);
  memcpy(&size, note.data() + 4, 4);
  uint64_t at = 12 + (uint64_t{name_size} + 3) / 4 * 4;
  return fits(note, at, size) ? note.subspan(at, size) : Bytes{};
}

bool MappedFile::open(const char* path) {
  int fd = ::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return false;
  struct stat info {};
  void* memory = MAP_FAILED;
  if (::fstat(fd, &info) == 0) {
    bool usable = S_ISREG(info.st_mode) && info.st_size != 0;
    if (usable) memory = ::mmap(nullptr, static_cast<size_t>(info.st_size), PROT_READ, MAP_PRIVATE, fd, 0);
    else errno = EINVAL;
  }
  int error = errno;
  ::close(fd);
  errno = error;
  if (memory == MAP_FAILED) return false;
  bytes_ = {static_cast<const uint8_t*>(memory), static_cast<size_t>(info.st_size)};
  return true;
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<uint8_t*>(bytes_.data()), bytes_.size());
}

}  // namespace btc::rt
