// One module on its way from BIR to LLVM IR: the parts that functions share.
#pragma once

#include <vector>

#include <llvm/IR/Module.h>

#include "backend/llvm/core.h"
#include "backend/llvm/debug_info.h"
#include "backend/llvm/foreign.h"
#include "backend/llvm/maps.h"
#include "frontend/support/diag.h"

namespace btc::backend {

class ModuleEmitter {
 public:
  ModuleEmitter(const ir::Module& bir, llvm::Module& llvm, ForeignCode& foreign, DiagEngine& diags);

  // False if something was reported.
  bool emit();
  void fail(SourceRange range, const std::string& message);

  // A function of the BPF C library, linked into `llvm` on first use; null if there is none of that name.
  llvm::Function* library_function(const std::string& name);
  llvm::Function* loss_counter();
  llvm::Function* reporter();
  void settle_cold_functions();
  llvm::Function* kernel_function(const std::string& name, const std::vector<llvm::Value*>& args, llvm::Type* result);

  const ir::Module& bir;
  llvm::Module& llvm;
  ForeignCode& foreign;
  DiagEngine& diags;
  DebugInfo debug;
  Globals globals;
  CoreTypes core;
  std::vector<llvm::Function*> functions;   // by index of Module::functions
  std::vector<bool> uses_scratch;           // likewise: takes the caller's scratch level

 private:
  void declare_function(const ir::Function& function);
  llvm::Function* loss_counter_ = nullptr;
  llvm::Function* reporter_ = nullptr;
  bool failed_ = false;
};

// The helper's number; 0 if there is no such helper.
uint32_t helper_id(std::string_view name);

}  // namespace btc::backend
