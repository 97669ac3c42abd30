// The BPF C library (runtime-stub/bpf): bitcode built with btc, linked function by function into scripts.
#pragma once

#include <string>

#include <llvm/IR/Module.h>

namespace btc::backend {

// The function `name` inside `into`, with everything it needs; linked on first use. Null if the library has none.
llvm::Function* link_library_function(llvm::Module& into, const std::string& name);

}  // namespace btc::backend
