#include "frontend/cdefs/cdefs.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "frontend/cdefs/prelude.h"
#include "frontend/cdefs/translation_unit.h"
#include "frontend/cdefs/type_reader.h"
#include "frontend/cdefs/virtual_files.h"

namespace btc {
namespace {

constexpr int kMaxRounds = 24;  // of supplying what is missing; each needs something new

// The text given to Clang, and the way back from its lines to the script. The first line is btc's own, so that a script's
// definitions start on line 2, as bpftrace counts them.
class DefinitionsFile {
 public:
  explicit DefinitionsFile(const std::vector<ast::CDefinition>* definitions) {
    text_ = fmt::format("#include \"{}/prelude.h\"\n", kKernelDir);
    uint32_t line = 2;
    if (!definitions) return;
    for (const ast::CDefinition& definition : *definitions) {
      starts_.push_back({line, &definition});
      text_ += definition.text + "\n";
      line += 1 + static_cast<uint32_t>(std::count(definition.text.begin(), definition.text.end(), '\n'));
    }
  }
  const std::string& text() const { return text_; }

  SourceRange range(unsigned line, unsigned col) const {
    const Start* found = nullptr;
    for (const Start& start : starts_)
      if (start.line <= line) found = &start;
    if (!found) return {};
    const ast::CDefinition& definition = *found->definition;
    // The parser may have added a ';'; an import's text is not in the script at all.
    if (definition.text.size() > definition.range.end - definition.range.begin + 1) return definition.range;
    size_t at = 0;
    for (unsigned i = found->line; i < line && at != std::string::npos; ++i) at = definition.text.find('\n', at) + 1;
    at = std::min(at + col - 1, definition.text.size());
    // The token or quoted name that starts here.
    size_t end = at;
    char first = at < definition.text.size() ? definition.text[at] : ' ';
    if (first == '<' || first == '"') {
      size_t close = definition.text.find(first == '<' ? '>' : '"', at + 1);
      end = close == std::string::npos ? at + 1 : close + 1;
    } else {
      while (end < definition.text.size() && (std::isalnum(static_cast<unsigned char>(definition.text[end])) || definition.text[end] == '_')) ++end;
    }
    auto begin = definition.range.begin + static_cast<uint32_t>(at);
    return {begin, std::max(begin + 1, std::min(definition.range.begin + static_cast<uint32_t>(end), definition.range.end))};
  }

  // The #include behind an error in another file, as far as its name tells.
  SourceRange include_of(const std::string& file) const {
    std::string base = file.substr(file.rfind('/') + 1);
    for (const Start& start : starts_)
      if (start.definition->text.find(base) != std::string::npos) return start.definition->range;
    return starts_.empty() ? SourceRange{} : starts_[0].definition->range;
  }

 private:
  struct Start { uint32_t line; const ast::CDefinition* definition; };
  std::string text_;
  std::vector<Start> starts_;
};

bool any_include(const CDefinitionsInput& input, const CompileOptions& options) {
  if (!options.includes.empty()) return true;
  return std::any_of(input.definitions->begin(), input.definitions->end(),
                     [](const ast::CDefinition& d) { return d.text.find("include") != std::string::npos; });
}

// Parses until nothing more can be supplied.
class Reader {
 public:
  Reader(const CDefinitionsInput& input, const CompileOptions& options, Profile* profile, TypeTable& types)
      : input_(input), options_(options), profile_(profile), types_(types), definitions_(input.definitions), prelude_(profile, types) {
    with_macros_ = any_include(input, options);
  }

  bool run(DiagEngine& diags, CDefinitions* out) {
    for (int round = 0; round < kMaxRounds; ++round) {
      if (!unit_.parse(arguments(), files())) return false;
      bool supplied = false;
      for (const ClangDiagnostic& diagnostic : unit_.diagnostics())
        if (diagnostic.error && diagnostic.file != value_file_) supplied |= supply(diagnostic);
      if (!supplied) break;
    }
    report(diags);
    TypeReader(types_, profile_, prelude_, *out).read_declarations(unit_.root());
    read_macros(out);
    out->files_read = unit_.files_read();
    return true;
  }

