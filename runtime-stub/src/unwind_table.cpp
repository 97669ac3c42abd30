#include "runtime-stub/src/unwind_table.h"

#include <algorithm>
#include <map>

#include "runtime-stub/src/output/dwarf_cursor.h"

namespace btc::rt {
namespace {

constexpr uint64_t kBp = 6, kSp = 7, kReturnAddress = 16;    // numbers of x86-64's registers in DWARF
constexpr size_t kMostStates = 16;

// How pointers are written (DW_EH_PE_*).
enum : uint8_t { kPointerPcRelative = 0x10, kPointerDataRelative = 0x30, kPointerIndirect = 0x80, kPointerOmitted = 0xff };

struct Common {                                  // CIE
  uint64_t code_factor = 1;
  int64_t data_factor = 1;
  uint8_t pointer_form = 0;
  bool has_augmentation = false, is_signal = false, good = false;
  uint64_t begin = 0, end = 0;                   // its instructions
};

struct Rule {
  uint8_t kind = kUnwindEnd;
  bool by_bp = false, bp_saved = false, ends = false;
  int64_t offset = 0, bp_offset = 0;
};

class FrameReader {
 public:
  FrameReader(DwarfBytes bytes, uint64_t address, std::vector<btc_unwind_row>* rows) : bytes_(bytes), address_(address), rows_(*rows) {}
  void run();

 private:
  const Common& common(uint64_t offset);
  Common read_common(uint64_t offset) const;
  uint64_t pointer(DwarfCursor& cursor, uint8_t form) const;
  void describe(const Common& common, uint64_t low, uint64_t high, uint64_t begin, uint64_t end);
  bool execute(const Common& common, uint64_t begin, uint64_t end, uint64_t low, uint64_t high, Rule* rule, const Rule& initial, bool emits);
  void expression(DwarfCursor& cursor, Rule* rule) const;
  void emit(uint64_t pc, const Common& common, const Rule& rule);

