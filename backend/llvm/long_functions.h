#pragma once

#include <llvm/IR/Module.h>

namespace btc::backend {

// Before code generation. Short functions stay as they are.
void shape_long_functions(llvm::Module& module);

}  // namespace btc::backend
