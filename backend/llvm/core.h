// CO-RE: accesses that the loader relocates to the target kernel's types.
//
// Local types carry only the members that the script uses (Module::core_types);
// libbpf and the kernel match them by name. LLVM's preserve.*.access.index
// intrinsics become relocation records in .BTF.ext.
#pragma once

#include <vector>

#include <llvm/IR/IRBuilder.h>

#include "backend/llvm/debug_info.h"

namespace btc::backend {

// Kinds of llvm.bpf.preserve.field.info, the same numbers as enum bpf_core_relo_kind.
enum class FieldInfo : uint64_t { ByteOffset = 0, ByteSize = 1, Exists = 2, Signed = 3, LshiftU64 = 4, RshiftU64 = 5 };
enum class TypeInfo : uint64_t { Exists = 0, Size = 1, Matches = 2 };

class CoreTypes {
 public:
  CoreTypes(const ir::Module& bir, DebugInfo& debug) : bir_(bir), debug_(debug), types_(bir.core_types.size()) {}

  // Why an access chain cannot be relocated; empty if it can. LLVM aborts on those.
  std::string check(const ir::Chain& chain) const;
  std::string check_type(uint32_t type) const;

  // Address of the member: `base` plus the chain's offset on the target.
  llvm::Value* address(llvm::IRBuilder<>& builder, llvm::Value* base, const ir::Chain& chain);
  // i64: a fact about the member.
  llvm::Value* field_info(llvm::IRBuilder<>& builder, const ir::Chain& chain, FieldInfo kind);
  llvm::Value* type_info(llvm::IRBuilder<>& builder, uint32_t type, TypeInfo kind);
  llvm::Value* type_id(llvm::IRBuilder<>& builder, uint32_t type);
  llvm::Value* enum_value(llvm::IRBuilder<>& builder, uint32_t type, const std::string& name, int64_t value);

  // Type at the end of a chain.
  uint32_t end_of(const ir::Chain& chain) const;
  // Width of the scalar there in bytes, 8 for pointers.
  uint32_t scalar_bytes(const ir::Chain& chain) const;

 private:
  llvm::DIType* type(uint32_t index);
  llvm::DIType* pointee(uint32_t index);
  llvm::DIType* composite(uint32_t index);
  llvm::DIType* enumeration(uint32_t index);
  uint32_t size_of(uint32_t index) const;

  const ir::Module& bir_;
  DebugInfo& debug_;
  std::vector<llvm::DIType*> types_;   // made on first use
  uint32_t sequence_ = 0;              // LLVM wants a number of its own in every query
};

}  // namespace btc::backend
