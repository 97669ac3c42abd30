#include "runtime-stub/abi/artifact.h"

#include <elf.h>

#include <cstring>

#include "runtime-stub/abi/abi.h"

namespace btc::abi {
namespace {

void fail(std::string* error, const char* text) {
  if (error != nullptr) *error = text;
}

// True if [offset, offset + length) lies in the file.
bool inside(Bytes file, uint64_t offset, uint64_t length) { return offset <= file.size && length <= file.size - offset; }

// Headers are copied out: nothing promises that they are aligned.
bool read_section_header(Bytes file, const Elf64_Ehdr& header, uint64_t index, Elf64_Shdr* out) {
  uint64_t offset = header.e_shoff + index * sizeof(Elf64_Shdr);
  if (offset < header.e_shoff || !inside(file, offset, sizeof *out)) return false;
  memcpy(out, file.data + offset, sizeof *out);
  return true;
}

bool read_elf_header(Bytes file, Elf64_Ehdr* header, std::string* error) {
  if (file.size < sizeof *header || memcmp(file.data, ELFMAG, SELFMAG) != 0) {
    fail(error, "not an ELF file");
    return false;
  }
  memcpy(header, file.data, sizeof *header);
  if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB) {
    fail(error, "not a 64-bit little-endian ELF file");
    return false;
  }
  if (header->e_shentsize != sizeof(Elf64_Shdr) || header->e_shnum == 0 || header->e_shstrndx >= header->e_shnum ||
      !inside(file, header->e_shoff, uint64_t{header->e_shnum} * sizeof(Elf64_Shdr))) {
    fail(error, "the file is damaged or cut short: its section headers are missing");
    return false;
  }
  return true;
}

}  // namespace

Bytes find_section(Bytes file, const char* name, std::string* error) {
  Elf64_Ehdr header;
  if (!read_elf_header(file, &header, error)) return {};
  Elf64_Shdr strings;
  if (!read_section_header(file, header, header.e_shstrndx, &strings) || !inside(file, strings.sh_offset, strings.sh_size)) {
    fail(error, "the file is damaged: its section names are missing");
    return {};
  }
  size_t length = strlen(name) + 1;
  for (uint64_t i = 0; i < header.e_shnum; ++i) {
    Elf64_Shdr section;
    if (!read_section_header(file, header, i, &section)) break;
    if (section.sh_name > strings.sh_size || length > strings.sh_size - section.sh_name) continue;
    if (memcmp(file.data + strings.sh_offset + section.sh_name, name, length) != 0) continue;
    if (section.sh_type == SHT_NOBITS || !inside(file, section.sh_offset, section.sh_size)) {
      fail(error, "the file is damaged or cut short");
      return {};
    }
    return {file.data + section.sh_offset, section.sh_size};
  }
  return {};
}

bool open_artifact(Bytes file, ArtifactView* out, std::string* error) {
  std::string damage;
  Bytes object = find_section(file, kObjectSection, &damage);
  if (!damage.empty()) return fail(error, damage.c_str()), false;
  if (!object) object = file;
  Bytes manifest = find_section(object, kManifestSection, &damage);
  if (!damage.empty()) return fail(error, damage.c_str()), false;
  if (!manifest) return fail(error, "not made by btc: it has no manifest"), false;
  flatbuffers::Verifier verifier(manifest.data, manifest.size, 64, 10'000'000);
  if (!fb::VerifyManifestBuffer(verifier)) return fail(error, "the manifest is damaged"), false;
  const fb::Manifest* m = fb::GetManifest(manifest.data);
  if (m->version() != kManifestVersion) {
    if (error != nullptr)
      *error = "made by another version of btc: manifest version " + std::to_string(m->version()) + ", this one reads " +
               std::to_string(kManifestVersion);
    return false;
  }
  out->object = object;
  out->manifest = m;
  return true;
}

}  // namespace btc::abi
