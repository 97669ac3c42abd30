// marks COUNT: static probes of group marks with what needs care, fired COUNT times:
//   twice(n)      one probe at two places, whose argument lies in different places
//   guarded(n)    behind a semaphore: fires only while someone has switched it on
//   numbers(...)  constants, memory, registers and an array element, of several sizes and signs
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>
__extension__ unsigned short marks_guarded_semaphore __attribute__((unused, section(".probes"), visibility("hidden")));
__extension__ unsigned short marks_twice_semaphore __attribute__((unused, section(".probes"), visibility("hidden")));
__extension__ unsigned short marks_numbers_semaphore __attribute__((unused, section(".probes"), visibility("hidden")));

static int64_t table[4] = {10, 20, 30, 40};

int main(int argc, char** argv) {
  long count = argc > 1 ? atol(argv[1]) : 1;
  for (long n = 1; n <= count; ++n) {
    DTRACE_PROBE1(marks, twice, n);
    DTRACE_PROBE1(marks, twice, 1000);
    if (marks_guarded_semaphore) DTRACE_PROBE1(marks, guarded, (int)n);
    uint8_t byte = 200;
    int16_t below = -2;
    DTRACE_PROBE4(marks, numbers, byte, below, -7, table[n & 3]);
    usleep(1000);
  }
  return 0;
}
