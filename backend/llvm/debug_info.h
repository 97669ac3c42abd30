// Debug info, which LLVM turns into BTF: types of maps and facts, programs,
// and line info.
//
// Names and sources come from the module alone, never from the file system, so
// the bytes do not depend on where a compile happens.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <llvm/IR/DIBuilder.h>
#include <llvm/IR/IRBuilder.h>

#include "lower/ir/ir.h"

namespace btc::backend {

class DebugInfo {
 public:
  DebugInfo(llvm::Module& llvm, const ir::Module& bir);
  void finish() { builder_.finalize(); }

  llvm::DIBuilder& builder() { return builder_; }
  llvm::DIFile* file() const { return files_.front(); }
  llvm::DICompileUnit* unit() const { return unit_; }

  // `params` are the parameters' types; attaches the DISubprogram.
  llvm::DISubprogram* define_function(llvm::Function* function, SourceRange range, llvm::DIType* result,
                                      const std::vector<llvm::DIType*>& params);
  // A kernel function (BTF kind FUNC, extern).
  llvm::DISubprogram* declare_function(llvm::StringRef name, llvm::DIType* result,
                                       const std::vector<llvm::DIType*>& params);
  llvm::DILocation* location(SourceRange range, llvm::DISubprogram* function);
  void describe_global(llvm::GlobalVariable* global, llvm::DIType* type);

  llvm::DIType* integer(uint32_t bytes, bool is_signed);
  llvm::DIType* character();
  llvm::DIType* boolean();
  llvm::DIType* pointer(llvm::DIType* to);
  llvm::DIType* array(llvm::DIType* elem, uint64_t elem_bytes, uint64_t count);
  llvm::DIType* const_volatile(llvm::DIType* type);
  struct Member { std::string name; llvm::DIType* type; uint32_t size; uint32_t offset; };
  llvm::DICompositeType* structure(const std::string& name, uint32_t size, const std::vector<Member>& members);

  // A script type as it lies in a map; `name` is used for tuples (they have none of their own).
  llvm::DIType* script_type(TypeId type, const std::string& name);
  // Bytes without a better description: integer arrays keep the alignment visible.
  llvm::DIType* bytes(uint32_t size);

 private:
  llvm::DIFile* file_named(const std::string& name);
  llvm::DIType* tuple_type(const Type& type, TypeId id, const std::string& name);

  llvm::DIBuilder builder_;
  const ir::Module& bir_;
  std::vector<llvm::DIFile*> files_;    // as Module::sources
  llvm::DICompileUnit* unit_ = nullptr;
  std::map<std::string, llvm::DIType*> basic_;
  std::map<std::pair<llvm::DISubprogram*, uint32_t>, llvm::DIScope*> file_scopes_;
};

// A C identifier for BTF: other characters become '_'.
std::string btf_identifier(std::string_view name);

}  // namespace btc::backend
