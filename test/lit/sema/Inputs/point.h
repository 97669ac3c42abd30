#define SIX 6
struct point { int x; int y; };
