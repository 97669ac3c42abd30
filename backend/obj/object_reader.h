// Reads back what LLVM wrote: programs, relocation records and line info, from .BTF and .BTF.ext.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace btc::backend {

struct Insn {              // struct bpf_insn
  uint8_t code;
  uint8_t regs;            // dst in the low half (little endian), src in the high half
  int16_t off;
  int32_t imm;
  uint8_t dst(bool big_endian) const { return big_endian ? regs >> 4 : regs & 15; }
  uint8_t src(bool big_endian) const { return big_endian ? regs & 15 : regs >> 4; }
};
static_assert(sizeof(Insn) == 8);

struct CoreRecord {
  uint32_t insn = 0;       // in the section, in instructions
  std::string type;        // name of the root type
  std::string access;      // "0:3:1"
  std::string member;      // name of the first member accessed; "" for type and enum records
  uint32_t path_length = 0;  // steps after the leading index
  uint32_t kind = 0;       // enum bpf_core_relo_kind
};
struct LineRecord { uint32_t insn; std::string file, text; uint32_t line, column; };

struct CodeSection {
  std::string name;
  std::vector<Insn> insns;
  std::vector<uint64_t> raw;                       // the same, as they lie in the file
  struct Symbol { std::string name; uint32_t insn; uint32_t count; };
  std::vector<Symbol> functions;                   // in order of place
  std::vector<CoreRecord> core;
  std::vector<LineRecord> lines;                   // in order
};

struct ObjectInfo {
  bool big_endian = false;
  std::vector<CodeSection> sections;
};

// False only for bytes that LLVM did not write.
bool read_object(const std::string& object, ObjectInfo* out, std::string* error);

}  // namespace btc::backend
