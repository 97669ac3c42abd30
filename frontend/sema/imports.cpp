// Imports and the C preamble: what comes from other files.
//
// `import "x.bt"` adds a script's macros, functions, maps, probes and C
// definitions; `import "x.h"` is an #include; "x.bpf.c" and "x.bpf.o" bring
// functions (foreign.cpp); a directory stands for all such files in it. Paths
// are relative to the importing script; then there is the standard library.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "frontend/cdefs/cdefs.h"
#include "frontend/cimport/stdlib_files.h"
#include "frontend/parse/parser.h"
#include "frontend/sema/sema.h"
#include "frontend/sema/walk.h"
#include "frontend/support/sha256.h"

namespace btc::sema {

namespace fs = std::filesystem;

bool read_whole(const fs::path& path, std::string* text) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return false;
  text->assign(std::istreambuf_iterator<char>(stream), {});
  return !stream.bad();
}

static std::string directory_of(const std::string& file_name) {
  fs::path path(file_name);
  return path.has_parent_path() ? path.parent_path().string() : "";
}

// The path itself if one of its folders may not be looked into from above, although it may be worked in.
static fs::path real_path(const fs::path& path) {
  std::error_code error;
  fs::path real = fs::weakly_canonical(path, error);
  return error ? path.lexically_normal() : real;
}

std::string Sema::script_directory() const {
  const SourceFile* file = nullptr;
  if (!script_.probes.empty()) file = sources_.file_at(script_.probes[0]->range.begin);
  else if (!script_.imports.empty()) file = sources_.file_at(script_.imports[0].range.begin);
  else if (!script_.c_definitions.empty()) file = sources_.file_at(script_.c_definitions[0].range.begin);
  return file ? directory_of(file->name) : "";
}

// Anybody could put code into the script through such a file.
static bool is_open_to_all(const fs::path& path) {
  auto open = [](const fs::path& place) {
    std::error_code error;
    return (fs::status(place, error).permissions() & fs::perms::others_write) != fs::perms::none;
  };
  return open(path) || open(path.has_parent_path() ? path.parent_path() : fs::path("."));
}

static bool can_be_imported(const std::string& name) {
  return name.ends_with(".bt") || name.ends_with(".h") || name.ends_with(".bpf.c") || name.ends_with(".bpf.o");
}

void Sema::import_file(const fs::path& path, SourceRange range) {
  std::error_code error;
  fs::path canonical = real_path(path);
  if (!imported_paths_.insert(canonical.string()).second) return;
  std::string name = path.filename().string();
  if (name.ends_with(".h")) {
    CDefinition include;
    include.range = range;
    include.text = "#include \"" + fs::absolute(path, error).string() + "\"";
    c_definitions_.push_back(include);
    return;
  }
  if (!can_be_imported(name)) {
    report(DiagKind::ImportUnknown, range, name);
    return;
  }
  std::string text;
  if (!read_whole(path, &text)) {
    report(DiagKind::ImportRead, range, path.string(), std::strerror(errno ? errno : EIO));
    return;
  }
  add_input(path, text);
  bool is_object = name.ends_with(".bpf.o");
  if (is_object || name.ends_with(".bpf.c")) pending_imports_.push_back({is_object, name, path.string(), std::move(text), range});
  else import_script(path.string(), range, text);
}

// Named relative to the folders that the user gave, so that the name does not tell where the sources lie.
void Sema::add_input(const fs::path& path, const std::string& content) {
  fs::path real = real_path(path);
  std::vector<std::string> bases{script_directory().empty() ? "." : script_directory()};
  bases.insert(bases.end(), options_.include_dirs.begin(), options_.include_dirs.end());
  std::string name = real.string();
  for (const std::string& base : bases) {
    std::string relative = real.lexically_relative(real_path(base)).string();
    if (relative.empty() || relative.starts_with("..")) continue;
    name = relative;
    break;
  }
  insert_input({name, path.string(), sha256_hex(content)});
}

void Sema::insert_input(InputFile input) {
  auto by_name = [](const InputFile& a, const InputFile& b) { return a.name < b.name; };
  program_.inputs.insert(std::upper_bound(program_.inputs.begin(), program_.inputs.end(), input, by_name), input);
}

