// Traced programs' own debug information: `args` of uprobes, types that only the program has, attach points that name a
// source line. See frontend/debuginfo/debug_info.h.
//
// A program is an input of the compilation only where something was taken from it, so that a script which needs nothing of
// it compiles to the same bytes with and without it.
#include <filesystem>
#include <fstream>
#include <sstream>

#include "frontend/sema/sema.h"
#include "frontend/support/sha256.h"

namespace btc::sema {

using abi::ProbeKind;

// Opened once per name; null if there is none.
DebugInfo* Sema::debug_info(const std::string& program) {
  auto [entry, fresh] = programs_.try_emplace(program);
  if (fresh && program.find('$') == std::string::npos) entry->second = DebugInfo::open(program, options_.programs);
  return entry->second.get();
}

DebugInfo* Sema::debug_info_of(const Body* body) {
  if (body == nullptr || body->attach == nullptr) return nullptr;
  ProbeKind kind = body->attach->parsed.kind;
  return kind == ProbeKind::Uprobe || kind == ProbeKind::Uretprobe ? debug_info(body->attach->parsed.target) : nullptr;
}

// From now on the artifact depends on the program: the target must have the same one.
void Sema::depend_on_program(Body& body, DebugInfo& info) {
  body.build_id = info.build_id();
  const std::string& target = body.attach->parsed.target;
  for (const std::string& path : info.files_read()) {
    if (!depended_on_.insert(path).second) continue;
    std::ifstream stream(path, std::ios::binary);
    std::stringstream content;
    if (!stream || !(content << stream.rdbuf())) continue;
    std::string name = path == info.files_read().front() ? target : std::filesystem::path(path).filename().string();
    insert_input({name, path, sha256_hex(content.str())});
  }
}

std::optional<TypeId> Sema::program_type(const TypeSpec& spec) {
  DebugInfo* info = debug_info_of(body_);
  if (info == nullptr) return std::nullopt;
  using Tag = DebugInfo::Tag;
  Tag tag = spec.is_struct ? Tag::Struct : spec.is_union ? Tag::Union : spec.is_enum ? Tag::Enum : Tag::Name;
  std::optional<TypeId> type = info->find_type(types_, tag, spec.name);
  if (type) depend_on_program(*body_, *info);
  return type;
}

bool Sema::complete_program_type(uint32_t record) {
  for (auto& [name, info] : programs_)
    if (info && info->complete(types_, record)) return true;
  return false;
}

// `args` of a uprobe: a record of the function's parameters. Of a pattern's functions all must have the same ones.
TypeId Sema::uprobe_args(Body& body, SourceRange range) {
  const abi::AttachPoint& attach = body.attach->parsed;
  DebugInfo* info = debug_info_of(&body);
  if (info == nullptr) {
    report(DiagKind::NoDebugInfo, range, attach.target).hint(DiagKind::NoDebugInfoHint, attach.target);
    return lattice_.error();
  }
  std::string function = attach.func;
  if (attach.wildcard || attach.lang == "cpp") {
    std::vector<std::string> matches = info->match_functions(attach.func, attach.lang == "cpp");
    if (!matches.empty()) function = matches.front();
    for (const std::string& other : matches)
      if (info->parameter_texts(other) != info->parameter_texts(function)) {
        report(DiagKind::ParametersDiffer, range, function, other);
        return lattice_.error();
      }
  }
  std::string name = "uprobe:" + attach.target + ":" + function;
  depend_on_program(body, *info);
  if (auto known = types_.find_record(name, false, RecordOrigin::UprobeArgs)) return types_.struct_type(*known);
  std::optional<std::vector<DebugInfo::Parameter>> parameters = info->parameters(types_, function);
  if (!parameters || parameters->empty()) {
    report(DiagKind::NoParameters, range);
    return lattice_.error();
  }
  Record record;
  record.name = name;
  record.origin = RecordOrigin::UprobeArgs;
  record.align = 8;
  record.complete = true;
  std::vector<ParameterPlace> places;
  std::set<std::string> unreadable;
  for (const DebugInfo::Parameter& parameter : *parameters) {
    if (!parameter.type || parameter.place.kind == ParameterPlace::Unreadable) {
      unreadable.insert(parameter.name);
      continue;
    }
    if (lattice_.is(parameter.type, TypeKind::Struct)) complete(types_[parameter.type].record);
    Layout layout = types_.layout(parameter.type);
    Field field;
    field.name = parameter.name;
    field.type = parameter.type;
    record.size = (record.size + layout.align - 1) / layout.align * layout.align;
    field.bit_offset = record.size * 8;
    record.size += layout.size;
    record.fields.push_back(std::move(field));
    places.push_back(parameter.place);
  }
  uint32_t index = types_.add_record(std::move(record));
  program_.parameter_places[index] = std::move(places);
  unreadable_parameters_[index] = std::move(unreadable);
  return types_.struct_type(index);
}

bool Sema::is_unreadable_parameter(uint32_t record, const std::string& name) const {
  auto found = unreadable_parameters_.find(record);
  return found != unreadable_parameters_.end() && found->second.contains(name);
}

// `uprobe:PROGRAM@file.c:12`: its address in the program.
void Sema::locate_source_line(Body& body) {
  const abi::AttachPoint& attach = body.attach->parsed;
  if (attach.source_file.empty() || body.attach->has_params) return;
  if (attach.target.empty()) {
    report(DiagKind::SourceLine, body.attach->range, "Unspecified target binary, cannot attach by source code location.");
    return;
  }
  DebugInfo* info = debug_info_of(&body);
  if (info == nullptr) {
    report(DiagKind::NoLineInfo, body.attach->range, attach.target).hint(DiagKind::NoDebugInfoHint, attach.target);
    return;
  }
  std::string problem;
  body.source_address = info->line_address(attach.source_file, attach.source_line, attach.source_col, &problem);
  if (!body.source_address) return (void)report(DiagKind::SourceLine, body.attach->range, problem);
  depend_on_program(body, *info);
}

}  // namespace btc::sema
