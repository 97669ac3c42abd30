// Reading ELF symbol tables, 64 and 32 bits; see elf_symbols.h.
#include "runtime-stub/src/output/elf_symbols.h"

#include <algorithm>
#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime-stub/src/output/append.h"
#include "runtime-stub/src/output/source_lines.h"
#include "runtime-stub/src/output/types.h"
#include "runtime-stub/src/output/unxz.h"

namespace btc::rt {

static constexpr uint64_t kMaxTable = 1u << 28;   // bytes of one symbol or string table

namespace {
// Bytes of a file or of memory.
struct Source {
  int fd = -1;
  const uint8_t* image = nullptr;
  uint64_t size = 0;

  bool read(uint64_t offset, void* to, uint64_t bytes) const {
    if (offset > size || bytes > size - offset) return false;
    if (image) {
      std::memcpy(to, image + offset, bytes);
      return true;
    }
    auto at = static_cast<uint8_t*>(to);
    while (bytes) {
      ssize_t n = pread(fd, at, bytes, static_cast<off_t>(offset));
      if (n <= 0) return false;
      at += n, offset += static_cast<uint64_t>(n), bytes -= static_cast<uint64_t>(n);
    }
    return true;
  }
};
}  // namespace

// One pass over a file's headers; the class' width is a template parameter.
class ElfReader {
 public:
  ElfReader(Source source, ElfSymbols* out) : source_(source), out_(*out) {}
  bool read(bool with_segments) {
    uint8_t ident[EI_NIDENT];
    if (!source_.read(0, ident, sizeof ident) || std::memcmp(ident, ELFMAG, SELFMAG) != 0 || ident[EI_DATA] != ELFDATA2LSB) return false;
    if (ident[EI_CLASS] == ELFCLASS64) return read_class<Elf64_Ehdr, Elf64_Phdr, Elf64_Shdr, Elf64_Sym>(with_segments);
    if (ident[EI_CLASS] == ELFCLASS32) return read_class<Elf32_Ehdr, Elf32_Phdr, Elf32_Shdr, Elf32_Sym>(with_segments);
    return false;
  }
  const std::string& build_id() const { return build_id_; }    // lower-case hex
  const std::string& debug_link() const { return debug_link_; }
  const std::string& debug_data() const { return debug_data_; }   // .gnu_debugdata: a packed ELF file with symbols
  bool has_symtab() const { return has_symtab_; }

 private:
  template <typename Ehdr, typename Phdr, typename Shdr, typename Sym>
  bool read_class(bool with_segments) {
    Ehdr header;
    if (!source_.read(0, &header, sizeof header)) return false;
    if (with_segments) {
      out_.fixed_ = header.e_type == ET_EXEC;
      for (unsigned i = 0; i < header.e_phnum; i++) {
        Phdr segment;
        if (!source_.read(header.e_phoff + uint64_t{i} * sizeof segment, &segment, sizeof segment)) break;
        if (segment.p_type == PT_LOAD) out_.segments_.push_back({segment.p_offset, segment.p_vaddr, segment.p_filesz});
      }
    }
    std::vector<Shdr> sections(header.e_shnum);
    if (!source_.read(header.e_shoff, sections.data(), sections.size() * sizeof(Shdr))) return true;  // sections are optional
    std::string names;
    if (header.e_shstrndx < sections.size()) read_text(sections[header.e_shstrndx], &names);
    for (const Shdr& section : sections) {
      if (section.sh_type == SHT_NOTE) read_build_id(section);
      if (section.sh_type == SHT_PROGBITS && section.sh_name < names.size() && names.c_str() + section.sh_name == std::string_view(".gnu_debuglink")) {
        std::string link;
        if (read_text(section, &link)) debug_link_ = link.c_str();
      }
      if (section.sh_type == SHT_PROGBITS && section.sh_name < names.size() && names.c_str() + section.sh_name == std::string_view(".gnu_debugdata"))
        read_text(section, &debug_data_);
      if ((section.sh_type == SHT_SYMTAB || section.sh_type == SHT_DYNSYM) && section.sh_link < sections.size())
        read_symbols<Shdr, Sym>(section, sections[section.sh_link], sections);
    }
    return true;
  }

