static int ticks = 10;
int triple(int v) { return v * 3; }
int tick(void) { return ++ticks; }
