// The pipeline: script -> typed tree -> BIR -> object -> skeleton or executable.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "frontend/ast/ast.h"
#include "frontend/profile/profile.h"
#include "frontend/sema/program.h"
#include "frontend/support/diag.h"
#include "lower/lower.h"

namespace btc {

enum class Emit : uint8_t { Ast, TypedAst, Bir, Llvm, Asm, Obj, Skel, Manifest, Exe };
// "ast" ... "exe"; false if there is no such stage.
bool find_emit(std::string_view name, Emit* out);

struct CompileRequest {
  std::string input_name;    // as messages show it: "stdin" for -e and -
  std::string input_text;
  bool is_bir = false;
  Emit emit = Emit::Exe;
  std::string stage;         // of bir: raw | canonical; of llvm: raw | opt
  std::string profile;       // "", "builtin", "host" or a file
  std::string skeleton_name; // class name in the skeleton
  backend::Stub stub = backend::Stub::Plain;  // of exe
  bool bir_locs = true;
  CompileOptions options;
  lower::PassOptions passes;
};

// State of one compile; parts stay for the caller to look at (depfile, checks).
struct Compilation {
  SourceManager sources;
  DiagEngine diags{sources};
  ast::Arena arena;
  ast::Script script;
  std::unique_ptr<Profile> profile;
  std::unique_ptr<Program> program;
  std::unique_ptr<ir::Module> module;
  backend::Artifact artifact;
  std::string output;        // bytes of the stage asked for
  std::string passes_text;   // --print-after
};

// False if there were errors; they are in `c.diags`.
bool compile(Compilation& c, const CompileRequest& request);
// Only the front end: parse and analyse.
bool check(Compilation& c, const CompileRequest& request);

// BPFTRACE_* of the environment that are config keys of the compile side.
std::vector<std::pair<std::string, std::string>> config_from_environment();

}  // namespace btc
