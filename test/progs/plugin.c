// A shared library that plugin-user opens while it runs: what tests see of libraries that several processes have, or load late.
//   int plugin_work(int n)          returns n + 1
//   plugin:tick(n)                  a static probe in it
//   plugin:guarded(n)               one behind a semaphore
#define _SDT_HAS_SEMAPHORES 1
#if __has_include(<sys/sdt.h>)
#include <sys/sdt.h>
__extension__ unsigned short plugin_tick_semaphore __attribute__((unused, section(".probes"), visibility("hidden")));
__extension__ unsigned short plugin_guarded_semaphore __attribute__((unused, section(".probes"), visibility("hidden")));
#else
#define DTRACE_PROBE1(provider, name, argument) (void)(argument)
static unsigned short plugin_guarded_semaphore;
#endif

__attribute__((noinline)) int plugin_work(int n) {
  DTRACE_PROBE1(plugin, tick, n);
  if (plugin_guarded_semaphore) DTRACE_PROBE1(plugin, guarded, n);
  return n + 1;
}
