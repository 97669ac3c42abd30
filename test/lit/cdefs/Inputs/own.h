#define OWN_VALUE (40 + 2)
struct own { int x; };
