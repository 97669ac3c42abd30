// -f folded: stacks as flame graph tools read them, one line per stack and number.
//
//   bash;main;run_command;do_syscall_64_[k];vfs_read_[k] 17
//
// The outermost frame comes first. Parts of the key that are not stacks come before the frames, user frames before kernel frames
// (which end in `_[k]`); if several maps hold stacks, the map's name is the first frame. The number is the entry's count, sum or value,
// the total count of a histogram. Entries that are not positive have no width and are left out, and so are maps without a stack in their key.
#pragma once

#include <string>

#include "runtime-stub/src/output/maps.h"

namespace btc::rt {

bool has_stack(const Types& types, const TypeInfo& type);
void append_map_folded(std::string& out, Render& render, const MapImage& image, uint32_t div, bool with_name);

}  // namespace btc::rt
