// C++ text for script types, as the skeleton's header shows them.
#pragma once

#include <string>

#include "lower/ir/ir.h"

namespace btc::backend {

// A valid C++ identifier; keywords get a trailing underscore.
std::string cpp_identifier(std::string_view name);
std::string cpp_string_literal(std::string_view text);

// Collects the structs that tuples and records need, in the order in which they must stand.
class CppTypes {
 public:
  explicit CppTypes(const ir::Module& module) : module_(module) {}
  // The type's name; `name` becomes the struct's if one is made.
  std::string type(TypeId type, const std::string& name);
  // Of a map's value: btc::Plain<...>, btc::Sum<...> ...
  std::string map_value(TypeId type, const std::string& name);
  const std::string& definitions() const { return definitions_; }

 private:
  std::string tuple(TypeId type, const std::string& name);
  const ir::Module& module_;
  std::string definitions_;
};

}  // namespace btc::backend
