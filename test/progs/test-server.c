// test-server [COUNT]: fires the static probes of group test_grp every 20 ms, COUNT times (default: until killed).
//   test_idx(index)                          a counter from 1
//   test_kinds(int8, uint16, int, long, text)  arguments of several sizes and signs
#include <stdint.h>
#include <stdlib.h>
#include <sys/sdt.h>
#include <unistd.h>

int main(int argc, char** argv) {
  long count = argc > 1 ? atol(argv[1]) : -1;
  char text[] = "served";  // on the stack: a page that is present when the probe fires
  for (int index = 1; count < 0 || index <= count; ++index) {
    int8_t small = (int8_t)-index;
    uint16_t middle = (uint16_t)(60000 + index);
    long large = 5000000000L + index;
    DTRACE_PROBE1(test_grp, test_idx, index);
    DTRACE_PROBE5(test_grp, test_kinds, small, middle, index, large, text);
    usleep(20000);
  }
  return 0;
}
