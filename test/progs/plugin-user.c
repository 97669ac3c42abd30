// plugin-user LIBRARY COUNT [SECONDS]: after a pause, opens the library and calls its plugin_work(n) for n = 1 to COUNT, one call a
// millisecond, each from again(n). Always linked dynamically.
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static int (*work)(int);
__attribute__((noinline)) int again(int n) { return work(n); }

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  if (argc > 3) usleep((useconds_t)(atof(argv[3]) * 1e6));
  void* library = dlopen(argv[1], RTLD_NOW);
  work = library ? (int (*)(int))dlsym(library, "plugin_work") : NULL;
  if (!work) return 1;
  long count = atol(argv[2]), sum = 0;
  for (int n = 1; n <= count; ++n) {
    sum += again(n);
    usleep(1000);
  }
  return sum < 0;
}
