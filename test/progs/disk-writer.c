// disk-writer FILE SIZE COUNT: writes SIZE bytes COUNT times and forces each to the disk. Prints how many reached it.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  size_t size = strtoul(argv[2], NULL, 0);
  int count = atoi(argv[3]), done = 0;
  char* buffer = malloc(size);
  int fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (fd < 0 || !buffer) return 1;
  memset(buffer, 'x', size);
  for (; done < count; ++done)
    if (write(fd, buffer, size) != (ssize_t)size || fsync(fd) != 0) break;
  unlink(argv[1]);
  printf("%d\n", done);
  return done == count ? 0 : 1;
}
