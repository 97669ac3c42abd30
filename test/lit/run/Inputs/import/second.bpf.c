int other(int v) { return v * 2; }
