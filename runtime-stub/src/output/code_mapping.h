// A part of a file, or of memory without one, that a process may execute.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace btc::rt {

struct CodeMapping {
  uint64_t start, end, offset;                   // offset: in the file
  uint64_t device, inode;                        // device: major << 32 | minor
  std::string path;                              // "" or "[heap]" for memory without a file
};
using CodeMappings = std::vector<CodeMapping>;   // by address

}  // namespace btc::rt
