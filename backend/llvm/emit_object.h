#pragma once

#include <string>

#include <llvm/IR/Module.h>
#include <llvm/Target/TargetMachine.h>

namespace btc::backend {

// Machine code as ELF bytes or as assembly text. Consumes the module's contents.
std::string generate_code(llvm::Module& module, llvm::TargetMachine& target, bool assembly);

// Without DWARF; .BTF and .BTF.ext stay. Empty and `error` set on failure.
std::string strip_dwarf(const std::string& object, std::string* error);

}  // namespace btc::backend
