#include "runtime-stub/src/output/line_program.h"

#include <algorithm>

namespace btc::rt {

static constexpr size_t kMostEntries = 1u << 16;

LineProgram::LineProgram(const DwarfSections& sections, const DwarfUnit& unit) : sections_(sections), unit_(unit) {
  if (unit.line != ~0ull) read_header();
}

void LineProgram::read_header() {
  DwarfCursor cursor(sections_.line, unit_.line);
  uint64_t length = cursor.fixed(4);
  if (!cursor.good() || length >= 0xfffffff0u || length > sections_.line.size() - cursor.offset()) return;
  end_ = cursor.offset() + length;
  version_ = static_cast<uint16_t>(cursor.fixed(2));
  if (version_ < 2 || version_ > 5) return;
  if (version_ == 5) {
    address_size_ = cursor.u8();
    cursor.u8();                                 // size of segment selectors
  } else {
    address_size_ = unit_.address_size;
  }
  uint64_t header = cursor.fixed(4);
  program_ = cursor.offset() + header;
  min_instruction_ = cursor.u8();
  if (version_ >= 4) cursor.u8();                // operations per instruction: 1 but for VLIW
  cursor.u8();                                   // whether lines begin statements
  line_base_ = static_cast<int8_t>(cursor.u8());
  line_range_ = cursor.u8();
  opcode_base_ = cursor.u8();
  for (int i = 1; i < opcode_base_; ++i) operand_counts_.push_back(cursor.u8());
  if (!cursor.good() || line_range_ == 0 || program_ > end_) return;
  if (version_ == 5) {
    read_new_table(cursor, &folders_);
    read_new_table(cursor, &files_);
  } else {
    read_old_tables(cursor);
  }
  good_ = cursor.good();
}

// Folder 0 is where the compiler ran, files count from 1.
void LineProgram::read_old_tables(DwarfCursor& cursor) {
  folders_.push_back({unit_.folder, 0});
  for (std::string_view name = cursor.text(); !name.empty() && folders_.size() < kMostEntries; name = cursor.text()) folders_.push_back({name, 0});
  files_.push_back({});
  for (std::string_view name = cursor.text(); !name.empty() && files_.size() < kMostEntries; name = cursor.text()) {
    uint64_t folder = cursor.uleb();
    cursor.uleb();                               // time
    cursor.uleb();                               // size
    files_.push_back({name, folder});
  }
}

LineProgram::Entry LineProgram::read_new_entry(DwarfCursor& cursor, const std::vector<EntryFormat>& formats) const {
  Entry entry;
  for (const EntryFormat& format : formats) {
    std::string_view text;
    uint64_t number = 0;
    switch (format.form) {
      case 0x08: text = cursor.text(); break;
      case 0x0e: text = dwarf_text_at(sections_.str, cursor.fixed(4)); break;
      case 0x1f: text = dwarf_text_at(sections_.line_str, cursor.fixed(4)); break;
      case 0x0b: number = cursor.u8(); break;
      case 0x05: number = cursor.fixed(2); break;
      case 0x06: number = cursor.fixed(4); break;
      case 0x07: number = cursor.fixed(8); break;
      case 0x0f: number = cursor.uleb(); break;
      case 0x1e: cursor.skip(16); break;
      case 0x09: cursor.skip(cursor.uleb()); break;
      default: cursor.skip(~0ull); break;
    }
    if (format.content == 1) entry.name = text;      // DW_LNCT_path
    if (format.content == 2) entry.folder = number;  // DW_LNCT_directory_index
  }
  return entry;
}

void LineProgram::read_new_table(DwarfCursor& cursor, std::vector<Entry>* out) {
  std::vector<EntryFormat> formats(cursor.u8());
  for (EntryFormat& format : formats) format = {cursor.uleb(), cursor.uleb()};
  uint64_t count = cursor.uleb();
  for (uint64_t i = 0; i < count && cursor.good() && out->size() < kMostEntries; ++i) out->push_back(read_new_entry(cursor, formats));
}

std::string LineProgram::file_name(uint64_t file) const {
  if (!good_ || file >= files_.size() || files_[file].name.empty()) return {};
  std::string path(files_[file].name);
  if (path[0] == '/') return path;
  std::string_view folder = files_[file].folder < folders_.size() ? folders_[files_[file].folder].name : std::string_view();
  if (!folder.empty()) path = std::string(folder) + "/" + path;
  if (path[0] != '/' && !unit_.folder.empty()) path = std::string(unit_.folder) + "/" + path;
  return path;
}

bool LineProgram::find(uint64_t wanted, uint64_t* found_file, uint64_t* found_line) const {
  if (!good_) return false;
  DwarfCursor cursor(sections_.line.first(end_), program_);
  struct Row { uint64_t address = 0, file = 1, line = 1; } row, before;
  bool has_before = false;
  // A row covers what lies between it and the next one of its sequence.
  auto emit = [&](bool ends) {
    if (has_before && wanted >= before.address && wanted < row.address) {
      *found_file = before.file;
      *found_line = before.line;
      return true;
    }
    before = row;
    has_before = !ends;
    return false;
  };
  while (!cursor.at_end()) {
    uint8_t opcode = cursor.u8();
    if (opcode >= opcode_base_) {
      unsigned step = opcode - opcode_base_;
      row.address += step / line_range_ * min_instruction_;
      row.line += static_cast<uint64_t>(line_base_ + static_cast<int64_t>(step % line_range_));
      if (emit(false)) return true;
      continue;
    }
    switch (opcode) {
      case 0: {                                  // extended
        uint64_t size = cursor.uleb(), start = cursor.offset();
        uint8_t what = size != 0 ? cursor.u8() : 0;
        if (what == 1) {
          if (emit(true)) return true;
          row = {};
        } else if (what == 2) {
          row.address = cursor.fixed(address_size_);
        }
        if (!cursor.good()) return false;
        cursor.skip(size - std::min(size, cursor.offset() - start));
        break;
      }
      case 1: if (emit(false)) return true; break;                                         // copy
      case 2: row.address += cursor.uleb() * min_instruction_; break;                      // advance_pc
      case 3: row.line += static_cast<uint64_t>(cursor.sleb()); break;                     // advance_line
      case 4: row.file = cursor.uleb(); break;                                             // set_file
      case 8: row.address += (255u - opcode_base_) / line_range_ * min_instruction_; break;   // const_add_pc
      case 9: row.address += cursor.fixed(2); break;                                       // fixed_advance_pc
      default:
        for (int i = 0; i < operand_counts_[opcode - 1u]; ++i) cursor.uleb();
    }
  }
  return false;
}

}  // namespace btc::rt
