// btc list --profile P PATTERN: what a kernel offers that is not this one. See profile_list.h.
//
// Tracepoints, raw tracepoints and functions come from the profile's records and types. What hangs on vmlinux's types alone (structures,
// iterators) or on no kernel at all (timers, software and hardware events) is listed by the runtime, as for this machine, told to read
// the profile's types instead of this kernel's. Which functions can be traced, only the kernel itself knows: all that have a type are listed.
#include "driver/profile_list.h"

#include <bpf/btf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>

#include "driver/commands.h"
#include "driver/script_options.h"
#include "driver/stub_exec.h"
#include "frontend/profile/profile.h"
#include "runtime-stub/abi/attach_point.h"

namespace btc {
namespace {

using K = abi::ProbeKind;

void append_text(void* text, const char* format, va_list args) {
  char piece[512];
  if (vsnprintf(piece, sizeof piece, format, args) > 0) *static_cast<std::string*>(text) += piece;
}

class ProfileListing {
 public:
  ProfileListing(Profile& profile, bool verbose) : profile_(profile), verbose_(verbose) {
    std::string_view raw = profile.vmlinux_btf();
    if (!verbose || raw.empty() || (btf_ = btf__new(raw.data(), static_cast<uint32_t>(raw.size()))) == nullptr) return;
    dump_ = btf_dump__new(btf_, append_text, &declared_, nullptr);
  }
  ~ProfileListing() {
    btf_dump__free(dump_);
    btf__free(btf_);
  }
  ProfileListing(const ProfileListing&) = delete;
  ProfileListing& operator=(const ProfileListing&) = delete;

  // False: it is the runtime's to list.
  bool provider(const abi::ProbeInfo& info, const std::string& rest);

 private:
  void tracepoints(std::string_view category, std::string_view event);
  void raw_tracepoints(std::string_view event);
  void functions(const abi::ProbeInfo& info, std::string_view module, std::string_view name);
  // Parameters from the `first` on; the result, if `result`. C declarations where vmlinux has the function.
  void parameters(const std::string& function, size_t first, bool result, const Profile::FunctionProto* other);
  std::string type_text(uint32_t id);

