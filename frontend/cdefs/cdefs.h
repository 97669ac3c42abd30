// C definitions of a script: its preamble (`#include`, `#define`, struct, union,
// enum) and the headers of --include, read by libclang into the TypeTable.
//
// Nothing is read, and no libclang work done, when a script has none. What a
// header cannot give comes from the profile: an include of a kernel header that
// is not found is empty, a type that is then unknown is taken from BTF, and
// macros of kernel headers come from a table (kernel_macros.h). So kernel
// headers are never needed.
//
// Types get RecordOrigin::Script, whose layout is the headers'. A script's type
// wins over a kernel's of the same name wherever the script names it; members of
// kernel types keep the kernel's. A member whose type the preamble leaves
// incomplete (`struct sock *sk`) has the profile's type. Pointers in script
// types have AddrSpace::None: they point where the object that holds them lies.
#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "frontend/sema/program.h"

namespace btc {

struct CDefinitionsInput {
  const std::vector<ast::CDefinition>* definitions = nullptr;
  // Every bare name in the script: a macro is given a value only if its name is here.
  std::unordered_set<std::string> names;
  // Directory of the script, searched first for #include "file"; "" = the current one.
  std::string script_dir;
};

bool has_c_definitions(const CDefinitionsInput& input, const CompileOptions& options);

// Adds the types to `types` and the names to `out`. Errors go to `diags` at the script's places; what could be read is there all the same.
// `profile` may be null.
void read_c_definitions(const CDefinitionsInput& input, const CompileOptions& options, Profile* profile, TypeTable& types, DiagEngine& diags,
                        CDefinitions* out);

}  // namespace btc
