#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

long reads, typed_reads, bytes, sum;
extern int CONFIG_HZ __kconfig __weak;

static int is_reader(void) {
  char name[16] = {};
  bpf_get_current_comm(name, sizeof name);
  return name[0] == 'r' && name[1] == 'e' && name[2] == 'a' && name[3] == 'd' && name[4] == 'e' && name[5] == 'r';
}

long reads_of(int which) { return which == 0 ? reads : which == 1 ? typed_reads : which == 2 ? bytes : sum; }
int hz(void) { return CONFIG_HZ; }

SEC("kprobe/vfs_read") int BPF_KPROBE(on_read, struct file *file, char *to, unsigned long count) {
  if (is_reader() && count == 777) reads++;
  return 0;
}
SEC("fentry/vfs_read") int BPF_PROG(on_typed_read, struct file *file, char *to, size_t count) {
  if (is_reader() && count == 777) typed_reads++;
  return 0;
}
SEC("kretprobe/vfs_read") int BPF_KRETPROBE(after_read, long result) {
  if (is_reader() && result == 777) bytes += result;
  return 0;
}
SEC("uprobe//work/progs/caller:add") int BPF_KPROBE(on_add, int a, int b) {
  sum += a + b;
  return 0;
}
