// Notes and argument forms of USDT probes; see usdt_notes.h. Format: systemtap's sdt.h, version 3. x86-64.
//
//   note: name "stapsdt", type 3; pc, base, semaphore, each as wide as the program's pointers; then provider, name, arguments, each ended by NUL
//   argument: SIZE@OPERAND, SIZE negative for signed; OPERAND is $NUM, %reg, DISP(%base) or DISP(%base,%index,scale);
//   DISP is a sum of numbers and at most one variable: "8", "-16+8", "counter", "8+table". Compilers address variables so, from the location
//   (%rip) or, in programs that lie at fixed addresses, absolutely: "table(,%rsi,4)", "counter".
//   SIZE ends in f for floating-point numbers. Those, and variables of threads (%fs:), are said not to be readable.
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
#define HIGH(member, h) {h, offsetof(user_regs_struct, member), 1, 8}
// pt_regs and user_regs_struct have the same layout up to ss on x86-64.
constexpr Register kRegisters[] = {
  REG(rax, "rax", "eax", "ax", "al"), REG(rbx, "rbx", "ebx", "bx", "bl"), REG(rcx, "rcx", "ecx", "cx", "cl"),
  REG(rdx, "rdx", "edx", "dx", "dl"), REG(rsi, "rsi", "esi", "si", "sil"), REG(rdi, "rdi", "edi", "di", "dil"),
  REG(rbp, "rbp", "ebp", "bp", "bpl"), REG(rsp, "rsp", "esp", "sp", "spl"), REG(r8, "r8", "r8d", "r8w", "r8b"),
  REG(r9, "r9", "r9d", "r9w", "r9b"), REG(r10, "r10", "r10d", "r10w", "r10b"), REG(r11, "r11", "r11d", "r11w", "r11b"),
  REG(r12, "r12", "r12d", "r12w", "r12b"), REG(r13, "r13", "r13d", "r13w", "r13b"), REG(r14, "r14", "r14d", "r14w", "r14b"),
  REG(r15, "r15", "r15d", "r15w", "r15b"), {"rip", offsetof(user_regs_struct, rip), 8, 0},
  HIGH(rax, "ah"), HIGH(rbx, "bh"), HIGH(rcx, "ch"), HIGH(rdx, "dh"),
};
#undef REG
#undef HIGH

const Register* find_register(std::string_view name) {
  if (name.starts_with('%')) name.remove_prefix(1);
  for (const Register& reg : kRegisters)
    if (name == reg.name) return &reg;
  return nullptr;
}

// A displacement or constant: the sum of its numbers, and of the address of the variable it names.
struct Displacement { int64_t number = 0; std::string_view variable; };

// The arguments of one location.
class Reader {
 public:
  Reader(const UsdtNote& note, const UserBinary& binary) : note_(note), binary_(binary) {}
  UsdtArg argument(std::string_view text);

 private:
  bool operand(std::string_view text, UsdtArg* out);
  bool displacement(std::string_view text, Displacement* out);
  bool memory(std::string_view operand, UsdtArg* out);
  bool add_address(const Displacement& from, bool from_location, uint64_t* number);
  bool fail(std::string_view why) { problem_ = why; return false; }
  const UsdtNote& note_;
  const UserBinary& binary_;
  std::string problem_;
};

bool Reader::displacement(std::string_view text, Displacement* out) {
  while (!text.empty()) {
    size_t end = 1;
    while (end < text.size() && text[end] != '+' && !(text[end] == '-' && text[end - 1] != '+')) ++end;
    std::string_view piece = text.substr(0, end);
    if (piece.starts_with('+')) piece.remove_prefix(1);
    int64_t number;
    if (parse_i64(piece, &number, 0)) out->number += number;
    else if (out->variable.empty() && !piece.empty() && piece.find_first_of("-%$:@") == std::string_view::npos) out->variable = piece;
    else return false;
    text.remove_prefix(end);
  }
  return true;
}

bool Reader::add_address(const Displacement& from, bool from_location, uint64_t* number) {
  uint64_t address;
  *number = static_cast<uint64_t>(from.number);
  if (from.variable.empty()) return true;
  if (!from_location && binary_.elf().is_position_independent()) return false;
  if (!binary_.find_only_symbol(from.variable, &address)) return fail(cat("where ", from.variable, " lies is not in the symbol table, or not clear"));
  *number += address - (from_location ? note_.address : 0);
  return true;
}

