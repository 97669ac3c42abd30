#include "runtime-stub/src/output/source_lines.h"

#include <algorithm>
#include <elf.h>
#include <unordered_map>

#include "runtime-stub/src/elf_image.h"
#include "runtime-stub/src/output/inflate.h"
#include "runtime-stub/src/output/line_program.h"

namespace btc::rt {

namespace {

// Unpacked sections stay in memory, and artifacts promise to be small: what all files together may take. A libc's debug file takes
// 10 MB and 200 ms; its functions then have names only.
constexpr uint64_t kMostUnpacked = 4u << 20;
uint64_t unpacked_so_far = 0;
constexpr size_t kMostCached = 4096;
constexpr int kMostDepth = 64;

struct Span { uint64_t low, high, unit; };

// 0 for a section that is not compressed.
uint64_t unpacked_size(const ElfImage& elf, uint32_t index) {
  Elf64_Chdr header;
  Bytes bytes = elf.section_bytes(index);
  if ((elf.section(index).sh_flags & SHF_COMPRESSED) == 0 || bytes.size() < sizeof header) return 0;
  std::memcpy(&header, bytes.data(), sizeof header);
  return header.ch_size < kMostUnpacked ? header.ch_size : kMostUnpacked + 1;
}

}  // namespace

struct SourceLines::State {
  MappedFile file;
  std::vector<std::vector<uint8_t>> unpacked;
  std::unique_ptr<DwarfInfo> info;
  std::vector<Span> spans;                       // sorted by low
  bool indexed = false;
  std::unordered_map<uint64_t, std::vector<SourceFrame>> cache;

  DwarfBytes section(const ElfImage& elf, std::string_view name);
  void make_index();
  bool find_unit(uint64_t address, DwarfUnit* unit, DwarfEntry* root);
  bool walk(const DwarfUnit& unit, DwarfCursor& cursor, uint64_t address, int depth, std::vector<DwarfEntry>* inlined);
  std::string_view name_of(uint64_t entry);
  std::vector<SourceFrame> look_up(uint64_t address);
};

SourceLines::SourceLines() : state_(new State) {}
SourceLines::~SourceLines() = default;

DwarfBytes SourceLines::State::section(const ElfImage& elf, std::string_view name) {
  int index = elf.find_section(name);
  if (index < 0) return {};
  Bytes bytes = elf.section_bytes(static_cast<uint32_t>(index));
  if ((elf.section(static_cast<uint32_t>(index)).sh_flags & SHF_COMPRESSED) == 0) return bytes;
  Elf64_Chdr header;
  if (bytes.size() < sizeof header) return {};
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.ch_type != ELFCOMPRESS_ZLIB) return {};
  std::vector<uint8_t>& out = unpacked.emplace_back(header.ch_size);
  return inflate_zlib(bytes.subspan(sizeof header), out) ? DwarfBytes(out) : DwarfBytes();
}

bool SourceLines::open(const char* path) {
  State& s = *state_;
  if (!s.file.open(path)) return false;
  ElfImage elf(s.file.bytes());
  if (!elf.ok() || elf.find_section(".debug_info") < 0) return false;
  uint64_t packed = 0;
  for (uint32_t i = 1; i < elf.section_count(); ++i)
    if (elf.section_name(i).starts_with(".debug_")) packed += unpacked_size(elf, i);
  if (packed > kMostUnpacked - unpacked_so_far) return false;
  unpacked_so_far += packed;
  DwarfSections sections;
  struct Name { DwarfBytes DwarfSections::*member; const char* name; };
  constexpr Name kNames[] = {
      {&DwarfSections::info, ".debug_info"},     {&DwarfSections::abbrev, ".debug_abbrev"},     {&DwarfSections::str, ".debug_str"},
      {&DwarfSections::line, ".debug_line"},     {&DwarfSections::line_str, ".debug_line_str"}, {&DwarfSections::ranges, ".debug_ranges"},
      {&DwarfSections::rnglists, ".debug_rnglists"}, {&DwarfSections::addr, ".debug_addr"},     {&DwarfSections::str_offsets, ".debug_str_offsets"}};
  for (const Name& name : kNames) sections.*name.member = s.section(elf, name.name);
  if (sections.info.empty()) return false;
  s.info = std::make_unique<DwarfInfo>(sections);
  return true;
}

void SourceLines::State::make_index() {
  if (indexed) return;
  indexed = true;
  DwarfUnit unit;
  DwarfEntry root;
  for (uint64_t at = 0, next = 0; info->read_unit(at, &unit, &root, &next); at = next) {
    if (root.tag != kTagCompileUnit && root.tag != kTagSkeletonUnit) continue;
    info->for_each_range(unit, root, [&](uint64_t low, uint64_t high) {
      if (low < high) spans.push_back({low, high, at});
      return true;
    });
  }
  std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) { return a.low < b.low; });
}

