#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
extern int LINUX_KERNEL_VERSION __kconfig;
struct entry { u64 hits; char name[16]; };
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 4); __type(key, u32); __type(value, struct entry); } entries SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, 1); __type(key, u32); __type(value, u64[64]); } scratch SEC(".maps");
int version(void) { return LINUX_KERNEL_VERSION > 0x050000; }
static long cb(u32 i, void *ctx) { *(u64 *)ctx += i; return 0; }
u64 loops(u32 n) { u64 t = 0; bpf_loop(n, cb, &t, 0); return t; }
struct entry *entry_of(u32 i) { struct entry *e = bpf_map_lookup_elem(&entries, &i); if (e) { e->hits += 5; bpf_get_current_comm(e->name, 16); } return e; }
static const char *const names[] = {"zero", "one", "two"};
void name_of(u32 i, char *out) { const char *n = i < 3 ? names[i] : "?"; bpf_probe_read_kernel_str(out, 8, n); bpf_printk("named %d", i); }
enum color { RED = 1, GREEN = 5 };
enum color next_color(enum color c) { return c == RED ? GREEN : RED; }
struct pair { int a, b; };
int take(struct pair *p, u64 *out) { *out = p->a * 100 + p->b; p->b++; return 0; }
static int depth(int n) { return n; }
int five(int a, int b, int c, int d, int e) { return a * 10000 + b * 1000 + c * 100 + d * 10 + depth(e); }
char weird[] = "data section";
int data_len(void) { int n = 0; for (int i = 0; i < sizeof weird && weird[i]; i++) n++; return n; }
u64 arg_of(void *ctx) { return ctx != 0; }
void *null(void) { return 0; }