 private:
  std::vector<std::string> arguments() const {
    // The target CPU, not bpf: there `long` and what is made of it would be 32 bits wide in some headers.
    std::vector<std::string> args = {"-x", "c", "-std=gnu17", "-target", options_.arch + "-linux-gnu", "-ferror-limit=0",
                                     // Clang's own headers are btc's copies; libclang would take an installed Clang's whatever -resource-dir says.
                                     "-nobuiltininc", "-isystem", std::string(kResourceDir) + "/include"};
    for (const std::string& dir : options_.include_dirs) args.insert(args.end(), {"-I", dir});
    args.insert(args.end(), {"-iquote", input_.script_dir.empty() ? "." : input_.script_dir, "-iquote", "."});
    args.insert(args.end(), {"-idirafter", std::string(kKernelDir)});
    if (profile_ && profile_->has_types()) args.push_back("-DBPFTRACE_HAVE_BTF");
    return args;
  }

  std::vector<std::pair<std::string, std::string>> files() const {
    std::vector<std::pair<std::string, std::string>> out;
    std::string kernel(kKernelDir), includes;
    for (const std::string& include : options_.includes) includes += fmt::format("#include \"{}\"\n", include);
    out.emplace_back("definitions.h", definitions_.text() + fmt::format("#include \"{}\"\n", value_file_));
    out.emplace_back(kernel + "/prelude.h", "#pragma clang system_header\n" + prelude_.text() + fmt::format("#include \"{}/includes.h\"\n", kernel));
    out.emplace_back(kernel + "/includes.h", includes);
    out.emplace_back(kernel + "/macros.h", std::string(kernel_macros()));
    out.emplace_back(value_file_, values());
    for (const std::string& header : empty_headers_) out.emplace_back(kernel + "/" + header, "");
    return out;
  }

  // For each name that the script uses two constants, one of which has the macro's value; both fail for macros that are no constants.
  std::string values() const {
    std::string out;
    if (with_macros_) out += fmt::format("#include \"{}/macros.h\"\n", kKernelDir);
    std::set<std::string> names(input_.names.begin(), input_.names.end());
    for (const std::string& name : names)
      out += fmt::format("#ifdef {0}\nstatic const __auto_type __btc_int_{0} = ({0});\nstatic const char __btc_str_{0}[] = {0};\n#endif\n", name);
    return out;
  }

  bool supply(const ClangDiagnostic& diagnostic) {
    std::string_view message = diagnostic.message;
    if (message.ends_with("' file not found") && message.starts_with("'")) {
      std::string header(message.substr(1, message.size() - 1 - std::string_view("' file not found").size()));
      // Also what a header of the machine lacks: that is not the script's fault.
      if (is_dispensable_header(header) || is_system_file(diagnostic.file)) return empty_headers_.insert(header).second;
      return false;
    }
    return prelude_.supply(message);
  }

  static bool is_system_file(std::string_view file) { return file.starts_with("/usr/"); }

  void report(DiagEngine& diags) const {
    for (const ClangDiagnostic& diagnostic : unit_.diagnostics()) {
      if (!diagnostic.error || diagnostic.file == value_file_ || is_system_file(diagnostic.file)) continue;
      bool own = diagnostic.file == "definitions.h";
      std::string file = diagnostic.file.starts_with(kKernelDir) ? "definitions.h" : diagnostic.file;
      unsigned line = file == diagnostic.file ? diagnostic.line : 1;
      diags.report(DiagKind::CDefinitionError, own ? definitions_.range(diagnostic.line, diagnostic.col) : definitions_.include_of(diagnostic.file),
                   // The second line is what a C compiler prints, for tools that look for its form.
                   fmt::format("{}\n{}:{}:{}: {}: {}", diagnostic.message, file, line, diagnostic.col, diagnostic.severity, diagnostic.message));
    }
  }

