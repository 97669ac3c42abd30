// A fixed load: one system call again and again, on the CPU that taskset gives it.
// usage: load getppid|read|open COUNT      prints nanoseconds per call
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  long count = atol(argv[2]);
  char byte[64];
  int zero = open("/dev/zero", O_RDONLY);
  double begin = now();
  if (strcmp(argv[1], "getppid") == 0)
    for (long i = 0; i < count; ++i) syscall(SYS_getppid);
  else if (strcmp(argv[1], "read") == 0)
    for (long i = 0; i < count; ++i) (void)!read(zero, byte, sizeof byte);
  else if (strcmp(argv[1], "open") == 0)
    for (long i = 0; i < count; ++i) openat(AT_FDCWD, "/no/such/file", O_RDONLY);
  else
    return 2;
  printf("%.1f\n", (now() - begin) / count);
  return 0;
}
