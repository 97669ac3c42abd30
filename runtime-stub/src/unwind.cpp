#include "runtime-stub/src/unwind.h"

#include <algorithm>
#include <sys/auxv.h>

#include "runtime-stub/abi/abi.h"
#include "runtime-stub/src/schedule.h"
#include "runtime-stub/src/sys.h"

namespace btc::rt {

static constexpr size_t kMostChildren = 1024;

// Here, where the class is known.
RunState::RunState() = default;
RunState::~RunState() = default;

bool needs_unwind_tables(const RunState& run) {
  for (uint32_t i = 0; i < count_of(run.manifest().programs()); ++i)
    if (has_need(*run.manifest().programs()->Get(i), abi::kUnwindNeed)) return true;
  return false;
}

// Rows of an image, read once; sets what turns its addresses into those of this mapping.
UnwindTables::Rows UnwindTables::rows_of(const std::string& id, const ElfImage& elf, uint64_t offset, btc_unwind_map* map) {
  uint64_t address = 0;
  if (!elf.ok() || !elf.address_of(offset, &address)) return {0, 0};
  map->bias = map->start - address;
  auto [entry, fresh] = files_.try_emplace(id);
  if (fresh) {
    size_t before = rows_.size();
    read_unwind_rows(elf, &rows_);
    entry->second = {rows_before_ + static_cast<uint32_t>(before), static_cast<uint32_t>(rows_.size() - before)};
  }
  return entry->second;
}

// Only code matters; a process that maps data all the time stays the same.
static uint64_t fingerprint(std::string_view maps) {
  uint64_t hash = 0xcbf29ce484222325;              // FNV-1a
  for_each_line(maps, [&](std::string_view line) {
    if (size_t blank = line.find(' '); blank + 3 < line.size() && line[blank + 3] == 'x')
      for (char c : line) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
    return true;
  });
  return hash;
}

void UnwindTables::add_process(int pid) {
  Process process{static_cast<uint32_t>(pid), {}, 0, false};
  read_mappings(&process);
  if (process.mappings.count != 0) processes_.push_back(process);
}

void UnwindTables::read_mappings(Process* process) {
  std::string text;
  process->is_gone = !read_whole_file(cat("/proc/", process->pid, "/maps").c_str(), &text);
  if (process->is_gone || text.empty()) return;
  uint64_t seen = fingerprint(text);
  if (seen == process->seen) return;
  process->seen = seen;
  process->is_new = true;
  process->mappings = {maps_before_ + static_cast<uint32_t>(maps_.size()), 0};
  for_each_line(text, [&](std::string_view line) {
    std::string_view range = next_word(line), rights = next_word(line), offset = next_word(line);
    std::string_view device = next_word(line), inode = next_word(line), path = trim(line);
    size_t dash = range.find('-');
    btc_unwind_map map{};
    uint64_t start = 0, end = 0, file_offset = 0;
    bool is_vdso = path == "[vdso]";
    if (rights.size() < 3 || rights[2] != 'x' || (!path.starts_with('/') && !is_vdso) || dash == std::string_view::npos) return true;
    if (!parse_u64(range.substr(0, dash), &start, 16) || !parse_u64(range.substr(dash + 1), &end, 16) || !parse_u64(offset, &file_offset, 16)) return true;
    map.start = start;
    map.end = end;
    // Every process has the same vdso as this one.
    MappedFile file;
    Bytes image;
    if (is_vdso) image = {reinterpret_cast<const uint8_t*>(::getauxval(AT_SYSINFO_EHDR)), map.end - map.start};
    else if (file.open(cat("/proc/", process->pid, "/root", path).c_str())) image = file.bytes();
    Rows rows = rows_of(is_vdso ? std::string(path) : cat(device, " ", inode), ElfImage(image), file_offset, &map);
    map.first = rows.first;
    map.count = rows.count;
    maps_.push_back(map);
    ++process->mappings.count;
    return true;
  });
}

void UnwindTables::size_maps(Loader& loader) {
  // Room for what comes later: as many mappings again, the rows of a few libraries.
  map_room_ = static_cast<uint32_t>(2 * maps_.size() + 256);
  row_room_ = static_cast<uint32_t>(rows_.size() + rows_.size() / 2 + 65536);
  loader.set_map_entries(abi::kUnwindProcs, static_cast<uint32_t>(processes_.size() + kMostChildren));
  loader.set_map_entries(abi::kUnwindMaps, map_room_);
  loader.set_map_entries(abi::kUnwindRows, row_room_);
}

template <typename Value>
static bool append_values(int map, uint32_t* before, std::vector<Value>* values) {
  std::vector<uint32_t> indexes(values->size());
  for (uint32_t i = 0; i < indexes.size(); ++i) indexes[i] = *before + i;
  if (!indexes.empty() && sys::map_update(map, indexes.data(), values->data(), sizeof(Value), static_cast<uint32_t>(values->size())) != 0) return false;
  *before += static_cast<uint32_t>(values->size());
  std::vector<Value>().swap(*values);
  return true;
}

bool UnwindTables::fill_maps(const Loader& loader) {
  if (!append_values(loader.map_fd(abi::kUnwindRows), &rows_before_, &rows_) || !append_values(loader.map_fd(abi::kUnwindMaps), &maps_before_, &maps_)) return false;
  for (Process& process : processes_) {
    if (process.is_new && sys::map_update(loader.map_fd(abi::kUnwindProcs), &process.pid, &process.mappings, sizeof process.mappings, 1) != 0) return false;
    process.is_new = false;
  }
  return true;
}

UnwindTables::Process* UnwindTables::find(int32_t pid) {
  auto found = std::find_if(processes_.begin(), processes_.end(), [&](const Process& process) { return process.pid == static_cast<uint32_t>(pid); });
  return found == processes_.end() ? nullptr : &*found;
}

// Children begin with their parent's mappings. Whether one of the processes has changed.
bool UnwindTables::follow(const std::vector<MappingLog::News>& news) {
  bool changed = false;
  for (const MappingLog::News& one : news) {
    const Process* known = find(one.parent != 0 ? one.parent : one.pid);
    if (known == nullptr) continue;
    changed = true;
    if (one.parent != 0 && find(one.pid) == nullptr) processes_.push_back({static_cast<uint32_t>(one.pid), known->mappings, known->seen, true});
  }
  return changed;
}

// Makes room for further children.
void UnwindTables::forget_ended(const Loader& loader) {
  std::erase_if(processes_, [&](const Process& process) {
    if (process.is_gone) sys::map_delete(loader.map_fd(abi::kUnwindProcs), &process.pid);
    return process.is_gone;
  });
}

bool UnwindTables::refresh(const Loader& loader, const std::vector<MappingLog::News>& news) {
  constexpr uint64_t kEveryMs = 1000;
  uint64_t now = monotonic_ms();
  if (full_ || (!follow(news) && now < next_look_)) return true;
  next_look_ = now + kEveryMs;
  for (Process& process : processes_) read_mappings(&process);
  forget_ended(loader);
  full_ = maps_before_ + maps_.size() > map_room_ || rows_before_ + rows_.size() > row_room_ || !fill_maps(loader);
  return !full_;
}

}  // namespace btc::rt
