#include "frontend/cimport/bpf_object.h"

#include <bpf/libbpf.h>
#include <elf.h>

#include <cstring>

namespace btc {
namespace {

template <typename T>
bool read_at(std::string_view bytes, uint64_t offset, T* out) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return false;
  std::memcpy(out, bytes.data() + offset, sizeof(T));
  return true;
}

// The NUL-terminated text at an offset of a string table.
std::string_view text_at(std::string_view table, uint64_t offset) {
  if (offset >= table.size()) return {};
  table.remove_prefix(offset);
  size_t end = table.find('\0');
  return end == std::string_view::npos ? std::string_view() : table.substr(0, end);
}

struct Section { std::string_view name, bytes; Elf64_Shdr header; };

std::string check_header(const Elf64_Ehdr& header) {
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return "not an ELF file";
  if (header.e_ident[EI_CLASS] != ELFCLASS64) return "not a 64-bit ELF file";
  if (header.e_ident[EI_DATA] != ELFDATA2LSB) return "its byte order is not the target's";
  if (header.e_machine != EM_BPF) return "not an object for BPF";
  if (header.e_type != ET_REL) return "not a relocatable object";
  return "";
}

bool read_sections(std::string_view bytes, const Elf64_Ehdr& header, std::vector<Section>* out) {
  for (uint32_t i = 0; i < header.e_shnum; ++i) {
    Section section{};
    if (header.e_shentsize != sizeof(Elf64_Shdr) || !read_at(bytes, header.e_shoff + uint64_t{i} * sizeof(Elf64_Shdr), &section.header)) return false;
    const Elf64_Shdr& h = section.header;
    if (h.sh_type != SHT_NOBITS) {
      if (h.sh_offset > bytes.size() || bytes.size() - h.sh_offset < h.sh_size) return false;
      section.bytes = bytes.substr(h.sh_offset, h.sh_size);
    }
    out->push_back(section);
  }
  if (header.e_shstrndx >= out->size()) return false;
  for (Section& section : *out) section.name = text_at((*out)[header.e_shstrndx].bytes, section.header.sh_name);
  return true;
}

// A '?' before the name says that the program is loaded only when somebody asks for it.
bool is_known_section(const std::string& section) {
  bpf_prog_type type;
  bpf_attach_type attach;
  return libbpf_prog_type_by_name(section.c_str() + section.starts_with('?'), &type, &attach) == 0;
}

bool read_symbols(const std::vector<Section>& sections, BpfObject* out) {
  for (const Section& table : sections) {
    if (table.header.sh_type != SHT_SYMTAB) continue;
    if (table.header.sh_link >= sections.size()) return false;
    std::string_view names = sections[table.header.sh_link].bytes;
    for (uint64_t at = sizeof(Elf64_Sym); at + sizeof(Elf64_Sym) <= table.bytes.size(); at += sizeof(Elf64_Sym)) {
      Elf64_Sym symbol;
      read_at(table.bytes, at, &symbol);
      unsigned kind = ELF64_ST_TYPE(symbol.st_info);
      BpfObject::Symbol entry;
      entry.name = text_at(names, symbol.st_name);
      if (kind == STT_SECTION || kind == STT_FILE || entry.name.empty()) continue;
      if (symbol.st_shndx != SHN_UNDEF) {
        if (symbol.st_shndx >= sections.size()) continue;   // absolute
        entry.section = sections[symbol.st_shndx].name;
      }
      entry.is_function = kind == STT_FUNC;
      entry.is_global = ELF64_ST_BIND(symbol.st_info) != STB_LOCAL;
      if (entry.section == ".maps") out->maps.push_back(entry.name);
      if (entry.is_function && entry.is_global && !entry.section.starts_with(".text") && !entry.section.empty()) 
        out->programs.push_back({entry.name, entry.section, is_known_section(entry.section)});
      out->symbols.push_back(std::move(entry));
    }
  }
  return true;
}

}  // namespace

bool read_bpf_object(std::string_view bytes, BpfObject* out, std::string* error) {
  Elf64_Ehdr header;
  std::vector<Section> sections;
  bool cut = false;
  if (!read_at(bytes, 0, &header)) *error = "not an ELF file";
  else if (std::string why = check_header(header); !why.empty()) *error = why;
  else cut = !read_sections(bytes, header, &sections) || !read_symbols(sections, out);
  if (cut) *error = "the file is cut or damaged";
  if (!error->empty()) return false;
  for (const Section& section : sections) {
    if (section.name == ".BTF") out->btf = section.bytes;
    if (section.name == "license") out->license_is_writable = (section.header.sh_flags & SHF_WRITE) != 0;
  }
  if (out->btf.empty()) *error = "it has no BTF: compile it with -g";
  return error->empty();
}

}  // namespace btc
