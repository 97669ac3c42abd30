// Listing: what can be traced on this machine by a pattern, and what an
// artifact would attach here; -v adds arguments, from records and BTF.
//
// A pattern is bound with the very functions that bind a script's attach
// points, so a listed probe is one that would attach.
#include <algorithm>
#include <unistd.h>

#include "runtime-stub/src/kernel_btf.h"
#include "runtime-stub/src/perf_events.h"
#include "runtime-stub/src/records.h"
#include "runtime-stub/src/resolve.h"
#include "runtime-stub/src/survey.h"
#include "runtime-stub/src/user_symbols.h"

namespace btc::rt {
namespace {

// A Program table of the manifest with every member at its default: vtable of 4 bytes, table of 4 bytes.
alignas(8) constexpr uint8_t kEmptyProgram[] = {4, 0, 4, 0, 4, 0, 0, 0};
const fb::Program* empty_program() { return reinterpret_cast<const fb::Program*>(kEmptyProgram + 4); }

constexpr std::string_view kIndent = "    ";

// The type's name in lists: that of the `probetype` builtin.
std::string_view listed_type(abi::ProbeKind kind) { return kind == abi::ProbeKind::Bench ? "benchmark" : abi::probe_info(kind).name; }

class Listing {
 public:
  explicit Listing(RunState& run) : run_(run) {}
  void pattern(std::string_view text);
  void binding(const Binding& binding);
  void foreign_programs();
  const std::string& text() const { return text_; }

