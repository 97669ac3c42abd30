// reader SIZE COUNT [SECONDS]: reads SIZE bytes from /dev/zero COUNT times, after a pause if SECONDS is given.
// The pause lets a tracer attach that needs the process id.
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  size_t size = strtoul(argv[1], NULL, 0);
  long count = atol(argv[2]);
  char* buffer = malloc(size ? size : 1);
  int fd = open("/dev/zero", O_RDONLY);
  if (fd < 0 || !buffer) return 1;
  if (argc > 3) usleep((useconds_t)(atof(argv[3]) * 1e6));
  for (long i = 0; i < count; ++i)
    if (read(fd, buffer, size) < 0) return 1;
  return 0;
}
