// caller COUNT: calls functions that tests put probes on.
//   int  add(int a, int b)                       returns a + b
//   long named(const char* text, struct pair*)   returns the length of text
#include <stdlib.h>
#include <string.h>

struct pair {
  int first;
  long second;
  char tag[8];
};

__attribute__((noinline)) int add(int a, int b) { return a + b; }

__attribute__((noinline)) long named(const char* text, struct pair* p) { return (long)strlen(text) + 0 * p->first; }

int main(int argc, char** argv) {
  long count = argc > 1 ? atol(argv[1]) : 1;
  struct pair p = {7, -8, "tag"};
  long sum = 0;
  for (long i = 0; i < count; ++i) {
    sum += add((int)i, 40);
    sum += named("hello", &p);
  }
  return sum == -1;
}
