// Imported C: files through Clang, objects as they are; their functions as
// names that a script may call, and what such a call must look like.
//
// Prototypes come from BTF for both, so a C file and its object are typed alike.
#include <algorithm>

#include "frontend/cimport/bpf_object.h"
#include "frontend/cimport/c_compiler.h"
#include "frontend/cimport/prototypes.h"
#include "frontend/sema/sema.h"

namespace btc::sema {

// ---- Clang's messages at their places -----------------------------------------------------------

// The file as this compile knows it; nullopt for those that only Clang sees.
std::optional<uint32_t> Sema::foreign_source(const std::string& path) {
  auto [known, fresh] = foreign_sources_.try_emplace(path);
  if (fresh) {
    std::string text;
    if (read_whole(path, &text)) known->second = sources_.add(path, text);
  }
  return known->second;
}

// From there to the end of the word.
SourceRange Sema::foreign_place(const std::string& path, unsigned line, unsigned col) {
  std::optional<uint32_t> index = path.empty() || line == 0 ? std::nullopt : foreign_source(path);
  if (!index) return {};
  const SourceFile& file = sources_.file(*index);
  if (line > file.line_starts.size()) return {};
  size_t at = std::min<size_t>(file.line_starts[line - 1] + (col > 0 ? col - 1 : 0), file.text.size()), end = at;
  while (end < file.text.size() && (std::isalnum(static_cast<unsigned char>(file.text[end])) || file.text[end] == '_')) ++end;
  auto begin = static_cast<uint32_t>(file.base + at);
  return {begin, std::max(begin + 1, static_cast<uint32_t>(file.base + end))};
}

static std::string with_place(const ClangMessage& message) {
  return message.file.empty() ? message.text : fmt::format("{}:{}:{}: {}", message.file, message.line, message.col, message.text);
}

void Sema::report_clang(const std::vector<ClangMessage>& messages, SourceRange import) {
  constexpr size_t kMost = 50;   // one missing type may be missed a thousand times
  size_t errors = 0;
  for (size_t i = 0; i < messages.size(); ++i) {
    const ClangMessage& message = messages[i];
    if (message.level == ClangMessage::Note) continue;
    if (message.level == ClangMessage::Error && ++errors > kMost) break;
    DiagKind kind = message.level == ClangMessage::Error ? DiagKind::ImportClangError : DiagKind::ImportClangWarning;
    SourceRange place = foreign_place(message.file, message.line, message.col);
    auto builder = place.valid() ? report(kind, place, message.text) : report(kind, import, with_place(message));
    for (size_t j = i + 1; j < messages.size() && messages[j].level == ClangMessage::Note; ++j) {
      SourceRange note = foreign_place(messages[j].file, messages[j].line, messages[j].col);
      builder.note(DiagKind::ImportClangNote, note.valid() ? note : import, note.valid() ? messages[j].text : with_place(messages[j]));
    }
    if (place.valid() && import.valid()) builder.note(DiagKind::ImportedHere, import);
  }
}

// ---- Units ---------------------------------------------------------------------------------------

void Sema::compile_import(const PendingImport& import, ForeignUnit* unit, std::string* object) {
  CSource source{import.path, import.text, script_directory()};
  CompiledC result;
  std::string error;
  if (!compile_c(source, options_, profile_, &result, &error)) {
    report(DiagKind::ImportNoClang, import.range, error);
    return;
  }
  foreign_sources_[import.path] = sources_.add(import.path, import.text);
  report_clang(result.messages, import.range);
  for (const std::string& file : result.files_read) {
    std::string text;
    if (read_whole(file, &text)) add_input(file, text);
  }
  unit->code = std::move(result.bitcode);
  *object = std::move(result.object);
}

void Sema::read_unit(const PendingImport& import, const std::string& object, ForeignUnit* unit) {
  BpfObject contents;
  std::string error;
  std::vector<ForeignFunction> functions;
  // A C file that defines nothing has no BTF; that is its right.
  bool is_c = !import.is_object;
  if (!read_bpf_object(object, &contents, &error)) {
    if (is_c) return;
    report(DiagKind::ImportObject, import.range, import.name, error);
    foreign_failed_ = true;
    return;
  }
  if (!read_prototypes(contents, profile_, types_, &functions)) {
    report(DiagKind::ImportObject, import.range, import.name, "its BTF is damaged");
    foreign_failed_ = true;
    return;
  }
  auto defines_program = [&](const std::string& name) {
    return std::any_of(contents.programs.begin(), contents.programs.end(), [&](const BpfObject::Program& program) { return program.name == name; });
  };
  for (const BpfObject::Program& program : contents.programs) {
    if (!program.is_known) report(DiagKind::ImportProgram, import.range, import.name, program.name, program.section);
    auto [first, fresh] = foreign_programs_.emplace(program.name, import.range);
    if (!fresh) report(DiagKind::SubprogRedefined, import.range, program.name).note(DiagKind::FirstDefined, first->second);
    unit->programs.push_back({program.name, program.section, import.range});
  }
  for (ForeignFunction& function : functions) {
    if (defines_program(function.name)) continue;
    function.import = import.range;
    add_foreign(std::move(function));
  }
  for (const std::string& map : contents.maps) {
    auto [first, fresh] = foreign_maps_.emplace(map, import.name);
    bool reserved = map.starts_with("btc_") || map.starts_with("AT_");
    if (reserved) report(DiagKind::ImportMapReserved, import.range, import.name, map);
    else if (!fresh && first->second != import.name) report(DiagKind::ImportMapTwice, import.range, map, import.name, first->second);
  }
}

void Sema::add_foreign(ForeignFunction function) {
  auto [known, fresh] = foreign_.try_emplace(function.name, nullptr);
  if (!fresh) {
    if (function.is_static) return;
    if (known->second->is_static) {
      *known->second = std::move(function);
      return;
    }
    report(DiagKind::SubprogRedefined, function.import, function.name).note(DiagKind::FirstDefined, known->second->import);
    return;
  }
  bool hidden = find_function(function.name) != nullptr || find_builtin(function.name) != nullptr;
  if (hidden && !function.is_static) report(DiagKind::ImportHidden, function.import, function.name);
  program_.foreign_functions.push_back(std::make_unique<ForeignFunction>(std::move(function)));
  known->second = program_.foreign_functions.back().get();
}

// After the C definitions: prototypes may name the script's own structures.
void Sema::collect_foreign() {
  for (const PendingImport& import : pending_imports_) {
    ForeignUnit unit;
    unit.kind = import.is_object ? ForeignUnit::Object : ForeignUnit::Bitcode;
    unit.name = import.name;
    std::string object;
    if (options_.arch == "s390x") {
      report(DiagKind::ImportObject, import.range, import.name, "code for s390x cannot be imported");
      foreign_failed_ = true;
      continue;
    }
    if (import.is_object) unit.code = object = import.text;
    else compile_import(import, &unit, &object);
    if (unit.code.empty() && !import.is_object) {
      foreign_failed_ = true;
      continue;
    }
    read_unit(import, object, &unit);
    program_.foreign_units.push_back(std::move(unit));
  }
}

// ---- Calls ---------------------------------------------------------------------------------------

bool Sema::is_char_pointer(TypeId type) {
  if (types_[type].kind != TypeKind::Pointer) return false;
  const Type& elem = types_[types_[type].elem];
  return elem.kind == TypeKind::Int && elem.size == 1;
}

// Whether an argument may stand for a pointer parameter. `void *` takes any pointer, one to characters also a string.
bool Sema::fits_pointer(TypeId given, TypeId wanted) {
  if (types_[given].kind == TypeKind::String) return is_char_pointer(wanted) || lattice_.is(types_[wanted].elem, TypeKind::Void);
  if (types_[given].kind != TypeKind::Pointer) return false;
  TypeId from = types_[given].elem, to = types_[wanted].elem;
  if (lattice_.is(to, TypeKind::Void) || lattice_.is(from, TypeKind::Void) || from == to) return true;
  if (is_char_pointer(wanted) && (is_char_pointer(given) || types_[from].kind == TypeKind::String)) return true;
  bool records = types_[from].kind == TypeKind::Struct && types_[to].kind == TypeKind::Struct;
  return records && types_.record(types_[from].record).name == types_.record(types_[to].record).name;
}

bool Sema::coerce_argument(Expr*& slot, TypeId wanted) {
  if (types_[wanted].kind == TypeKind::Pointer) return fits_pointer(slot->type, wanted);
  if (types_[wanted].kind == TypeKind::Bool && types_[slot->type].kind != TypeKind::Bool) return false;
  if (types_[wanted].kind == TypeKind::Enum && lattice_.is_int(slot->type)) {
    slot = implicit_cast(slot, wanted);
    return true;
  }
  return coerce(slot, wanted);
}

TypeId Sema::call_foreign(Call* call) {
  const ForeignFunction& function = *call->foreign;
  if (function.is_static) report(DiagKind::ImportLinkage, call->range, function.name);
  if (!function.problem.empty()) report(DiagKind::ImportUncallable, call->range, function.name, function.problem);
  bool counted = call->args.size() == function.params.size() || !function.problem.empty();
  if (!counted) {
    const char* only = call->args.size() < function.params.size() ? "only " : "";
    report(DiagKind::ImportArity, call->range, function.name, function.params.size(), only, call->args.size());
  }
  bool fit = true;
  for (size_t i = 0; i < call->args.size(); ++i) {
    TypeId type = visit(call->args[i]);
    if (!counted || i >= function.params.size() || lattice_.unknown(type) || !final_) continue;
    const ForeignFunction::Param& param = function.params[i];
    if (lattice_.castable(type)) read_aggregation(call->args[i]);
    if (coerce_argument(call->args[i], param.type)) continue;
    fit = false;
    if (param.name.empty()) report(DiagKind::ImportArgument, call->args[i]->range, show(param.type), show(type));
    else report(DiagKind::SubprogArgument, call->args[i]->range, show(param.type), param.name, show(type));
  }
  if (!fit) {
    std::string list;
    for (const ForeignFunction::Param& param : function.params) list += (list.empty() ? "" : ", ") + show(param.type);
    report(DiagKind::ImportArguments, call->range, function.name, list);
  }
  return function.result ? function.result : lattice_.error();
}

}  // namespace btc::sema
