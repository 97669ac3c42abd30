// What a script does with copies of kernel structures: which members it names, and which structures it uses as a whole
// (prints, keeps in a map, compares). A copy then reads from the target what is needed (struct_copy.cpp).
//
// The answer is by type, not by variable: a member that is named once is copied wherever its structure is.
#pragma once

#include <set>
#include <unordered_set>

#include "frontend/sema/program.h"

namespace btc::lower {

class StructUses {
 public:
  explicit StructUses(const Program& program);
  bool whole(uint32_t record) const { return whole_.count(record) != 0; }
  bool names(uint32_t record, uint32_t field) const { return named_.count({record, field}) != 0; }

 private:
  void visit(const ast::Node* node, bool only_parts);
  void visit_access(const ast::FieldAccess& access);
  void mark_whole(TypeId type);

  const TypeTable& types_;
  std::unordered_set<uint32_t> whole_;
  std::set<std::pair<uint32_t, uint32_t>> named_;
};

}  // namespace btc::lower
