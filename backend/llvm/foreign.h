// Imported C (Module::foreign) inside the script's LLVM module.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include <llvm/IR/Module.h>

#include "backend/llvm/debug_info.h"
#include "frontend/cimport/bpf_object.h"
#include "frontend/profile/btf.h"
#include "frontend/support/diag.h"
#include "lower/ir/ir.h"

namespace btc::backend {

class ForeignCode {
 public:
  ForeignCode(const ir::Module& bir, llvm::Module& llvm, DiagEngine& diags) : bir_(bir), llvm_(llvm), diags_(diags) {}

  // Before anything else is in the module: C keeps its names unless the script has them. False if something was reported.
  bool link();
  // A function by its C name: linked, or declared for the linker of objects. Null if no unit has it.
  llvm::Function* function(const std::string& name, DebugInfo& debug);
  bool has_objects() const { return !objects_.empty(); }
  bool license_is_writable() const;
  // After all calls are there: each function called is defined somewhere.
  bool check_calls();

 private:
  struct Object { BpfObject file; std::unique_ptr<Btf> btf; };
  bool fail(const std::string& message);
  bool make_private();
  llvm::Function* declare(const Object& object, uint32_t function, DebugInfo& debug);

  const ir::Module& bir_;
  llvm::Module& llvm_;
  DiagEngine& diags_;
  std::map<std::string, llvm::Function*> functions_;
  std::vector<Object> objects_;
};

}  // namespace btc::backend