  template <typename Shdr>
  bool read_text(const Shdr& section, std::string* text) {
    if (section.sh_size > kMaxTable || section.sh_size > source_.size) return false;
    text->resize(section.sh_size);
    return source_.read(section.sh_offset, text->data(), text->size());
  }

  template <typename Shdr>
  void read_build_id(const Shdr& section) {
    std::string note;
    if (section.sh_size > 4096 || !read_text(section, &note) || note.size() < 16) return;
    auto header = read_as<Elf32_Nhdr>(reinterpret_cast<const uint8_t*>(note.data()));
    if (header.n_type != NT_GNU_BUILD_ID || header.n_namesz != 4 || header.n_descsz > note.size() - 16 || note.compare(12, 3, "GNU") != 0) return;
    build_id_.clear();
    for (uint32_t i = 0; i < header.n_descsz; i++) append_hex_byte(build_id_, static_cast<uint8_t>(note[16 + i]));
  }

  template <typename Shdr, typename Sym>
  void read_symbols(const Shdr& table, const Shdr& strings, const std::vector<Shdr>& sections) {
    std::string bytes, text;
    if (!read_text(table, &bytes) || !read_text(strings, &text)) return;
    if (out_.names_.size() + text.size() > UINT32_MAX) return;
    bool full = table.sh_type == SHT_SYMTAB;
    has_symtab_ |= full && bytes.size() > sizeof(Sym);
    size_t base = out_.names_.size();
    out_.names_ += text;
    out_.names_ += '\0';
    for (size_t at = 0; at + sizeof(Sym) <= bytes.size(); at += sizeof(Sym)) {
      auto symbol = read_as<Sym>(reinterpret_cast<const uint8_t*>(bytes.data()) + at);
      unsigned type = symbol.st_info & 0xf, bind = symbol.st_info >> 4;
      bool code = type == STT_FUNC || type == STT_GNU_IFUNC;
      if (symbol.st_shndx == SHN_UNDEF || symbol.st_name == 0 || symbol.st_name >= text.size()) continue;
      if (!code && type != STT_OBJECT && type != STT_NOTYPE) continue;
      uint64_t size = symbol.st_size;
      // A label without a size (assembly) reaches to the next symbol of its section; in .dynsym too much is missing to say that.
      if (size == 0 && (!full || !code || symbol.st_shndx >= sections.size())) continue;
      if (size == 0) size = sections[symbol.st_shndx].sh_addr + sections[symbol.st_shndx].sh_size - symbol.st_value;
      auto rank = static_cast<uint8_t>((code ? 0 : 4) + (bind == STB_LOCAL ? 1 : 0));
      bool guessed = symbol.st_size == 0;
      out_.symbols_.push_back({symbol.st_value, static_cast<uint32_t>(std::min<uint64_t>(size, UINT32_MAX)), static_cast<uint32_t>(base + symbol.st_name),
                               static_cast<uint8_t>(rank + (guessed ? 8 : 0))});
    }
  }

