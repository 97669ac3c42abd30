// Clang's types as btc types.
//
// As bpftrace reads them: `char[N]` is string[N], arrays of other integers are
// arrays, function pointers `void *`, an anonymous enum an integer. Names for
// anonymous records are made up as for BTF (frontend/profile/btf_source.h).
#pragma once

#include <clang-c/Index.h>

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "frontend/cdefs/prelude.h"
#include "frontend/sema/program.h"

namespace btc {

class TypeReader {
 public:
  TypeReader(TypeTable& types, Profile* profile, const Prelude& prelude, CDefinitions& out)
      : types_(types), profile_(profile), prelude_(prelude), out_(out) {}

  // Takes over everything that is declared at file level.
  void read_declarations(CXCursor root);

 private:
  TypeId convert(CXType type, const std::string& anonymous_name, int depth);
  TypeId convert_record(CXType type, const std::string& anonymous_name, int depth);
  TypeId convert_enum(CXType type);
  void fill(uint32_t index, CXType type, int depth);
  uint32_t script_enum(CXCursor declaration);

  TypeTable& types_;
  Profile* profile_;
  const Prelude& prelude_;
  CDefinitions& out_;
  std::unordered_map<unsigned, std::vector<std::pair<CXCursor, TypeId>>> records_;  // by cursor hash
  std::map<std::string, uint32_t> enums_;
};

}  // namespace btc
