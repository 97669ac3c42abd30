// Units and entries of .debug_info, versions 2 to 5 of the 32-bit format.
//
// Only what source lines and inlined functions need: an entry is read into the
// handful of attributes that matter. What a supplementary file (dwz) holds reads
// as absent; of split units the skeleton is seen.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "runtime-stub/src/output/dwarf_cursor.h"

namespace btc::rt {

struct DwarfSections { DwarfBytes info, abbrev, str, line, line_str, ranges, rnglists, addr, str_offsets; };

enum DwarfTag : uint32_t {
  kTagLexicalBlock = 0x0b, kTagCompileUnit = 0x11, kTagInlinedSubroutine = 0x1d, kTagSubprogram = 0x2e, kTagNamespace = 0x39, kTagSkeletonUnit = 0x4a
};

struct DwarfUnit {
  uint64_t offset = 0, end = 0, entries = 0;     // in .debug_info
  uint64_t abbrev = 0, str_offsets_base = 8, addr_base = 8, rnglists_base = 12;
  uint64_t base = 0;                             // address that range lists count from
  uint64_t line = ~0ull;                         // in .debug_line; ~0: none
  uint16_t version = 0;
  uint8_t address_size = 8;
  std::string_view folder;                       // where the compiler ran
};

struct DwarfEntry {
  uint32_t tag = 0;                              // 0: end of a list of children
  bool has_children = false, has_low = false, has_high = false, high_is_size = false, has_ranges = false, ranges_is_index = false;
  uint64_t low = 0, high = 0, ranges = 0;
  uint64_t origin = 0, sibling = 0;              // in .debug_info; 0: none
  uint64_t call_file = 0, call_line = 0, line = ~0ull;
  std::string_view name, linkage_name, folder;
};

class DwarfInfo {
 public:
  explicit DwarfInfo(const DwarfSections& sections) : sections_(sections) {}
  const DwarfSections& sections() const { return sections_; }

  // The unit whose header is at `offset`, with what its first entry says. False at the end or in damaged data; `*next` is where the
  // unit after it begins.
  bool read_unit(uint64_t offset, DwarfUnit* unit, DwarfEntry* root, uint64_t* next);
  // False in damaged data.
  bool read_entry(const DwarfUnit& unit, DwarfCursor& cursor, DwarfEntry* out);
  bool covers(const DwarfUnit& unit, const DwarfEntry& entry, uint64_t address) const;
  // fn(low, high) for each range of the entry.
  template <typename Fn>
  void for_each_range(const DwarfUnit& unit, const DwarfEntry& entry, Fn&& fn) const;

 private:
  struct Value { uint64_t number = 0; std::string_view text; enum Kind : uint8_t { None, Constant, Address, Text, Reference, Index } kind = None; };
  Value read_form(const DwarfUnit& unit, DwarfCursor& cursor, uint64_t form, int64_t implicit) const;
  uint64_t address_at(const DwarfUnit& unit, uint64_t index) const;
  std::string_view text_by_index(const DwarfUnit& unit, uint64_t index) const;
  void use_abbrevs(uint64_t offset);
  template <typename Fn> void for_each_old_range(const DwarfUnit& unit, uint64_t offset, Fn&& fn) const;
  template <typename Fn> void for_each_new_range(const DwarfUnit& unit, uint64_t offset, Fn&& fn) const;

  DwarfSections sections_;
  uint64_t abbrevs_of_ = ~0ull;
  std::vector<uint32_t> abbrevs_;                // by code: where its tag stands, 0 = none
};

template <typename Fn>
void DwarfInfo::for_each_old_range(const DwarfUnit& unit, uint64_t offset, Fn&& fn) const {
  DwarfCursor cursor(sections_.ranges, offset);
  uint64_t base = unit.base, mask = unit.address_size == 8 ? ~0ull : 0xffffffffull;
  while (cursor.good()) {
    uint64_t low = cursor.fixed(unit.address_size), high = cursor.fixed(unit.address_size);
    if (!cursor.good() || (low == 0 && high == 0)) return;
    if (low == mask) base = high;
    else if (!fn(base + low, base + high)) return;
  }
}

template <typename Fn>
void DwarfInfo::for_each_new_range(const DwarfUnit& unit, uint64_t offset, Fn&& fn) const {
  DwarfCursor cursor(sections_.rnglists, offset);
  uint64_t base = unit.base;
  while (cursor.good()) {
    uint64_t low = 0, high = 0;
    switch (cursor.u8()) {                       // DW_RLE_*
      case 1: base = address_at(unit, cursor.uleb()); continue;
      case 2: low = address_at(unit, cursor.uleb()), high = address_at(unit, cursor.uleb()); break;
      case 3: low = address_at(unit, cursor.uleb()), high = low + cursor.uleb(); break;
      case 4: low = base + cursor.uleb(), high = base + cursor.uleb(); break;
      case 5: base = cursor.fixed(unit.address_size); continue;
      case 6: low = cursor.fixed(unit.address_size), high = cursor.fixed(unit.address_size); break;
      case 7: low = cursor.fixed(unit.address_size), high = low + cursor.uleb(); break;
      default: return;
    }
    if (!cursor.good() || !fn(low, high)) return;
  }
}

template <typename Fn>
void DwarfInfo::for_each_range(const DwarfUnit& unit, const DwarfEntry& entry, Fn&& fn) const {
  if (entry.has_ranges) {
    if (unit.version < 5) return for_each_old_range(unit, entry.ranges, fn);
    uint64_t offset = entry.ranges;
    if (entry.ranges_is_index) offset = unit.rnglists_base + DwarfCursor(sections_.rnglists, unit.rnglists_base + 4 * entry.ranges).fixed(4);
    return for_each_new_range(unit, offset, fn);
  }
  if (entry.has_low && entry.has_high) fn(entry.low, entry.high_is_size ? entry.low + entry.high : entry.high);
}

}  // namespace btc::rt
