#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/usdt.bpf.h>
long fired, returned;
int both(void) { return fired > 0 && returned == 81; }
long seen(int which) { return which == 0 ? fired : returned; }
SEC("usdt/HERE/test-server:test_grp:test_idx") int BPF_USDT(on_index, long index) { if (index >= 0) fired++; return 0; }
SEC("uretprobe/HERE/caller:add") int BPF_KRETPROBE(after_add, int result) { __sync_fetch_and_add(&returned, result); return 0; }
SEC("uprobe/HERE/caller:add+0x0") int at_add(struct pt_regs *ctx) { return 0; }
