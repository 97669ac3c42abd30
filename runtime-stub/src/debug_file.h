// Separate debug files of programs and libraries: where they may lie, and whether a file is that of this very build. One of another build
// would put probes at places that mean nothing there.
#pragma once

#include <string>
#include <vector>

#include "runtime-stub/src/elf_image.h"

namespace btc::rt {

// Most specific first; not all exist. `path` is the program as this process opens it: below /proc/PID/root for another process's file tree,
// whose own debug files are searched then.
std::vector<std::string> debug_file_candidates(const ElfImage& program, const std::string& path);

// By build id; where the program has none, by the checksum that its debug link holds.
bool is_debug_file_of(const ElfImage& program, const ElfImage& debug);

}  // namespace btc::rt
