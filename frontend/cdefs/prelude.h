// What a parse lacked and the profile knows, as C.
//
// A kernel type is declared opaque, with the profile's size and alignment; the
// type reader puts the profile's own type in its place. So the closure of a
// kernel type is never printed as C, and can never collide with a header's.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "frontend/profile/profile.h"

namespace btc {

class Prelude {
 public:
  Prelude(Profile* profile, TypeTable& types) : profile_(profile), types_(types) {}

  // Reads an error message of Clang; true if the prelude now gives what was missing.
  bool supply(std::string_view message);
  std::string text() const;
  // The profile's type behind a name that the prelude declares ("struct sock", "enum pid_type", "atomic_t").
  std::optional<TypeId> type_of(std::string_view c_name) const;

 private:
  bool supply_tag(std::string_view keyword, std::string_view name);
  bool supply_identifier(std::string_view name, bool is_type);
  bool declare(std::string key, std::string text, std::optional<TypeId> type);
  std::string integer(TypeId type) const;

  Profile* profile_;
  TypeTable& types_;
  struct Entry { std::string text; std::optional<TypeId> type; };
  std::map<std::string, Entry> entries_;
  bool kernel_macros_ = false;
};

}  // namespace btc
