// User symbols; see symbols_user.h.
//
//   address -> mapping of the process -> offset in its file -> address in the file -> symbol
//
// What is known of a process is its /proc/PID/maps. It is read when the process is first seen and again, at most once a
// second, when an address lies outside of it; the older state stays as a fallback, as does everything when the process is gone. What
// was never there to be read was recorded while it ran (mapping_log.h). Files are opened through /proc/PID/map_files (which also reaches
// deleted files), then below the process's root directory, which is kept open: so files of a container can be read after its processes
// ended. Code without a file is looked up in the JIT's /tmp/perf-PID.map.
#include "runtime-stub/src/output/symbols_user.h"

#include <algorithm>
#include <elf.h>
#include <fcntl.h>
#include <map>
#include <memory>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <unordered_map>
#include <vector>

#include "runtime-stub/src/output/append.h"
#include "runtime-stub/src/output/demangle.h"
#include "runtime-stub/src/output/elf_symbols.h"
#include "runtime-stub/src/output/files.h"
#include "runtime-stub/src/output/source_lines.h"
#include "runtime-stub/src/output/symbols_kernel.h"
#include "runtime-stub/src/output/time.h"

namespace btc::rt {

namespace {

constexpr int64_t kRereadNsecs = 1'000'000'000, kNoteNsecs = 100'000'000;
constexpr int kNoteReads = 4;
constexpr size_t kMostProcesses = 8192;

int64_t now() { return monotonic_now(); }

using Mapping = CodeMapping;
using Mappings = CodeMappings;

// Symbols that a JIT wrote down: "7f00a000 40 name".
struct JitMap {
  struct Symbol { uint64_t start, size; uint32_t name; };
  std::string text;
  std::vector<Symbol> symbols;
  std::string path;
  int64_t read_at = 0;
};

struct Process {
  Mappings mappings, older;
  Mappings recorded;           // what the kernel told of it while it ran
  int32_t forebear = 0;        // whose mappings it has from a fork, or 0
  uint32_t stamp = 0;          // of `recorded`
  std::string root;            // "" or "/proc/self/fd/N": where the process's file tree can be reached
  std::string start_time;      // field 22 of /proc/PID/stat: tells a process from a later one with its number
  int64_t read_at = 0;
  int reads = 0;
  JitMap jit;
};

std::string proc_path(int32_t pid, std::string_view what) {
  std::string path = "/proc/";
  append_dec(path, pid);
  path += '/';
  path += what;
  return path;
}

// "start-end perms offset major:minor inode   path"
bool parse_mapping(std::string_view line, Mapping* out) {
  std::string_view range = next_word(&line);
  size_t dash = range.find('-');
  if (dash == range.npos || !parse_hex(range.substr(0, dash), &out->start) || !parse_hex(range.substr(dash + 1), &out->end)) return false;
  std::string_view access = next_word(&line);
  if (access.size() < 3 || access[2] != 'x') return false;  // only code has names
  std::string_view offset = next_word(&line), device = next_word(&line), inode = next_word(&line);
  uint64_t major = 0, minor = 0;
  size_t colon = device.find(':');
  if (colon == device.npos || !parse_hex(offset, &out->offset) || !parse_dec(inode, &out->inode)) return false;
  if (!parse_hex(device.substr(0, colon), &major) || !parse_hex(device.substr(colon + 1), &minor)) return false;
  out->device = major << 32 | minor;
  size_t path = line.find_first_not_of(' ');
  out->path = path == line.npos ? std::string_view() : line.substr(path);
  return true;
}

std::string start_time(int32_t pid) {
  std::string text;
  if (!read_file(proc_path(pid, "stat").c_str(), &text)) return {};
  size_t name_end = text.rfind(')');  // the name may hold anything
  if (name_end == text.npos) return {};
  std::string_view rest = std::string_view(text).substr(name_end + 1), field;
  for (int i = 3; i <= 22; i++) field = next_word(&rest);
  return std::string(field);
}

const Mapping* find_mapping(const Mappings& mappings, uint64_t addr) {
  auto above = std::upper_bound(mappings.begin(), mappings.end(), addr, [](uint64_t value, const Mapping& mapping) { return value < mapping.start; });
  if (above == mappings.begin() || addr >= (above - 1)->end) return nullptr;
  return &*(above - 1);
}

struct File {
  ElfSymbols symbols;
  std::unique_ptr<SourceLines> lines;            // null: not wanted, or the file has none
};

// What an address means.
struct Found {
  std::string_view name, module;
  uint64_t offset = 0;                           // from the symbol
  File* file = nullptr;
  uint64_t vaddr = 0;                            // in the file
};

}  // namespace

struct UserSymbols::State {
  struct FileKey {
    uint64_t device, inode;
    std::string path;
    bool operator<(const FileKey& other) const {
      if (device != other.device) return device < other.device;
      return inode != other.inode ? inode < other.inode : path < other.path;
    }
  };
  bool demangle = true, lines = false;
  std::vector<std::string> debug_dirs;
  SymbolCache cache = SymbolCache::PerPid;
  Target* target = nullptr;
  std::unordered_map<int32_t, Process> processes;
  std::map<std::pair<uint64_t, uint64_t>, int> roots;    // by device and inode of the directory: a descriptor
  std::map<FileKey, std::unique_ptr<File>> files;   // null: cannot be read

