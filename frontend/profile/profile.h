// A kernel profile: what a script may name. Types and functions (BTF),
// tracepoint records, syscall arguments. It says nothing about the target's
// offsets: accesses relocate there.
//
// The file is a versioned container of separately compressed (zstd) parts with
// a name index, see frontend/profile/container.h; parts are unpacked when first
// asked for, so a script reads only what it names.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/types/types.h"

namespace btc {

// One field of a tracepoint's record as its `format` file gives it.
struct RecordField {
  std::string type;       // C text: "const char *", "__data_loc char[]", "unsigned long[6]"
  std::string name;
  uint32_t offset = 0;
  uint32_t size = 0;
  bool is_signed = false;
};
struct TracepointRecord {
  std::string category, event;
  std::string record_class;   // "trace_event_raw_sched_switch", or "" when no BTF struct has this layout
  std::string module;         // "" = vmlinux
  std::vector<RecordField> fields;  // without the common_ ones
};
struct SyscallArg { std::string type, name; };

class Profile {
 public:
  virtual ~Profile() = default;
  virtual std::string release() const = 0;            // "6.12.30+deb13-amd64"
  virtual std::string arch() const = 0;
  virtual bool has_types() = 0;                       // BTF of vmlinux is there
  virtual std::string_view vmlinux_btf() = 0;         // as the kernel gives it; empty if there is none

  // Named types, converted into `types` with RecordOrigin::Kernel; members by reference are completed lazily:
  // call complete() on a record before reading its fields.
  virtual std::optional<TypeId> find_struct(TypeTable& types, std::string_view name, bool is_union) = 0;
  virtual std::optional<TypeId> find_typedef(TypeTable& types, std::string_view name) = 0;   // resolved
  virtual std::optional<TypeId> find_enum(TypeTable& types, std::string_view name) = 0;
  // A type as C spells it, for tracepoint fields and casts: "const char *", "unsigned long", "struct page *", "pid_t", "char[16]".
  // Pointers get `space`; a pointer to an unknown type is `void *`.
  virtual std::optional<TypeId> find_c_type(TypeTable& types, std::string_view text, AddrSpace space) = 0;
  // A kernel variable's type (percpu_kaddr).
  virtual std::optional<TypeId> find_variable(TypeTable& types, std::string_view name) = 0;
  // Any enum's constant by name: (enum type, value). An enum without a name counts as the script's: nothing on the target to ask.
  virtual std::optional<std::pair<TypeId, int64_t>> find_enum_constant(TypeTable& types, std::string_view name) = 0;
  virtual void complete(TypeTable& types, uint32_t record) = 0;

  // Kernel functions: prototype as a record of FuncArgs origin (member i = argument i) plus the return type.
  struct FunctionProto { uint32_t args_record; TypeId return_type; std::string module; };
  virtual std::optional<FunctionProto> find_function(TypeTable& types, std::string_view name, std::string_view module) = 0;
  virtual std::vector<std::string> match_functions(std::string_view pattern) = 0;
  // Raw tracepoints: the arguments after the first `void *`.
  virtual std::optional<FunctionProto> find_raw_tracepoint(TypeTable& types, std::string_view event) = 0;
  // bpf_iter_<object>: the context struct, "bpf_iter__task".
  virtual std::optional<TypeId> find_iter_context(TypeTable& types, std::string_view object) = 0;

  // Tracepoints whose category and event match the patterns ('*' wildcards), in name order. Syscall tracepoints included.
  virtual std::vector<const TracepointRecord*> match_tracepoints(std::string_view category, std::string_view event) = 0;

  virtual std::vector<std::string> names(std::string_view kind) = 0;  // for suggestions: "struct" "tracepoint" "function" "iter"
  // SHA-256 of the file, for the manifest and depfile.
  virtual std::string hash() const = 0;
};

// The profile built into btc; FILE; or the running kernel ("host"). Null with `error` set on failure.
std::unique_ptr<Profile> open_builtin_profile(std::string* error);
std::unique_ptr<Profile> open_profile_file(const std::string& path, std::string* error);
std::unique_ptr<Profile> open_host_profile(std::string* error);
// Writes a profile of the running kernel. False with `error` set on failure; no partial file stays.
bool capture_profile(const std::string& out_path, std::string* error);
// The same from files copied off another machine: DIR/btf/{vmlinux,MODULE...}, DIR/events/CATEGORY/EVENT/format, DIR/release, DIR/arch.
bool capture_profile_from(const std::string& dir, const std::string& out_path, std::string* error);

}  // namespace btc
