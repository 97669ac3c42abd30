// Helpers in BPF C that scripts link when they use them (BIR op `bpf`).
//
// Compiled once, when btc is built, and inlined where a script calls them (see
// backend/llvm/library.cpp). Integers are 64 bits wide. Memory is passed as
// pointer and capacity; capacities are constants at every call, so that the
// kernel verifier (5.10 too) can follow the loops. A string ends at its first
// NUL or at its capacity.
//
// Cost for the verifier: a loop here is walked step by step, about 8 instructions
// per byte of capacity; btc_str_find takes the product of both capacities.
#pragma once

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long s64;

// Static, because BTF says so too and the kernel then checks a call in the context of its caller; `used`, because nothing
// here calls them.
#define BTC_LIBRARY static __attribute__((used))
// Keeps LLVM from deducing a range that the kernel verifier cannot see.
#define btc_opaque(x) ({ __typeof__(x) opaque_ = (x); __asm__("" : "+r"(opaque_)); opaque_; })

static s64 (*const bpf_probe_read_kernel)(void* to, u64 bytes, const void* from) = (void*)113;
static s64 (*const bpf_probe_read_kernel_str)(void* to, u64 bytes, const void* from) = (void*)115;

// memory.bpf.c
BTC_LIBRARY u64 btc_mem_equal(const void* a, const void* b, u64 bytes);  // 1 or 0
BTC_LIBRARY s64 btc_mem_compare(const void* a, const void* b, u64 bytes);  // difference of the first bytes that differ, or 0

// strings.bpf.c
BTC_LIBRARY u64 btc_str_equal(const char* a, const char* b, u64 capacity);  // 1 or 0; capacity of the smaller one
BTC_LIBRARY s64 btc_str_compare(const char* a, const char* b, u64 count);  // strncmp: 0 equal, 1 not
BTC_LIBRARY u64 btc_str_length(const char* text, u64 capacity);
BTC_LIBRARY s64 btc_str_find(const char* text, u64 text_capacity, const char* part, u64 part_capacity);  // index or -1; "" is at 0
// to = a, b. `to` is zeroed and holds at least both capacities; a's length is returned plus b's.
BTC_LIBRARY u64 btc_str_concat(char* to, const char* a, u64 a_capacity, const char* b, u64 b_capacity);

// names.bpf.c: text of a number into 64 bytes at `to`, the rest zeroed.
BTC_LIBRARY u64 btc_strerror(char* to, s64 number);  // a negative number is negated first
BTC_LIBRARY u64 btc_signal_name(char* to, s64 number);
BTC_LIBRARY u64 btc_syscall_name(char* to, s64 number);  // x86-64
// The same for an attach target, into kProbeTextBytes (abi/abi.h).
BTC_LIBRARY u64 btc_probe_text(char* to, u64 target);

// hist.bpf.c: bucket of a value, as hist_bucket() in abi/aggregates.h.
BTC_LIBRARY u64 btc_log2(u64 value);  // floor; 0 for 0
BTC_LIBRARY u64 btc_hist_bucket(s64 value, u64 bits);

// usdt.bpf.c: an argument by its location's form and number (UsdtArgKind in abi/abi.h).
BTC_LIBRARY u64 btc_usdt_arg(const void* regs, u64 form, u64 number);

// unwind.bpf.c: bytes of return addresses put to `to`, which holds `most`; -2: no tables for process `pid`, -1: cannot be read.
BTC_LIBRARY s64 btc_unwind(void* to, u64 most, u64 pid);
