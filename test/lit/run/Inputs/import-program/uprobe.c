// Without headers, as an object. The file that the section names is put in by the test.
#define SEC(name) __attribute__((section(name), used))
static long sum;
SEC("uprobe/CALLER:add") int on_add(unsigned long *regs) { __sync_fetch_and_add(&sum, regs[14] + regs[13]); return 0; }
long sum_of(void) { return sum; }
