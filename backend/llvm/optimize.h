#pragma once

#include <llvm/IR/Module.h>
#include <llvm/Target/TargetMachine.h>

namespace btc::backend {

// LLVM's middle end, with the BPF target's own passes at their places (CO-RE among them).
void optimize(llvm::Module& module, llvm::TargetMachine& target);

}  // namespace btc::backend