bool Reader::memory(std::string_view operand, UsdtArg* out) {
  size_t open = operand.find('('), close = operand.find(')');
  Displacement from;
  if (!displacement(operand.substr(0, open), &from)) return false;
  if (open == std::string_view::npos) {
    out->form |= abi::kUsdtAbsolute;
    return !from.variable.empty() && add_address(from, false, &out->number);
  }
  if (close == std::string_view::npos || close < open) return false;
  std::vector<std::string_view> parts = split(operand.substr(open + 1, close - open - 1), ',');
  std::string_view base_name = trim(parts[0]), index_name = parts.size() > 1 ? trim(parts[1]) : std::string_view();
  const Register *base = find_register(base_name), *index = find_register(index_name);
  if ((base == nullptr) != base_name.empty() || (index == nullptr) != index_name.empty() || (base == nullptr && index == nullptr)) return false;
  uint64_t scale = 1, shift = 0;
  if (parts.size() > 2 && !parse_u64(trim(parts[2]), &scale)) return false;
  while ((1ull << shift) < scale && shift < 3) ++shift;
  out->form |= index == nullptr ? abi::kUsdtMem : base == nullptr ? abi::kUsdtScaled : abi::kUsdtIndexed;
  if (base != nullptr) out->form |= uint64_t{base->offset} << 32;
  if (index != nullptr) out->form |= shift << 24 | uint64_t{index->offset} << 48;
  return add_address(from, base_name == "%rip", &out->number);
}

bool Reader::operand(std::string_view text, UsdtArg* out) {
  int64_t size = 8;
  if (size_t at = text.find('@'); at != std::string_view::npos) {
    std::string_view written = text.substr(0, at);
    if (written.ends_with('f')) return fail("a floating-point number");
    if (!parse_i64(written, &size)) return false;
    text.remove_prefix(at + 1);
  }
  uint64_t bytes = static_cast<uint64_t>(size < 0 ? -size : size);
  if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8) return false;
  out->form = bytes << 8 | uint64_t{size < 0} << 16;
  if (text.starts_with('$')) {
    Displacement constant;
    out->form |= abi::kUsdtConst;
    return displacement(text.substr(1), &constant) && add_address(constant, false, &out->number);
  }
  if (const Register* reg = text.starts_with('%') ? find_register(text) : nullptr) {
    out->form |= abi::kUsdtReg | uint64_t{reg->shift} << 24 | uint64_t{reg->offset} << 32;
    return true;
  }
  return memory(text, out);
}

UsdtArg Reader::argument(std::string_view text) {
  UsdtArg out;
  problem_ = "btc does not know this form";
  if (operand(text, &out)) return out;
  return {0, 0, cat("(", text, "): ", problem_)};
}

uint64_t read_number(const uint8_t* p, size_t bytes) {
  uint64_t number = 0;
  memcpy(&number, p, bytes);
  return number;
}

}  // namespace

std::vector<UsdtArg> parse_usdt_arguments(const UsdtNote& note, const UserBinary& binary) {
  std::vector<UsdtArg> found;
  std::string_view text = note.arguments;
  Reader reader(note, binary);
  // Arguments are separated by blanks; an operand may hold blanks after a comma: "(%rax, %rbx, 4)".
  while (!(text = trim(text)).empty()) {
    size_t end = 0;
    int depth = 0;
    while (end < text.size() && (depth > 0 || text[end] != ' ')) {
      depth += text[end] == '(' ? 1 : text[end] == ')' ? -1 : 0;
      ++end;
    }
    found.push_back(reader.argument(text.substr(0, end)));
    text.remove_prefix(end);
  }
  return found;
}

// The kernel counts a semaphore up where it maps the file: also in the rest of the last page, where .bss begins.
static SemaphorePlace semaphore_place(const ElfImage& elf, uint64_t address, uint64_t* offset) {
  constexpr uint64_t kPage = 4096;
  for (const Elf64_Phdr& segment : elf.segments()) {
    uint64_t from = address - segment.p_vaddr, mapped = (segment.p_vaddr % kPage + segment.p_filesz + kPage - 1) / kPage * kPage - segment.p_vaddr % kPage;
    if (segment.p_type != PT_LOAD || address < segment.p_vaddr || from >= segment.p_memsz || from >= mapped) continue;
    *offset = from + segment.p_offset;
    return from < segment.p_filesz ? SemaphorePlace::Good : SemaphorePlace::Cleared;
  }
  return SemaphorePlace::Unreachable;
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
      note.address = pc;
      bool good = elf.file_offset(pc, &note.offset);
      if (semaphore != 0) note.place = semaphore_place(elf, semaphore, &note.semaphore);
      if (good && !note.name.empty()) notes.push_back(std::move(note));
    }
    if (12 + name_room + room >= bytes.size()) break;
    bytes = bytes.subspan(12 + name_room + room);
  }
  return notes;
}

}  // namespace btc::rt
