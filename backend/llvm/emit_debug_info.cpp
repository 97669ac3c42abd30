#include "backend/llvm/debug_info.h"

#include <llvm/BinaryFormat/Dwarf.h>
#include <llvm/IR/Module.h>

namespace btc::backend {

using llvm::DINode;
using llvm::DIType;

std::string btf_identifier(std::string_view name) {
  std::string text;
  for (char c : name) {
    bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    text += word ? c : '_';
  }
  if (text.empty() || (text[0] >= '0' && text[0] <= '9')) text.insert(text.begin(), '_');
  return text;
}

DebugInfo::DebugInfo(llvm::Module& llvm, const ir::Module& bir) : builder_(llvm), bir_(bir) {
  llvm.addModuleFlag(llvm::Module::Warning, "Debug Info Version", llvm::DEBUG_METADATA_VERSION);
  llvm.addModuleFlag(llvm::Module::Warning, "Dwarf Version", 5);  // 5: files may carry their source
  for (const ir::SourceText& source : bir.sources) {
    files_.push_back(file_named(source.name));
  }
  if (files_.empty()) {
    files_.push_back(file_named(bir.script_name.empty() ? "script" : bir.script_name));
  }
  unit_ = builder_.createCompileUnit(llvm::dwarf::DW_LANG_C11, files_.front(), "btc", /*isOptimized=*/true, "", 0);
}

// With a text, or LLVM would look for a file of that name; with an empty one: the lines' texts follow later (obj/line_texts.cpp).
llvm::DIFile* DebugInfo::file_named(const std::string& name) { return builder_.createFile(name, "", std::nullopt, llvm::StringRef("\n")); }

llvm::DISubprogram* DebugInfo::define_function(llvm::Function* function, SourceRange range, DIType* result,
                                               const std::vector<DIType*>& params) {
  std::vector<llvm::Metadata*> types{result};
  types.insert(types.end(), params.begin(), params.end());
  std::optional<ir::Place> place = bir_.locate(range);
  uint32_t line = place ? place->line : 0;
  llvm::DIFile* in_file = place ? files_[place->file] : file();
  auto flags = llvm::DISubprogram::SPFlagDefinition | llvm::DISubprogram::SPFlagOptimized;
  if (function->hasLocalLinkage()) flags |= llvm::DISubprogram::SPFlagLocalToUnit;
  llvm::DISubprogram* subprogram =
      builder_.createFunction(in_file, function->getName(), function->getName(), in_file, line,
                              builder_.createSubroutineType(builder_.getOrCreateTypeArray(types)), line,
                              DINode::FlagPrototyped, flags);
  function->setSubprogram(subprogram);
  // Parameters are preserved always: without them the BTF is invalid ("Invalid arg#1") as soon as one is unused.
  for (unsigned i = 0; i < params.size(); ++i) {
    std::string name = i == 0 ? "ctx" : "arg" + std::to_string(i);
    builder_.createParameterVariable(subprogram, name, i + 1, in_file, line, params[i], /*AlwaysPreserve=*/true);
  }
  return subprogram;
}

llvm::DISubprogram* DebugInfo::declare_function(llvm::StringRef name, DIType* result,
                                                const std::vector<DIType*>& params) {
  std::vector<llvm::Metadata*> types{result};
  types.insert(types.end(), params.begin(), params.end());
  return builder_.createFunction(unit_, name, name, file(), 0,
                                 builder_.createSubroutineType(builder_.getOrCreateTypeArray(types)), 0,
                                 DINode::FlagPrototyped, llvm::DISubprogram::SPFlagZero);
}

llvm::DILocation* DebugInfo::location(SourceRange range, llvm::DISubprogram* function) {
  llvm::LLVMContext& context = function->getContext();
  std::optional<ir::Place> place = bir_.locate(range);
  if (!place) return llvm::DILocation::get(context, 0, 0, function);
  llvm::DIScope* scope = function;
  if (files_[place->file] != function->getFile()) {
    llvm::DIScope*& block = file_scopes_[{function, place->file}];
    if (block == nullptr) block = builder_.createLexicalBlockFile(function, files_[place->file]);
    scope = block;
  }
  return llvm::DILocation::get(context, place->line, place->col, scope);
}

void DebugInfo::describe_global(llvm::GlobalVariable* global, DIType* type) {
  global->addDebugInfo(builder_.createGlobalVariableExpression(unit_, global->getName(), global->getName(), file(), 1,
                                                               type, global->hasLocalLinkage()));
}

DIType* DebugInfo::integer(uint32_t bytes, bool is_signed) {
  static const char* const kUnsigned[] = {"unsigned char", "unsigned short", "unsigned int", "unsigned long long"};
  static const char* const kSigned[] = {"signed char", "short", "int", "long long"};
  unsigned index = bytes == 1 ? 0 : bytes == 2 ? 1 : bytes == 4 ? 2 : 3;
  const char* name = is_signed ? kSigned[index] : kUnsigned[index];
  DIType*& type = basic_[name];
  if (type == nullptr) {
    unsigned encoding = is_signed ? llvm::dwarf::DW_ATE_signed : llvm::dwarf::DW_ATE_unsigned;
    type = builder_.createBasicType(name, 8ull << index, encoding);
  }
  return type;
}

DIType* DebugInfo::character() {
  DIType*& type = basic_["char"];
  if (type == nullptr) type = builder_.createBasicType("char", 8, llvm::dwarf::DW_ATE_signed_char);
  return type;
}

DIType* DebugInfo::boolean() {
  DIType*& type = basic_["_Bool"];
  if (type == nullptr) type = builder_.createBasicType("_Bool", 8, llvm::dwarf::DW_ATE_boolean);
  return type;
}

DIType* DebugInfo::pointer(DIType* to) { return builder_.createPointerType(to, 64); }

DIType* DebugInfo::array(DIType* elem, uint64_t elem_bytes, uint64_t count) {
  llvm::DINodeArray range = builder_.getOrCreateArray({builder_.getOrCreateSubrange(0, static_cast<int64_t>(count))});
  return builder_.createArrayType(elem_bytes * count * 8, 0, elem, range);
}

DIType* DebugInfo::const_volatile(DIType* type) {
  DIType* inner = builder_.createQualifiedType(llvm::dwarf::DW_TAG_volatile_type, type);
  return builder_.createQualifiedType(llvm::dwarf::DW_TAG_const_type, inner);
}

llvm::DICompositeType* DebugInfo::structure(const std::string& name, uint32_t size,
                                            const std::vector<Member>& members) {
  std::vector<llvm::Metadata*> elements;
  for (const Member& member : members) {
    elements.push_back(builder_.createMemberType(unit_, member.name, file(), 0, member.size * 8ull, 0,
                                                 member.offset * 8ull, DINode::FlagZero, member.type));
  }
  return builder_.createStructType(unit_, name, file(), 0, size * 8ull, 0, DINode::FlagZero, nullptr,
                                   builder_.getOrCreateArray(elements));
}

DIType* DebugInfo::bytes(uint32_t size) {
  if (size == 4 || size == 8) return integer(size, false);
  if (size % 8 == 0) return array(integer(8, false), 8, size / 8);
  return array(integer(1, false), 1, size);
}

DIType* DebugInfo::tuple_type(const Type& type, TypeId id, const std::string& name) {
  Layout layout = bir_.types->layout(id);
  std::vector<Member> members;
  for (size_t i = 0; i < type.members.size(); ++i) {
    const auto& [member_name, member_type] = type.members[i];
    std::string label = member_name.empty() ? "k" + std::to_string(i) : btf_identifier(member_name);
    uint32_t size = bir_.types->size_of(member_type);
    members.push_back({label, script_type(member_type, name + "_" + label), size, layout.offsets[i]});
  }
  return structure(name, layout.size, members);
}

DIType* DebugInfo::script_type(TypeId id, const std::string& name) {
  const Type& type = (*bir_.types)[id];
  uint32_t size = bir_.types->size_of(id);
  switch (type.kind) {
    case TypeKind::Bool: return boolean();
    case TypeKind::Int: return integer(type.size, type.is_signed);
    case TypeKind::String: return array(character(), 1, type.size);
    case TypeKind::Array: return array(script_type(type.elem, name), bir_.types->size_of(type.elem), type.count);
    case TypeKind::Tuple:
    case TypeKind::AnonRecord: return tuple_type(type, id, name);
    case TypeKind::Count: return structure("btc_count", 8, {{"count", integer(8, false), 8, 0}});
    case TypeKind::Sum: return structure(type.is_signed ? "btc_sum" : "btc_usum", 8, {{"sum", integer(8, type.is_signed), 8, 0}});
    case TypeKind::Min:
    case TypeKind::Max:
      return structure(type.kind == TypeKind::Min ? "btc_min" : "btc_max", 16,
                       {{"value", integer(8, type.is_signed), 8, 0}, {"is_set", integer(8, false), 8, 8}});
    case TypeKind::Avg:
    case TypeKind::Stats:
      return structure(type.kind == TypeKind::Avg ? "btc_avg" : "btc_stats", 16,
                       {{"total", integer(8, type.is_signed), 8, 0}, {"count", integer(8, false), 8, 8}});
    default: return bytes(size);
  }
}

}  // namespace btc::backend
