// Opening a program with its debug file, and the index of its names.
#include "frontend/debuginfo/debug_info.h"

#include <llvm/DebugInfo/DWARF/DWARFContext.h>
#include <llvm/Demangle/Demangle.h>
#include <llvm/Object/BuildID.h>
#include <llvm/Object/ELFObjectFile.h>

#include <algorithm>
#include <filesystem>
#include <unordered_map>

#include "frontend/debuginfo/dwarf_calls.h"
#include "frontend/debuginfo/dwarf_lines.h"
#include "frontend/debuginfo/dwarf_types.h"
#include "frontend/debuginfo/program_files.h"
#include "runtime-stub/abi/attach_point.h"

namespace btc {
namespace {

using namespace llvm::dwarf;
using llvm::DWARFDie;
using llvm::object::ObjectFile;
using OwnedFile = llvm::object::OwningBinary<ObjectFile>;

void drop(llvm::Error error) { llvm::consumeError(std::move(error)); }

OwnedFile open_object(const std::string& path) {
  auto file = ObjectFile::createObjectFile(path);
  if (!file) return drop(file.takeError()), OwnedFile{};
  if (!llvm::isa<llvm::object::ELFObjectFileBase>(file->getBinary())) return {};
  return std::move(*file);
}

llvm::StringRef section(const ObjectFile& file, llvm::StringRef wanted) {
  for (const auto& part : file.sections()) {
    auto name = part.getName();
    if (!name) { drop(name.takeError()); continue; }
    if (*name != wanted) continue;
    auto bytes = part.getContents();
    if (!bytes) return drop(bytes.takeError()), "";
    return *bytes;
  }
  return "";
}

bool has_debug_info(const ObjectFile& file) { return !section(file, ".debug_info").empty() || !section(file, ".zdebug_info").empty(); }

std::string hex_build_id(const ObjectFile& file) {
  std::string text;
  for (uint8_t byte : llvm::object::getBuildID(&file)) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

bool is_declaration(DWARFDie die) { return unsigned_of(die, DW_AT_declaration, 0) != 0; }
// With the namespaces and classes around it, as demangled names show them.
std::string qualified_name(DWARFDie die) {
  std::string name = die.getShortName() != nullptr ? die.getShortName() : "";
  for (auto attribute : {DW_AT_abstract_origin, DW_AT_specification})
    if (DWARFDie origin = die.getAttributeValueAsReferencedDie(attribute)) die = origin;
  for (DWARFDie scope = die.getParent(); scope && (scope.getTag() == DW_TAG_namespace || is_record_tag(scope.getTag())); scope = scope.getParent()) {
    std::string around = die_name(scope);
    name = (around.empty() ? "(anonymous namespace)" : around) + "::" + name;
  }
  return name;
}

bool has_code(DWARFDie die) { return die.find({DW_AT_low_pc, DW_AT_ranges}).has_value(); }

class DwarfInfo final : public DebugInfo {
 public:
  DwarfInfo(OwnedFile program, OwnedFile debug, std::string program_path, std::string debug_path)
      : program_(std::move(program)), debug_(std::move(debug)), path_(std::move(program_path)),
        types_([this](DWARFDie declaration) { return definition_of(declaration); }) {
    files_.push_back(path_);
    if (!debug_path.empty()) files_.push_back(debug_path);
    const ObjectFile& file = debug_.getBinary() != nullptr ? *debug_.getBinary() : *program_.getBinary();
    std::error_code error;
    if (std::string package = path_ + ".dwp"; std::filesystem::is_regular_file(package, error)) package_ = package;
    context_ = llvm::DWARFContext::create(file, llvm::DWARFContext::ProcessDebugRelocations::Process, nullptr, package_, drop, drop);
  }

  std::string build_id() const override { return hex_build_id(*program_.getBinary()); }
  std::vector<std::string> files_read() const override { return files_; }

  std::vector<std::string> match_functions(std::string_view pattern, bool demangled) override {
    make_index();
    std::vector<std::string> out;
    for (const auto& [name, die] : functions_) {
      const char* linkage = die.getLinkageName();
      if (linkage != nullptr && name != linkage) continue;   // once, by the name of its symbol
      if (!has_code(die)) continue;
      bool matches = abi::wildcard_match(pattern, name);
      if (!matches && demangled && linkage != nullptr) matches = abi::cpp_name_match(pattern, llvm::demangle(name));
      if (!matches && demangled && linkage == nullptr) {   // of anonymous namespaces
        std::string shown = qualified_name(die);
        matches = abi::wildcard_match(pattern, shown) || abi::wildcard_match(abi::without_parameters(pattern), shown);
      }
      if (matches) out.push_back(name);
    }
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
  }

  std::optional<std::vector<Parameter>> parameters(TypeTable& types, std::string_view function) override {
    DWARFDie die = find_function(function);
    if (!die) return std::nullopt;
    std::vector<Parameter> out;
    for (const PassedParameter& passed : passed_parameters(die)) {
      TypeId type = types_.convert(types, type_of(passed.die));
      if (passed.by_reference) type = types.pointer(type, AddrSpace::None);
      out.push_back({die_name(passed.die), type, passed.place});
    }
    return out;
  }

  std::vector<std::string> parameter_texts(std::string_view function) override {
    std::vector<std::string> out;
    DWARFDie die = find_function(function);
    if (!die) return out;
    for (DWARFDie child : die.children()) {
      if (child.getTag() != DW_TAG_formal_parameter) continue;
      std::string name = die_name(child);
      out.push_back(type_text(type_of(child)) + (name.empty() ? "" : " " + name));
    }
    return out;
  }

  std::optional<TypeId> find_type(TypeTable& types, Tag tag, std::string_view name) override {
    make_index();
    auto range = names_.equal_range(std::string(name));
    DWARFDie best;
    for (auto it = range.first; it != range.second; ++it) {
      auto have = it->second.getTag();
      bool record = is_record_tag(have), is_union = have == DW_TAG_union_type, is_enum = have == DW_TAG_enumeration_type;
      bool fits = tag == Tag::Union ? is_union : tag == Tag::Struct ? record && !is_union : tag == Tag::Enum ? is_enum : true;
      // Without a keyword a typedef says more than a tag of the same name.
      if (fits && (!best || is_declaration(best) || (tag == Tag::Name && !record && !is_enum))) best = it->second;
    }
    if (!best) return std::nullopt;
    TypeId type = types_.convert(types, best);
    return type ? std::optional<TypeId>(type) : std::nullopt;
  }

  bool complete(TypeTable& types, uint32_t record) override { return types_.complete(types, record); }

  std::optional<uint64_t> line_address(std::string_view file, uint32_t line, uint32_t column, std::string* error) override {
    return find_line(*context_, file, line, column, error);
  }

 private:
  // The unit's own entry, of its .dwo file where it is split off. That is searched where the compiler put it and beside the program.
  DWARFDie unit_die(llvm::DWARFUnit& unit) {
    DWARFDie skeleton = unit.getUnitDIE(true);
    const char* dwo = toString(skeleton.find({DW_AT_dwo_name, DW_AT_GNU_dwo_name}), nullptr);
    if (dwo == nullptr) return unit.getUnitDIE(false);
    std::error_code error;
    std::filesystem::path beside = std::filesystem::absolute(path_, error).parent_path() / std::filesystem::path(dwo).filename();
    const char* folder = unit.getCompilationDir();
    std::filesystem::path compiled = std::filesystem::path(folder != nullptr ? folder : "") / dwo;
    bool is_beside = std::filesystem::is_regular_file(beside, error);
    if (!package_.empty()) note_file(package_);
    else if (is_beside) note_file(beside.string());
    else if (std::filesystem::is_regular_file(compiled, error)) note_file(compiled.string());
    return unit.getNonSkeletonUnitDIE(false, package_.empty() && is_beside ? beside.string() : std::string());
  }

  void note_file(const std::string& path) {
    if (std::find(files_.begin(), files_.end(), path) == files_.end()) files_.push_back(path);
  }

  void make_index() {
    if (indexed_) return;
    indexed_ = true;
    for (const auto& unit : context_->normal_units()) index_children(unit_die(*unit), 0);
    for (const auto& unit : context_->dwo_units()) index_children(unit->getUnitDIE(false), 0);
  }

  void index_children(DWARFDie parent, int depth) {
    if (!parent || depth > 50) return;
    for (DWARFDie die : parent.children()) {
      auto tag = die.getTag();
      if (tag == DW_TAG_subprogram) {
        add_function(die);
      } else if (is_record_tag(tag) || tag == DW_TAG_enumeration_type || tag == DW_TAG_typedef || tag == DW_TAG_base_type) {
        if (std::string name = die_name(die); !name.empty()) names_.emplace(name, die);
      }
      if (tag == DW_TAG_namespace || is_record_tag(tag)) index_children(die, depth + 1);
    }
  }

  // Of several entries for a name the one with code is the function; the first where several files have one.
  void add_function(DWARFDie die) {
    if (is_declaration(die)) return;
    for (const char* name : {die.getShortName(), die.getLinkageName()}) {
      if (name == nullptr) continue;
      auto [entry, fresh] = functions_.try_emplace(name, die);
      if (!fresh && !has_code(entry->second) && has_code(die)) entry->second = die;
    }
  }

  DWARFDie find_function(std::string_view name) {
    make_index();
    auto found = functions_.find(std::string(name));
    return found != functions_.end() ? found->second : DWARFDie();
  }

  DWARFDie definition_of(DWARFDie declaration) {
    make_index();
    auto range = names_.equal_range(die_name(declaration));
    for (auto it = range.first; it != range.second; ++it) {
      bool same = (it->second.getTag() == DW_TAG_union_type) == (declaration.getTag() == DW_TAG_union_type);
      if (is_record_tag(it->second.getTag()) && same && !is_declaration(it->second)) return it->second;
    }
    return {};
  }

  OwnedFile program_, debug_;
  std::string path_, package_;
  std::vector<std::string> files_;
  std::unique_ptr<llvm::DWARFContext> context_;
  DwarfTypes types_;
  bool indexed_ = false;
  std::unordered_map<std::string, DWARFDie> functions_;
  std::unordered_multimap<std::string, DWARFDie> names_;
};

}  // namespace

std::unique_ptr<DebugInfo> DebugInfo::open(const std::string& name, const ProgramSearch& search) {
  std::string path = find_program_file(name, search);
  if (path.empty()) return nullptr;
  OwnedFile program = open_object(path);
  if (program.getBinary() == nullptr) return nullptr;
  if (has_debug_info(*program.getBinary())) return std::make_unique<DwarfInfo>(std::move(program), OwnedFile{}, path, "");
  llvm::StringRef link = section(*program.getBinary(), ".gnu_debuglink");
  std::string id = hex_build_id(*program.getBinary());
  for (const std::string& candidate : debug_file_candidates(path, link.substr(0, link.find('\0')).str(), id, search)) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(candidate, error)) continue;
    OwnedFile debug = open_object(candidate);
    if (debug.getBinary() == nullptr || !has_debug_info(*debug.getBinary())) continue;
    if (!id.empty() && hex_build_id(*debug.getBinary()) != id) continue;   // of another build
    return std::make_unique<DwarfInfo>(std::move(program), std::move(debug), path, candidate);
  }
  return nullptr;
}

}  // namespace btc
