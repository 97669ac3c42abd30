// shapes COUNT: C++ functions with overloads and a method, called COUNT times, for probes by demangled name.
//   int geo::area(int, int)      returns the product
//   int geo::area(double)        returns its integral part
//   int geo::Box::grow(int)      returns the new side
#include <cstdlib>

namespace geo {
__attribute__((noinline)) int area(int a, int b) { return a * b; }
__attribute__((noinline)) int area(double r) { return static_cast<int>(r); }
struct Box {
  int side;
  __attribute__((noinline)) int grow(int by);
};
int Box::grow(int by) { return side += by; }
}  // namespace geo

int main(int argc, char** argv) {
  long count = argc > 1 ? atol(argv[1]) : 1;
  geo::Box box{0};
  int sum = 0;
  for (long i = 0; i < count; ++i) sum += geo::area(6, 7) + geo::area(2.5) + box.grow(1);
  return sum == -1;
}
