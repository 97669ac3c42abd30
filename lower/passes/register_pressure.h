// How many values a function keeps at once, and which of them have to go to memory.
#pragma once

#include <cstdint>
#include <vector>

#include "lower/ir/ir.h"

namespace btc::lower {

// By slot: whether LLVM makes a register of it. Its address is only used to load and store values of one size at its start.
std::vector<bool> promotable_slots(const ir::Function& function);

// Makes at most `most` registers' worth live at any point: slots that have to go to memory are returned, values are stored to
// new slots (also returned) where they are made and loaded where they are used.
std::vector<uint32_t> bound_register_pressure(ir::Module& module, uint32_t function, uint32_t most);

}  // namespace btc::lower
