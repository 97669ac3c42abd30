// Tables of dw_ustack() for the processes that are traced: those of -p, -c and
// --dwarf-pid, as they are mapped when the artifact starts. Libraries that a
// process loads later are not known.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "runtime-stub/src/run_state.h"
#include "runtime-stub/src/unwind_table.h"

namespace btc::rt {

bool needs_unwind_tables(const RunState& run);

class UnwindTables {
 public:
  void add_process(int pid);
  // Before the maps are made, and after.
  void size_maps(Loader& loader) const;
  bool fill_maps(const Loader& loader) const;

 private:
  struct Rows { uint32_t first, count; };
  Rows rows_of(const std::string& id, const ElfImage& elf, uint64_t offset, btc_unwind_map* map);

  std::map<std::string, Rows> files_;              // by device and inode
  std::vector<btc_unwind_row> rows_;
  std::vector<btc_unwind_map> maps_;
  std::vector<std::pair<uint32_t, btc_unwind_proc>> processes_;
};

}  // namespace btc::rt
