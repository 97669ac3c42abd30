// Tables of opcode forms and the walk over one instruction; see x86_length.h. Source: Intel SDM volume 2, appendix A; AMD APM
// volume 3, appendix A.
//
// One letter per opcode, a row of sixteen per line:
//   .  nothing follows                      m  ModRM, and with it SIB and displacement
//   b  one byte          w  two bytes       B  ModRM and one byte
//   z  2 or 4 bytes, by the operand's size  Z  ModRM and those
//   j  4 bytes of a jump (2 in 32-bit mode with 66)
//   v  2, 4 or 8 bytes (mov to a register)  o  an address (moffs)
//   e  three bytes (enter)                  f  far pointer (32-bit mode only)
//   t, T  ModRM; a byte or 2/4 bytes only where its register field is 0 or 1 (test)
//   B, Z of C6 and C7 also serve xabort and xbegin
//   n  32-bit mode only, nothing follows    N  32-bit mode only, one byte; M: ModRM and one byte
//   p  a prefix                             -  no instruction
#include "runtime-stub/src/x86_length.h"

namespace btc::rt {
namespace {

constexpr char kOneByte[] =
    "mmmmbznnmmmmbzn-"    // 00; 0F leads to the second table
    "mmmmbznnmmmmbznn"
    "mmmmbzpnmmmmbzpn"
    "mmmmbzpnmmmmbzpn"
    "................"    // 40: REX in 64-bit mode, inc and dec in 32-bit mode
    "................"
    "nnmmppppzZbB...."    // 60; 62 is EVEX, or bound in 32-bit mode
    "bbbbbbbbbbbbbbbb"
    "BZMBmmmmmmmmmmmm"    // 80; 8F is XOP where its register field is not 0
    "..........f....."
    "oooo....bz......"
    "bbbbbbbbvvvvvvvv"
    "BBw.mmBZe.w..bn."    // C0; C4 and C5 are VEX, or les and lds in 32-bit mode
    "mmmmNN-.mmmmmmmm"
    "bbbbbbbbjjfb...."
    "p.pp..tT......mm";

constexpr char kAfter0F[] =
    "mmmm-.....-.-m.B"    // 00; 0F is 3DNow!, whose opcode is the byte at the end
    "mmmmmmmmmmmmmmmm"
    "mmmm----mmmmmmmm"    // 20: moves of control registers have no memory form, see below
    "......-.--------"    // 30; 38 and 3A lead to further tables
    "mmmmmmmmmmmmmmmm"
    "mmmmmmmmmmmmmmmm"
    "mmmmmmmmmmmmmmmm"
    "BBBBmmm.mmmmmmmm"    // 70
    "jjjjjjjjjjjjjjjj"
    "mmmmmmmmmmmmmmmm"
    "...mBmmm...mBmmm"    // A0
    "mmmmmmmmmmBmmmmm"
    "mmBmBBBm........"    // C0
    "mmmmmmmmmmmmmmmm"
    "mmmmmmmmmmmmmmmm"
    "mmmmmmmmmmmmmmmm";
static_assert(sizeof kOneByte == 257 && sizeof kAfter0F == 257);

enum : uint8_t { kMapOne, kMap0F, kMap38, kMap3A, kMapXop8 = 8, kMapXop9, kMapXopA };

class Instruction {
 public:
  Instruction(std::span<const uint8_t> code, bool is_64) : code_(code.first(code.size() < kLongest ? code.size() : kLongest)), is_64_(is_64) {}

  size_t length() {
    prefixes();
    uint8_t opcode = next();
    uint8_t map = kMapOne;
    if (leads_to_vector(opcode)) {
      if (!vector_prefix(opcode, &map)) return 0;
      opcode = next();
    } else if (opcode == 0x0f) {
      map = kMap0F;
      opcode = next();
      if (opcode == 0x38 || opcode == 0x3a) {
        map = opcode == 0x38 ? kMap38 : kMap3A;
        opcode = next();
      }
    }
    rest(form_of(map, opcode), opcode, map);
    return cut_ ? 0 : at_;
  }

 private:
  static constexpr size_t kLongest = 15;

