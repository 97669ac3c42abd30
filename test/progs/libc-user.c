// libc-user NAME: calls functions of the shared C library that tools put probes on: getaddrinfo(NAME) and
// pthread_create(worker). Always linked dynamically. Stays for half a second, so that a tracer can look up its symbols.
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

void* worker(void* argument) { return argument; }

int main(int argc, char** argv) {
  struct addrinfo* found = NULL;
  pthread_t thread;
  if (argc < 2) return 2;
  int status = getaddrinfo(argv[1], NULL, NULL, &found);
  if (found) freeaddrinfo(found);
  if (pthread_create(&thread, NULL, worker, NULL) == 0) pthread_join(thread, NULL);
  printf("%s: %s\n", argv[1], status ? gai_strerror(status) : "found");
  usleep(500000);
  return 0;
}
