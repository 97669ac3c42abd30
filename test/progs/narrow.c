// narrow COUNT: a 32-bit program without a C library (any x86-64 compiler builds it with -m32 -nostdlib -static). Calls add(n, 40)
// for n = 1 to COUNT and fires the static probe narrow:tick(n, -7, "text").
#if __has_include(<sys/sdt.h>)
#include <sys/sdt.h>
#else
#define DTRACE_PROBE3(provider, name, a, b, c) (void)(c)
#endif

static long call(long number, long argument) {
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(argument) : "memory");
  return result;
}

__attribute__((noinline)) int add(int a, int b) { return a + b; }

__attribute__((used)) void begin(int argc, char** argv) {
  int count = 0, sum = 0;
  for (const char* digit = argc > 1 ? argv[1] : "1"; *digit; ++digit) count = count * 10 + *digit - '0';
  char text[] = "served";  // on the stack: a page that is present when the probe fires
  for (int n = 1; n <= count; ++n) {
    sum += add(n, 40);
    DTRACE_PROBE3(narrow, tick, n, -7, text);
  }
  call(1, sum < 0);  // exit
}

__asm__(".globl _start\n_start: mov %esp, %eax\n lea 4(%eax), %edx\n push %edx\n push (%eax)\n call begin\n");
