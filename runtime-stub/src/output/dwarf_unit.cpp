#include "runtime-stub/src/output/dwarf_unit.h"

namespace btc::rt {

namespace {

enum Attribute : uint32_t {
  kSibling = 0x01, kName = 0x03, kStmtList = 0x10, kLowPc = 0x11, kHighPc = 0x12, kCompDir = 0x1b, kAbstractOrigin = 0x31, kSpecification = 0x47,
  kRanges = 0x55, kCallFile = 0x58, kCallLine = 0x59, kLinkageName = 0x6e, kStrOffsetsBase = 0x72, kAddrBase = 0x73, kRnglistsBase = 0x74,
  kMipsLinkageName = 0x2007
};
enum UnitType : uint8_t { kUnitCompile = 1, kUnitType = 2, kUnitPartial = 3, kUnitSkeleton = 4, kUnitSplitCompile = 5, kUnitSplitType = 6 };
constexpr int64_t kFormIndirect = 0x16, kFormImplicitConst = 0x21;
constexpr uint32_t kMostAbbrevs = 1u << 16;

}  // namespace

uint64_t DwarfInfo::address_at(const DwarfUnit& unit, uint64_t index) const {
  return DwarfCursor(sections_.addr, unit.addr_base + index * unit.address_size).fixed(unit.address_size);
}

std::string_view DwarfInfo::text_by_index(const DwarfUnit& unit, uint64_t index) const {
  DwarfCursor cursor(sections_.str_offsets, unit.str_offsets_base + index * 4);
  uint64_t offset = cursor.fixed(4);
  return cursor.good() ? dwarf_text_at(sections_.str, offset) : std::string_view();
}

// DW_FORM_*: how an attribute is written.
DwarfInfo::Value DwarfInfo::read_form(const DwarfUnit& unit, DwarfCursor& cursor, uint64_t form, int64_t implicit) const {
  auto constant = [](uint64_t number) { return Value{number, {}, Value::Constant}; };
  auto reference = [&](uint64_t number) { return Value{unit.offset + number, {}, Value::Reference}; };
  auto text = [](std::string_view value) { return Value{0, value, Value::Text}; };
  auto indexed = [&](uint64_t index) { return Value{address_at(unit, index), {}, Value::Address}; };
  switch (form) {
    case 0x01: return {cursor.fixed(unit.address_size), {}, Value::Address};
    case 0x03: cursor.skip(cursor.fixed(2)); return {};                       // block2
    case 0x04: cursor.skip(cursor.fixed(4)); return {};                       // block4
    case 0x09: case 0x18: cursor.skip(cursor.uleb()); return {};              // block, exprloc
    case 0x0a: cursor.skip(cursor.u8()); return {};                           // block1
    case 0x0b: case 0x0c: return constant(cursor.u8());                       // data1, flag
    case 0x05: return constant(cursor.fixed(2));
    case 0x06: return constant(cursor.fixed(4));
    case 0x07: return constant(cursor.fixed(8));
    case 0x1e: cursor.skip(16); return {};                                    // data16
    case 0x0d: return constant(static_cast<uint64_t>(cursor.sleb()));
    case 0x0f: return constant(cursor.uleb());
    case 0x08: return text(cursor.text());
    case 0x0e: return text(dwarf_text_at(sections_.str, cursor.fixed(4)));
    case 0x1f: return text(dwarf_text_at(sections_.line_str, cursor.fixed(4)));
    case 0x10: return {cursor.fixed(unit.version == 2 ? unit.address_size : 4), {}, Value::Reference};   // ref_addr
    case 0x11: return reference(cursor.u8());
    case 0x12: return reference(cursor.fixed(2));
    case 0x13: return reference(cursor.fixed(4));
    case 0x14: return reference(cursor.fixed(8));
    case 0x15: return reference(cursor.uleb());
    case 0x17: return constant(cursor.fixed(4));                              // sec_offset
    case 0x19: return constant(1);                                            // flag_present
    case 0x1a: return text(text_by_index(unit, cursor.uleb()));               // strx
    case 0x25: return text(text_by_index(unit, cursor.u8()));
    case 0x26: return text(text_by_index(unit, cursor.fixed(2)));
    case 0x27: return text(text_by_index(unit, cursor.fixed(3)));
    case 0x28: return text(text_by_index(unit, cursor.fixed(4)));
    case 0x1b: return indexed(cursor.uleb());                                 // addrx
    case 0x29: return indexed(cursor.u8());
    case 0x2a: return indexed(cursor.fixed(2));
    case 0x2b: return indexed(cursor.fixed(3));
    case 0x2c: return indexed(cursor.fixed(4));
    case 0x22: cursor.uleb(); return {};                                      // loclistx
    case 0x23: return {cursor.uleb(), {}, Value::Index};                      // rnglistx
    case 0x1c: case 0x1d: case 0x1f20: case 0x1f21: cursor.skip(4); return {};   // in a supplementary file
    case 0x20: case 0x24: cursor.skip(8); return {};                          // ref_sig8, ref_sup8
    case static_cast<uint64_t>(kFormImplicitConst): return constant(static_cast<uint64_t>(implicit));
    case static_cast<uint64_t>(kFormIndirect): {
      uint64_t inner = cursor.uleb();
      if (inner != static_cast<uint64_t>(kFormIndirect)) return read_form(unit, cursor, inner, 0);
      [[fallthrough]];
    }
    default: cursor.skip(~0ull); return {};                                   // unknown: nothing behind it can be read
  }
}

// Where each code of the table at `offset` is described. Tables are shared by units that follow each other.
void DwarfInfo::use_abbrevs(uint64_t offset) {
  if (abbrevs_of_ == offset) return;
  abbrevs_of_ = offset;
  abbrevs_.clear();
  DwarfCursor cursor(sections_.abbrev, offset);
  while (cursor.good()) {
    uint64_t code = cursor.uleb();
    if (code == 0 || code >= kMostAbbrevs || cursor.offset() > UINT32_MAX) return;
    if (abbrevs_.size() <= code) abbrevs_.resize(code + 1);
    abbrevs_[code] = static_cast<uint32_t>(cursor.offset());
    cursor.uleb();
    cursor.u8();
    while (cursor.good()) {
      uint64_t attribute = cursor.uleb(), form = cursor.uleb();
      if (form == static_cast<uint64_t>(kFormImplicitConst)) cursor.sleb();
      if (attribute == 0 && form == 0) break;
    }
  }
}

bool DwarfInfo::read_entry(const DwarfUnit& unit, DwarfCursor& cursor, DwarfEntry* out) {
  use_abbrevs(unit.abbrev);
  *out = {};
  uint64_t code = cursor.uleb();
  if (!cursor.good()) return false;
  if (code == 0) return true;
  if (code >= abbrevs_.size() || abbrevs_[code] == 0) return false;
  DwarfCursor abbrev(sections_.abbrev, abbrevs_[code]);
  out->tag = static_cast<uint32_t>(abbrev.uleb());
  out->has_children = abbrev.u8() != 0;
  while (abbrev.good() && cursor.good()) {
    uint64_t attribute = abbrev.uleb(), form = abbrev.uleb();
    int64_t implicit = form == static_cast<uint64_t>(kFormImplicitConst) ? abbrev.sleb() : 0;
    if (attribute == 0 && form == 0) break;
    Value value = read_form(unit, cursor, form, implicit);
    switch (attribute) {
      case kSibling: out->sibling = value.kind == Value::Reference ? value.number : 0; break;
      case kName: out->name = value.text; break;
      case kLinkageName: case kMipsLinkageName: out->linkage_name = value.text; break;
      case kCompDir: out->folder = value.text; break;
      case kStmtList: out->line = value.number; break;
      case kLowPc: out->low = value.number, out->has_low = true; break;
      case kHighPc: out->high = value.number, out->has_high = true, out->high_is_size = value.kind == Value::Constant; break;
      case kRanges: out->ranges = value.number, out->has_ranges = true, out->ranges_is_index = value.kind == Value::Index; break;
      case kAbstractOrigin: case kSpecification: out->origin = value.kind == Value::Reference ? value.number : 0; break;
      case kCallFile: out->call_file = value.number; break;
      case kCallLine: out->call_line = value.number; break;
      default: break;
    }
  }
  return cursor.good();
}

bool DwarfInfo::read_unit(uint64_t offset, DwarfUnit* unit, DwarfEntry* root, uint64_t* next) {
  DwarfCursor cursor(sections_.info, offset);
  uint64_t length = cursor.fixed(4);
  if (!cursor.good() || length >= 0xfffffff0u || length > sections_.info.size() - cursor.offset()) return false;   // 64-bit format
  *unit = {};
  unit->offset = offset;
  *next = unit->end = cursor.offset() + length;
  unit->version = static_cast<uint16_t>(cursor.fixed(2));
  *root = {};
  if (unit->version < 2 || unit->version > 5) return true;
  if (unit->version == 5) {
    uint8_t type = cursor.u8();
    unit->address_size = cursor.u8();
    unit->abbrev = cursor.fixed(4);
    if (type == kUnitSkeleton || type == kUnitSplitCompile) cursor.skip(8);
    if (type == kUnitType || type == kUnitSplitType) return true;
  } else {
    unit->abbrev = cursor.fixed(4);
    unit->address_size = cursor.u8();
  }
  if (unit->address_size != 4 && unit->address_size != 8) return true;
  unit->entries = cursor.offset();
  // Bases first: the forms of the other attributes count from them, and may stand before.
  DwarfCursor bases = cursor;
  use_abbrevs(unit->abbrev);
  uint64_t code = bases.uleb();
  if (code < abbrevs_.size() && abbrevs_[code] != 0) {
    DwarfCursor abbrev(sections_.abbrev, abbrevs_[code]);
    abbrev.uleb();
    abbrev.u8();
    while (abbrev.good() && bases.good()) {
      uint64_t attribute = abbrev.uleb(), form = abbrev.uleb();
      int64_t implicit = form == static_cast<uint64_t>(kFormImplicitConst) ? abbrev.sleb() : 0;
      if (attribute == 0 && form == 0) break;
      Value value = read_form(*unit, bases, form, implicit);
      if (attribute == kStrOffsetsBase) unit->str_offsets_base = value.number;
      if (attribute == kAddrBase) unit->addr_base = value.number;
      if (attribute == kRnglistsBase) unit->rnglists_base = value.number;
    }
  }
  if (!read_entry(*unit, cursor, root)) return *root = {}, true;
  unit->base = root->low;
  unit->line = root->line;
  unit->folder = root->folder;
  return true;
}

bool DwarfInfo::covers(const DwarfUnit& unit, const DwarfEntry& entry, uint64_t address) const {
  bool inside = false;
  for_each_range(unit, entry, [&](uint64_t low, uint64_t high) {
    inside = address >= low && address < high;
    return !inside;
  });
  return inside;
}

}  // namespace btc::rt
