// Direct system calls; see sys.h. `bpf_attr` of the build host's headers may be
// too short for newer commands, so the tails are spelled out.
#include "runtime-stub/src/sys.h"

#include <cerrno>
#include <cstring>
#include <sys/syscall.h>
#include <unistd.h>

namespace btc::rt::sys {

int bpf(int command, void* attr, uint32_t size) {
  long result = ::syscall(SYS_bpf, command, attr, size);
  return result < 0 ? -errno : static_cast<int>(result);
}

static uint64_t address(const void* p) { return reinterpret_cast<uint64_t>(p); }
template <typename T>
static T zeroed() {
  T value;
  memset(&value, 0, sizeof value);
  return value;
}

int prog_load_raw(uint32_t type, uint32_t attach_type, const bpf_insn* insns, uint32_t count, char* log, uint32_t log_size) {
  auto attr = zeroed<bpf_attr>();
  attr.prog_type = type;
  attr.expected_attach_type = attach_type;
  attr.insns = address(insns);
  attr.insn_cnt = count;
  attr.license = address("GPL");
  attr.log_buf = address(log);
  attr.log_size = log_size;
  attr.log_level = log != nullptr ? 1 : 0;
  return bpf(BPF_PROG_LOAD, &attr, sizeof attr);
}

int test_run(int prog_fd, const void* data, uint32_t size, uint32_t repeat, uint32_t* retval, uint32_t* duration) {
  auto attr = zeroed<bpf_attr>();
  attr.test.prog_fd = static_cast<uint32_t>(prog_fd);
  attr.test.data_in = address(data);
  attr.test.data_size_in = size;
  attr.test.repeat = repeat;
  int result = bpf(BPF_PROG_TEST_RUN, &attr, sizeof attr);
  if (retval != nullptr) *retval = attr.test.retval;
  if (duration != nullptr) *duration = attr.test.duration;
  return result;
}

int perf_open(perf_event_attr* attr, int pid, int cpu) {
  attr->size = sizeof *attr;
  long fd = ::syscall(SYS_perf_event_open, attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
  return fd < 0 ? -errno : static_cast<int>(fd);
}

int link_perf(int prog_fd, int perf_fd, uint64_t cookie) {
  struct { uint32_t prog_fd, target_fd, attach_type, flags; uint64_t cookie; } attr = {};
  attr.prog_fd = static_cast<uint32_t>(prog_fd);
  attr.target_fd = static_cast<uint32_t>(perf_fd);
  attr.attach_type = kPerfEvent;
  attr.cookie = cookie;
  return bpf(BPF_LINK_CREATE, &attr, sizeof attr);
}

int link_tracing(int prog_fd, uint32_t attach_type, uint64_t cookie) {
  if (cookie != 0) {                                     // link_create with cookie: tracing.{target_btf_id, cookie}, 5.19
    struct { uint32_t prog_fd, target_fd, attach_type, flags, target_btf_id, pad; uint64_t cookie; } attr = {};
    attr.prog_fd = static_cast<uint32_t>(prog_fd);
    attr.attach_type = attach_type;
    attr.cookie = cookie;
    return bpf(BPF_LINK_CREATE, &attr, sizeof attr);
  }
  auto attr = zeroed<bpf_attr>();
  attr.raw_tracepoint.prog_fd = static_cast<uint32_t>(prog_fd);
  return bpf(BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof attr);
}

int link_iter(int prog_fd, uint32_t cgroup_order, int pid) {
  // bpf_iter_link_info: cgroup {order, cgroup_fd, cgroup_id} or task {tid, pid, pid_fd}
  struct { uint32_t first, second; uint64_t third; } info = {cgroup_order, static_cast<uint32_t>(pid), 0};
  auto attr = zeroed<bpf_attr>();
  attr.link_create.prog_fd = static_cast<uint32_t>(prog_fd);
  attr.link_create.attach_type = static_cast<uint32_t>(kTraceIter);
  if (cgroup_order != 0 || pid != 0) {
    attr.link_create.iter_info = reinterpret_cast<uint64_t>(&info);
    attr.link_create.iter_info_len = sizeof info;
  }
  return bpf(BPF_LINK_CREATE, &attr, sizeof attr);
}

int iter_create(int link_fd) {
  auto attr = zeroed<bpf_attr>();
  attr.iter_create.link_fd = static_cast<uint32_t>(link_fd);
  return bpf(BPF_ITER_CREATE, &attr, sizeof attr);
}

// In one call where the kernel can (5.6).
int map_update(int fd, const uint32_t* keys, const void* values, size_t value_size, uint32_t count) {
  bpf_attr attr{};
  attr.batch.map_fd = static_cast<uint32_t>(fd);
  attr.batch.keys = reinterpret_cast<uint64_t>(keys);
  attr.batch.values = reinterpret_cast<uint64_t>(values);
  attr.batch.count = count;
  if (count > 1 && bpf(BPF_MAP_UPDATE_BATCH, &attr, sizeof attr) == 0) return 0;
  for (uint32_t i = 0; i < count; ++i) {
    bpf_attr one{};
    one.map_fd = static_cast<uint32_t>(fd);
    one.key = reinterpret_cast<uint64_t>(keys + i);
    one.value = reinterpret_cast<uint64_t>(static_cast<const uint8_t*>(values) + i * value_size);
    if (int result = bpf(BPF_MAP_UPDATE_ELEM, &one, sizeof one); result < 0) return result;
  }
  return 0;
}

int map_delete(int fd, const void* key) {
  bpf_attr attr{};
  attr.map_fd = static_cast<uint32_t>(fd);
  attr.key = reinterpret_cast<uint64_t>(key);
  return bpf(BPF_MAP_DELETE_ELEM, &attr, sizeof attr);
}

int obj_pin(int fd, const char* path) {
  auto attr = zeroed<bpf_attr>();
  attr.bpf_fd = static_cast<uint32_t>(fd);
  attr.pathname = address(path);
  return bpf(BPF_OBJ_PIN, &attr, sizeof attr);
}

int btf_get_fd(uint32_t id) {
  auto attr = zeroed<bpf_attr>();
  attr.btf_id = id;
  return bpf(BPF_BTF_GET_FD_BY_ID, &attr, sizeof attr);
}

int next_id(int command, uint32_t start, uint32_t* id) {
  auto attr = zeroed<bpf_attr>();
  attr.start_id = start;
  int result = bpf(command, &attr, sizeof attr);
  if (result >= 0) *id = attr.next_id;
  return result;
}

int info(int fd, void* out, uint32_t size) {
  auto attr = zeroed<bpf_attr>();
  attr.info.bpf_fd = static_cast<uint32_t>(fd);
  attr.info.info = address(out);
  attr.info.info_len = size;
  return bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof attr);
}

int pidfd_open(int pid) {
  long fd = ::syscall(SYS_pidfd_open, pid, 0);
  return fd < 0 ? -errno : static_cast<int>(fd);
}

int link_kprobe_multi(const Multi& multi) {
  struct { uint32_t prog_fd, target_fd, attach_type, attr_flags, flags, count; uint64_t symbols, addresses, cookies; } attr = {};
  attr.prog_fd = static_cast<uint32_t>(multi.prog_fd);
  attr.attach_type = multi.is_session ? kTraceKprobeSession : kTraceKprobeMulti;
  attr.flags = multi.is_return ? kMultiReturn : 0;
  attr.count = multi.count;
  attr.symbols = address(multi.symbols);
  attr.addresses = address(multi.addresses);
  attr.cookies = address(multi.cookies);
  return bpf(BPF_LINK_CREATE, &attr, sizeof attr);
}

int link_uprobe_multi(const Multi& multi) {
  struct { uint32_t prog_fd, target_fd, attach_type, attr_flags; uint64_t path, offsets, ref_counters, cookies; uint32_t count, flags, pid, pad; } attr = {};
  attr.prog_fd = static_cast<uint32_t>(multi.prog_fd);
  attr.attach_type = kTraceUprobeMulti;
  attr.path = address(multi.path);
  attr.offsets = address(multi.offsets);
  attr.ref_counters = address(multi.ref_counters);
  attr.cookies = address(multi.cookies);
  attr.count = multi.count;
  attr.flags = multi.is_return ? kMultiReturn : 0;
  attr.pid = multi.pid;
  return bpf(BPF_LINK_CREATE, &attr, sizeof attr);
}

}  // namespace btc::rt::sys
