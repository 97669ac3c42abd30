// Fills btc_facts before load: what only this machine and this run know.
#pragma once

#include <string>

#include "runtime-stub/src/run_state.h"

namespace btc::rt {

// False: a message was printed.
bool fill_facts(RunState& run);

// First address of a kernel symbol in /proc/kallsyms; 0 if unknown or hidden.
uint64_t kernel_symbol(std::string_view name);
// Whether the kernel has a symbol, even if its address is hidden.
bool has_kernel_symbol(std::string_view name);

}  // namespace btc::rt
