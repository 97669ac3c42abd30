// An argument of a USDT probe, found as the note of this attach location says.
//
// Form and number are per-copy constants (UsdtArgKind in abi/abi.h): the loader
// patches them into each copy of the program, so the kernel verifier knows
// them and drops the cases that do not apply. Registers are read from pt_regs by
// probe_read, since the offset is no constant for the compiler.
#include "runtime-stub/bpf/btc_helpers.h"

enum { kConst = 1, kReg = 2, kMem = 3, kIndexed = 4, kScaled = 5, kAbsolute = 6 };

static s64 (*const bpf_probe_read_user)(void* to, u64 bytes, const void* from) = (void*)112;

static __attribute__((always_inline)) u64 read_register(const void* regs, u64 offset) {
  u64 value = 0;
  bpf_probe_read_kernel(&value, 8, (const char*)regs + (offset & 0xffff));
  return value;
}

BTC_LIBRARY u64 btc_usdt_arg(const void* regs, u64 form, u64 number) {
  u64 kind = form & 0xff, bytes = form >> 8 & 0xff, value = 0;
  __asm__("" : "+r"(regs));  // a copy of the context that only helpers get
  if (kind == kConst) {
    value = number;
  } else if (kind == kReg) {
    value = read_register(regs, form >> 32) >> (form >> 24 & 63);
  } else if (kind >= kMem && kind <= kAbsolute) {
    u64 address = number;
    if (kind == kMem || kind == kIndexed) address += read_register(regs, form >> 32);
    if (kind == kIndexed || kind == kScaled) address += read_register(regs, form >> 48) << (form >> 24 & 63);
    bytes = btc_opaque(bytes);
    if (bytes > 8) bytes = 8;
    bpf_probe_read_user(&value, bytes, (const void*)address);
  }
  u64 shift = (64 - 8 * bytes) & 63;
  value <<= shift;
  return form >> 16 & 1 ? (u64)((s64)value >> shift) : value >> shift;
}