  Process& process(int32_t pid, int64_t max_age);
  void forget_old();
  std::string keep_root(int32_t pid);
  void read_process(int32_t pid, Process& process);
  File* file(int32_t pid, const std::string& root, const Mapping& mapping);
  std::unique_ptr<File> load_file(int32_t pid, const std::string& root, const Mapping& mapping);
  std::string_view find_jit(int32_t pid, Process& process, uint64_t addr, uint64_t* start);
  Found find_in(int32_t pid, Process& process, const Mappings& mappings, uint64_t addr);
  Found find_recorded(int32_t pid, Process& process, uint64_t addr);
  Found find_fixed(int32_t probe, uint64_t addr);
  Found find(int32_t pid, int32_t probe, uint64_t addr);
  void append_found(std::string& out, const Found& found, uint64_t addr, bool offset, bool module) const;
};

UserSymbols::UserSymbols() : state_(new State) {}
UserSymbols::~UserSymbols() {
  for (auto& [place, fd] : state_->roots)
    if (fd >= 0) close(fd);
}

void UserSymbols::configure(const OutputOptions& options, Target* target) {
  state_->demangle = options.cpp_demangle;
  state_->lines = options.show_debug_info;
  state_->debug_dirs = options.debug_dirs;
  state_->cache = options.symbol_cache;
  state_->target = target;
}

void UserSymbols::State::read_process(int32_t pid, Process& process) {
  process.read_at = now();
  process.reads++;
  std::string text, started = start_time(pid);
  if (!read_file(proc_path(pid, "maps").c_str(), &text) || text.empty()) return;  // gone, or a zombie: keep what is known
  Mappings mappings;
  for (std::string_view line : Lines(text)) {
    Mapping mapping;
    if (parse_mapping(line, &mapping)) mappings.push_back(std::move(mapping));
  }
  if (process.start_time != started)
    process = Process{.mappings = {}, .older = {}, .recorded = {}, .forebear = 0, .stamp = 0, .root = keep_root(pid), .start_time = started, .read_at = process.read_at, .reads = 1, .jit = {}};
  else if (!process.mappings.empty())
    process.older = std::move(process.mappings);
  process.mappings = std::move(mappings);
}

// A long run sees any number of processes: the half that was read longest ago goes.
void UserSymbols::State::forget_old() {
  std::vector<int64_t> times;
  for (auto& [pid, process] : processes) times.push_back(process.read_at);
  std::nth_element(times.begin(), times.begin() + static_cast<ptrdiff_t>(times.size() / 2), times.end());
  int64_t middle = times[times.size() / 2];
  std::erase_if(processes, [&](const auto& entry) { return entry.second.read_at < middle; });
}

// A path prefix that reaches the process's files, also when it is gone. Few file trees are kept: containers, not processes.
std::string UserSymbols::State::keep_root(int32_t pid) {
  constexpr size_t kMostRoots = 256;
  struct stat own, other;
  std::string path = proc_path(pid, "root");
  if (stat("/", &own) != 0 || stat(path.c_str(), &other) != 0 || (own.st_dev == other.st_dev && own.st_ino == other.st_ino)) return {};
  auto [found, is_new] = roots.try_emplace({other.st_dev, other.st_ino}, -1);
  if (is_new && roots.size() <= kMostRoots) found->second = open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (found->second < 0) return path;
  std::string kept = "/proc/self/fd/";
  append_dec(kept, found->second);
  return kept;
}

Process& UserSymbols::State::process(int32_t pid, int64_t max_age) {
  if (processes.size() >= kMostProcesses && !processes.contains(pid)) forget_old();
  auto [found, is_new] = processes.try_emplace(pid);
  if (is_new || now() - found->second.read_at > max_age) read_process(pid, found->second);
  return found->second;
}

// A process that starts maps its libraries during its first moments: read again while it is young.
void UserSymbols::note_process(int32_t pid) {
  Process& process = state_->process(pid, INT64_MAX);
  if (process.reads < kNoteReads && now() - process.read_at > kNoteNsecs) state_->read_process(pid, process);
}

std::unique_ptr<File> UserSymbols::State::load_file(int32_t pid, const std::string& root, const Mapping& mapping) {
  auto file = std::make_unique<File>();
  if (lines) file->lines = std::make_unique<SourceLines>();
  auto load = [&](const std::string& path) { return file->symbols.load(path, mapping.path, root, file->lines.get(), debug_dirs); };
  if (mapping.path == "[vdso]") {
    // Every process has the same one as this.
    auto image = reinterpret_cast<const uint8_t*>(getauxval(AT_SYSINFO_EHDR));
    if (image && file->symbols.load_image(image, mapping.end - mapping.start)) return file;
    return nullptr;
  }
  std::string link = "map_files/";
  append_hex(link, mapping.start);
  link += '-';
  append_hex(link, mapping.end);
  if (pid > 0 && load(proc_path(pid, link))) return file;
  // By name: only if it is still the same file. Overlay file systems (containers) show other inode numbers in /proc/PID/maps.
  constexpr int64_t kOverlayMagic = 0x794c7630;
  auto load_same = [&](const std::string& path, bool whole) {
    struct stat info;
    struct statfs system;
    if (stat(path.c_str(), &info) != 0 || statfs(path.c_str(), &system) != 0) return false;
    return (info.st_ino == mapping.inode || (whole && system.f_type == kOverlayMagic)) && load(path);
  };
  if (load_same(root + mapping.path, true)) return file;
  // After chroot the path begins above the process's root directory: what is below it is one of the path's ends.
  for (size_t slash = 0; !root.empty() && (slash = mapping.path.find('/', slash + 1)) != std::string::npos;)
    if (load_same(root + mapping.path.substr(slash), false)) return file;
  return nullptr;
}

File* UserSymbols::State::file(int32_t pid, const std::string& root, const Mapping& mapping) {
  FileKey key{mapping.device, mapping.inode, mapping.path};
  auto found = files.find(key);
  if (found == files.end()) found = files.emplace(std::move(key), load_file(pid, root, mapping)).first;
  return found->second.get();
}

// The number that the process has in its own namespace: its JIT names the file by that.
static int32_t inner_pid(int32_t pid) {
  std::string status;
  uint64_t inner = static_cast<uint64_t>(pid);
  if (!read_file(proc_path(pid, "status").c_str(), &status)) return pid;
  for (std::string_view line : Lines(status)) {
    if (next_word(&line) != "NSpid:") continue;
    for (std::string_view word = next_word(&line); !word.empty(); word = next_word(&line)) parse_dec(word, &inner);
  }
  return static_cast<int32_t>(inner);
}

static void read_jit(int32_t pid, JitMap& jit) {
  std::string name = "/tmp/perf-", text;
  append_dec(name, inner_pid(pid));
  name += ".map";
  if (!read_file((proc_path(pid, "root") + name).c_str(), &text) && !read_file(name.c_str(), &text)) return;
  jit.path = name;
  jit.text = std::move(text);
  jit.symbols.clear();
  for (std::string_view line : Lines(jit.text)) {
    JitMap::Symbol symbol{};
    if (!parse_hex(next_word(&line), &symbol.start) || !parse_hex(next_word(&line), &symbol.size)) continue;
    size_t at = line.find_first_not_of(' ');
    if (at == line.npos) continue;
    symbol.name = static_cast<uint32_t>(line.data() + at - jit.text.data());
    jit.symbols.push_back(symbol);
  }
  // Code may be compiled again at the same place: the later line holds.
  std::sort(jit.symbols.begin(), jit.symbols.end(), [](const JitMap::Symbol& a, const JitMap::Symbol& b) { return a.start != b.start ? a.start < b.start : a.name < b.name; });
}

static std::string_view lookup_jit(const JitMap& jit, uint64_t addr, uint64_t* start) {
  auto above = std::upper_bound(jit.symbols.begin(), jit.symbols.end(), addr, [](uint64_t value, const JitMap::Symbol& symbol) { return value < symbol.start; });
  if (above == jit.symbols.begin() || addr - (above - 1)->start >= (above - 1)->size) return {};
  *start = (above - 1)->start;
  std::string_view rest = std::string_view(jit.text).substr((above - 1)->name);
  return rest.substr(0, rest.find('\n'));
}

std::string_view UserSymbols::State::find_jit(int32_t pid, Process& process, uint64_t addr, uint64_t* start) {
  std::string_view name = lookup_jit(process.jit, addr, start);
  if (!name.empty() || (process.jit.read_at && now() - process.jit.read_at < kRereadNsecs)) return name;
  read_jit(pid, process.jit);
  process.jit.read_at = now();
  return lookup_jit(process.jit, addr, start);
}

Found UserSymbols::State::find_in(int32_t pid, Process& process, const Mappings& mappings, uint64_t addr) {
  const Mapping* mapping = find_mapping(mappings, addr);
  if (!mapping) return {};
  uint64_t start = 0;
  Found found;
  if (mapping->inode == 0 && mapping->path != "[vdso]") {
    found.name = find_jit(pid, process, addr, &start);
    found.offset = addr - start;
    found.module = process.jit.path;
    return found;
  }
  found.file = file(pid, process.root, *mapping);
  if (!found.file || !found.file->symbols.vaddr_of(addr - mapping->start + mapping->offset, &found.vaddr)) return {};
  found.name = found.file->symbols.find(found.vaddr, &start);
  found.offset = found.vaddr - start;
  found.module = mapping->path;
  return found;
}

// A process that ended before its maps were read, or mapped something after that.
Found UserSymbols::State::find_recorded(int32_t pid, Process& process, uint64_t addr) {
  if (!target) return {};
  target->recorded_mappings(pid, &process.stamp, &process.recorded, &process.forebear);
  Found found = find_in(pid, process, process.recorded, addr);
  int32_t forebear = process.forebear;
  if (!found.name.empty() || forebear == 0 || forebear == pid) return found;
  Process& other = this->process(forebear, INT64_MAX);   // `process` may be forgotten for it
  return find_in(forebear, other, other.mappings, addr);
}

// A process that was never seen alive: if the probe's program has fixed addresses, it can still say what they mean.
Found UserSymbols::State::find_fixed(int32_t probe, uint64_t addr) {
  std::string_view path = target ? target->probe_file(probe) : std::string_view();
  struct stat info;
  if (path.empty() || stat(std::string(path).c_str(), &info) != 0) return {};
  Mapping mapping{0, 0, 0, info.st_dev, info.st_ino, std::string(path)};
  File* known = file(0, "", mapping);
  if (!known || !known->symbols.is_fixed()) return {};
  uint64_t start = 0;
  Found found{known->symbols.find(addr, &start), path, 0, known, addr};
  found.offset = addr - start;
  return found;
}

Found UserSymbols::State::find(int32_t pid, int32_t probe, uint64_t addr) {
  Process& seen = process(pid, cache == SymbolCache::None ? 0 : INT64_MAX);
  Found found = find_in(pid, seen, seen.mappings, addr);
  // Unknown, or in a place that may have become something else: the process may have loaded a library, or run another program.
  if (found.name.empty() && now() - seen.read_at > kRereadNsecs) {
    read_process(pid, seen);
    found = find_in(pid, seen, seen.mappings, addr);
  }
  if (found.name.empty()) found = find_in(pid, seen, seen.older, addr);
  bool never_seen = seen.mappings.empty();
  if (found.name.empty()) found = find_recorded(pid, seen, addr);
  if (found.name.empty() && never_seen) found = find_fixed(probe, addr);
  return found;
}

void UserSymbols::State::append_found(std::string& out, const Found& found, uint64_t addr, bool offset, bool module) const {
  if (found.name.empty()) {
    append_address(out, addr);
    if (module) out += " ([unknown])";
    return;
  }
  if (demangle)
    append_demangled(out, found.name);
  else
    out += found.name;
  if (offset) {
    out += '+';
    append_dec(out, found.offset);
  }
  if (!module) return;
  out += " (";
  out += found.module;
  out += ')';
}

void UserSymbols::append(std::string& out, uint64_t addr, int32_t pid, int32_t probe, bool offset, bool module) {
  state_->append_found(out, state_->find(pid, probe, addr), addr, offset, module);
}

void UserSymbols::append_frame(std::string& out, std::string_view prefix, uint64_t addr, int32_t pid, int32_t probe, bool is_call, bool perf) {
  Found found = state_->find(pid, probe, addr);
  static const std::vector<SourceFrame> kNone;
  bool known = !found.name.empty() && found.file && found.file->lines;
  const std::vector<SourceFrame>& frames = known ? found.file->lines->find(found.vaddr - (is_call ? 1 : 0)) : kNone;
  auto append_place = [&](const SourceFrame& frame) {
    if (perf || frame.file.empty()) return;
    out += '@';
    out += frame.file;
    out += ':';
    append_dec(out, frame.line);
  };
  for (const SourceFrame& frame : frames) {
    if (frame.name.empty()) continue;
    out += prefix;
    if (!perf) out += "[inlined] ";
    if (state_->demangle) append_demangled(out, frame.name);
    else out += frame.name;
    if (perf) out += " (inlined)";
    append_place(frame);
    out += '\n';
  }
  out += prefix;
  state_->append_found(out, found, addr, true, perf);
  if (!frames.empty()) append_place(frames.back());
  out += '\n';
}

}  // namespace btc::rt
