// Made without headers: what a library that comes as an object may hold.
#define SEC(name) __attribute__((section(name), used))
typedef unsigned int u32;
typedef unsigned long u64;
struct task_struct { int pid; int tgid; } __attribute__((preserve_access_index));
struct {
  int (*type)[2];
  u32 *key;
  u64 *value;
  int (*max_entries)[4];
} cells SEC(".maps");
char LICENSE[] SEC("license") = "GPL";
static void *(*lookup)(void *map, const void *key) = (void *)1;
static long (*read_kernel)(void *to, u32 size, const void *from) = (void *)113;

static u64 total;
const volatile int step = 3;

__attribute__((noinline)) int obj_add(int a, signed char b) { total += step; return a + b + (int)total; }
int obj_tgid(struct task_struct *task) { int tgid = 0; read_kernel(&tgid, sizeof tgid, __builtin_preserve_access_index(&task->tgid)); return tgid; }
short obj_negative(short v) { return -v; }
u64 obj_cell(u32 i) { u64 *v = lookup(&cells, &i); if (!v) return 0; return ++*v; }
static __attribute__((noinline)) int inner(int x) { return x * 3; }
_Bool obj_flag(unsigned char c) { return inner(c) == 300; }
void obj_set(void *unused, u64 x) { total = x; }
