// What `sema` makes of a script: the typed tree plus symbols. Everything later
// stages need is here; they never look at source text or the profile again.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "frontend/ast/ast.h"
#include "frontend/debuginfo/debug_info.h"
#include "frontend/profile/profile.h"
#include "frontend/support/diag.h"

namespace btc {
namespace ast {

// A script variable (`$x`). One per declaration; scopes are resolved by sema, so names need not be unique.
struct Variable {
  std::string name;            // "$x"
  TypeId type;
  SourceRange declared;
};

struct MapSymbol {
  std::string name;            // "@start"
  TypeId key;                  // invalid for a scalar map
  TypeId value;
  SourceRange first_use;
  std::optional<std::string> declared_kind;  // `let @m = lruhash(10)`
  std::optional<uint64_t> max_entries;
  bool is_scalar() const { return !key; }
};

// $1, $#, getopt("name").
struct Param {
  std::string name;            // "1", "#", or the option's name
  bool is_getopt = false;
  enum Kind : uint8_t { Int, Str, Bool, Uint } kind = Int;
  uint32_t string_size = 0;    // Str: capacity in bytes
  std::optional<int64_t> int_default;
  std::optional<std::string> string_default;
  std::string doc;
  SourceRange range;
  bool is_number() const { return kind == Int || kind == Uint; }
};

// The parameter that `$1`, `getopt("x", 1)` or, for texts, `str($1)` stands for; null for any other expression.
const Param* param_of(const Expr* expr);

// A function of an imported C file or BPF object.
struct ForeignFunction {
  struct Param { std::string name; TypeId type; };   // name "" where the prototype has none
  std::string name;
  TypeId result;
  std::vector<Param> params;
  bool is_static = false;
  std::string problem;         // why it cannot be called, "" if it can
  SourceRange import;          // the statement that brought it
};

}  // namespace ast

// A BPF program of an imported file: libbpf attaches it by its section.
struct ForeignProgram { std::string name, section; SourceRange import; };

// What `import "x.bpf.c"` and `import "x.bpf.o"` bring, to be linked with the script's code.
struct ForeignUnit {
  enum Kind : uint8_t { Bitcode, Object } kind = Bitcode;
  std::string name;            // of the file, as messages say it
  std::string code;            // LLVM bitcode or the object
  std::vector<ForeignProgram> programs;
};

// One attach point with its own typed copy of the probe's body.
struct TypedProbe {
  const ast::Probe* source = nullptr;
  const ast::AttachPoint* attach = nullptr;
  uint32_t probe_index = 0;    // of `source` in the script
  TypeId args_record;          // struct type of `args`, if the body may use it
  TypeId retval_type;
  ast::Block* body = nullptr;  // predicate already folded in: `if (pred) { ... }`
  bool uses_probe_name = false;
  std::string build_id;        // uprobe: of the program that the body's types or the address come from; "" if from none
  std::optional<uint64_t> source_address;   // `@file:line`, found in the program
};

struct CompileOptions {
  bool unsafe = false;
  uint8_t warning_level = 1;   // 0 --no-warnings, 2 -k; the default of the WarningLevel fact
  std::vector<std::string> include_dirs;   // -I
  std::vector<std::string> includes;       // --include
  std::vector<std::string> baked_params;   // after `--`; empty = settled on the target
  bool bake_params = false;
  std::vector<std::pair<std::string, std::string>> config_env;  // BPFTRACE_* of the environment
  std::string arch = "x86_64";
  std::vector<std::string> no_features;
  ProgramSearch programs;                  // --debuginfo, --sysroot, --program
};

// A file besides the script that the result depends on: an import, a header.
struct InputFile {
  std::string name;    // as the manifest says it: relative to the script's folder or to a -I folder, so that it is the same wherever the sources lie
  std::string path;    // as this machine finds it
  std::string sha256;  // 64 hex digits
};

struct Program {
  std::unique_ptr<TypeTable> types;
  ast::Arena* arena = nullptr;
  std::vector<std::unique_ptr<ast::Variable>> variables;
  std::vector<std::unique_ptr<ast::MapSymbol>> maps;     // in order of first use
  std::vector<std::unique_ptr<ast::Param>> params;
  std::vector<ast::Subprog*> subprogs;
  std::vector<TypedProbe> probes;
  std::vector<ForeignUnit> foreign_units;
  std::vector<std::unique_ptr<ast::ForeignFunction>> foreign_functions;
  std::vector<std::string> config;    // value per ConfigKey (frontend/defs/config.def), after block and environment
  std::vector<bool> config_set;       // given by script or environment
  CompileOptions options;
  std::unordered_map<uint32_t, std::vector<ParameterPlace>> parameter_places;   // of UprobeArgs records, by record and member
  std::vector<InputFile> inputs;      // sorted by name
  std::string script_name;
  uint32_t script_file = 0;           // index in the SourceManager
  bool guards_recursion = false;      // a probe is on a function of the kernel's locks: no program starts inside another

  const std::string& config_value(ConfigKey key) const { return config[static_cast<size_t>(key)]; }
  uint64_t config_uint(ConfigKey key) const { return std::stoull(config_value(key)); }
  bool config_bool(ConfigKey key) const { return config_value(key) == "true"; }
};

// Definitions from the script's C preamble (frontend/cdefs).
struct CDefinitions {
  // Object-like macros with a value: integer or string.
  // One that has neither (`#define CUR curtask->pid`) has `body`, what stands behind its name in the script, to be parsed as the language.
  struct Macro { std::string name; std::optional<int64_t> value; bool is_unsigned = false; std::optional<std::string> text; std::string body; };
  std::vector<Macro> macros;
  // Enum constants: name -> (enum index in the TypeTable, value). Those of an enum without a name are macros with a value.
  std::vector<std::pair<std::string, std::pair<uint32_t, int64_t>>> enum_constants;
  // typedef name -> type.
  std::vector<std::pair<std::string, TypeId>> typedefs;
  std::vector<std::string> files_read;   // absolute paths, sorted; for depfile and manifest
};

// Runs all checks and type resolution. Returns a Program also when there are errors (then `diags.has_errors()`).
// `profile` may be null only in tests of scripts that name no kernel types.
std::unique_ptr<Program> analyse(ast::Arena& arena, ast::Script& script, Profile* profile, const CompileOptions& options,
                                 SourceManager& sources, DiagEngine& diags);

// The typed bodies as s-expressions, `: type` behind every expression, plus the symbols (--emit=typed-ast).
std::string dump_typed(const Program& program);

}  // namespace btc
