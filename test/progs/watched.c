// watched COUNT [SECONDS]: after a pause, writes and reads a variable at the fixed address 0x10000000 COUNT times and calls
// a function at 0x10001000 as often: what hardware watchpoints see. Writes go 1, 2, 4 and 8 bytes wide, in turn.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  long count = atol(argv[1]), sum = 0;
  uint8_t* page = mmap((void*)0x10000000, 8192, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (page != (uint8_t*)0x10000000) return 1;
  static const uint8_t give_seven[] = {0xb8, 7, 0, 0, 0, 0xc3};  // mov $7, %eax; ret
  memcpy(page + 4096, give_seven, sizeof give_seven);
  int (*function)(void) = (int (*)(void))(void*)(page + 4096);
  if (argc > 2) usleep((useconds_t)(atof(argv[2]) * 1e6));
  for (long i = 0; i < count; ++i) {
    volatile uint64_t* variable = (volatile uint64_t*)(void*)page;
    *variable = (uint64_t)i;
    sum += (long)*variable + function();
  }
  return sum < 0;
}
