// .eh_frame of a file as the rows that BPF programs unwind with (abi/unwind.h).
//
// Kept are the caller's frame and where bp was saved; return addresses are always
// below the frame. Rules by expression are known in the two forms that x86-64 has
// of them: jump tables and the trampoline of signals.
#pragma once

#include <vector>

#include "runtime-stub/abi/unwind.h"
#include "runtime-stub/src/elf_image.h"

namespace btc::rt {

// Appends rows, sorted by pc; none if the file has no such section. Damaged parts are left out.
void read_unwind_rows(const ElfImage& elf, std::vector<btc_unwind_row>* rows);

}  // namespace btc::rt
