// One function per row of facts.def; see facts.h. A row without its function does not compile.
#include "runtime-stub/src/facts.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <sys/stat.h>

#include "runtime-stub/abi/abi.h"
#include "runtime-stub/src/kernel_btf.h"
#include "runtime-stub/src/resolve.h"
#include "runtime-stub/src/sys.h"

namespace btc::rt {
namespace {

constexpr int kTai = 11;                       // CLOCK_TAI

struct Value {
  uint64_t number = 0;
  std::string_view text;
  bool is_text = false;
  std::string problem;                         // the run cannot go on
};

Value number(uint64_t n) { return {n, {}, false, {}}; }
std::string_view name_of(const RunState& run, const fb::Fact& fact) {
  return fact.param() < 0 ? text_of(fact.arg()) : std::string_view(run.params[static_cast<uint32_t>(fact.param())].text);
}
uint64_t clock_ns(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000 + static_cast<uint64_t>(now.tv_nsec);
}

// pid namespace of the tracer; the initial one has a fixed inode (include/linux/proc_ns.h).
constexpr uint64_t kInitialPidNamespace = 0xeffffffc;
bool pid_namespace(struct stat* info) { return ::stat("/proc/self/ns/pid", info) == 0 && info->st_ino != kInitialPidNamespace; }

// Lowest answer over the program types in use: a fact is one constant for all programs.
template <typename Ask>
Value for_all_types(RunState& run, Ask&& ask) {
  for (const Binding& binding : run.bindings)
    if (!ask(prog_type_of(binding))) return number(0);
  return number(1);
}

Value fact_Param(RunState& run, const fb::Fact& fact) {
  if (fact.param() < 0) return number(0);
  const ParamValue& value = run.params[static_cast<uint32_t>(fact.param())];
  const fb::Param* param = run.manifest().params()->Get(static_cast<uint32_t>(fact.param()));
  bool is_text = param->kind() == 1;
  if (is_text && value.text.size() >= fact.size() && fact.size() != 0) return {0, std::string_view(value.text).substr(0, fact.size() - 1), true, {}};
  return {static_cast<uint64_t>(value.number), value.text, is_text, {}};
}

// The limits are those that the compiler knows for a literal in the same place; the messages too.
Value fact_ParamWithin(RunState& run, const fb::Fact& fact) {
  int64_t given = run.params[static_cast<uint32_t>(fact.param())].number;
  for (std::string_view rest = text_of(fact.arg()); !rest.empty();) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    bool is_least = next_word(line) == "L";
    int64_t limit = 0;
    parse_i64(next_word(line), &limit);
    if (is_least ? given < limit : given > limit) return {0, {}, false, std::string(trim(line))};
  }
  return number(static_cast<uint64_t>(given));
}
Value fact_WarningLevel(RunState& run, const fb::Fact&) { return number(run.options.output.warning_level); }
Value fact_TargetPid(RunState& run, const fb::Fact&) { return number(static_cast<uint64_t>(run.target_pid())); }
Value fact_ChildPid(RunState& run, const fb::Fact&) { return number(static_cast<uint64_t>(run.child_pid)); }
Value fact_PidnsDev(RunState&, const fb::Fact&) {
  struct stat info {};
  // The kernel compares with its own encoding of the device (new_encode_dev of the nsfs superblock).
  return number(pid_namespace(&info) ? info.st_dev : 0);
}
Value fact_PidnsIno(RunState&, const fb::Fact&) {
  struct stat info {};
  return number(pid_namespace(&info) ? info.st_ino : 0);
}
Value fact_NumCpus(RunState&, const fb::Fact&) { return number(possible_cpus()); }
Value fact_OnlineCpus(RunState&, const fb::Fact&) { return number(online_cpus().size()); }
Value fact_BootNsecs(RunState& run, const fb::Fact&) { return number(run.start_boot_ns); }
Value fact_TaiDelta(RunState&, const fb::Fact&) { return number(clock_ns(kTai) - clock_ns(CLOCK_BOOTTIME)); }
Value fact_HasCookie(RunState& run, const fb::Fact&) { return number(run.features.attach_cookie(BPF_PROG_TYPE_KPROBE)); }
Value fact_HasBootClock(RunState& run, const fb::Fact&) {
  return number(run.features.helper(BPF_PROG_TYPE_RAW_TRACEPOINT, "ktime_get_boot_ns"));
}
Value fact_HasRdonlyCast(RunState& run, const fb::Fact&) {
  return number(kernel_version() >= version_of(6, 2) && run.features.kfunc("bpf_rdonly_cast"));
}
Value fact_HasLookupPercpu(RunState& run, const fb::Fact&) {
  return for_all_types(run, [&](uint32_t type) { return run.features.helper(type, "map_lookup_percpu_elem"); });
}
Value fact_HasForEach(RunState& run, const fb::Fact&) {
  return for_all_types(run, [&](uint32_t type) { return run.features.helper(type, "for_each_map_elem"); });
}
Value fact_HasLoop(RunState& run, const fb::Fact&) {
  return for_all_types(run, [&](uint32_t type) { return run.features.helper(type, "loop"); });
}
Value fact_HasFuncIp(RunState& run, const fb::Fact&) {
  for (const Binding& binding : run.bindings)
    if (binding.how != How::TestRun && !run.features.helper(prog_type_of(binding), "get_func_ip")) return number(0);
  return number(1);
}
Value fact_KernelSymbol(RunState& run, const fb::Fact& fact) {
  std::string_view name = name_of(run, fact);
  uint64_t address = kernel_symbol(name);
  if (address != 0) return number(address);
  return {0, {}, false, cat("Failed to resolve kernel symbol: ", name)};
}
Value fact_CgroupId(RunState& run, const fb::Fact& fact) {
  // The 64-bit id is the file handle of the folder (kernfs); 4.18 on.
  std::string path(name_of(run, fact));
  struct { file_handle head; char bytes[64]; } handle;
  memset(&handle, 0, sizeof handle);
  handle.head.handle_bytes = 8;
  int mount = 0;
  uint64_t id = 0;
  if (::name_to_handle_at(AT_FDCWD, path.c_str(), &handle.head, &mount, 0) == 0 && handle.head.handle_bytes >= 8) {
    memcpy(&id, handle.bytes, 8);
    return number(id);
  }
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0) return number(info.st_ino);
  return {0, {}, false, cat("Failed to get cgroup id: ", path, ": ", error_text(errno))};
}
Value fact_HelperExists(RunState& run, const fb::Fact& fact) {
  return for_all_types(run, [&](uint32_t type) { return run.features.helper(type, text_of(fact.arg())); });
}
Value fact_KfuncExists(RunState& run, const fb::Fact& fact) { return number(run.features.kfunc(name_of(run, fact))); }

