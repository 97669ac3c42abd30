// The kernel's interfaces, called directly: bpf(2), perf_event_open(2), pidfd.
// Constants newer than the build host's headers are named here, with the
// kernel that brought them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <linux/bpf.h>
#include <linux/perf_event.h>

namespace btc::rt::sys {

// bpf_attach_type (include/uapi/linux/bpf.h).
inline constexpr uint32_t kTraceRawTp = 23, kTraceFentry = 24, kTraceFexit = 25, kTraceIter = 28, kXdp = 37, kPerfEvent = 41,
                          kTraceKprobeMulti = 42 /* 5.18 */, kTraceUprobeMulti = 48 /* 6.6 */, kTraceKprobeSession = 56 /* 6.10 */;
inline constexpr uint32_t kSleepable = 1u << 4;        // BPF_F_SLEEPABLE
inline constexpr uint32_t kMultiReturn = 1;            // BPF_F_{K,U}PROBE_MULTI_RETURN

int bpf(int command, void* attr, uint32_t size);       // -errno
int prog_load_raw(uint32_t type, uint32_t attach_type, const bpf_insn* insns, uint32_t count, char* log, uint32_t log_size);
int test_run(int prog_fd, const void* data, uint32_t size, uint32_t repeat, uint32_t* retval, uint32_t* duration);
int perf_open(perf_event_attr* attr, int pid, int cpu);  // -errno
int link_perf(int prog_fd, int perf_fd, uint64_t cookie);          // 5.15
int link_tracing(int prog_fd, uint32_t attach_type, uint64_t cookie);  // tp_btf, fentry, fexit: raw_tracepoint_open
inline constexpr uint32_t kCgroupsFromTop = 2;   // BPF_CGROUP_ITER_DESCENDANTS_PRE
int link_iter(int prog_fd, uint32_t cgroup_order, int pid);   // pid: of task iterators, 0: all processes
int iter_create(int link_fd);
int map_update(int fd, const uint32_t* keys, const void* values, size_t value_size, uint32_t count);   // all of them
int map_delete(int fd, const void* key);
int obj_pin(int fd, const char* path);
int btf_get_fd(uint32_t id);
int next_id(int command, uint32_t start, uint32_t* id);
int info(int fd, void* out, uint32_t size);
int pidfd_open(int pid);

struct Multi {                                          // kprobe.multi and uprobe.multi
  int prog_fd;
  bool is_return;
  bool is_session = false;                              // kprobe: entry and return
  uint32_t count = 0;
  const char* const* symbols = nullptr;                 // kprobe: symbols or addresses
  const uint64_t* addresses = nullptr;
  const char* path = nullptr;                           // uprobe
  const uint64_t* offsets = nullptr;
  const uint64_t* ref_counters = nullptr;
  const uint64_t* cookies = nullptr;
  uint32_t pid = 0;
};
int link_kprobe_multi(const Multi& multi);
int link_uprobe_multi(const Multi& multi);

}  // namespace btc::rt::sys
