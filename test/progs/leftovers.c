// leftovers: lists what of BPF is loaded, linked or pinned on this machine, one line each, in a fixed order. Two runs differ if
// something was left behind (or is still going away) between them. As `bpftool prog; bpftool map; bpftool link`, without libraries.
#include <dirent.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static long bpf(int command, union bpf_attr* attr) { return syscall(SYS_bpf, command, attr, sizeof *attr); }

static void list(const char* what, int next, int open_by_id) {
  union bpf_attr attr;
  for (uint32_t id = 0;;) {
    memset(&attr, 0, sizeof attr);
    attr.start_id = id;
    if (bpf(next, &attr) != 0) return;
    id = attr.next_id;
    char name[BPF_OBJ_NAME_LEN + 1] = "";
    memset(&attr, 0, sizeof attr);
    attr.prog_id = id;                           // map_id, link_id: the same place
    int fd = (int)bpf(open_by_id, &attr);
    if (fd < 0) continue;                        // gone since
    union {
      struct bpf_prog_info prog;
      struct bpf_map_info map;
    } info;
    memset(&info, 0, sizeof info);
    memset(&attr, 0, sizeof attr);
    attr.info.bpf_fd = (uint32_t)fd;
    attr.info.info_len = open_by_id == BPF_PROG_GET_FD_BY_ID ? sizeof info.prog : sizeof info.map;
    attr.info.info = (uint64_t)(uintptr_t)&info;
    if (open_by_id != BPF_LINK_GET_FD_BY_ID && bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) == 0)
      memcpy(name, open_by_id == BPF_PROG_GET_FD_BY_ID ? info.prog.name : info.map.name, BPF_OBJ_NAME_LEN);
    close(fd);
    printf("%s %u %s\n", what, id, name);
  }
}

static void list_folder(const char* path) {
  DIR* folder = opendir(path);
  for (struct dirent* entry; folder && (entry = readdir(folder));)
    if (entry->d_name[0] != '.') printf("pin %s/%s\n", path, entry->d_name);
  if (folder) closedir(folder);
}

static void list_lines(const char* path) {
  char line[512];
  FILE* file = fopen(path, "r");
  while (file && fgets(line, sizeof line, file)) printf("event %s", line);
  if (file) fclose(file);
}

int main(void) {
  list("prog", BPF_PROG_GET_NEXT_ID, BPF_PROG_GET_FD_BY_ID);
  list("map", BPF_MAP_GET_NEXT_ID, BPF_MAP_GET_FD_BY_ID);
  list("link", BPF_LINK_GET_NEXT_ID, BPF_LINK_GET_FD_BY_ID);
  list_folder("/sys/fs/bpf");
  list_lines("/sys/kernel/tracing/kprobe_events");
  list_lines("/sys/kernel/tracing/uprobe_events");
  return 0;
}