bool SourceLines::State::find_unit(uint64_t address, DwarfUnit* unit, DwarfEntry* root) {
  make_index();
  auto above = std::upper_bound(spans.begin(), spans.end(), address, [](uint64_t value, const Span& span) { return value < span.low; });
  uint64_t next;
  return above != spans.begin() && address < (above - 1)->high && info->read_unit((above - 1)->unit, unit, root, &next) && unit->entries != 0;
}

// Reads the entries up to the end of a list of children; keeps the inlined functions around `address`, outermost first. Children of what
// does not cover the address are passed over. True once the function that covers it was seen.
bool SourceLines::State::walk(const DwarfUnit& unit, DwarfCursor& cursor, uint64_t address, int depth, std::vector<DwarfEntry>* inlined) {
  DwarfEntry entry;
  while (!cursor.at_end() && cursor.offset() < unit.end && info->read_entry(unit, cursor, &entry) && entry.tag != 0) {
    bool is_scope = entry.tag == kTagSubprogram || entry.tag == kTagInlinedSubroutine || entry.tag == kTagLexicalBlock;
    bool inside = is_scope && info->covers(unit, entry, address);
    // A block without addresses of its own may still hold an inlined function.
    bool is_open = entry.tag == kTagNamespace || (entry.tag == kTagLexicalBlock && !entry.has_low && !entry.has_ranges);
    if (inside && entry.tag == kTagInlinedSubroutine) inlined->push_back(entry);
    if (!entry.has_children) {
      if (inside) return true;
      continue;
    }
    if (depth >= kMostDepth) return true;
    if (inside) return walk(unit, cursor, address, depth + 1, inlined), true;
    if (!is_open && entry.sibling > cursor.offset() && entry.sibling <= unit.end) {
      cursor.skip(entry.sibling - cursor.offset());
      continue;
    }
    size_t known = inlined->size();
    if (walk(unit, cursor, address, depth + 1, inlined) && (is_open || inlined->size() > known)) return true;
  }
  return false;
}

// The name of a function's entry, its own or that of the declaration it stands for.
std::string_view SourceLines::State::name_of(uint64_t at) {
  DwarfUnit unit;
  DwarfEntry entry;
  for (int steps = 0; at != 0 && steps < 8; ++steps) {
    // Entries know their unit only by place.
    if (at < unit.offset || at >= unit.end) {
      uint64_t next = 0;
      DwarfEntry root;
      uint64_t start = 0;
      while (info->read_unit(start, &unit, &root, &next) && at >= next) start = next;
      if (at < unit.offset || at >= unit.end || unit.entries == 0) return {};
    }
    DwarfCursor cursor(info->sections().info.first(unit.end), at);
    if (!info->read_entry(unit, cursor, &entry)) return {};
    if (!entry.linkage_name.empty()) return entry.linkage_name;
    if (!entry.name.empty() && entry.origin == 0) return entry.name;
    at = entry.origin;
  }
  return entry.name;
}

std::vector<SourceFrame> SourceLines::State::look_up(uint64_t address) {
  std::vector<SourceFrame> frames;
  DwarfUnit unit;
  DwarfEntry root;
  if (!find_unit(address, &unit, &root)) return frames;
  LineProgram lines(info->sections(), unit);
  uint64_t file = 0, line = 0;
  if (!lines.find(address, &file, &line)) return frames;
  std::vector<DwarfEntry> inlined;
  DwarfCursor cursor(info->sections().info.first(unit.end), unit.entries);
  if (DwarfEntry skipped; info->read_entry(unit, cursor, &skipped) && skipped.has_children) walk(unit, cursor, address, 0, &inlined);
  // Each inlined function is at the place of the one in it, or of the address; the call is the place of the one around it.
  for (size_t i = inlined.size(); i-- > 0;) {
    frames.push_back({name_of(inlined[i].origin), lines.file_name(file), line});
    file = inlined[i].call_file;
    line = inlined[i].call_line;
  }
  frames.push_back({{}, lines.file_name(file), line});
  return frames;
}

const std::vector<SourceFrame>& SourceLines::find(uint64_t vaddr) {
  State& s = *state_;
  if (s.cache.size() >= kMostCached) s.cache.clear();
  auto [found, is_new] = s.cache.try_emplace(vaddr);
  if (is_new && s.info) found->second = s.look_up(vaddr);
  return found->second;
}

}  // namespace btc::rt
