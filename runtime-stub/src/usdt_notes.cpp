// Notes and argument forms of USDT probes; see usdt_notes.h. Format: systemtap's sdt.h, version 3. x86-64.
//
//   note: name "stapsdt", type 3; pc, base, semaphore, each as wide as the program's pointers; then provider, name, arguments, each ended by NUL
//   argument: SIZE@OPERAND, SIZE negative for signed; OPERAND is $NUM, %reg, DISP(%base) or DISP(%base,%index,scale);
//   DISP may be NUM, a symbol with +NUM, or NUM+NUM
#include "runtime-stub/src/usdt_notes.h"

#include <cstddef>
#include <cstring>
#include <sys/user.h>

#include "runtime-stub/abi/abi.h"

namespace btc::rt {
namespace {

struct Register { const char* name; uint16_t offset; uint8_t bytes; uint8_t shift; };
#define REG(member, q, d, w, b) {q, offsetof(user_regs_struct, member), 8, 0}, {d, offsetof(user_regs_struct, member), 4, 0}, \
                                {w, offsetof(user_regs_struct, member), 2, 0}, {b, offsetof(user_regs_struct, member), 1, 0}
// pt_regs and user_regs_struct have the same layout up to ss on x86-64.
constexpr Register kRegisters[] = {
  REG(rax, "rax", "eax", "ax", "al"), REG(rbx, "rbx", "ebx", "bx", "bl"), REG(rcx, "rcx", "ecx", "cx", "cl"),
  REG(rdx, "rdx", "edx", "dx", "dl"), REG(rsi, "rsi", "esi", "si", "sil"), REG(rdi, "rdi", "edi", "di", "dil"),
  REG(rbp, "rbp", "ebp", "bp", "bpl"), REG(rsp, "rsp", "esp", "sp", "spl"), REG(r8, "r8", "r8d", "r8w", "r8b"),
  REG(r9, "r9", "r9d", "r9w", "r9b"), REG(r10, "r10", "r10d", "r10w", "r10b"), REG(r11, "r11", "r11d", "r11w", "r11b"),
  REG(r12, "r12", "r12d", "r12w", "r12b"), REG(r13, "r13", "r13d", "r13w", "r13b"), REG(r14, "r14", "r14d", "r14w", "r14b"),
  REG(r15, "r15", "r15d", "r15w", "r15b"), {"rip", offsetof(user_regs_struct, rip), 8, 0},
};
#undef REG

const Register* find_register(std::string_view name) {
  if (name.starts_with('%')) name.remove_prefix(1);
  for (const Register& reg : kRegisters)
    if (name == reg.name) return &reg;
  return nullptr;
}

// Sum of numbers: "8+-16"; symbols are not resolved (compilers give them only for addresses in %rip form).
bool parse_displacement(std::string_view text, int64_t* out) {
  *out = 0;
  while (!text.empty()) {
    size_t end = 1;
    while (end < text.size() && text[end] != '+' && !(text[end] == '-' && text[end - 1] != '+')) ++end;
    std::string_view piece = text.substr(0, end);
    if (piece.starts_with('+')) piece.remove_prefix(1);
    int64_t number;
    if (!parse_i64(piece, &number, 0)) return false;
    *out += number;
    text.remove_prefix(end);
  }
  return true;
}

bool parse_memory(std::string_view operand, uint64_t* form, int64_t* displacement) {
  size_t open = operand.find('('), close = operand.find(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return false;
  if (!parse_displacement(operand.substr(0, open), displacement)) return false;
  std::vector<std::string_view> parts = split(operand.substr(open + 1, close - open - 1), ',');
  const Register* base = find_register(trim(parts[0]));
  if (base == nullptr && !trim(parts[0]).empty()) return false;
  if (parts.size() == 1) {
    if (base == nullptr) return false;
    *form |= abi::kUsdtMem | uint64_t{base->offset} << 32;
    return true;
  }
  const Register* index = find_register(trim(parts[1]));
  uint64_t scale = 1, shift = 0;
  if (index == nullptr || base == nullptr || (parts.size() > 2 && !parse_u64(trim(parts[2]), &scale))) return false;
  while ((1ull << shift) < scale && shift < 3) ++shift;
  *form |= abi::kUsdtIndexed | shift << 24 | uint64_t{base->offset} << 32 | uint64_t{index->offset} << 48;
  return true;
}

bool parse_argument(std::string_view text, UsdtArg* out) {
  int64_t size = 8;
  size_t at = text.find('@');
  if (at != std::string_view::npos) {
    if (!parse_i64(text.substr(0, at), &size)) return false;
    text.remove_prefix(at + 1);
  }
  bool is_signed = size < 0;
  uint64_t bytes = static_cast<uint64_t>(is_signed ? -size : size);
  if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8) return false;
  out->form = bytes << 8 | uint64_t{is_signed} << 16;
  int64_t number = 0;
  if (text.starts_with('$')) {
    if (!parse_displacement(text.substr(1), &number)) return false;
    out->form |= abi::kUsdtConst;
  } else if (const Register* reg = text.starts_with('%') ? find_register(text) : nullptr) {
    out->form |= abi::kUsdtReg | uint64_t{reg->offset} << 32;
  } else if (!parse_memory(text, &out->form, &number)) {
    return false;
  }
  out->number = static_cast<uint64_t>(number);
  return true;
}

uint64_t read_number(const uint8_t* p, size_t bytes) {
  uint64_t number = 0;
  memcpy(&number, p, bytes);
  return number;
}

}  // namespace

bool parse_usdt_arguments(std::string_view text, std::vector<UsdtArg>* out, std::string* problem) {
  // Arguments are separated by blanks; an operand may hold blanks after a comma: "(%rax, %rbx, 4)".
  while (!(text = trim(text)).empty()) {
    size_t end = 0;
    int depth = 0;
    while (end < text.size() && (depth > 0 || text[end] != ' ')) {
      depth += text[end] == '(' ? 1 : text[end] == ')' ? -1 : 0;
      ++end;
    }
    UsdtArg arg;
    if (!parse_argument(text.substr(0, end), &arg)) {
      *problem = cat("argument ", out->size(), " (", text.substr(0, end), ")");
      return false;
    }
    out->push_back(arg);
    text.remove_prefix(end);
  }
  return true;
}

std::vector<UsdtNote> read_usdt_notes(const ElfImage& elf) {
  std::vector<UsdtNote> notes;
  int section = elf.find_section(".note.stapsdt"), base_section = elf.find_section(".stapsdt.base");
  if (section < 0) return notes;
  uint64_t base_now = base_section >= 0 ? elf.section(static_cast<uint32_t>(base_section)).sh_addr : 0;
  Bytes bytes = elf.section_bytes(static_cast<uint32_t>(section));
  const size_t wide = elf.is_64() ? 8 : 4;
  while (bytes.size() >= 12) {
    uint32_t head[3];
    memcpy(head, bytes.data(), 12);
    uint64_t name_room = (uint64_t{head[0]} + 3) / 4 * 4, room = (uint64_t{head[1]} + 3) / 4 * 4;
    if (12 + name_room + head[1] > bytes.size()) break;
    Bytes body = bytes.subspan(12 + name_room, head[1]);
    if (head[2] == 3 && body.size() > 3 * wide && ElfImage::string_at(bytes.subspan(12, head[0]), 0) == "stapsdt") {
      uint64_t pc = read_number(body.data(), wide), base = read_number(body.data() + wide, wide), semaphore = read_number(body.data() + 2 * wide, wide);
      if (base_now != 0 && base != 0) {          // prelink moved the file after it was built
        pc += base_now - base;
        if (semaphore != 0) semaphore += base_now - base;
      }
      UsdtNote note;
      Bytes strings = body.subspan(3 * wide);
      note.provider = ElfImage::string_at(strings, 0);
      size_t at = note.provider.size() + 1;
      if (at < strings.size()) note.name = ElfImage::string_at(strings.subspan(at), 0);
      at += note.name.size() + 1;
      if (at < strings.size()) note.arguments = ElfImage::string_at(strings.subspan(at), 0);
      bool good = elf.file_offset(pc, &note.offset);
      if (semaphore != 0 && !elf.file_offset(semaphore, &note.semaphore)) note.semaphore = 0;
      if (good && !note.name.empty()) notes.push_back(std::move(note));
    }
    if (12 + name_room + room >= bytes.size()) break;
    bytes = bytes.subspan(12 + name_room + room);
  }
  return notes;
}

}  // namespace btc::rt
