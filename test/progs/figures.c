// Parameters and types of every shape that a uprobe's `args` can have. Calls its functions every few milliseconds.
#include <unistd.h>

int answer = 42;

enum colour { RED = 1, GREEN = 5 };
typedef struct { short low, high; } pair_t;
union number { int as_int; char as_text[8]; };
struct inner { int x, y; };
struct shape {
  int id;
  unsigned flags : 3;
  int depth : 5;
  enum colour colour;
  char name[12];
  int grid[2][3];
  union { long whole; struct { int lower, upper; }; };
  struct inner inner;
  pair_t pair;
  union number number;
  const struct shape *next;
  double weight;
};
struct small { int a; long b; };

int by_pointer(const struct shape *shape, unsigned char level, _Bool on) { return shape->id + level + on; }
long by_value(struct small small, short last) { return small.a + small.b + last; }
struct shape returns_shape(int seed) { return (struct shape){.id = seed}; }
long with_floats(double before, int between, float after) { return (long)before + between + (long)after; }
long on_stack(int a, int b, int c, int d, int e, int f, short g, const char *h) { return a + b + c + d + e + f + g + h[0]; }
int nothing(void) { return 1; }

int main(void) {
  static struct shape second = {.id = 8, .name = "second"};
  static const struct shape first = {.id = 7, .flags = 5, .depth = -3, .colour = GREEN, .name = "first", .grid = {{1, 2, 3}, {4, 5, 6}},
                                     .lower = 11, .upper = 22, .inner = {33, 44}, .pair = {-1, 2}, .number = {.as_text = "abc"},
                                     .next = &second, .weight = 1.5};
  second.id = 9;                     // reading memory that was never touched fails in a probe
  for (;;) {
    by_pointer(&first, 200, 1);
    by_value((struct small){1, 1ll << 40}, -2);
    returns_shape(99);
    with_floats(1.5, 42, 2.5f);
    on_stack(1, 2, 3, 4, 5, 6, -7, "eight");
    nothing();
    usleep(5000);
  }
}
