// Names of numbers: tables in .rodata, one row of 64 bytes each, copied whole.
#include "runtime-stub/bpf/btc_helpers.h"

enum { kNameBytes = 64, kProbeTextBytes = 256, kErrors = 134, kSignals = 65, kSyscalls = 512 };

#pragma clang diagnostic ignored "-Winitializer-overrides"

static const char kErrorNames[kErrors + 1][kNameBytes] = {
    [0 ... kErrors] = "Unknown error",
#define BTC_ERRNO(Number, Text) [Number] = Text,
#include "runtime-stub/bpf/errno.def"
#undef BTC_ERRNO
};
static const char kSignalNames[kSignals + 1][kNameBytes] = {
    [0 ... kSignals] = "N/A",
#define BTC_SIGNAL(Number, Text) [Number] = Text,
#include "runtime-stub/bpf/signal.def"
#undef BTC_SIGNAL
};
static const char kSyscallNames[kSyscalls + 1][kNameBytes] = {
    [0 ... kSyscalls] = "Unknown syscall",
#define BTC_SYSCALL(Number, Text) [Number] = Text,
#include "runtime-stub/bpf/syscall_x86_64.def"
#undef BTC_SYSCALL
};

// The row behind the last number says that there is no such number.
static __attribute__((always_inline)) u64 copy_name(char* to, const char* table, u64 number, u64 count) {
  number = btc_opaque(number);
  if (number > count) number = count;
  bpf_probe_read_kernel(to, kNameBytes, table + number * kNameBytes);
  return 0;
}

BTC_LIBRARY u64 btc_strerror(char* to, s64 number) {
  return copy_name(to, &kErrorNames[0][0], (u64)(number < 0 ? -number : number), kErrors);
}
BTC_LIBRARY u64 btc_signal_name(char* to, s64 number) { return copy_name(to, &kSignalNames[0][0], (u64)number, kSignals); }
BTC_LIBRARY u64 btc_syscall_name(char* to, s64 number) { return copy_name(to, &kSyscallNames[0][0], (u64)number, kSyscalls); }

static void* (*const bpf_map_lookup_elem)(void* map, const void* key) = (void*)1;
extern char btc_probe_names[];  // the backend puts its definition in its place

BTC_LIBRARY u64 btc_probe_text(char* to, u64 target) {
  u32 index = (u32)target;
  char* name = bpf_map_lookup_elem(btc_probe_names, &index);
  if (name) bpf_probe_read_kernel(to, kProbeTextBytes, name);
  else __builtin_memset(to, 0, kProbeTextBytes);
  return 0;
}
