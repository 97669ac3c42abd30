// USDT probes of an ELF file: the notes in .note.stapsdt.
#pragma once

#include <string>
#include <vector>

#include "runtime-stub/src/elf_image.h"
#include "runtime-stub/src/run_state.h"

namespace btc::rt {

struct UsdtNote {
  std::string provider, name, arguments;       // "-4@%eax 8@-16(%rbp)"
  uint64_t offset = 0;                         // of the location, in the file
  uint64_t semaphore = 0;                      // of the counter, in the file; 0: none
};
std::vector<UsdtNote> read_usdt_notes(const ElfImage& elf);

// One value per argument; false with what is wrong.
bool parse_usdt_arguments(std::string_view text, std::vector<UsdtArg>* out, std::string* problem);

}  // namespace btc::rt