  uint8_t peek(size_t further = 0) {
    if (at_ + further < code_.size()) return code_[at_ + further];
    cut_ = true;
    return 0;
  }
  uint8_t next() {
    uint8_t byte = peek();
    ++at_;
    return byte;
  }
  void skip(size_t count) {
    at_ += count;
    cut_ |= at_ > code_.size();
  }

  void prefixes() {
    while (!cut_ && kOneByte[peek()] == 'p') {
      operand16_ |= peek() == 0x66;
      address_small_ |= peek() == 0x67;
      ++at_;
    }
    if (is_64_ && (peek() & 0xf0) == 0x40) wide_ = (next() & 8) != 0;
  }

  // C4, C5, 62 and 8F are older instructions, too: in 32-bit mode those have a memory operand, 8F has register field 0.
  bool leads_to_vector(uint8_t opcode) {
    if (opcode == 0xc4 || opcode == 0xc5 || opcode == 0x62) return is_64_ || peek() >= 0xc0;
    return opcode == 0x8f && (peek() & 0x1f) >= 8;
  }
  bool vector_prefix(uint8_t opcode, uint8_t* map) {
    *map = opcode == 0xc5 ? uint8_t{kMap0F} : static_cast<uint8_t>(peek() & (opcode == 0x62 ? 7 : 0x1f));
    bool known = opcode == 0x8f ? *map <= kMapXopA : (*map >= kMap0F && *map <= kMap3A) || (opcode == 0x62 && (*map == 5 || *map == 6));
    skip(opcode == 0xc5 ? 1 : opcode == 0x62 ? 3 : 2);
    return known && !cut_;
  }

  static char form_of(uint8_t map, uint8_t opcode) {
    switch (map) {
      case kMapOne: return kOneByte[opcode];
      case kMap0F: return kAfter0F[opcode];
      case kMap3A: case kMapXop8: return 'B';
      case kMapXopA: return 'Z';
      default: return 'm';
    }
  }

  void rest(char form, uint8_t opcode, uint8_t map) {
    size_t word = operand16_ && !wide_ ? 2 : 4;
    switch (form) {
      case '.': return;
      case 'n': cut_ |= is_64_; return;
      case 'N': cut_ |= is_64_; return skip(1);
      case 'M': cut_ |= is_64_; modrm(); return skip(1);
      case 'm': return modrm(map == kMap0F && (opcode & 0xfc) == 0x20);
      case 'b': return skip(1);
      case 'w': return skip(2);
      case 'e': return skip(3);
      case 'B': modrm(); return skip(1);
      case 'z': return skip(word);
      case 'Z': modrm(); return skip(map == kMapXopA ? 4 : word);
      case 'j': return skip(is_64_ ? 4 : word);
      case 'v': return skip(wide_ ? 8 : word);
      case 'o': return skip(is_64_ ? (address_small_ ? 4 : 8) : (address_small_ ? 2 : 4));
      case 'f': cut_ |= is_64_; return skip(word + 2);
      case 't': case 'T': {
        bool test = (peek() & 0x30) == 0;
        modrm();
        return skip(!test ? 0 : form == 't' ? 1 : word);
      }
      default: cut_ = true;
    }
  }

  void modrm(bool always_register = false) {
    uint8_t byte = next(), mode = byte >> 6, rm = byte & 7;
    if (mode == 3 || always_register) return;
    if (!is_64_ && address_small_) return skip(mode == 1 ? 1 : mode == 2 || rm == 6 ? 2 : 0);
    if (rm == 4) rm = next() & 7;                // SIB; its base takes the place of rm
    skip(mode == 1 ? 1 : mode == 2 || rm == 5 ? 4 : 0);
  }

  std::span<const uint8_t> code_;
  size_t at_ = 0;
  bool is_64_, cut_ = false, operand16_ = false, address_small_ = false, wide_ = false;
};

}  // namespace

size_t x86_length(std::span<const uint8_t> code, bool is_64) { return Instruction(code, is_64).length(); }

Boundary x86_boundary(std::span<const uint8_t> function, uint64_t offset, bool is_64) {
  uint64_t at = 0;
  while (at < offset) {
    size_t length = at < function.size() ? x86_length(function.subspan(at), is_64) : 0;
    if (length == 0) return Boundary::Unknown;
    at += length;
  }
  return at == offset ? Boundary::Begins : Boundary::Inside;
}

}  // namespace btc::rt
