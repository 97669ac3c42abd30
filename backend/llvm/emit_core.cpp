#include <algorithm>

#include <llvm/BinaryFormat/Dwarf.h>
#include <llvm/IR/IntrinsicsBPF.h>
#include <llvm/IR/Module.h>

#include "backend/llvm/core.h"

namespace btc::backend {

using ir::CoreType;
using llvm::DINode;
using llvm::DIType;

static bool is_composite(const CoreType& type) {
  return type.kind == CoreType::Struct || type.kind == CoreType::Union;
}

std::string CoreTypes::check(const ir::Chain& chain) const {
  if (chain.type >= bir_.core_types.size()) return "no such type";
  if (chain.path.empty()) return "access without a member";
  const CoreType* at = &bir_.core_types[chain.type];
  if (!is_composite(*at) || at->name.empty()) return "only members of a named struct can be relocated";
  for (uint32_t step : chain.path) {
    uint32_t next = 0;
    if (is_composite(*at)) {
      if (step >= at->members.size()) return "no such member";
      next = at->members[step].type;
    } else if (at->kind == CoreType::Array) {
      next = at->elem;
    } else {
      return "step into a type without members";
    }
    if (next >= bir_.core_types.size()) return "no such type";
    at = &bir_.core_types[next];
  }
  return "";
}

std::string CoreTypes::check_type(uint32_t index) const {
  if (index >= bir_.core_types.size()) return "no such type";
  return bir_.core_types[index].name.empty() ? "only named types can be relocated" : "";
}

uint32_t CoreTypes::end_of(const ir::Chain& chain) const {
  uint32_t at = chain.type;
  for (uint32_t step : chain.path) {
    const CoreType& type = bir_.core_types[at];
    at = is_composite(type) ? type.members[step].type : type.elem;
  }
  return at;
}

uint32_t CoreTypes::size_of(uint32_t index) const {
  const CoreType& type = bir_.core_types[index];
  if (type.kind == CoreType::Pointer) return 8;
  if (type.kind == CoreType::Array) return type.count * size_of(type.elem);
  return type.size;
}

uint32_t CoreTypes::scalar_bytes(const ir::Chain& chain) const {
  uint32_t size = size_of(end_of(chain));
  return size == 1 || size == 2 || size == 4 ? size : 8;
}

DIType* CoreTypes::composite(uint32_t index) {
  const CoreType& type = bir_.core_types[index];
  llvm::DIBuilder& di = debug_.builder();
  bool is_union = type.kind == CoreType::Union;
  uint64_t bits = type.size * 8ull;
  llvm::StringRef tag = type.is_typedef ? llvm::StringRef() : llvm::StringRef(type.name);
  // LLVM takes equal types for one, and two nameless ones of the same size are equal until they have members. BTF has no lines.
  unsigned line = index + 1;
  llvm::DICompositeType* result =
      is_union ? di.createUnionType(debug_.unit(), tag, debug_.file(), line, bits, 0, DINode::FlagZero, {})
               : di.createStructType(debug_.unit(), tag, debug_.file(), line, bits, 0, DINode::FlagZero, nullptr, {});
  DIType* seen = result;
  if (type.is_typedef) seen = di.createTypedef(result, type.name, debug_.file(), 0, debug_.unit());
  types_[index] = seen;  // before its members: they may point back
  std::vector<llvm::Metadata*> elements;
  for (const CoreType::Member& member : type.members) {
    DIType* member_type = this->type(member.type);
    uint64_t member_bits = size_of(member.type) * 8ull;
    if (member.bit_size != 0) {
      uint64_t storage = member_bits == 0 ? 0 : member.bit_offset / member_bits * member_bits;
      elements.push_back(di.createBitFieldMemberType(result, member.name, debug_.file(), 0, member.bit_size,
                                                     member.bit_offset, storage, DINode::FlagZero, member_type));
    } else {
      elements.push_back(di.createMemberType(result, member.name, debug_.file(), 0, member_bits, 0, member.bit_offset,
                                             DINode::FlagZero, member_type));
    }
  }
  di.replaceArrays(result, di.getOrCreateArray(elements));
  if (!type.is_typedef) types_[index] = seen = result;
  return seen;
}

DIType* CoreTypes::enumeration(uint32_t index) {
  const CoreType& type = bir_.core_types[index];
  llvm::DIBuilder& di = debug_.builder();
  std::vector<llvm::Metadata*> elements;
  for (const auto& [name, value] : type.variants) {
    elements.push_back(di.createEnumerator(name, static_cast<uint64_t>(value), !type.is_signed));
  }
  uint32_t size = type.size == 0 ? 4 : type.size;
  return di.createEnumerationType(debug_.unit(), type.name, debug_.file(), 0, size * 8ull, 0,
                                  di.getOrCreateArray(elements), debug_.integer(size, type.is_signed));
}

// What a pointer points to matters to nobody but readers of the BTF; incomplete types become forward declarations.
DIType* CoreTypes::pointee(uint32_t index) {
  if (index >= bir_.core_types.size()) return nullptr;
  const CoreType& type = bir_.core_types[index];
  if (is_composite(type) && type.members.empty() && !type.is_typedef && types_[index] == nullptr) {
    if (type.name.empty()) return nullptr;
    unsigned tag = type.kind == CoreType::Union ? llvm::dwarf::DW_TAG_union_type : llvm::dwarf::DW_TAG_structure_type;
    return debug_.builder().createForwardDecl(tag, type.name, debug_.unit(), debug_.file(), 0);
  }
  return this->type(index);
}

DIType* CoreTypes::type(uint32_t index) {
  if (types_[index] != nullptr) return types_[index];
  const CoreType& type = bir_.core_types[index];
  llvm::DIBuilder& di = debug_.builder();
  switch (type.kind) {
    case CoreType::Struct:
    case CoreType::Union: return composite(index);
    case CoreType::Enum: return types_[index] = enumeration(index);
    case CoreType::Pointer: return types_[index] = debug_.pointer(pointee(type.elem));
    case CoreType::Array:
      return types_[index] = debug_.array(this->type(type.elem), size_of(type.elem), type.count);
    case CoreType::Fwd:
      return types_[index] = di.createForwardDecl(llvm::dwarf::DW_TAG_structure_type, type.name, debug_.unit(),
                                                  debug_.file(), 0);
    case CoreType::Int:
      return types_[index] = type.name == "_Bool"  ? debug_.boolean()
                             : type.name == "char" ? debug_.character()
                                                   : debug_.integer(type.size, type.is_signed);
    case CoreType::Void: return nullptr;
  }
  return nullptr;
}

static llvm::StructType* struct_with(llvm::IRBuilder<>& builder, const CoreType::Member& member) {
  unsigned bits = 8;
  uint32_t last = member.bit_offset + std::max<uint32_t>(member.bit_size, 1) - 1;
  while (member.bit_size != 0 && bits < 64 && member.bit_offset / bits != last / bits) bits *= 2;
  llvm::Type* word = builder.getIntNTy(bits);
  return llvm::StructType::get(builder.getContext(), llvm::ArrayRef<llvm::Type*>(word));
}

llvm::Value* CoreTypes::address(llvm::IRBuilder<>& builder, llvm::Value* base, const ir::Chain& chain) {
  // The element types only have to be present; offsets come from the debug types. Of a bitfield's structure LLVM looks at the alignment: the
  // field must lie within one word of that size.
  llvm::Type* any_array = llvm::ArrayType::get(builder.getInt8Ty(), 1);
  llvm::Value* address = base;
  uint32_t at = chain.type;
  for (uint32_t step : chain.path) {
    const CoreType& current = bir_.core_types[at];
    DIType* type = this->type(at);
    if (current.kind == CoreType::Array) {
      address = builder.CreatePreserveArrayAccessIndex(any_array, address, 1, step, type);
      at = current.elem;
      continue;
    }
    address = current.kind == CoreType::Union
                  ? builder.CreatePreserveUnionAccessIndex(address, step, type)
                  : builder.CreatePreserveStructAccessIndex(struct_with(builder, current.members[step]), address, 0, step, type);
    at = current.members[step].type;
  }
  return address;
}

llvm::Value* CoreTypes::field_info(llvm::IRBuilder<>& builder, const ir::Chain& chain, FieldInfo kind) {
  llvm::Value* null = llvm::ConstantPointerNull::get(builder.getPtrTy());
  llvm::Value* info = builder.CreateIntrinsic(
      llvm::Intrinsic::bpf_preserve_field_info, {builder.getPtrTy()},
      {address(builder, null, chain), builder.getInt64(static_cast<uint64_t>(kind))});
  return builder.CreateZExt(info, builder.getInt64Ty());
}

llvm::Value* CoreTypes::type_info(llvm::IRBuilder<>& builder, uint32_t index, TypeInfo kind) {
  llvm::CallInst* call =
      builder.CreateIntrinsic(llvm::Intrinsic::bpf_preserve_type_info, {},
                              {builder.getInt32(sequence_++), builder.getInt64(static_cast<uint64_t>(kind))});
  call->setMetadata(llvm::LLVMContext::MD_preserve_access_index, type(index));
  return builder.CreateZExt(call, builder.getInt64Ty());
}

llvm::Value* CoreTypes::type_id(llvm::IRBuilder<>& builder, uint32_t index) {
  llvm::CallInst* call = builder.CreateIntrinsic(llvm::Intrinsic::bpf_btf_type_id, {},
                                                 {builder.getInt32(sequence_++), builder.getInt64(1)});  // 1: target's
  call->setMetadata(llvm::LLVMContext::MD_preserve_access_index, type(index));
  return call;
}

llvm::Value* CoreTypes::enum_value(llvm::IRBuilder<>& builder, uint32_t index, const std::string& name,
                                   int64_t value) {
  llvm::Value* text = builder.CreateGlobalStringPtr(name + ":" + std::to_string(value));
  llvm::CallInst* call =
      builder.CreateIntrinsic(llvm::Intrinsic::bpf_preserve_enum_value, {},
                              {builder.getInt32(sequence_++), text, builder.getInt64(1)});  // 1: value
  call->setMetadata(llvm::LLVMContext::MD_preserve_access_index, type(index));
  return call;
}

}  // namespace btc::backend
