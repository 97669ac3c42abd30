#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

// Members that lie elsewhere on every kernel, one of them behind a union, one of an array.
int is_leader(struct task_struct *task) { return BPF_CORE_READ(task, group_leader, pid) == BPF_CORE_READ(task, pid); }
int current_is_leader(void) { return is_leader((struct task_struct *)bpf_get_current_task()); }
unsigned long files_limit(struct task_struct *task) { return BPF_CORE_READ(task, signal, rlim[7].rlim_cur); }
void name_of(struct file *file, char *to) {
  const unsigned char *name = BPF_CORE_READ(file, f_path.dentry, d_name.name);
  bpf_probe_read_kernel_str(to, 16, name);
}
