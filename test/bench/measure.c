// Runs a tracer on a terminal of its own and measures it. In C, because a child's peak memory begins with its parent's.
// usage: measure [-r ROOT] [-c CPU] [-n LINES] PATTERN HOLD_MS COMMAND [ARGUMENT...]
// Waits for a line that contains PATTERN, keeps the tracer for HOLD_MS more (-1: until standard input ends), sends SIGINT, waits.
// While it waits, the tracer's process id is on the first line of the output. Last line:
//   first_ns total_ns peak_kib status      (first_ns 0: the pattern did not come)
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ll + t.tv_nsec;
}

int main(int argc, char** argv) {
  const char* root = NULL;
  int cpu = -1, option;
  while ((option = getopt(argc, argv, "+r:c:")) != -1) {
    if (option == 'r') root = optarg;
    else if (option == 'c') cpu = atoi(optarg);
    else return 2;
  }
  if (argc - optind < 3) return 2;
  const char* pattern = argv[optind];
  long hold = atol(argv[optind + 1]);
  char** command = argv + optind + 2;

  int master, slave;
  struct winsize size = {.ws_row = 50, .ws_col = 200};
  if (openpty(&master, &slave, NULL, NULL, &size) != 0) return perror("openpty"), 1;
  long long begin = now();
  pid_t child = vfork();
  if (child == 0) {
    dup2(slave, 0), dup2(slave, 1), dup2(slave, 2);
    close(master), close(slave);
    if (cpu >= 0) {
      cpu_set_t set;
      CPU_ZERO(&set);
      CPU_SET(cpu, &set);
      sched_setaffinity(0, sizeof set, &set);
    }
    if (root && (chroot(root) != 0 || chdir("/") != 0)) _exit(126);
    execvp(command[0], command);
    _exit(127);
  }
  close(slave);
  printf("%d\n", child);
  fflush(stdout);

  long long first = 0, deadline = begin + 1200000000000ll;  // a thousand kprobes of an emulated machine take bpftrace minutes
  static char seen[1 << 20], piece[65536];
  size_t length = 0;
  int interrupted = 0, status = 0;
  struct rusage usage;
  for (;;) {
    struct pollfd fds[2] = {{.fd = master, .events = POLLIN}, {.fd = first && hold < 0 && !interrupted ? 0 : -1, .events = POLLIN}};
    int ready = poll(fds, 2, 5);
    if (ready > 0 && (fds[0].revents & (POLLIN | POLLHUP))) {
      ssize_t n = read(master, piece, sizeof piece);
      if (n > 0 && !first && length + (size_t)n < sizeof seen) {
        memcpy(seen + length, piece, (size_t)n);
        length += (size_t)n;
        seen[length] = 0;
        char* at = strstr(seen, pattern);
        if (at && strchr(at, '\n')) {
          first = now() - begin;
          if (hold >= 0) deadline = now() + hold * 1000000ll;
          else puts("ready"), fflush(stdout), deadline = now() + 600000000000ll;
        }
      }
      if (n <= 0) usleep(500);  // the terminal is closed: wait for the exit below
    }
    if (fds[1].revents) {
      if (read(0, piece, sizeof piece) <= 0) deadline = 0;
    }
    if (wait4(child, &status, WNOHANG, &usage) == child) break;
    if (now() > deadline) {
      kill(child, interrupted ? SIGKILL : SIGINT);
      interrupted = 1;
      deadline = now() + 20000000000ll;
    }
  }
  long long total = now() - begin;
  if (!first) fwrite(seen, 1, length, stderr);
  printf("%lld %lld %ld %d\n", first, total, usage.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  return 0;
}
