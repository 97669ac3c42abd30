#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "pair.h"

char LICENSE[] SEC("license") = "GPL";

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 16);
  __type(key, u32);
  __type(value, u64);
} hits SEC(".maps");

static u64 calls;
int start = 7;
const char greeting[] = "hi there";

signed char s8_(signed char v) { return v; }
unsigned char u8_(unsigned char v) { return v; }
short s16_(short v) { return v; }
unsigned short u16_(unsigned short v) { return v; }
int s32_(int v) { return v; }
unsigned int u32_(unsigned int v) { return v; }
long s64_(long v) { return v; }
unsigned long u64_(unsigned long v) { return v; }
signed char wrapped8(int v) { return v; }
unsigned char unwrapped8(int v) { return v; }
short wrapped16(int v) { return v; }
_Bool above(int v, int limit) { return v > limit; }
int from_bool(_Bool v) { return v; }

u64 hit(u32 key) {
  u64 one = 1, *found = bpf_map_lookup_elem(&hits, &key);
  if (found) return ++*found;
  bpf_map_update_elem(&hits, &key, &one, BPF_ANY);
  return 1;
}

void greet(char *to) { __builtin_memcpy(to, greeting, sizeof greeting); }

static int __noinline not_inlined(const char *text) {
  int n = 0;
  for (int i = 0; i < 8 && text[i]; i++) n++;
  return n;
}
int length(const char *text) { return not_inlined(text); }

int parent(struct task_struct *task) { return BPF_CORE_READ(task, real_parent, tgid); }
struct task_struct *self(void) { return (struct task_struct *)bpf_get_current_task(); }

int total(struct pair *p) { return p->x + p->y; }
u64 count_calls(void) { return ++calls; }
int next(void) { return start++; }
int other(int);
int through(int v) { return other(v) + 1; }
