// Tables of dw_ustack() for the processes that are traced: those of -p, -c and
// --dwarf-pid, and their children. What such a process maps or executes later is
// added when the kernel tells of it, as long as the room that was left for it lasts:
// the kernel's arrays only grow at their ends, and a process changes over to its new
// mappings at once.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "runtime-stub/src/mapping_log.h"
#include "runtime-stub/src/run_state.h"
#include "runtime-stub/src/unwind_table.h"

namespace btc::rt {

bool needs_unwind_tables(const RunState& run);

class UnwindTables {
 public:
  void add_process(int pid);
  // Before the maps are made, and after.
  void size_maps(Loader& loader);
  bool fill_maps(const Loader& loader);
  // Looks after the processes and their new children, if there is news of them or a second has passed. False: the room is used up.
  bool refresh(const Loader& loader, const std::vector<MappingLog::News>& news);

 private:
  struct Rows { uint32_t first, count; };
  struct Process { uint32_t pid; btc_unwind_proc mappings; uint64_t seen; bool is_new, is_gone = false; };
  Rows rows_of(const std::string& id, const ElfImage& elf, uint64_t offset, btc_unwind_map* map);
  void read_mappings(Process* process);
  Process* find(int32_t pid);
  bool follow(const std::vector<MappingLog::News>& news);
  void forget_ended(const Loader& loader);

  std::map<std::string, Rows> files_;              // by device and inode
  std::vector<btc_unwind_row> rows_;               // that the kernel does not have yet, and the maps; the others are only counted
  std::vector<btc_unwind_map> maps_;
  uint32_t rows_before_ = 0, maps_before_ = 0, row_room_ = 0, map_room_ = 0;
  std::vector<Process> processes_;
  uint64_t next_look_ = 0;
  bool full_ = false;
};

}  // namespace btc::rt
