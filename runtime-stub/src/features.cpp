// Feature probes; see features.h.
#include "runtime-stub/src/features.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include "runtime-stub/src/kernel_btf.h"
#include "runtime-stub/src/support.h"
#include "runtime-stub/src/sys.h"

namespace btc::rt {
namespace {

enum Question : uint64_t { kHelper = 1ull << 60, kType = 2ull << 60, kOther = 3ull << 60 };

constexpr bpf_insn call(int32_t helper) { return {BPF_JMP | BPF_CALL, 0, 0, 0, helper}; }
constexpr bpf_insn mov_r0(int32_t value) { return {BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, value}; }
constexpr bpf_insn kExit = {BPF_JMP | BPF_EXIT, 0, 0, 0, 0};

#define BTC_HELPER_NAME(name, ...) #name
const char* const kHelperNames[] = {__BPF_FUNC_MAPPER(BTC_HELPER_NAME)};
#undef BTC_HELPER_NAME

int load_trivial(uint32_t type, uint32_t attach_type) {
  bpf_insn insns[] = {mov_r0(0), kExit};
  return sys::prog_load_raw(type, attach_type, insns, 2, nullptr, 0);
}

}  // namespace

uint32_t helper_id(std::string_view name) {
  for (uint32_t id = 1; id < sizeof kHelperNames / sizeof *kHelperNames; ++id)
    if (name == kHelperNames[id]) return id;
  return 0;
}

// Whether the kernel knows the helper at all; otherwise its log has "invalid func" whoever asks.
static bool exists(uint32_t id) {
  bpf_insn insns[] = {call(static_cast<int32_t>(id)), kExit};
  char log[4096] = {};
  int fd = sys::prog_load_raw(BPF_PROG_TYPE_KPROBE, 0, insns, 2, log, sizeof log);
  if (fd >= 0) ::close(fd);
  return fd >= 0 || strstr(log, "invalid func ") == nullptr;
}

bool Features::disabled(std::string_view name) const {
  for (const std::string& one : disabled_)
    if (one == name) return true;
  return false;
}

template <typename Ask>
bool Features::ask(uint64_t question, Ask&& fn) {
  for (const Known& known : known_)
    if (known.question == question) return known.answer;
  bool answer = fn();
  known_.push_back({question, answer});
  return answer;
}

bool Features::helper(uint32_t type, uint32_t id) {
  // A tracing program without a target is refused before its calls are looked at; what no program may call, it may not either.
  if (type == BPF_PROG_TYPE_TRACING && !ask(kHelper | id, [&] { return exists(id); })) return false;
  return ask(kHelper | uint64_t{type} << 32 | id, [&] {
    bpf_insn insns[] = {call(static_cast<int32_t>(id)), kExit};
    char log[4096] = {};
    uint32_t attach_type = type == BPF_PROG_TYPE_TRACING ? sys::kTraceRawTp : 0;
    int fd = sys::prog_load_raw(type, attach_type, insns, 2, log, sizeof log);
    if (fd >= 0) { ::close(fd); return true; }
    if (fd == -EPERM && log[0] == 0) return false;
    return strstr(log, "invalid func ") == nullptr && strstr(log, "unknown func ") == nullptr &&
           strstr(log, "program of this type cannot use helper ") == nullptr;
  });
}

bool Features::helper(uint32_t type, std::string_view name) {
  uint32_t id = helper_id(name);
  return id != 0 && !disabled(name) && helper(type, id);
}

bool Features::prog_type(uint32_t type) {
  return ask(kType | type, [&] {
    int fd = load_trivial(type, 0);
    if (fd >= 0) ::close(fd);
    return fd >= 0;
  });
}

bool Features::kfunc(std::string_view name) {
  return !disabled(name) && !find_btf_function(name, nullptr).empty();
}

bool Features::perf_link() {
  if (kernel_version() >= version_of(5, 15)) return true;   // older ones may have it by backport
  return ask(kOther | 1, [&] {
    // A link on a wrong descriptor: EBADF where the command knows perf events, EINVAL before 5.15.
    int fd = load_trivial(BPF_PROG_TYPE_TRACEPOINT, 0);
    if (fd < 0) return false;
    int result = sys::link_perf(fd, -1, 0);
    ::close(fd);
    return result == -EBADF;
  });
}

bool Features::attach_cookie(uint32_t type) {
  if (disabled("cookie")) return false;
  if (type == BPF_PROG_TYPE_KPROBE || type == BPF_PROG_TYPE_TRACEPOINT || type == BPF_PROG_TYPE_PERF_EVENT)
    return perf_link() && helper(type, "get_attach_cookie");
  return false;                          // tracing programs have one target each: their copies carry constants
}

bool Features::kprobe_multi() {
  if (disabled("kprobe_multi")) return false;
  return ask(kOther | 2, [&] {
    int fd = load_trivial(BPF_PROG_TYPE_KPROBE, sys::kTraceKprobeMulti);
    if (fd < 0) return false;
    // No such function: ENOENT/ESRCH/EINVAL from the lookup; EOPNOTSUPP without CONFIG_FPROBE. A real one would have to be
    // attached and detached again.
    const char* symbol = "btc_no_such_function";
    sys::Multi multi{.prog_fd = fd, .is_return = false, .count = 1, .symbols = &symbol};
    int result = sys::link_kprobe_multi(multi);
    ::close(fd);
    if (result >= 0) ::close(result);
    return result >= 0 || result == -ESRCH || result == -ENOENT;
  });
}

bool Features::kprobe_session() {
  return !disabled("kprobe_session") && kprobe_multi() && kfunc("bpf_session_is_return") && ask(kOther | 5, [&] {
    int fd = load_trivial(BPF_PROG_TYPE_KPROBE, sys::kTraceKprobeSession);
    if (fd >= 0) ::close(fd);
    return fd >= 0;
  });
}

bool Features::uprobe_multi() {
  if (disabled("uprobe_multi")) return false;
  return ask(kOther | 3, [&] {
    int fd = load_trivial(BPF_PROG_TYPE_KPROBE, sys::kTraceUprobeMulti);
    if (fd < 0) return false;
    uint64_t offset = 0;
    sys::Multi multi{.prog_fd = fd, .is_return = false, .count = 1, .path = "/", .offsets = &offset};
    int result = sys::link_uprobe_multi(multi);   // "/" is no regular file: EBADF
    ::close(fd);
    if (result >= 0) ::close(result);
    return result == -EBADF;
  });
}

bool Features::kprobes() { return file_exists("/sys/bus/event_source/devices/kprobe/type"); }
bool Features::uprobes() { return file_exists("/sys/bus/event_source/devices/uprobe/type"); }

bool Features::trampolines() {
  return ask(kOther | 4, [&] {
    BtfPlace place;
    if (find_btf_function("vfs_read", &place).empty()) return false;
    bpf_insn insns[] = {mov_r0(0), kExit};
    bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.prog_type = BPF_PROG_TYPE_TRACING;
    attr.expected_attach_type = static_cast<uint32_t>(sys::kTraceFentry);
    attr.attach_btf_id = place.id;
    attr.insns = reinterpret_cast<uint64_t>(insns);
    attr.insn_cnt = 2;
    attr.license = reinterpret_cast<uint64_t>("GPL");
    int fd = sys::bpf(BPF_PROG_LOAD, &attr, sizeof attr);
    if (fd < 0) return false;
    int link = sys::link_tracing(fd, sys::kTraceFentry, 0);
    ::close(fd);
    if (link < 0) return false;
    ::close(link);
    return true;
  });
}

bool Features::typed_reads(uint32_t type) {
  return !disabled("typed_reads") && kernel_btf() && helper(type, BPF_FUNC_get_current_task_btf);
}

bool Features::kernel_btf() { return file_exists("/sys/kernel/btf/vmlinux"); }

}  // namespace btc::rt