  Profile& profile_;
  bool verbose_;
  struct btf* btf_ = nullptr;
  struct btf_dump* dump_ = nullptr;
  std::string declared_;               // what dump_ wrote
  TypeTable types_;
};

std::string ProfileListing::type_text(uint32_t id) {
  declared_.clear();
  btf_dump_emit_type_decl_opts options{};
  options.sz = sizeof options;
  options.field_name = "";
  if (id == 0 || btf_dump__emit_type_decl(dump_, id, &options) != 0) return "void";
  std::string text;                    // "struct file *", as the runtime writes it
  for (char c : declared_) {
    if (c == '*' && !text.empty() && text.back() != ' ' && text.back() != '*') text += ' ';
    text += c;
  }
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

void ProfileListing::parameters(const std::string& function, size_t first, bool result, const Profile::FunctionProto* other) {
  int id = dump_ != nullptr && (other == nullptr || other->module.empty()) ? btf__find_by_name_kind(btf_, function.c_str(), BTF_KIND_FUNC) : -1;
  if (id > 0) {
    const btf_type* proto = btf__type_by_id(btf_, btf__type_by_id(btf_, static_cast<uint32_t>(id))->type);
    for (size_t i = first; i < btf_vlen(proto); ++i) {
      const btf_param& parameter = btf_params(proto)[i];
      printf("    %s %s\n", type_text(parameter.type).c_str(), btf__name_by_offset(btf_, parameter.name_off));
    }
    if (result && proto->type != 0) printf("    %s retval\n", type_text(proto->type).c_str());
    return;
  }
  if (other == nullptr) return;
  for (const Field& field : types_.record(other->args_record).fields)
    printf("    %s %s\n", types_.print_user(field.type).c_str(), field.name.c_str());
  if (result && types_.get(other->return_type).kind != TypeKind::Void) printf("    %s retval\n", types_.print_user(other->return_type).c_str());
}

void ProfileListing::tracepoints(std::string_view category, std::string_view event) {
  for (const TracepointRecord* record : profile_.match_tracepoints(category, event)) {
    printf("tracepoint:%s:%s\n", record->category.c_str(), record->event.c_str());
    for (const RecordField& field : record->fields) {
      if (!verbose_) break;
      // "char[16]" is declared as "char comm[16]".
      size_t bracket = field.type.starts_with("__data_loc") ? std::string::npos : field.type.find('[');
      std::string type = field.type.substr(0, bracket), size = bracket == std::string::npos ? "" : field.type.substr(bracket);
      printf("    %s %s%s\n", type.c_str(), field.name.c_str(), size.c_str());
    }
  }
}

void ProfileListing::raw_tracepoints(std::string_view event) {
  for (const std::string& name : profile_.names("rawtracepoint")) {
    if (!abi::wildcard_match(event, name)) continue;
    std::optional<Profile::FunctionProto> proto = profile_.find_raw_tracepoint(types_, name);
    printf("rawtracepoint:%s:%s\n", proto && !proto->module.empty() ? proto->module.c_str() : "vmlinux", name.c_str());
    if (verbose_) parameters("__traceiter_" + name, 1, false, proto ? &*proto : nullptr);
  }
}

void ProfileListing::functions(const abi::ProbeInfo& info, std::string_view module, std::string_view name) {
  bool typed = info.kind == K::Fentry || info.kind == K::Fexit, result = info.kind == K::Fexit || info.kind == K::Kretprobe;
  for (const std::string& function : profile_.match_functions(name)) {
    std::optional<Profile::FunctionProto> proto;
    if (typed || verbose_ || !module.empty()) proto = profile_.find_function(types_, function, "");
    std::string in = proto && !proto->module.empty() ? proto->module : "vmlinux";
    if (!module.empty() && !abi::wildcard_match(module, in)) continue;
    printf("%s:%s%s\n", info.name, typed || in != "vmlinux" ? (in + ":").c_str() : "", function.c_str());
    if (verbose_) parameters(function, 0, result, proto ? &*proto : nullptr);
  }
}

bool ProfileListing::provider(const abi::ProbeInfo& info, const std::string& rest) {
  size_t colon = rest.find(':');
  std::string first = colon == std::string::npos ? "" : rest.substr(0, colon), last = colon == std::string::npos ? rest : rest.substr(colon + 1);
  switch (info.kind) {
    case K::Tracepoint: return tracepoints(first.empty() ? "*" : first, last), true;
    case K::Rawtracepoint: return raw_tracepoints(last), true;
    case K::Kprobe: case K::Kretprobe: case K::Fentry: case K::Fexit: return functions(info, first, last), true;
    case K::Uprobe: case K::Uretprobe: case K::Usdt: return true;      // of programs a profile knows nothing
    default: return false;
  }
}

// The runtime's part, as a pattern of its own; it reads the types from memory.
int list_rest(Profile& profile, const std::string& patterns, bool verbose) {
  std::string_view types = profile.vmlinux_btf();
  int fd = memfd_create("btf", 0);
  if (fd < 0 || write(fd, types.data(), types.size()) != static_cast<ssize_t>(types.size())) return perror("btc: types of the profile"), kExitError;
  setenv("BPFTRACE_BTF", ("/proc/self/fd/" + std::to_string(fd)).c_str(), 1);
  std::vector<std::string> args = {"btc", "--list", patterns};
  if (verbose) args.emplace_back("-v");
  fflush(stdout);
  std::string error;
  become_executable(backend::embedded_stub(), args, &error);
  fprintf(stderr, "ERROR: failed to start the runtime: %s\n", error.c_str());
  return kExitError;
}

}  // namespace

int profile_list(Profile& profile, const std::string& what, bool verbose) {
  ProfileListing listing(profile, verbose);
  std::string rest_patterns, whole = what.empty() ? "*:*" : what;
  auto leave = [&](const std::string& pattern) { rest_patterns += (rest_patterns.empty() ? "" : ",") + pattern; };
  for (size_t begin = 0, end = 0; begin <= whole.size(); begin = end + 1) {
    end = std::min(whole.find(',', begin), whole.size());
    std::string one = whole.substr(begin, end - begin);
    one.erase(0, std::min(one.find_first_not_of(' '), one.size()));
    if (one.starts_with("struct ") || one.starts_with("union ") || one.starts_with("enum ")) {
      leave(one);
      continue;
    }
    size_t colon = one.find(':');
    bool one_word = colon == std::string::npos && abi::find_probe(one) == nullptr;
    std::string name = one_word ? "*" : one.substr(0, colon), rest = one_word ? one : colon == std::string::npos ? "*" : one.substr(colon + 1);
    if (rest.empty()) rest = "*";
    const abi::ProbeInfo* exact = abi::find_probe(name);
    std::vector<const abi::ProbeInfo*> kinds;
    if (exact != nullptr) kinds.push_back(exact);
    else kinds = abi::expand_provider(name.empty() ? "*" : name, false);
    for (const abi::ProbeInfo* info : kinds)
      if (!listing.provider(*info, rest)) leave(std::string(info->name) + ":" + rest);
  }
  return rest_patterns.empty() ? kExitOk : list_rest(profile, rest_patterns, verbose);
}

}  // namespace btc