  void read_macros(CDefinitions* out) {
    std::set<std::string> known;
    visit_children(unit_.root(), [&](CXCursor cursor) {
      if (clang_getCursorKind(cursor) != CXCursor_VarDecl) return;
      std::string name = take(clang_getCursorSpelling(cursor));
      bool is_int = name.starts_with("__btc_int_");
      if ((!is_int && !name.starts_with("__btc_str_")) || known.count(name.substr(10))) return;
      CXEvalResult result = clang_Cursor_Evaluate(cursor);
      if (!result) return;
      CDefinitions::Macro macro;
      macro.name = name.substr(10);
      if (clang_EvalResult_getKind(result) == CXEval_Int && is_int) {
        macro.is_unsigned = clang_EvalResult_isUnsignedInt(result);
        macro.value = macro.is_unsigned ? static_cast<int64_t>(clang_EvalResult_getAsUnsigned(result)) : clang_EvalResult_getAsLongLong(result);
      } else if (clang_EvalResult_getKind(result) == CXEval_StrLiteral) {
        macro.text = clang_EvalResult_getAsStr(result);
      }
      if (macro.value || macro.text) {
        known.insert(macro.name);
        out->macros.push_back(std::move(macro));
      }
      clang_EvalResult_dispose(result);
    });
    // What is left of the script's own: text for the language's parser.
    for (const ast::CDefinition& definition : *input_.definitions) {
      CDefinitions::Macro macro;
      if (split_define(definition.text, &macro.name, &macro.body) && input_.names.count(macro.name) && !known.count(macro.name))
        out->macros.push_back(std::move(macro));
    }
  }

  // "#define NAME body"; false for macros with parameters.
  static bool split_define(std::string_view text, std::string* name, std::string* body) {
    auto skip = [&] { text.remove_prefix(std::min(text.find_first_not_of(" \t\\\n"), text.size())); };
    if (!text.starts_with("#")) return false;
    text.remove_prefix(1);
    skip();
    if (!text.starts_with("define")) return false;
    text.remove_prefix(6);
    skip();
    size_t end = 0;
    while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) || text[end] == '_')) ++end;
    if (end == 0 || (end < text.size() && text[end] == '(')) return false;
    *name = std::string(text.substr(0, end));
    text.remove_prefix(end);
    skip();
    *body = std::string(text);
    for (size_t at; (at = body->find("\\\n")) != std::string::npos;) body->replace(at, 2, " ");
    return !body->empty();
  }

  const CDefinitionsInput& input_;
  const CompileOptions& options_;
  Profile* profile_;
  TypeTable& types_;
  DefinitionsFile definitions_;
  Prelude prelude_;
  TranslationUnit unit_;
  std::set<std::string> empty_headers_;
  bool with_macros_ = false;
  const std::string value_file_ = std::string(kKernelDir) + "/values.h";
};

}  // namespace

bool has_c_definitions(const CDefinitionsInput& input, const CompileOptions& options) {
  return !options.includes.empty() || (input.definitions && !input.definitions->empty());
}

void read_c_definitions(const CDefinitionsInput& input, const CompileOptions& options, Profile* profile, TypeTable& types, DiagEngine& diags,
                        CDefinitions* out) {
  static const std::vector<ast::CDefinition> kNone;
  CDefinitionsInput whole = input;
  if (!whole.definitions) whole.definitions = &kNone;
  if (!has_c_definitions(whole, options)) return;
  if (!Reader(whole, options, profile, types).run(diags, out))
    diags.report(DiagKind::CDefinitionError, whole.definitions->empty() ? SourceRange{} : whole.definitions->front().range, "libclang cannot parse the C definitions");
}

}  // namespace btc
