// uprobes and USDT probes; see resolve.h. The file is the target machine's (or the traced process's own, behind its mount
// namespace); symbols and notes are read from it each time, so a library may be newer than the script.
#include <algorithm>
#include <cerrno>
#include <memory>
#include <unordered_set>

#include "runtime-stub/src/resolve.h"
#include "runtime-stub/src/resolve_files.h"
#include "runtime-stub/src/usdt_notes.h"
#include "runtime-stub/src/user_symbols.h"
#include "runtime-stub/src/zip_member.h"

namespace btc::rt {
namespace {

bool has_star(std::string_view text) { return text.find('*') != std::string_view::npos; }

bool has_constant(const Resolution& out, uint32_t first, uint32_t last) {
  for (uint32_t i = 0; i < count_of(out.program->patches()); ++i) {
    const fb::Patch* patch = out.program->patches()->Get(i);
    if (patch->kind() == fb::PatchKind::CopyConst && patch->id() >= first && patch->id() <= last) return true;
  }
  return false;
}
// uaddr() counts from the place of the probe, so each place has a copy of its own.
bool depends_on_place(const Resolution& out) { return has_constant(out, abi::kCopySymbol, abi::kCopyFieldForm - 1); }

// Many places in one link where the kernel can and nothing differs from place to place; else one perf event each. Before 6.10 such a link
// sees only one thread of the process that it is for.
How uprobe_how(RunState& run, const Resolution& out, bool many) {
  if (depends_on_place(out) || (run.target_pid() != 0 && kernel_version() < version_of(6, 10))) return How::Uprobe;
  bool names = !out.program->uses_probe_name() || reads_cookie(run, *out.program);
  return many && names && run.features.uprobe_multi() ? How::UprobeMulti : How::Uprobe;
}

bool is_narrow(const UserBinary& binary) { return binary.elf().header().e_machine == EM_386; }

Binding& add_uprobe(RunState& run, const abi::AttachPoint& point, const std::string& file, const UserBinary* binary, How how, Resolution* out) {
  Binding& binding = out->add(how, point);
  binding.is_return = point.kind == abi::ProbeKind::Uretprobe;
  binding.is_narrow = binary != nullptr && is_narrow(*binary);
  binding.file = path_in_process(run.target_pid(), file);
  binding.pid = run.target_pid() != 0 ? run.target_pid() : -1;
  return binding;
}

bool forced(RunState& run) { return run.options.output.allow_unsafe || run.manifest().unsafe(); }

constexpr std::string_view kForce =
    "\nUse --unsafe to force attachment. WARNING: This option could lead to data corruption in the target process.";

// A breakpoint must replace the first byte of an instruction of that function: what else it may replace is said, or refused.
void check_place(RunState& run, const UserBinary& binary, const UserFunction& function, uint64_t offset, const std::string& file, Binding* binding) {
  if (function.size == 0 && offset == 0) {
    if (!forced(run)) binding->refusal = cat("Could not determine boundary for ", function.name, " (symbol has size 0).", kForce);
  } else if (offset >= function.size) {
    binding->refusal = cat("Offset outside the function bounds ('", function.name, "' size is ", function.size, ")");
  } else if (offset != 0) {
    std::string_view type = abi::probe_info(binding->point.kind).name;
    std::string place = cat(file, ":", function.name, "+", offset);
    Boundary boundary = binary.boundary(function, offset);
    if (boundary == Boundary::Begins) return;
    bool inside = boundary == Boundary::Inside;
    if (forced(run)) run.messages.warning(inside ? cat("Unsafe ", type, " in the middle of the instruction: ", place) : cat("Unchecked ", type, ": ", place));
    else if (inside) binding->refusal = cat("Could not add ", type, " into middle of instruction: ", place, kForce);
    else binding->refusal = cat("Failed to check if ", type, " is in proper place: ", place, kForce);
  }
}

// The dynamic linker runs an indirect function once, to choose the function that is called from then on; the name does not lead there.
void warn_indirect(RunState& run, const UserFunction& function, const Binding& binding) {
  if (function.is_indirect)
    run.messages.warning(cat(binding.name, ": ", function.name, " is an indirect function (ifunc): only the choice of its code is seen, once per process, not its calls"));
}

void add_functions(RunState& run, const abi::AttachPoint& point, const std::string& file, const UserBinary& binary, Resolution* out) {
  std::vector<UserFunction> functions = binary.match(point.func, point.lang == "cpp");
  if (functions.empty()) return;
  How how = uprobe_how(run, *out, !point.has_offset);
  if (how == How::UprobeMulti) {
    abi::AttachPoint match = point;
    match.target = file;
    abi::AttachPoint one = match;
    if (run.filter != nullptr)
      std::erase_if(functions, [&](const UserFunction& function) { return one.func = function.name, !run.chosen(one.display_name()); });
    Binding& binding = add_uprobe(run, match, file, &binary, how, out);
    std::unordered_set<uint64_t> seen;           // names that share an address (aliases) are one place
    for (const UserFunction& function : functions)
      if (seen.insert(function.offset).second) binding.sites.push_back({function.name, function.offset, 0, 0});
    binding.count = static_cast<uint32_t>(functions.size());
    return;
  }
  out->expanded = true;
  for (const UserFunction& function : functions) {
    abi::AttachPoint match = point;
    match.target = file;
    match.func = function.name;
    match.wildcard = false;
    Binding& binding = add_uprobe(run, match, file, &binary, how, out);
    binding.sites.push_back({function.name, function.offset + point.offset, 0, 0});
    if (point.has_offset) check_place(run, binary, function, point.offset, file, &binding);
  }
}

// An address is one in the file's own numbering; with --unsafe, where nothing is known about it, the place in the file.
void add_address(RunState& run, const abi::AttachPoint& point, const std::string& file, const UserBinary* binary, Resolution* out) {
  Binding& binding = add_uprobe(run, point, file, binary, How::Uprobe, out);
  uint64_t offset = point.address;
  UserFunction function;
  bool known = binary != nullptr && binary->file_offset(point.address, &offset) && binary->function_at(point.address, &function);
  binding.sites.push_back({"", offset, 0, 0});
  if (known) {
    uint64_t distance = point.address - function.address;
    if (!binding.is_return) check_place(run, *binary, function, distance, file, &binding);
    else if (distance != 0)
      binding.refusal = cat("uretprobes cannot be attached at function offset. (address resolved to: ", function.name, "+", distance, ")");
  } else if (!forced(run)) {
    binding.refusal = cat("Could not resolve address: ", file, ":0x", hex(point.address));
  } else {
    run.messages.warning(cat("Could not determine instruction boundary for ", binding.name,
                             " (binary appears stripped). Misaligned probes can lead to tracee crashes!"));
  }
}

// What the script took from a copy of the program (layouts, places of arguments, addresses of lines) holds for that build only.
bool is_compiled_for(const fb::Program& program, const std::string& file, const UserBinary& binary, Resolution* out) {
  std::string_view wanted = text_of(program.build_id());
  std::string have = hex_text(binary.elf().build_id());
  if (wanted.empty() || wanted == have) return true;
  out->problem = cat(file, " is another build than the one whose debug information the script was compiled with (build id ",
                     have.empty() ? "none" : have, ", not ", wanted, "): compile the script with a copy of this one");
  return false;
}

void resolve_in_file(RunState& run, const abi::AttachPoint& point, const std::string& file, bool many_files, Resolution* out) {
  UserBinary binary;
  std::string error;
  abi::AttachPoint here = point;
  here.target = file;                            // also for names in $PATH and of libraries: `probe` tells where they were found
  bool readable = binary.open(path_in_process(run.target_pid(), file), &error);
  if (readable && !is_compiled_for(*out->program, file, binary, out)) return;
  if (readable && is_narrow(binary) && has_need(*out->program, abi::kArgumentsNeed)) {
    if (!many_files) out->problem = cat(file, " is a 32-bit program, whose parameters args cannot read: argN can");
    return;
  }
  if (!point.source_file.empty()) {
    if (!readable) return void(out->problem = error);
    here.address = out->program->source_address();
    return add_address(run, here, file, &binary, out);
  }
  if (point.has_address) return add_address(run, here, file, readable ? &binary : nullptr, out);
  if (!readable) {
    if (!many_files) out->problem = error;
    return;
  }
  if (point.lang == "cpp" || has_star(point.func)) return add_functions(run, here, file, binary, out);
  UserFunction function;
  if (!binary.find_function(point.func, &function)) return;
  Binding& binding = add_uprobe(run, here, file, &binary, How::Uprobe, out);
  binding.sites.push_back({point.func, function.offset + point.offset, 0, 0});
  check_place(run, binary, function, point.offset, file, &binding);
  warn_indirect(run, function, binding);
}

// Why an argument that the program reads cannot be had; "" if all can.
std::string usdt_refusal(const Resolution& out, const Binding& binding) {
  for (uint32_t i = 0; i < binding.usdt_args.size(); ++i)
    if (const UsdtArg& arg = binding.usdt_args[i]; !arg.problem.empty() && has_constant(out, abi::usdt_form_const(i), abi::usdt_form_const(i)))
      return cat(binding.name, ": argument ", i, " ", arg.problem);
  return {};
}

// Locations of one USDT probe with the same argument forms are one binding.
void add_usdt(RunState& run, const abi::AttachPoint& point, const std::string& file, const UserBinary& binary, const std::vector<UsdtNote>& notes,
              Resolution* out) {
  bool reads_arguments = has_constant(*out, abi::kCopyUsdtSpec, abi::kCopySymbol - 1), own_place = depends_on_place(*out);
  std::vector<std::pair<std::string, size_t>> groups;      // argument text, index in out->found
  bool first = true;
  for (const UsdtNote& note : notes) {
    if (note.provider != point.ns || note.name != point.func) continue;
    std::string key = reads_arguments ? note.arguments : std::string();
    if (key.find("%rip") != std::string::npos) append(key, cat(" ", note.address));   // counted from the location
    auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return g.first == key; });
    if (group == groups.end() || own_place) {
      Binding& binding = add_uprobe(run, point, file, nullptr, How::Uprobe, out);
      if (reads_arguments) binding.usdt_args = parse_usdt_arguments(note, binary);
      binding.refusal = usdt_refusal(*out, binding);
      if (note.place == SemaphorePlace::Unreachable) binding.refusal = cat(binding.name, ": its semaphore lies in .bss, where the kernel cannot count it up");
      if (note.place == SemaphorePlace::Cleared)
        run.messages.warning(cat(binding.name, ": its semaphore lies in .bss, which is cleared when a program starts: only processes that run already are seen"));
      binding.count = first ? 1 : 0;             // one probe, however many locations
      first = false;
      groups.emplace_back(key, out->found.size() - 1);
      group = groups.end() - 1;
    }
    out->found[group->second].sites.push_back({note.name, note.offset, note.semaphore, 0});
  }
}

}  // namespace

