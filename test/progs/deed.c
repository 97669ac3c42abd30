// deed VERB ARGUMENTS: does one thing to the kernel that a tool watches for. Verbs: the table at the end.
// Statically linkable; what needs a shared libc (names, threads) is in libc-user.c.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/major.h>
#include <linux/raid/md_p.h>
#include <linux/raid/md_u.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096

static int fail(const char* what) {
  perror(what);
  return 1;
}

// ---- Network
// ---------------------------------------------------------------------------------------------------------

static socklen_t address(struct sockaddr_storage* out, const char* host, const char* port) {
  struct sockaddr_in* four = (struct sockaddr_in*)out;
  struct sockaddr_in6* six = (struct sockaddr_in6*)out;
  memset(out, 0, sizeof *out);
  if (inet_pton(AF_INET, host, &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons((uint16_t)atoi(port));
    return sizeof *four;
  }
  inet_pton(AF_INET6, host, &six->sin6_addr);
  six->sin6_family = AF_INET6;
  six->sin6_port = htons((uint16_t)atoi(port));
  return sizeof *six;
}

// A connection of this process with itself: ends[0] the client, ends[1] the server's side.
static int connect_to_self(const char* host, const char* port, int ends[2]) {
  struct sockaddr_storage where;
  socklen_t size = address(&where, host, port);
  int listener = socket(where.ss_family, SOCK_STREAM, 0), one = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(listener, (struct sockaddr*)&where, size) || listen(listener, 5)) return fail("listen");
  ends[0] = socket(where.ss_family, SOCK_STREAM, 0);
  if (connect(ends[0], (struct sockaddr*)&where, size)) return fail("connect");
  ends[1] = accept(listener, NULL, NULL);
  close(listener);
  return ends[1] < 0 ? fail("accept") : 0;
}

// tcp HOST PORT KIB: connects, sends that much, closes both ends.
static int tcp(char** args) {
  int ends[2], kib = atoi(args[2]);
  char piece[1024] = {0};
  if (connect_to_self(args[0], args[1], ends)) return 1;
  for (int n = 0; n < kib; ++n)
    if (write(ends[0], piece, sizeof piece) != sizeof piece ||
        recv(ends[1], piece, sizeof piece, MSG_WAITALL) != sizeof piece)
      return fail("send");
  close(ends[0]);
  close(ends[1]);
  return 0;
}

// tcp-lost HOST PORT COMMAND: connects, runs COMMAND (it takes the route away), and sends.
static int tcp_lost(char** args) {
  int ends[2];
  if (connect_to_self(args[0], args[1], ends)) return 1;
  if (system(args[2])) return 1;
  if (write(ends[0], "lost", 4) < 0) perror("send");
  return 0;
}

// tcp-full HOST PORT: connects more often than the listener's queue holds; what does not fit is asked for again after a
// second.
static int tcp_full(char** args) {
  struct sockaddr_storage where;
  socklen_t size = address(&where, args[0], args[1]);
  int listener = socket(where.ss_family, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr*)&where, size) || listen(listener, 0)) return fail("listen");
  for (int n = 0; n < 3; ++n)
    connect(socket(where.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0), (struct sockaddr*)&where, size);
  sleep(2);
  return 0;
}

// unix TEXT: sends TEXT through a pair of stream sockets.
static int unix_text(char** args) {
  int ends[2];
  char got[256];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends)) return fail("socketpair");
  return write(ends[0], args[0], strlen(args[0])) < 0 || read(ends[1], got, sizeof got) < 0;
}

// ---- Memory
// ----------------------------------------------------------------------------------------------------------

static char* touched(size_t mib) {
  size_t size = mib << 20;
  char* memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return NULL;
  for (size_t at = 0; at < size; at += PAGE) memory[at] = (char)at + 1;
  return memory;
}

// memory MIB: uses that much in a child, which may get killed for it.
static int memory(char** args) {
  int status;
  pid_t child = fork();
  if (child == 0) _exit(touched(strtoul(args[0], NULL, 0)) == NULL);
  waitpid(child, &status, 0);
  return 0;
}