  DwarfBytes bytes_;
  uint64_t address_;                             // of the section
  std::vector<btc_unwind_row>& rows_;
  std::map<uint64_t, Common> commons_;
};

uint64_t FrameReader::pointer(DwarfCursor& cursor, uint8_t form) const {
  if (form == kPointerOmitted) return 0;
  uint64_t place = address_ + cursor.offset(), value = 0;
  switch (form & 0x0f) {
    case 0x00: case 0x04: case 0x0c: value = cursor.fixed(8); break;
    case 0x01: value = cursor.uleb(); break;
    case 0x02: value = cursor.fixed(2); break;
    case 0x03: value = cursor.fixed(4); break;
    case 0x09: value = static_cast<uint64_t>(cursor.sleb()); break;
    case 0x0a: value = static_cast<uint64_t>(static_cast<int16_t>(cursor.fixed(2))); break;
    case 0x0b: value = static_cast<uint64_t>(static_cast<int32_t>(cursor.fixed(4))); break;
    default: cursor.skip(~0ull); return 0;
  }
  return (form & 0x70) == kPointerPcRelative ? place + value : value;
}

Common FrameReader::read_common(uint64_t offset) const {
  Common out;
  DwarfCursor cursor(bytes_, offset);
  uint64_t length = cursor.fixed(4);
  if (length == 0xffffffff) length = cursor.fixed(8);
  out.end = cursor.offset() + length;
  if (!cursor.good() || out.end > bytes_.size() || cursor.fixed(4) != 0) return out;
  uint8_t version = cursor.u8();
  std::string_view augmentation = cursor.text();
  if (version != 1 && version != 3) return out;
  out.code_factor = cursor.uleb();
  out.data_factor = cursor.sleb();
  uint64_t return_register = version == 1 ? cursor.u8() : cursor.uleb();
  if (!augmentation.empty() && augmentation[0] == 'z') {
    out.has_augmentation = true;
    uint64_t size = cursor.uleb(), begin = cursor.offset();
    for (char letter : augmentation.substr(1)) {
      if (letter == 'R') out.pointer_form = cursor.u8();
      else if (letter == 'L') cursor.u8();
      else if (letter == 'P') { uint8_t form = cursor.u8(); pointer(cursor, form); }
      else if (letter == 'S') out.is_signal = true;
    }
    cursor = DwarfCursor(bytes_, begin);
    cursor.skip(size);
  } else if (!augmentation.empty()) {
    return out;
  }
  out.begin = cursor.offset();
  out.good = cursor.good() && return_register == kReturnAddress && out.begin <= out.end;
  return out;
}

const Common& FrameReader::common(uint64_t offset) {
  auto [entry, fresh] = commons_.try_emplace(offset);
  if (fresh) entry->second = read_common(offset);
  return entry->second;
}

// What glibc and linkers write for jump tables begins with the stack pointer and looks at the instruction's address.
void FrameReader::expression(DwarfCursor& cursor, Rule* rule) const {
  uint64_t size = cursor.uleb();
  DwarfCursor look = cursor;
  constexpr uint8_t kBaseSp = 0x77, kBaseIp = 0x80, kLiteral8 = 0x08;
  bool is_plt = size >= 4 && look.u8() == kBaseSp && look.u8() == kLiteral8 && look.u8() == kBaseIp;
  rule->kind = is_plt ? kUnwindPlt : kUnwindEnd;
  cursor.skip(size);
}

void FrameReader::emit(uint64_t pc, const Common& common, const Rule& rule) {
  btc_unwind_row row{};
  row.pc = static_cast<uint32_t>(pc);
  row.cfa_kind = common.is_signal ? static_cast<uint8_t>(kUnwindSignal) : rule.ends ? static_cast<uint8_t>(kUnwindEnd) : rule.kind;
  row.cfa_offset = static_cast<int32_t>(rule.offset);
  row.bp_saved = rule.bp_saved;
  row.bp_offset = static_cast<int32_t>(rule.bp_offset);
  if (!rows_.empty() && rows_.back().pc == row.pc) rows_.back() = row;
  else rows_.push_back(row);
}

// DW_CFA_*. With `emits` a row is made wherever the rule holds from.
bool FrameReader::execute(const Common& common, uint64_t begin, uint64_t end, uint64_t low, uint64_t high, Rule* rule, const Rule& initial, bool emits) {
  DwarfCursor cursor(bytes_.first(end), begin);
  std::vector<Rule> saved;
  uint64_t pc = low;
  auto set_frame = [&](uint64_t reg, int64_t offset) {
    rule->kind = reg == kSp ? kUnwindSp : reg == kBp ? kUnwindBp : kUnwindEnd;
    rule->offset = offset;
  };
  auto save = [&](uint64_t reg, int64_t offset) {
    if (reg == kBp) rule->bp_saved = true, rule->bp_offset = offset;
  };
  auto forget = [&](uint64_t reg) {
    if (reg == kBp) rule->bp_saved = initial.bp_saved, rule->bp_offset = initial.bp_offset;
  };
  auto advance = [&](uint64_t steps) {
    if (emits) emit(pc, common, *rule);
    pc += steps * common.code_factor;
  };
  while (!cursor.at_end() && pc < high) {
    uint8_t code = cursor.u8(), low_bits = code & 0x3f;
    switch (code >> 6) {
      case 1: advance(low_bits); continue;
      case 2: save(low_bits, static_cast<int64_t>(cursor.uleb()) * common.data_factor); continue;
      case 3: forget(low_bits); continue;
      default: break;
    }
    switch (code) {
      case 0x00: break;                                                                     // nop
      case 0x01: { uint64_t at = pointer(cursor, common.pointer_form); advance(0); pc = at; break; }   // set_loc
      case 0x02: advance(cursor.fixed(1)); break;
      case 0x03: advance(cursor.fixed(2)); break;
      case 0x04: advance(cursor.fixed(4)); break;
      case 0x05: { uint64_t reg = cursor.uleb(); save(reg, static_cast<int64_t>(cursor.uleb()) * common.data_factor); break; }
      case 0x06: forget(cursor.uleb()); break;
      case 0x07: if (cursor.uleb() == kReturnAddress) rule->ends = true; break;             // undefined: nobody called
      case 0x08: forget(cursor.uleb()); break;                                              // same_value
      case 0x09: { uint64_t reg = cursor.uleb(); cursor.uleb(); forget(reg); break; }       // register
      case 0x0a: if (saved.size() >= kMostStates) return false; saved.push_back(*rule); break;
      case 0x0b: if (saved.empty()) return false; *rule = saved.back(); saved.pop_back(); break;
      case 0x0c: { uint64_t reg = cursor.uleb(); set_frame(reg, static_cast<int64_t>(cursor.uleb())); break; }
      case 0x0d: set_frame(cursor.uleb(), rule->offset); break;
      case 0x0e: rule->offset = static_cast<int64_t>(cursor.uleb()); break;
      case 0x0f: expression(cursor, rule); break;
      case 0x10: case 0x16: cursor.uleb(); cursor.skip(cursor.uleb()); break;               // rules of registers by expression
      case 0x11: { uint64_t reg = cursor.uleb(); save(reg, cursor.sleb() * common.data_factor); break; }
      case 0x12: { uint64_t reg = cursor.uleb(); set_frame(reg, cursor.sleb() * common.data_factor); break; }
      case 0x13: rule->offset = cursor.sleb() * common.data_factor; break;
      case 0x14: case 0x15: cursor.uleb(); cursor.sleb(); break;                            // val_offset
      case 0x2e: cursor.uleb(); break;                                                      // GNU_args_size
      default: return false;
    }
  }
  if (emits && cursor.good() && pc < high) emit(pc, common, *rule);
  return cursor.good();
}

void FrameReader::describe(const Common& common, uint64_t low, uint64_t high, uint64_t begin, uint64_t end) {
  Rule rule;
  if (!execute(common, common.begin, common.end, 0, 1, &rule, Rule(), false)) return;
  Rule initial = rule;
  size_t before = rows_.size();
  if (!execute(common, begin, end, low, high, &rule, initial, true)) rows_.resize(before);
  // Behind the function nothing is known, until the next one says so.
  btc_unwind_row gap{};
  gap.pc = static_cast<uint32_t>(high);
  rows_.push_back(gap);
}

void FrameReader::run() {
  for (uint64_t at = 0; at + 8 <= bytes_.size();) {
    DwarfCursor cursor(bytes_, at);
    uint64_t length = cursor.fixed(4);
    if (length == 0) break;
    if (length == 0xffffffff) length = cursor.fixed(8);
    uint64_t id_at = cursor.offset(), end = id_at + length;
    if (!cursor.good() || length > bytes_.size() - id_at) break;
    uint64_t id = cursor.fixed(4);
    if (id != 0 && id <= id_at) {
      const Common& entry = common(id_at - id);
      if (entry.good) {
        uint64_t low = pointer(cursor, entry.pointer_form), size = pointer(cursor, entry.pointer_form & 0x0f);
        if (entry.has_augmentation) cursor.skip(cursor.uleb());
        bool fits = cursor.good() && size != 0 && low + size <= UINT32_MAX && low <= low + size;
        if (fits) describe(entry, low, low + size, cursor.offset(), end);
      }
    }
    at = end;
  }
}

}  // namespace

void read_unwind_rows(const ElfImage& elf, std::vector<btc_unwind_row>* rows) {
  int index = elf.find_section(".eh_frame");
  if (index < 0) return;
  size_t first = rows->size();
  std::vector<btc_unwind_row> own;
  FrameReader(elf.section_bytes(static_cast<uint32_t>(index)), elf.section(static_cast<uint32_t>(index)).sh_addr, &own).run();
  // A gap gives way to a function that begins there.
  auto order = [](const btc_unwind_row& a, const btc_unwind_row& b) { return a.pc != b.pc ? a.pc < b.pc : (a.cfa_kind != kUnwindEnd) > (b.cfa_kind != kUnwindEnd); };
  std::sort(own.begin(), own.end(), order);
  for (const btc_unwind_row& row : own)
    if (rows->size() == first || rows->back().pc != row.pc) rows->push_back(row);
}

}  // namespace btc::rt
