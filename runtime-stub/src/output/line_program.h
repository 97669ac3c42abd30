// The line table of one unit (.debug_line, versions 2 to 5), run until it reaches an address.
#pragma once

#include <string>

#include "runtime-stub/src/output/dwarf_unit.h"

namespace btc::rt {

class LineProgram {
 public:
  LineProgram(const DwarfSections& sections, const DwarfUnit& unit);

  // Number of the source file and line of the instruction at `address`.
  bool find(uint64_t address, uint64_t* file, uint64_t* line) const;
  std::string file_name(uint64_t file) const;    // whole path, "" if unknown

 private:
  struct EntryFormat { uint64_t content, form; };
  struct Entry { std::string_view name; uint64_t folder = 0; };
  void read_header();
  void read_old_tables(DwarfCursor& cursor);
  void read_new_table(DwarfCursor& cursor, std::vector<Entry>* out);
  Entry read_new_entry(DwarfCursor& cursor, const std::vector<EntryFormat>& formats) const;

  const DwarfSections& sections_;
  const DwarfUnit& unit_;
  bool good_ = false;
  uint16_t version_ = 0;
  uint8_t address_size_ = 8, min_instruction_ = 1, line_range_ = 1, opcode_base_ = 1;
  int8_t line_base_ = 0;
  std::vector<uint8_t> operand_counts_;
  std::vector<Entry> folders_, files_;
  uint64_t program_ = 0, end_ = 0;
};

}  // namespace btc::rt
