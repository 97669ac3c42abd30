#include "runtime-stub/src/unwind.h"

#include <algorithm>
#include <sys/auxv.h>

#include "runtime-stub/abi/abi.h"
#include "runtime-stub/src/sys.h"

namespace btc::rt {

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
    entry->second.first = static_cast<uint32_t>(rows_.size());
    read_unwind_rows(elf, &rows_);
    entry->second.count = static_cast<uint32_t>(rows_.size()) - entry->second.first;
  }
  return entry->second;
}

void UnwindTables::add_process(int pid) {
  std::string text;
  if (!read_whole_file(cat("/proc/", pid, "/maps").c_str(), &text)) return;
  btc_unwind_proc process{static_cast<uint32_t>(maps_.size()), 0};
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
    else if (file.open(cat("/proc/", pid, "/root", path).c_str())) image = file.bytes();
    Rows rows = rows_of(is_vdso ? std::string(path) : cat(device, " ", inode), ElfImage(image), file_offset, &map);
    map.first = rows.first;
    map.count = rows.count;
    maps_.push_back(map);
    ++process.count;
    return true;
  });
  if (process.count != 0) processes_.emplace_back(static_cast<uint32_t>(pid), process);
}

void UnwindTables::size_maps(Loader& loader) const {
  auto set = [&](const char* name, size_t size) { loader.set_map_entries(name, static_cast<uint32_t>(std::max<size_t>(size, 1))); };
  set(abi::kUnwindProcs, processes_.size());
  set(abi::kUnwindMaps, maps_.size());
  set(abi::kUnwindRows, rows_.size());
}

bool UnwindTables::fill_maps(const Loader& loader) const {
  auto fill = [&](const char* name, const auto& values) {
    std::vector<uint32_t> indexes(values.size());
    for (uint32_t i = 0; i < indexes.size(); ++i) indexes[i] = i;
    return sys::map_update(loader.map_fd(name), indexes.data(), values.data(), sizeof values[0], static_cast<uint32_t>(values.size())) == 0;
  };
  int processes = loader.map_fd(abi::kUnwindProcs);
  if (!fill(abi::kUnwindMaps, maps_) || !fill(abi::kUnwindRows, rows_)) return false;
  for (const auto& [pid, process] : processes_)
    if (sys::map_update(processes, &pid, &process, sizeof process, 1) != 0) return false;
  return true;
}

}  // namespace btc::rt