std::vector<std::string> find_target_files(RunState& run, std::string_view target) {
  int pid = run.target_pid();
  if (target.empty() || target == "*") return pid != 0 ? mapped_files(pid) : all_mapped_files();
  if (has_star(target)) {
    if (target.find('/') != std::string_view::npos) return match_paths(target, pid);
    std::vector<std::string> found;
    for (std::string& file : mapped_files(pid))
      if (abi::wildcard_match(target, file)) found.push_back(std::move(file));
    return found;
  }
  if (!member_of(target).empty() && file_exists(path_in_process(pid, archive_of(target)))) return {std::string(target)};
  bool is_name = target.find('/') == std::string_view::npos;
  std::string path = is_name ? mapped_file_called(run.options.pid, target) : std::string();
  if (path.empty()) path = find_program(target);
  if (path.empty() && !is_name && is_file(path_in_process(pid, std::string(target)))) path = target;
  if (path.empty() && is_name) path = find_library(target);
  if (path.empty()) return {};
  return {path};
}

// A machine that lacks the program is treated as one whose program lacks the function: the script may have other attach points for it.
static std::vector<std::string> target_files(RunState& run, const abi::AttachPoint& point, bool many, Resolution* out) {
  std::vector<std::string> files = find_target_files(run, point.target);
  if (files.empty() && !many) out->lacking = cat(abi::probe_info(point.kind).name, " target file '", point.target, "' does not exist or is not executable");
  if (int pid = run.target_pid(); files.empty() && many && pid != 0) {
    std::string path = cat("/proc/", pid, "/maps"), text;
    if (!read_whole_file(path.c_str(), &text)) out->lacking = cat("Unable to open procfs mapfile '", path, "' (", error_text(errno), ")");
  }
  return files;
}

