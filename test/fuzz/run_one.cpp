// What is demanded of every input, sensible or not:
//
//   - no crash, no sanitizer report, no hang (the caller's alarm)
//   - a script is accepted or there is an error, never both or neither
//   - all diagnostics can be rendered
//   - an accepted script survives `fmt`: the result parses, means the same, and is a fixed point
//   - an accepted script comes out of sema with a Program
//   - what sema accepts is lowered, and every pass, to BIR that verifies and that reads back (limits are errors of their own)
//   - BIR that parses prints to text that parses to the same text
#include "frontend/parse/parser.h"
#include "frontend/sema/program.h"
#include "lower/ir/ir.h"
#include "lower/lower.h"
#include "test/fuzz/fuzz.h"

namespace btc::fuzz {
namespace {

struct Parsed {
  SourceManager sources;
  DiagEngine diags{sources};
  ast::Arena arena;
  ast::Script script;
  uint32_t file = 0;
  bool ok = false;

  explicit Parsed(const std::string& text) {
    file = sources.add("fuzz.bt", text);
    ok = parse_script(arena, sources, file, diags, &script);
  }
};

void render(const DiagEngine& diags) {
  (void)diags.render_text(true);
  (void)diags.render_json();
}

// Headers and imports are read from the machine and by libclang: too slow, and not ours.
bool reads_files(const ast::Script& script) {
  for (const ast::CDefinition& definition : script.c_definitions) {
    if (definition.text.find("include") != std::string::npos || definition.text.find("embed") != std::string::npos) return true;
  }
  return !script.imports.empty();
}

Profile* profile() {
  static std::string error;
  static std::unique_ptr<Profile> builtin = open_builtin_profile(&error);
  return builtin.get();
}

// The verifier's report, if there is one: it means that btc itself is wrong.
std::string invalid_bir(const DiagEngine& diags) {
  for (const Diagnostic& diagnostic : diags.all()) {
    if (diagnostic.kind == DiagKind::BirInvalid || diagnostic.kind == DiagKind::BirSyntax) return diags.render_text(false);
  }
  return "";
}

std::string round_trip(const ir::Module& module) {
  std::string printed = ir::print(module);
  SourceManager sources;
  DiagEngine diags(sources);
  auto again = ir::parse("fuzz.bir", printed, sources, diags);
  if (!again) return "printed BIR does not parse:\n" + diags.render_text(false) + printed;
  if (ir::print(*again) != printed) return "printing twice is not printing once:\n" + printed;
  return "";
}

std::string run_lower(const Program& program, Parsed& parsed) {
  auto module = lower::lower(program, parsed.sources, parsed.diags);
  render(parsed.diags);
  if (!module || parsed.diags.has_errors()) return invalid_bir(parsed.diags);
  (void)ir::verify(*module, parsed.diags);
  if (std::string wrong = invalid_bir(parsed.diags); !wrong.empty()) return "raw BIR: " + wrong;
  if (std::string wrong = round_trip(*module); !wrong.empty()) return wrong;
  bool ok = lower::run_passes(*module, {}, parsed.diags);
  render(parsed.diags);
  if (std::string wrong = invalid_bir(parsed.diags); !wrong.empty()) return "after a pass: " + wrong;
  return ok ? round_trip(*module) : "";
}

std::string run_sema(Parsed& parsed) {
  if (reads_files(parsed.script)) return "";
  CompileOptions options;
  options.unsafe = true;
  auto program = analyse(parsed.arena, parsed.script, profile(), options, parsed.sources, parsed.diags);
  render(parsed.diags);
  if (!program) return parsed.diags.has_errors() ? "" : "no program and no error";
  if (parsed.diags.has_errors()) return "";
  (void)dump_typed(*program);
  return run_lower(*program, parsed);
}

std::string run_script(const std::string& text) {
  Parsed parsed(text);
  render(parsed.diags);
  if (parsed.ok == parsed.diags.has_errors()) return parsed.ok ? "accepted with an error" : "refused without an error";
  if (!parsed.ok) return "";

  std::string formatted = format_script(parsed.sources, parsed.file, parsed.script);
  Parsed again(formatted);
  if (!again.ok) return "the formatted script does not parse:\n" + again.diags.render_text(false) + formatted;
  if (ast::dump(parsed.script, nullptr) != ast::dump(again.script, nullptr)) return "formatting changed the tree:\n" + formatted;
  if (format_script(again.sources, again.file, again.script) != formatted) return "formatting twice is not formatting once:\n" + formatted;
  return run_sema(parsed);
}

std::string run_bir(const std::string& text) {
  SourceManager sources;
  DiagEngine diags(sources);
  auto module = ir::parse("fuzz.bir", text, sources, diags);
  render(diags);
  if (!module) return diags.has_errors() ? "" : "refused without an error";
  (void)ir::verify(*module, diags);
  render(diags);
  return round_trip(*module);
}

}  // namespace

std::string run_one(const std::string& text, Kind kind) { return kind == Kind::Script ? run_script(text) : run_bir(text); }

}  // namespace btc::fuzz
