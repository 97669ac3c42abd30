// Helpers in BPF C that scripts link when they use them (BIR op `bpf`).
//
// Compiled once, when btc is built, and linked into a script as a static
// subprogram or inlined, as LLVM finds better. All
// arguments are 64 bits wide; memory is passed as pointer and size, and loops
// have constant bounds that the kernel verifier of 5.10 can follow.
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long s64;
typedef _Bool bool_t;

// Keeps LLVM from deducing a range that the kernel verifier cannot see.
#define btc_opaque(x) ({ __typeof__(x) opaque_ = (x); __asm__("" : "+r"(opaque_)); opaque_; })

// 1 if `bytes` bytes are the same.
u64 btc_memeq(const void* a, const void* b, u64 bytes);
