// USDT probes of an ELF file: the notes in .note.stapsdt.
#pragma once

#include <string>
#include <vector>

#include "runtime-stub/src/elf_image.h"
#include "runtime-stub/src/run_state.h"
#include "runtime-stub/src/user_symbols.h"

namespace btc::rt {

// Semaphores belong into .data. The beginning of .bss is cleared by whoever loads the file, after the kernel has counted them up; the rest
// of it is no part of the mapped file.
enum class SemaphorePlace : uint8_t { Good, Cleared, Unreachable };

struct UsdtNote {
  std::string provider, name, arguments;       // "-4@%eax 8@-16(%rbp)"
  uint64_t address = 0, offset = 0;            // of the location, as the program numbers addresses and in the file
  uint64_t semaphore = 0;                      // of the counter, in the file; 0: none
  SemaphorePlace place = SemaphorePlace::Good;
};
std::vector<UsdtNote> read_usdt_notes(const ElfImage& elf);

// One value per argument. Variables that the forms name are looked up in `binary`.
std::vector<UsdtArg> parse_usdt_arguments(const UsdtNote& note, const UserBinary& binary);

}  // namespace btc::rt