void Sema::import_script(const std::string& path, SourceRange range, const std::string& text) {
  uint32_t file = sources_.add(path, text);
  auto script = std::make_unique<Script>();
  parse_script(arena_, sources_, file, diags_, script.get());
  if (script->config_range) report(DiagKind::ImportConfig, *script->config_range);
  std::string directory = directory_of(path);
  for (const Import& inner : script->imports) import_path(inner.path, inner.range, directory);
  find_import_statements(*script, directory);
  for (const CDefinition& definition : script->c_definitions) c_definitions_.push_back(definition);
  imported_.push_back(std::move(script));
}

void Sema::import_stdlib(const std::string& name, SourceRange range, const std::string& checked) {
  std::vector<const StdlibFile*> files = find_stdlib(name);
  for (const StdlibFile* file : files)
    if (!file->text.empty() && imported_paths_.insert(std::string(file->name)).second)
      pending_imports_.push_back({false, std::string(file->name), std::string(file->name), std::string(file->text), range});
  if (!files.empty()) return;
  auto builder = report(DiagKind::ImportNotFound, range);
  builder.hint(DiagKind::ImportChecked, checked);
  if (const std::string* similar = closest(name, stdlib_names())) builder.hint(DiagKind::ImportSimilar, *similar);
}

void Sema::import_path(const std::string& written, SourceRange range, const std::string& directory) {
  fs::path path(written);
  if (path.is_relative()) path = fs::path(directory) / path;
  std::error_code error;
  fs::file_status status = fs::status(path, error);
  if (fs::exists(status) && is_open_to_all(path)) {
    if (fs::is_directory(status)) return (void)report(DiagKind::ImportWritable, range, path.string());
    report(DiagKind::ImportSkipped, range, path.string());
    status = {};
  }
  if (!fs::exists(status)) return import_stdlib(written, range, path.string());
  if (!fs::is_directory(status)) return import_file(path, range);
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(path, error))
    if (entry.is_regular_file(error)) entries.push_back(entry.path());
  std::sort(entries.begin(), entries.end());
  for (const fs::path& entry : entries) {
    if (!can_be_imported(entry.filename().string())) continue;
    if (is_open_to_all(entry)) report(DiagKind::ImportWritable, range, entry.string());
    else import_file(entry, range);
  }
}

// Inside a block: `import "stdlib/..."`, headers, C; nothing that would have a place of its own in a script.
void Sema::import_statement(const ImportStmt& stmt, const std::string& directory) {
  if (program_.config_value(ConfigKey::UnstableImportStatement) == "error") {
    foreign_failed_ = true;
    return (void)report(DiagKind::ImportNotTopLevel, stmt.range);
  }
  if (!unstable(ConfigKey::UnstableImportStatement, "import statements", stmt.range)) return;
  std::error_code error;
  fs::path path = fs::path(stmt.path).is_relative() ? fs::path(directory) / stmt.path : fs::path(stmt.path);
  if (stmt.path.ends_with(".bt") || fs::is_directory(path, error)) return (void)report(DiagKind::ImportStatementKind, stmt.range);
  import_path(stmt.path, stmt.range, directory);
}

void Sema::find_import_statements(Script& script, const std::string& directory) {
  auto find = [&](auto&& self, Node* node) -> void {
    if (auto* block = dyn<Block>(node))
      for (Stmt* stmt : block->stmts)
        if (auto* found = dyn<ImportStmt>(stmt)) import_statement(*found, directory);
    each_child(node, [&](Expr*& child) { self(self, child); });
  };
  for (Probe* probe : script.probes) find(find, probe->body);
  for (Subprog* subprog : script.subprogs) find(find, subprog->body);
  for (Macro* macro : script.macros) find(find, macro->body);
}

void Sema::collect_imports() {
  std::string directory = script_directory();
  for (const Import& import : script_.imports) import_path(import.path, import.range, directory);
  find_import_statements(script_, directory);
  for (const CDefinition& definition : script_.c_definitions) c_definitions_.push_back(definition);
}

void Sema::collect_c_definitions() {
  CDefinitionsInput input;
  input.definitions = &c_definitions_;
  input.script_dir = script_directory();
  if (!has_c_definitions(input, options_)) return;
  input.names = all_words();
  read_c_definitions(input, options_, profile_, types_, diags_, &cdefs_);
  for (const std::string& path : cdefs_.files_read) {
    std::string text;
    if (read_whole(path, &text)) add_input(path, text);
  }
  for (const CDefinitions::Macro& macro : cdefs_.macros) c_macros_[macro.name] = &macro;
  for (const auto& [name, constant] : cdefs_.enum_constants) c_constants_[name] = constant;
  for (const auto& [name, type] : cdefs_.typedefs) c_typedefs_[name] = type;
}

}  // namespace btc::sema