static bool has_process(RunState& run, const abi::AttachPoint& point, Resolution* out) {
  if (!point.of_process || run.options.pid != 0) return true;
  out->problem = cat(abi::probe_info(point.kind).name, " probe type requires 2 or 3 arguments, found 1. Without a file it needs -p PID.");
  return false;
}

// "uprobe:f" and "uprobe:cpp:f" with -p: in the program that the process runs.
static void in_program_of(int pid, abi::AttachPoint* point) {
  bool language_only = point->target == "cpp" && point->lang.empty();
  if (!point->of_process && !language_only) return;
  if (language_only) point->lang = point->target;
  point->target = program_of(pid);
}

void resolve_uprobe(RunState& run, const abi::AttachPoint& written, Resolution* out) {
  abi::AttachPoint point = written;
  if (!has_process(run, point, out)) return;
  if (run.options.pid != 0) in_program_of(run.options.pid, &point);
  bool many = has_star(point.target) || point.target.empty();
  std::vector<std::string> files = target_files(run, point, many, out);
  for (const std::string& file : files) {
    resolve_in_file(run, point, file, many, out);
    if (!out->problem.empty()) return;
  }
}

void resolve_usdt(RunState& run, const abi::AttachPoint& point, Resolution* out) {
  if (!has_process(run, point, out)) return;
  if (point.target.empty() && run.target_pid() == 0) {
    out->problem = "usdt probe must specify at least path or pid to probe. To target all paths/pids set the path to '*'.";
    return;
  }
  bool many = has_star(point.target) || point.target.empty();
  std::vector<std::string> files = target_files(run, point, many, out);
  bool pattern = many || point.ns.empty() || has_star(point.ns) || has_star(point.func);
  for (const std::string& file : files) {
    UserBinary binary;
    std::string error;
    if (!binary.open(path_in_process(run.target_pid(), file), &error)) {
      if (!many) { out->problem = error; return; }
      continue;
    }
    std::vector<UsdtNote> notes = read_usdt_notes(binary.elf());
    for (UsdtNote& note : notes) {
      note.offset += binary.base();
      if (note.semaphore != 0) note.semaphore += binary.base();
    }
    std::vector<std::pair<std::string, std::string>> done;
    for (const UsdtNote& note : notes) {
      std::pair<std::string, std::string> id{note.provider, note.name};
      if (!abi::wildcard_match(point.func, note.name) || (!point.ns.empty() && !abi::wildcard_match(point.ns, note.provider))) continue;
      if (std::find(done.begin(), done.end(), id) != done.end()) continue;
      done.push_back(id);
      abi::AttachPoint match = point;
      match.target = file;
      match.ns = note.provider;
      match.func = note.name;
      match.wildcard = false;
      add_usdt(run, match, file, binary, notes, out);
    }
  }
  out->expanded = pattern;
}

bool symbol_distance(const Binding& binding, std::string_view symbol, uint64_t* distance) {
  UserBinary binary;
  std::string error;
  uint64_t address = 0, site = 0;
  if (binding.sites.size() != 1 || !binary.open(binding.file, &error) || !binary.find_symbol(symbol, &address) ||
      !binary.address_of(binding.sites[0].offset, &site))
    return false;
  *distance = address - site;
  return true;
}

}  // namespace btc::rt
