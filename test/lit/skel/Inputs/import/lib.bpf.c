static int ticks = 10;
int triple(int v) { return v * 3; }
int tick(void) { return ++ticks; }
static int calls;
int called(void) { return calls != 0; }
__attribute__((section("raw_tp/sys_enter"), used)) int on_call(void *ctx) { calls = 1; return 0; }