// swap MIB: uses memory and reads it back; in a group of processes that may not have that much, it comes from the swap
// space.
static int swap(char** args) {
  size_t mib = strtoul(args[0], NULL, 0), sum = 0;
  char* memory = touched(mib);
  for (size_t at = 0; memory && at < mib << 20; at += PAGE) sum += (size_t)memory[at];
  return sum == 1;
}

// ---- Files and identities
// --------------------------------------------------------------------------------------------

// stat PATH: asks for it by the calls that C libraries have used over the years.
// PATH: makes a folder and removes it, by each of the two system calls.
static int mkdirs(char** args) {
  if (syscall(SYS_mkdir, args[0], 0700) || rmdir(args[0])) return fail("mkdir");
  return syscall(SYS_mkdirat, AT_FDCWD, args[0], 0700) || rmdir(args[0]) ? fail("mkdirat") : 0;
}

static int stat_path(char** args) {
  char any[512];
#ifdef SYS_stat
  syscall(SYS_stat, args[0], any);
  syscall(SYS_lstat, args[0], any);
#endif
  syscall(SYS_statfs, args[0], any);
  syscall(SYS_statx, AT_FDCWD, args[0], 0, 0, any);
  return 0;
}

// ids UID: becomes UID in three ways.
static int ids(char** args) {
  uid_t to = (uid_t)atoi(args[0]);
  setfsuid(to);
  if (setresuid((uid_t)-1, (uid_t)-1, to)) return fail("setresuid");
  return setuid(to) ? fail("setuid") : 0;
}

// raid DEVICE BLOCK-DEVICE...: makes a mirror that is not recorded on the disks, and flushes it.
static int raid(char** args) {
  if (mknod(args[0], S_IFBLK | 0600, makedev(MD_MAJOR, 0)) && access(args[0], F_OK)) return fail("mknod");
  int fd = open(args[0], O_RDWR), disks = 0;
  while (args[1 + disks]) ++disks;
  mdu_array_info_t array = {.level = 1, .size = 4096, .nr_disks = disks, .raid_disks = disks, .not_persistent = 1};
  if (fd < 0 || ioctl(fd, SET_ARRAY_INFO, &array)) return fail("SET_ARRAY_INFO");
  for (int n = 0; n < disks; ++n) {
    struct stat disk;
    if (stat(args[1 + n], &disk)) return fail(args[1 + n]);
    mdu_disk_info_t info = {.number = n,
                            .major = (int)major(disk.st_rdev),
                            .minor = (int)minor(disk.st_rdev),
                            .raid_disk = n,
                            .state = (1 << MD_DISK_ACTIVE) | (1 << MD_DISK_SYNC)};
    if (ioctl(fd, ADD_NEW_DISK, &info)) return fail("ADD_NEW_DISK");
  }
  if (ioctl(fd, RUN_ARRAY, NULL)) return fail("RUN_ARRAY");
  if (write(fd, "x", 1) != 1 || fsync(fd)) perror("write");
  return ioctl(fd, STOP_ARRAY, NULL) ? fail("STOP_ARRAY") : 0;
}

// ----------------------------------------------------------------------------------------------------------------------

static const struct {
  const char* verb;
  int arguments;  // at least
  int (*act)(char** arguments);
} deeds[] = {
    {"tcp", 3, tcp},        {"tcp-lost", 3, tcp_lost}, {"tcp-full", 2, tcp_full},
    {"unix", 1, unix_text}, {"memory", 1, memory},     {"swap", 1, swap},
    {"mkdirs", 1, mkdirs},  {"stat", 1, stat_path}, {"ids", 1, ids},           {"raid", 2, raid},
};

int main(int argc, char** argv) {
  for (size_t n = 0; argc > 1 && n < sizeof deeds / sizeof *deeds; ++n)
    if (!strcmp(argv[1], deeds[n].verb) && argc - 2 >= deeds[n].arguments) return deeds[n].act(argv + 2);
  fprintf(stderr, "deed: unknown verb, or too few arguments\n");
  return 2;
}
