#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

long hits[5];
int wanted;

void want(unsigned int pid) { wanted = pid; }
long get(unsigned int i) { return i < 5 ? hits[i] : -1; }

static int mine(void) { return bpf_get_current_pid_tgid() >> 32 == wanted; }

struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 8); __type(key, u32); __type(value, u64); } seen SEC(".maps");
u64 seen_of(u32 key) { u64 *v = bpf_map_lookup_elem(&seen, &key); return v ? *v : 0; }

SEC("tracepoint/syscalls/sys_enter_getpgid") int on_tracepoint(struct trace_event_raw_sys_enter *ctx) {
  u32 key = 7;
  u64 value = ctx->args[0];
  if (!mine()) return 0;
  __sync_fetch_and_add(&hits[0], 1);
  bpf_map_update_elem(&seen, &key, &value, BPF_ANY);
  return 0;
}
SEC("raw_tp/sys_enter") int BPF_PROG(on_raw, struct pt_regs *regs, long id) { if (mine() && id == 121) __sync_fetch_and_add(&hits[1], 1); return 0; }
SEC("tp_btf/sys_enter") int BPF_PROG(on_typed, struct pt_regs *regs, long id) {
  if (id == 121 && bpf_get_current_task_btf()->tgid == wanted) __sync_fetch_and_add(&hits[2], 1);
  return 0;
}
SEC("?raw_tp/no_such_event") int on_demand(void *ctx) { return 0; }
SEC("xdp") int without_rule(struct xdp_md *ctx) { return XDP_PASS; }
