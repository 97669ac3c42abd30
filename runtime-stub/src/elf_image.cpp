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

ElfImage::ElfImage(Bytes bytes) : bytes_(bytes) {
  if (bytes.size() < sizeof(Elf64_Ehdr)) return;
  auto* header = reinterpret_cast<const Elf64_Ehdr*>(bytes.data());
  if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64 ||
      header->e_ident[EI_DATA] != ELFDATA2LSB)
    return;
  header_ = header;
  if (header->e_shoff == 0 || header->e_shoff % 8 != 0 || header->e_shentsize != sizeof(Elf64_Shdr)) return;
  if (!fits(bytes, header->e_shoff, uint64_t{header->e_shnum} * sizeof(Elf64_Shdr))) return;
  sections_ = reinterpret_cast<const Elf64_Shdr*>(bytes.data() + header->e_shoff);
  section_count_ = header->e_shnum;
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

std::span<const Elf64_Phdr> ElfImage::segments() const {
  if (header_->e_phentsize != sizeof(Elf64_Phdr) || header_->e_phoff % 8 != 0 ||
      !fits(bytes_, header_->e_phoff, uint64_t{header_->e_phnum} * sizeof(Elf64_Phdr)))
    return {};
  return {reinterpret_cast<const Elf64_Phdr*>(bytes_.data() + header_->e_phoff), header_->e_phnum};
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