  Source source_;
  ElfSymbols& out_;
  std::string build_id_, debug_link_, debug_data_;
  bool has_symtab_ = false;
};

static int open_source(const std::string& path, Source* source) {
  source->fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat info;
  if (source->fd >= 0 && (fstat(source->fd, &info) != 0 || !S_ISREG(info.st_mode))) {
    ::close(source->fd);
    source->fd = -1;
  }
  if (source->fd >= 0) source->size = static_cast<uint64_t>(info.st_size);
  return source->fd;
}

bool ElfSymbols::load(const std::string& open_path, const std::string& path, const std::string& root, SourceLines* lines,
                      const std::vector<std::string>& debug_dirs) {
  Source source;
  if (open_source(open_path, &source) < 0) return false;
  ElfReader reader(source, this);
  bool good = reader.read(true);
  ::close(source.fd);
  if (!good) return false;
  bool wants_symbols = !reader.has_symtab(), wants_lines = lines != nullptr && !lines->open(open_path.c_str());
  if (wants_symbols || wants_lines) {
    // Debian and Fedora keep symbols of stripped files below /usr/lib/debug.
    std::vector<std::string> candidates;
    const std::string& id = reader.build_id();
    std::string id_file = id.size() > 2 ? "/.build-id/" + id.substr(0, 2) + "/" + id.substr(2) + ".debug" : "", link = reader.debug_link();
    if (link.find('/') != link.npos) link.clear();
    std::string folder = path.substr(0, path.rfind('/') + 1), name = link.empty() ? path.substr(folder.size()) + ".debug" : link;
    for (const std::string& dir : debug_dirs) {
      if (!id_file.empty()) candidates.push_back(dir + id_file);
      candidates.push_back(dir + "/" + name);
    }
    size_t given = candidates.size();                // the tracer's own directories; the others are the process's
    if (!id_file.empty()) candidates.push_back("/usr/lib/debug" + id_file);
    if (!link.empty())
      for (const std::string& where : {folder, folder + ".debug/", "/usr/lib/debug" + folder}) candidates.push_back(where + link);
    for (size_t i = given; i < candidates.size(); i++) candidates[i] = root + candidates[i];
    for (const std::string& candidate : candidates) {
      Source debug;
      if (open_source(candidate, &debug) < 0) continue;
      ElfReader debug_reader(debug, this);
      // A debug link may have been left behind by another version; the build id tells.
      ElfSymbols probe;
      ElfReader check(debug, &probe);
      bool same = check.read(false) && check.build_id() == id;
      if (same && wants_symbols) wants_symbols = !(debug_reader.read(false) && debug_reader.has_symtab());
      if (same && wants_lines) wants_lines = !lines->open(candidate.c_str());
      ::close(debug.fd);
      if (!wants_symbols && !wants_lines) break;
    }
  }
  if (wants_symbols && !reader.debug_data().empty()) {
    std::vector<uint8_t> unpacked;
    if (unpack_xz({reinterpret_cast<const uint8_t*>(reader.debug_data().data()), reader.debug_data().size()}, unpacked))
      ElfReader(Source{-1, unpacked.data(), unpacked.size()}, this).read(false);
  }
  finish();
  return true;
}

bool ElfSymbols::load_image(const uint8_t* image, size_t size) {
  Source source{-1, image, size};
  bool good = ElfReader(source, this).read(true);
  finish();
  return good;
}

// Sorted by address; of several at the same place one stays: functions before data, exported before local, with a size before without, few
// underscores before many (`read` before `__read`), then by name, so that every run shows the same one.
void ElfSymbols::finish() {
  auto underscores = [&](const Symbol& symbol) { return std::strspn(name(symbol), "_"); };
  std::sort(symbols_.begin(), symbols_.end(), [&](const Symbol& a, const Symbol& b) {
    if (a.addr != b.addr) return a.addr < b.addr;
    if (a.rank != b.rank) return a.rank < b.rank;
    size_t left = underscores(a), right = underscores(b);
    if (left != right) return left < right;
    return std::strcmp(name(a), name(b)) < 0;
  });
  auto same = [](const Symbol& a, const Symbol& b) { return a.addr == b.addr; };
  symbols_.erase(std::unique(symbols_.begin(), symbols_.end(), same), symbols_.end());
  symbols_.shrink_to_fit();
}

bool ElfSymbols::vaddr_of(uint64_t offset, uint64_t* vaddr) const {
  for (const Segment& segment : segments_) {
    // The kernel maps whole pages: the bytes before the segment's first belong to it, too.
    uint64_t start = segment.offset & ~uint64_t{0xfff};
    if (offset < start || offset >= segment.offset + segment.size) continue;
    *vaddr = segment.vaddr - (segment.offset - start) + (offset - start);
    return true;
  }
  return false;
}

std::string_view ElfSymbols::find(uint64_t vaddr, uint64_t* start) const {
  auto above = std::upper_bound(symbols_.begin(), symbols_.end(), vaddr, [](uint64_t value, const Symbol& symbol) { return value < symbol.addr; });
  // A small symbol may lie inside a large one: the nearest that covers the address wins, a few steps back at most.
  for (int steps = 0; steps < 16 && above != symbols_.begin(); steps++) {
    const Symbol& symbol = *--above;
    bool guessed = symbol.rank >= 8;
    if (vaddr - symbol.addr < symbol.size || vaddr == symbol.addr) {
      if (guessed && steps > 0) continue;
      *start = symbol.addr;
      return name(symbol);
    }
  }
  return {};
}

}  // namespace btc::rt
