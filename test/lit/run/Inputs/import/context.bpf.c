#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
long first(struct pt_regs *ctx) { return PT_REGS_PARM1(ctx); }
__attribute__((noinline)) long second(struct pt_regs *ctx) { return PT_REGS_PARM2(ctx); }
struct event { long a, b; };
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } out SEC(".maps");
int emit(long a) { struct event *e = bpf_ringbuf_reserve(&out, sizeof *e, 0); if (!e) return -1; e->a = a; e->b = 2; bpf_ringbuf_submit(e, 0); return 0; }
