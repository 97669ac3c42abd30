#include "driver/compile.h"

#include <algorithm>
#include <cstring>

#include "frontend/parse/parser.h"

extern char** environ;

namespace btc {
namespace {

struct EmitName { Emit emit; const char* name; };
constexpr EmitName kEmitNames[] = {{Emit::Ast, "ast"},   {Emit::TypedAst, "typed-ast"}, {Emit::Bir, "bir"},
                                   {Emit::Llvm, "llvm"}, {Emit::Asm, "asm"},            {Emit::Obj, "obj"},
                                   {Emit::Skel, "skel"}, {Emit::Manifest, "manifest"},  {Emit::Exe, "exe"}};

bool open_profile(Compilation& c, const CompileRequest& request, SourceRange place) {
  std::string error;
  if (request.profile.empty() || request.profile == "builtin")
    c.profile = open_builtin_profile(&error);
  else if (request.profile == "host")
    c.profile = open_host_profile(&error);
  else
    c.profile = open_profile_file(request.profile, &error);
  if (!c.profile) c.diags.report(DiagKind::CannotOpenProfile, place, request.profile.empty() ? "builtin" : request.profile, error);
  return c.profile != nullptr;
}

// Parse and analyse; true if the stage asked for lies beyond the tree and all is well.
bool run_frontend(Compilation& c, const CompileRequest& request, Emit until) {
  uint32_t file = c.sources.add(request.input_name, request.input_text);
  bool parsed = parse_script(c.arena, c.sources, file, c.diags, &c.script);
  if (until == Emit::Ast) {
    c.output = ast::dump(c.script, nullptr);
    return parsed && !c.diags.has_errors();
  }
  if (!parsed || c.diags.has_errors()) return false;
  if (!open_profile(c, request, {})) return false;
  c.program = analyse(c.arena, c.script, c.profile.get(), request.options, c.sources, c.diags);
  if (c.program) {
    c.program->script_name = request.input_name;
    c.program->script_file = file;
  }
  if (until == Emit::TypedAst && c.program) c.output = dump_typed(*c.program);
  return c.program && !c.diags.has_errors();
}

bool make_module(Compilation& c, const CompileRequest& request) {
  if (request.is_bir) {
    c.module = ir::parse(request.input_name, request.input_text, c.sources, c.diags);
  } else {
    if (!run_frontend(c, request, Emit::Bir)) return false;
    c.module = lower::lower(*c.program, c.sources, c.diags);
  }
  return c.module && !c.diags.has_errors();
}

uint32_t backend_parts(const CompileRequest& request) {
  switch (request.emit) {
    case Emit::Llvm: return request.stage == "raw" ? backend::kEmitLlvmRaw : backend::kEmitLlvm;
    case Emit::Asm: return backend::kEmitAsm;
    default: return backend::kEmitObject;
  }
}

}  // namespace

bool find_emit(std::string_view name, Emit* out) {
  for (const EmitName& e : kEmitNames)
    if (name == e.name) return *out = e.emit, true;
  return false;
}

bool check(Compilation& c, const CompileRequest& request) { return run_frontend(c, request, Emit::TypedAst); }

// The order of everything btc does; each line is a room of its own.
bool compile(Compilation& c, const CompileRequest& request) {
  if (!request.is_bir && (request.emit == Emit::Ast || request.emit == Emit::TypedAst))
    return run_frontend(c, request, request.emit);
  if (!make_module(c, request)) return false;
  if (request.emit == Emit::Bir && request.stage == "raw") return c.output = ir::print(*c.module, request.bir_locs), true;

  lower::PassOptions passes = request.passes;
  passes.printed = &c.passes_text;
  if (!lower::run_passes(*c.module, passes, c.diags)) return false;
  if (request.emit == Emit::Bir) return c.output = ir::print(*c.module, request.bir_locs), true;

  if (!backend::emit(*c.module, backend_parts(request), &c.artifact, c.diags)) return false;
  switch (request.emit) {
    case Emit::Llvm: c.output = std::move(c.artifact.llvm_ir); break;
    case Emit::Asm: c.output = std::move(c.artifact.assembly); break;
    case Emit::Obj: c.output = std::move(c.artifact.object); break;
    case Emit::Manifest: c.output = std::move(c.artifact.manifest); break;
    case Emit::Skel: c.output = backend::make_skeleton(*c.module, c.artifact.object, request.skeleton_name); break;
    default: c.output = backend::make_executable(backend::embedded_stub(request.stub), c.artifact.object, c.diags); break;
  }
  return !c.diags.has_errors();
}

std::vector<std::pair<std::string, std::string>> config_from_environment() {
  std::vector<std::pair<std::string, std::string>> found;
  for (char** e = environ; *e != nullptr; ++e) {
    const char* eq = strchr(*e, '=');
    if (eq == nullptr || strncmp(*e, "BPFTRACE_", 9) != 0) continue;
    std::string key(*e, static_cast<size_t>(eq - *e));
    const ConfigInfo* info = find_config(key);
    if (info != nullptr && info->side != ConfigSide::Run) found.emplace_back(info->key, eq + 1);
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace btc
