// Attach points: the one grammar, used by the compiler to check and by the
// runtime to bind (again after `$1` was substituted). No exceptions, no
// iostream: this is linked into artifacts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace btc::abi {

enum class ProbeKind : uint8_t {
#define BTC_PROBE(Kind, ...) Kind,
#include "runtime-stub/abi/probes.def"
#undef BTC_PROBE
  kCount
};
enum class CtxKind : uint8_t { none, pt_regs, record, raw_args, trampoline, perf_event, iter, xdp };

struct ProbeInfo {
  ProbeKind kind;
  uint8_t bit;
  const char* name;
  const char* aliases;
  const char* forms;
  CtxKind ctx;
  const char* section;
  uint8_t attach_pass;
  const char* doc;
};
const ProbeInfo& probe_info(ProbeKind kind);
// By canonical name or alias. `*deprecated` (may be null) tells whether an old name was used.
const ProbeInfo* find_probe(std::string_view name, bool* deprecated = nullptr);

struct AttachPoint {
  ProbeKind kind{};
  std::string target;    // kprobe/fentry: module; uprobe/usdt: file; tracepoint: category; iter: object; watchpoint: ""
  std::string ns;        // usdt namespace
  std::string lang;      // uprobe "cpp"
  bool of_process = false;  // uprobe, usdt without a file: that of the process given with -p
  std::string func;      // function, event, probe name; begin/end: ""; software/hardware: event; self: signal name
  bool has_offset = false;
  uint64_t offset = 0;   // +N
  bool has_address = false;
  uint64_t address = 0;
  std::string unit;      // profile/interval: hz s ms us ns
  uint64_t value = 0;    // profile/interval: frequency or period in that unit; software/hardware: count (0 = default)
  uint32_t length = 0;   // watchpoint
  std::string mode;      // watchpoint
  std::string pin;       // iter
  uint32_t bpf_prog_id = 0;  // fentry:bpf:ID:name
  std::string source_file; uint32_t source_line = 0, source_col = 0;  // uprobe FILE@SOURCE:LINE
  bool wildcard = false; // some part holds '*' (or is an empty usdt namespace / file pattern)

  // The probe's name as the `probe` builtin and messages show it, e.g. "kprobe:vfs_read", "interval:s:1".
  std::string display_name() const;
};

struct AttachPointError {
  std::string message;   // bpftrace's wording where it has one; empty = no error
  std::string hint;
  uint32_t offset = 0;   // into the text
  uint32_t length = 0;
};

// Parses "provider:part:part". Parts may be "quoted". Text with `$N` in it must have been substituted first, except that
// `allow_params` accepts `$N` anywhere and leaves numeric parts that hold one as 0 (compile-time check of the rest).
bool parse_attach_point(std::string_view text, AttachPoint* out, AttachPointError* error, bool allow_params = false);

// Replaces unquoted `$N` by params[N-1] (missing: nothing). False if a `$` is not followed by a number from 1 up.
// `*missing` (may be null): the first that is missing, "$3", or "".
bool substitute_params(std::string_view text, const std::vector<std::string>& params, std::string* out, std::string* missing = nullptr);

// Probe types that a provider with wildcards ("k*", "*probe") stands for: those that list functions or events of the
// kernel, or of user-space files.
std::vector<const ProbeInfo*> expand_provider(std::string_view pattern, bool user_space);

// Functions of system calls by the name that they have in the kernel's sources ("sys_openat"; with '*' in it a pattern of such names). Since 4.17
// x86-64 compiles them as wrappers, __x64_sys_openat(const struct pt_regs*) (ARCH_HAS_SYSCALL_WRAPPER), which this returns; "" for other names.
std::string syscall_wrapper(std::string_view function);
// The plain name of a wrapper.
std::string_view unwrapped_syscall(std::string_view wrapper);

// Shell-like match with '*' only, as bpftrace's patterns.
bool wildcard_match(std::string_view pattern, std::string_view text);

// A demangled C++ name by a pattern for the whole of it or for what stands before its parameters: "f(int) const" is "f",
// "(anonymous namespace)::f(void (*)(int))" is "(anonymous namespace)::f". A part of a function that the compiler put elsewhere, or a copy for
// one caller, keeps its mark: "f() [clone .cold]" is not "f".
std::string without_parameters(std::string_view name);
bool cpp_name_match(std::string_view pattern, std::string_view name);

}  // namespace btc::abi
