// DWARF type entries as types of the TypeTable. What is left out stands in debug_info.h.
#pragma once

#include <llvm/DebugInfo/DWARF/DWARFContext.h>
#include <llvm/DebugInfo/DWARF/DWARFDie.h>

#include <functional>
#include <map>
#include <string>
#include <unordered_map>

#include "frontend/types/types.h"

namespace btc {

// Without typedefs and qualifiers; invalid for void.
llvm::DWARFDie type_of(llvm::DWARFDie die);
llvm::DWARFDie peel(llvm::DWARFDie type);
std::string die_name(llvm::DWARFDie die);
uint64_t unsigned_of(llvm::DWARFDie die, llvm::dwarf::Attribute attribute, uint64_t otherwise);
uint64_t member_byte_offset(llvm::DWARFDie member);
// Elements of each dimension; 0 where the program does not say.
std::vector<uint32_t> array_counts(llvm::DWARFDie array);
bool is_record_tag(llvm::dwarf::Tag tag);
// "const char*", as listings show it.
std::string type_text(llvm::DWARFDie type);

class DwarfTypes {
 public:
  // `find_definition` gives the definition of a record that an entry only declares.
  using FindDefinition = std::function<llvm::DWARFDie(llvm::DWARFDie declaration)>;
  explicit DwarfTypes(FindDefinition find_definition) : find_definition_(std::move(find_definition)) {}

  // An invalid id for what the language has no type for (functions by value).
  TypeId convert(TypeTable& types, llvm::DWARFDie type, const std::string& anonymous_name = "", int depth = 0);
  bool complete(TypeTable& types, uint32_t record);

 private:
  TypeId base_type(TypeTable& types, llvm::DWARFDie type);
  TypeId array_type(TypeTable& types, llvm::DWARFDie type, const std::string& anonymous_name, int depth);
  TypeId record_type(TypeTable& types, llvm::DWARFDie type, const std::string& anonymous_name);
  void complete_by_value(TypeTable& types, TypeId type);
  void add_member(TypeTable& types, llvm::DWARFDie member, std::vector<Field>* fields, const std::string& parent);

  FindDefinition find_definition_;
  std::map<std::string, uint32_t> named_;                       // kind, name and size: each unit has its own copy of a type
  std::unordered_map<uint64_t, uint32_t> anonymous_;            // by place in the file
  std::unordered_map<uint32_t, llvm::DWARFDie> definitions_;    // of records not yet completed
};

}  // namespace btc