 private:
  void provider(const abi::ProbeInfo& info, std::string_view rest);
  void structs(std::string_view pattern);
  void members(const BtfFile& btf, const btf_type& type, size_t depth);
  void member(const BtfFile& btf, uint32_t type, std::string declared, size_t depth);
  void line(std::string_view name) { append(text_, cat(name, "\n")); }
  void functions(const BtfFile* btf, uint32_t id, size_t first, bool result);
  RunState& run_;
  std::string text_;
};

// "struct file * file" of a function's parameters, then its result.
void Listing::functions(const BtfFile* btf, uint32_t id, size_t first, bool result) {
  const btf_type* func = btf->type(id);
  const btf_type* proto = func != nullptr ? btf->resolve(func->type) : nullptr;
  if (proto != nullptr && BTF_INFO_KIND(proto->info) == BTF_KIND_PTR) proto = btf->resolve(proto->type);
  if (proto == nullptr || BTF_INFO_KIND(proto->info) != BTF_KIND_FUNC_PROTO) return;
  auto* params = reinterpret_cast<const btf_param*>(proto + 1);
  std::vector<std::string_view> names = btf->parameters(id);
  for (size_t i = first; i < names.size(); ++i) append(text_, cat(kIndent, btf->type_text(params[i].type), " ", names[i], "\n"));
  if (result && proto->type != 0) append(text_, cat(kIndent, btf->type_text(proto->type), " retval\n"));
}

void Listing::binding(const Binding& binding) {
  using K = abi::ProbeKind;
  const abi::AttachPoint& point = binding.point;
  switch (point.kind) {                          // without the numbers, as probes of these types are listed
    case K::Begin: case K::End: case K::Self: return;
    case K::Test: case K::Bench: line(cat(listed_type(point.kind), ":", point.func, ":")); break;
    case K::Profile: case K::Interval: line(cat(abi::probe_info(binding.point.kind).name, ":", binding.point.unit, ":")); break;
    case K::Software: case K::Hardware: line(cat(abi::probe_info(binding.point.kind).name, ":", binding.point.func, ":")); break;
    default:
      // Demangled names hold what attach points do not, so that they are quoted.
      if (std::string plain = point.lang == "cpp" ? demangle(point.func) : ""; !plain.empty())
        line(cat(abi::probe_info(point.kind).name, ":", point.target, ":", point.lang, ":\"", plain, "\""));
      else line(binding.name);
  }
  if (run_.options.verbose == 0) return;
  switch (binding.point.kind) {
    case K::Tracepoint: {
      std::vector<RecordField> fields;
      read_record(binding.record, &fields);
      for (const RecordField& field : fields)
        if (!field.name.starts_with("common_")) append(text_, cat(kIndent, field.declaration, "\n"));
      break;
    }
    case K::Rawtracepoint:                      // the prototype has no names; the function that calls the probes does (5.10)
      if (const BtfFile* btf = module_btf(binding.btf_module))
        if (uint32_t id = btf->find(cat("__traceiter_", binding.point.func), BTF_KIND_FUNC)) functions(btf, id, 1, false);
      break;
    case K::Fentry: case K::Fexit:
      if (const BtfFile* btf = binding.prog_fd == 0 ? module_btf(binding.btf_module) : nullptr)
        functions(btf, binding.btf_id, 0, binding.point.kind == K::Fexit);
      break;
    case K::Kprobe: case K::Kretprobe: {
      BtfPlace place;
      if (!find_btf_function(binding.point.func, &place).empty()) functions(place.btf, place.id, 0, binding.point.kind == K::Kretprobe);
      break;
    }
    default: break;
  }
}

// Programs of imported C, by the section that says where they go.
void Listing::foreign_programs() {
  for (uint32_t i = 0; i < count_of(run_.manifest().foreign_programs()); ++i) {
    const fb::ForeignProgram* program = run_.manifest().foreign_programs()->Get(i);
    line(cat(text_of(program->file()), ":", text_of(program->name()), " ", text_of(program->section())));
  }
}

void Listing::provider(const abi::ProbeInfo& info, std::string_view rest) {
  using K = abi::ProbeKind;
  std::string_view event = rest.substr(0, rest.find(':'));
  switch (info.kind) {
    case K::Begin: case K::End: case K::Test: case K::Bench: case K::Watchpoint: return;
    case K::Self:
      if (abi::wildcard_match(rest, "signal:SIGUSR1")) line("self:signal:SIGUSR1");
      return;
    case K::Software: case K::Hardware: {
      std::vector<std::string> names;
      for (const PerfEventInfo& row : perf_events())
        for (std::string_view name : {std::string_view(row.alias), std::string_view(row.name)})
          if (row.kind == info.kind && !name.empty() && abi::wildcard_match(event, name)) names.push_back(cat(info.name, ":", name, ":"));
      std::sort(names.begin(), names.end());
      for (const std::string& name : names) line(name);
      return;
    }
    case K::Profile: case K::Interval:
      for (const char* unit : {"hz", "ms", "s", "us"})
        if (abi::wildcard_match(event, unit)) line(cat(info.name, ":", unit, ":"));
      return;
    default: break;
  }
  Resolution result;
  result.program = empty_program();
  abi::AttachPoint point;
  point.kind = info.kind;
  std::vector<std::string_view> parts = split(rest, ':');
  bool file = info.kind == K::Uprobe || info.kind == K::Uretprobe || info.kind == K::Usdt;
  if (file) {
    // With a process, one word is a name in any of its files; without, it is a file.
    bool name_only = parts.size() == 1 && run_.options.pid != 0 && parts[0].find('/') == std::string_view::npos;
    point.target = name_only ? "*" : parts[0];
    if (info.kind == K::Usdt && parts.size() > 2) point.ns = parts[1];
    else if (parts.size() > 2) point.lang = parts[1];
    point.func = parts.size() > 1 || name_only ? parts.back() : "*";
    if (point.func.empty()) point.func = "*";
  } else if (parts.size() > 1) {
    point.target = parts[0];
    point.func = parts[1];
  } else if (info.kind == K::Tracepoint) {
    point.target = "*";
    point.func = parts[0];
  } else {
    point.func = parts[0];
  }
  point.wildcard = true;
  if (info.kind == K::Kprobe || info.kind == K::Kretprobe) {
    std::vector<TraceableFunction> functions;
    traceable_functions(run_, point.func, point.target, &functions);
    for (const TraceableFunction& function : functions) {
      Binding& one = result.add(How::Kprobe, point);
      one.point.func = function.name;
      one.point.target = function.module;
      one.name = one.point.display_name();
    }
  } else if (info.kind == K::Iter) {
    std::vector<std::pair<std::string, uint32_t>> iterators;
    if (vmlinux_btf() != nullptr)
      vmlinux_btf()->for_each(BTF_KIND_FUNC, [&](uint32_t id, const btf_type&, std::string_view name) {
        if (name.starts_with("bpf_iter_") && abi::wildcard_match(point.func, name.substr(9)) &&
            vmlinux_btf()->find(cat("bpf_iter__", name.substr(9)), BTF_KIND_STRUCT) != 0)
          iterators.emplace_back(name.substr(9), id);
        return true;
      });
    std::sort(iterators.begin(), iterators.end());
    for (const auto& [name, id] : iterators) {
      line(cat("iter:", name));
      if (run_.options.verbose > 0) functions(vmlinux_btf(), id, 1, false);   // the first parameter is every iterator's
    }
  } else if (info.kind == K::Tracepoint) {
    if (!point.func.empty()) resolve_tracepoint(run_, point, &result);   // "sched:" would find the category itself
  }
  else if (info.kind == K::Rawtracepoint) {
    if (point.target.empty()) point.target = "*";
    if (point.func.find('*') == std::string::npos) point.func += "*", resolve_rawtracepoint(run_, point, &result), std::erase_if(result.found, [&](const Binding& b) { return !abi::wildcard_match(parts.back(), b.point.func); });
    else resolve_rawtracepoint(run_, point, &result);
  } else if (info.kind == K::Fentry || info.kind == K::Fexit) resolve_trampoline(run_, point, &result);
  else if (info.kind == K::Usdt) resolve_usdt(run_, point, &result);
  else resolve_uprobe(run_, point, &result);
  std::sort(result.found.begin(), result.found.end(), [](const Binding& a, const Binding& b) { return a.name < b.name; });
  for (const Binding& found : result.found) binding(found);
}

// One member as C declares it. `declared` is its name, around which pointers, arrays and parameters of functions are put.
void Listing::member(const BtfFile& btf, uint32_t id, std::string declared, size_t depth) {
  std::string before;
  for (const btf_type* t = btf.type(id); t != nullptr; t = btf.type(id)) {
    if (BTF_INFO_KIND(t->info) == BTF_KIND_ARRAY) {
      auto* array = reinterpret_cast<const btf_array*>(t + 1);
      if (declared.starts_with('*')) declared = cat("(", declared, ")");
      append(declared, cat("[", array->nelems, "]"));
      id = array->type;
    } else if (BTF_INFO_KIND(t->info) == BTF_KIND_PTR) {
      declared.insert(0, "*");
      id = t->type;
    } else if (BTF_INFO_KIND(t->info) == BTF_KIND_FUNC_PROTO) {
      std::string parameters;
      auto* params = reinterpret_cast<const btf_param*>(t + 1);
      for (uint32_t i = 0; i < BTF_INFO_VLEN(t->info); ++i)
        append(parameters, cat(i == 0 ? "" : ", ", params[i].type == 0 ? "..." : btf.type_text(params[i].type)));
      declared = cat("(", declared, ")(", parameters.empty() ? "void" : parameters, ")");
      id = t->type;
    } else if ((BTF_INFO_KIND(t->info) == BTF_KIND_STRUCT || BTF_INFO_KIND(t->info) == BTF_KIND_UNION) && btf.name(*t).empty()) {
      append(text_, cat(std::string(depth, '\t'), BTF_INFO_KIND(t->info) == BTF_KIND_UNION ? "union" : "struct", " {\n"));
      members(btf, *t, depth + 1);
      append(text_, cat(std::string(depth, '\t'), declared.empty() ? "}" : "} ", declared, ";\n"));
      return;
    } else {
      break;
    }
  }
  append(text_, cat(std::string(depth, '\t'), btf.type_text(id), declared.empty() ? "" : " ", declared, ";\n"));
}

void Listing::members(const BtfFile& btf, const btf_type& type, size_t depth) {
  auto* list = reinterpret_cast<const btf_member*>(&type + 1);
  for (uint32_t i = 0; i < BTF_INFO_VLEN(type.info); ++i) {
    btf_type named{};
    named.name_off = list[i].name_off;
    uint32_t bits = BTF_INFO_KFLAG(type.info) ? BTF_MEMBER_BITFIELD_SIZE(list[i].offset) : 0;
    std::string declared(btf.name(named));
    if (bits != 0) append(declared, cat(": ", bits));
    if (depth < 20) member(btf, list[i].type, declared, depth);
  }
}

// Structs, unions and enums, as the kernel's BTF has them.
void Listing::structs(std::string_view pattern) {
  const BtfFile* btf = vmlinux_btf();
  if (btf == nullptr) return;
  std::string_view word = next_word(pattern);
  uint32_t kind = word == "struct" ? BTF_KIND_STRUCT : word == "union" ? BTF_KIND_UNION : BTF_KIND_ENUM;
  std::string_view wanted = trim(pattern);
  bool more = wanted.find('*') != std::string_view::npos;
  std::vector<std::pair<std::string_view, const btf_type*>> found;
  btf->for_each(kind, [&](uint32_t, const btf_type& type, std::string_view name) {
    if (name.empty() || !abi::wildcard_match(wanted, name)) return true;
    found.emplace_back(name, &type);
    return more;
  });
  std::sort(found.begin(), found.end());         // of one name the first in the types, as before: they lie one behind the other
  found.erase(std::unique(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first == b.first; }), found.end());
  for (const auto& [name, found_type] : found) {
    const btf_type& type = *found_type;
    if (run_.options.verbose == 0) {
      line(cat(word, " ", name));
      continue;
    }
    line(cat("vmlinux: ", word, " ", name, " {"));
    auto* values = reinterpret_cast<const btf_enum*>(&type + 1);
    for (uint32_t i = 0; kind == BTF_KIND_ENUM && i < BTF_INFO_VLEN(type.info); ++i) {
      btf_type named{};
      named.name_off = values[i].name_off;
      append(text_, cat("\t", btf->name(named), " = ", values[i].val, ",\n"));
    }
    if (kind != BTF_KIND_ENUM) members(*btf, type, 1);
    line("};\n");
  }
}

void Listing::pattern(std::string_view whole) {
  if (whole.find('.') != std::string_view::npos && whole.find_first_of(":*") == std::string_view::npos)
    run_.messages.warning(cat("It appears that '", whole, "' is a filename but the file does not exist. Treating '", whole, "' as a search pattern."));
  for (std::string_view one : split(whole, ',')) {
    one = trim(one);
    if (one.starts_with("struct ") || one.starts_with("union ") || one.starts_with("enum ")) {
      structs(one);
      continue;
    }
    // One word is a function or an event of any type of probe, unless it is the name of a type.
    size_t colon = one.find(':');
    bool one_word = colon == std::string_view::npos && abi::find_probe(one) == nullptr;
    std::string_view name = one_word ? "*" : one.substr(0, colon), rest = one_word ? one : colon == std::string_view::npos ? "*" : one.substr(colon + 1);
    if (rest.empty()) rest = "*";
    if (const abi::ProbeInfo* info = abi::find_probe(name)) {
      bool only_in_scripts = info->kind == abi::ProbeKind::Test || info->kind == abi::ProbeKind::Bench;
      if (!only_in_scripts) provider(*info, rest);
      else if (colon != std::string_view::npos) line(cat(listed_type(info->kind), "::"));
      continue;
    }
    bool has_path = rest.find('/') != std::string_view::npos;
    for (bool in_files : {false, true}) {
      if (in_files ? !has_path && run_.options.pid == 0 : has_path) continue;
      for (const abi::ProbeInfo* info : abi::expand_provider(name.empty() ? "*" : name, in_files)) provider(*info, rest);
    }
  }
}

}  // namespace

int list_machine(RunState& run) {
  run.features.disable("uprobe_multi");
  Listing listing(run);
  listing.pattern(run.options.positional.empty() ? "*:*" : run.options.positional[0]);
  write_all(STDOUT_FILENO, listing.text());
  return 0;
}

int list_artifact(RunState& run) {
  for (const char* feature : {"uprobe_multi", "kprobe_multi"}) run.features.disable(feature);
  int code = resolve_all(run);
  Listing listing(run);
  for (const Binding& binding : run.bindings) listing.binding(binding);
  listing.foreign_programs();
  write_all(STDOUT_FILENO, listing.text());
  return code;
}

}  // namespace btc::rt