using FactFunction = Value (*)(RunState&, const fb::Fact&);
constexpr FactFunction kFunctions[] = {
#define BTC_FACT(Kind, Bytes, Doc) fact_##Kind,
#include "runtime-stub/abi/facts.def"
#undef BTC_FACT
};

}  // namespace

bool fill_facts(RunState& run) {
  const fb::Manifest& manifest = run.manifest();
  if (count_of(manifest.facts()) == 0) return true;
  size_t size = 0;
  uint8_t* facts = run.loader->facts(&size);
  if (facts == nullptr) return true;             // no program reads one
  for (uint32_t i = 0; i < count_of(manifest.facts()); ++i) {
    const fb::Fact* fact = manifest.facts()->Get(i);
    if (fact->offset() > size || fact->size() > size - fact->offset()) {
      run.messages.error("the artifact is damaged: a fact lies outside its place");
      return false;
    }
    Value value = kFunctions[fact->kind()](run, *fact);
    if (!value.problem.empty()) {
      run.messages.at(fact->location(), Severity::Error, value.problem);
      return false;
    }
    uint8_t* to = facts + fact->offset();
    memset(to, 0, fact->size());
    if (value.is_text) memcpy(to, value.text.data(), std::min<size_t>(value.text.size(), fact->size()));
    else memcpy(to, &value.number, std::min<size_t>(8, fact->size()));
  }
  return true;
}

// First of that name. 10 MB of text: read in pieces, never kept.
static bool find_kernel_symbol(std::string_view wanted, uint64_t* address, bool may_be_hidden) {
  Fd fd(::open("/proc/kallsyms", O_RDONLY | O_CLOEXEC));
  if (!fd) return false;
  std::string buffer;
  buffer.resize(65536);
  size_t used = 0;
  while (true) {
    ssize_t n = ::read(fd.get(), buffer.data() + used, buffer.size() - used);
    if (n <= 0) return false;
    used += static_cast<size_t>(n);
    std::string_view text(buffer.data(), used);
    size_t end;
    while ((end = text.find('\n')) != std::string_view::npos) {
      std::string_view line = text.substr(0, end);
      text.remove_prefix(end + 1);
      std::string_view digits = next_word(line);
      next_word(line);
      if (next_word(line) == wanted && parse_u64(digits, address, 16) && (may_be_hidden || *address != 0)) return true;
    }
    memmove(buffer.data(), text.data(), text.size());
    used = text.size();
  }
}

uint64_t kernel_symbol(std::string_view name) {
  uint64_t address = 0;
  return find_kernel_symbol(name, &address, false) ? address : 0;
}

bool has_kernel_symbol(std::string_view name) {
  uint64_t address = 0;
  return find_kernel_symbol(name, &address, true);
}

}  // namespace btc::rt
