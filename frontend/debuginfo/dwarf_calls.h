// Where the x86-64 System V calling convention puts the parameters of a function at its first instruction.
#pragma once

#include <llvm/DebugInfo/DWARF/DWARFDie.h>

#include <vector>

#include "frontend/debuginfo/debug_info.h"

namespace btc {

struct PassedParameter {
  llvm::DWARFDie die;
  ParameterPlace place;
  bool by_reference = false;    // C++ passes the address of a copy: what the place holds is a pointer to the type
};

std::vector<PassedParameter> passed_parameters(llvm::DWARFDie function);

}  // namespace btc
