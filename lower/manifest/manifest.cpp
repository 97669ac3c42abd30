// Module -> manifest (runtime-stub/abi/manifest.fbs).
//
// A function of the final module and of where the backend put what the runtime rewrites, so a .bir file gives the same bytes
// as the script it came from. Types are numbered in the order in which maps and events mention them; 0 is "no type".
#include <algorithm>
#include <unordered_map>

#include "frontend/support/sha256.h"
#include "lower/ir/reachable_types.h"
#include "lower/lower.h"
#include "manifest_generated.h"

namespace btc::lower {

namespace {

namespace fb = abi::fb;
using flatbuffers::Offset;

class ManifestBuilder {
 public:
  ManifestBuilder(const ir::Module& module, const BackendFacts& facts) : module_(module), facts_(facts) {}

  std::string build() {
    auto types = add_types();
    auto maps = add_maps();
    auto events = add_events();
    auto params = add_params();
    auto facts = add_facts();
    auto programs = add_programs();
    auto foreign = add_foreign_programs();
    auto enums = add_enums();
    auto config = add_config();
    auto sources = add_sources();
    auto locations = out_.CreateVector(locations_);
    auto inputs = out_.CreateVectorOfStrings(module_.inputs);
    auto strings = out_.CreateVectorOfStrings(module_.strings);
    auto functions = out_.CreateVectorOfStrings(kernel_functions());
    auto features = out_.CreateVectorOfStrings(std::vector<std::string>{});
    auto no_features = out_.CreateVectorOfStrings(module_.no_features);
    auto compiler = out_.CreateString("btc " BTC_VERSION);
    auto arch = out_.CreateString(module_.arch);
    auto script = out_.CreateString(module_.script_name);
    auto hash = out_.CreateString(sha256_hex(script_text()));
    fb::ManifestBuilder manifest(out_);
    manifest.add_version(abi::kManifestVersion);
    manifest.add_compiler(compiler);
    manifest.add_foreign_programs(foreign);
    manifest.add_arch(arch);
    manifest.add_script_name(script);
    manifest.add_script_sha256(hash);
    manifest.add_sources(sources);
    manifest.add_locations(locations);
    manifest.add_config(config);
    manifest.add_unsafe(module_.unsafe_ok);
    manifest.add_warning_level(module_.warning_level);
    manifest.add_types(types);
    manifest.add_enums(enums);
    manifest.add_maps(maps);
    manifest.add_events(events);
    manifest.add_params(params);
    manifest.add_facts(facts);
    manifest.add_facts_size(module_.facts_size());
    manifest.add_programs(programs);
    manifest.add_features(features);
    manifest.add_no_features(no_features);
    manifest.add_core_relocations(facts_.core_relocations);
    manifest.add_inputs(inputs);
    manifest.add_strings(strings);
    manifest.add_has_subprogs(has_subprogs());
    manifest.add_kernel_functions(functions);
    out_.Finish(manifest.Finish(), fb::ManifestIdentifier());
    return {reinterpret_cast<const char*>(out_.GetBufferPointer()), out_.GetSize()};
  }

 private:
  template <typename T>
  using Vector = Offset<flatbuffers::Vector<Offset<T>>>;

  std::string script_text() const {
    for (const ir::SourceText& source : module_.sources) {
      if (source.name == module_.script_name) return source.text;
    }
    return module_.sources.empty() ? "" : module_.sources[0].text;
  }

  // Index of a range in `locations`, -1 for no place.
  int location(SourceRange range, int parent = -1) {
    auto place = module_.locate(range);
    if (!place) return -1;
    locations_.push_back(fb::CreateLocation(out_, place->file, place->line, place->col, place->end_line, place->end_col, parent));
    return static_cast<int>(locations_.size()) - 1;
  }

  uint32_t type_index(TypeId id) const {
    auto found = type_index_.find(id.index);
    return found == type_index_.end() ? 0 : found->second;
  }

  Vector<fb::Type> add_types() {
    std::vector<Offset<fb::Type>> all;
    auto untyped = out_.CreateString("?");
    fb::TypeBuilder none(out_);
    none.add_text(untyped);
    all.push_back(none.Finish());
    ir::ReachableTypes reachable = ir::reachable_types(module_);
    for (size_t i = 0; i < reachable.enums.size(); ++i) enum_index_[reachable.enums[i]] = static_cast<int>(i);
    enums_ = reachable.enums;
    for (TypeId id : reachable.types) {
      type_index_.emplace(id.index, static_cast<uint32_t>(all.size()));
      all.push_back(add_type(id));
    }
    return out_.CreateVector(all);
  }

  Offset<fb::Type> add_type(TypeId id) {
    const TypeTable& types = *module_.types;
    const Type& type = types[id];
    auto fields = out_.CreateVector(type_fields(id));
    auto text = out_.CreateString(types.print(id));
    fb::TypeBuilder out(out_);
    out.add_kind(static_cast<fb::TypeKind>(type.kind));
    out.add_text(text);
    out.add_size(types.size_of(id));
    out.add_is_signed(type.kind == TypeKind::Enum ? types.enum_def(type.record).is_signed : type.is_signed);
    if (type.elem) out.add_elem(type_index(type.elem));
    out.add_count(type.count);
    out.add_fields(fields);
    if (type.kind == TypeKind::Enum) out.add_enum_index(enum_index_.at(type.record));
    out.add_p0(type.p0);
    out.add_p1(type.p1);
    out.add_p2(type.p2);
    out.add_stack_mode(static_cast<uint8_t>(type.mode));
    return out.Finish();
  }

  std::vector<Offset<fb::TypeField>> type_fields(TypeId id) {
    const TypeTable& types = *module_.types;
    const Type& type = types[id];
    std::vector<Offset<fb::TypeField>> fields;
    if (type.kind == TypeKind::Tuple || type.kind == TypeKind::AnonRecord) {
      Layout layout = types.layout(id);
      for (size_t i = 0; i < type.members.size(); ++i) {
        auto name = out_.CreateString(type.members[i].first);
        fields.push_back(fb::CreateTypeField(out_, name, type_index(type.members[i].second), layout.offsets[i], 0, 0));
      }
    }
    if (type.kind == TypeKind::Struct) {
      for (const Field& field : types.record(type.record).fields) {
        auto name = out_.CreateString(field.name);
        uint32_t shown = field.is_float ? 0 : type_index(field.type);
        fields.push_back(fb::CreateTypeField(out_, name, shown, field.bit_offset / 8, static_cast<uint16_t>(field.bit_offset % 8), field.bit_size));
      }
    }
    return fields;
  }

  Vector<fb::Enum> add_enums() {
    std::vector<Offset<fb::Enum>> all;
    for (uint32_t index : enums_) {
      const EnumDef& def = module_.types->enum_def(index);
      std::vector<Offset<fb::EnumVariant>> variants;
      for (const auto& [name, value] : def.variants) {
        auto text = out_.CreateString(name);
        variants.push_back(fb::CreateEnumVariant(out_, text, value));
      }
      auto list = out_.CreateVector(variants);
      auto name = out_.CreateString(def.name);
      all.push_back(fb::CreateEnum(out_, name, list));
    }
    return out_.CreateVector(all);
  }

  Vector<fb::Map> add_maps() {
    std::vector<Offset<fb::Map>> all;
    for (const ir::Map& map : module_.maps) {
      int place = location(map.loc);
      auto name = out_.CreateString(map.name);
      auto bpf_name = out_.CreateString(map.bpf_name);
      fb::MapBuilder out(out_);
      out.add_name(name);
      out.add_bpf_name(bpf_name);
      out.add_kind(static_cast<fb::MapKind>(map.kind));
      if (map.key) out.add_key(static_cast<int>(type_index(map.key)));
      out.add_value(type_index(map.value));
      out.add_max_entries(map.max_entries);
      out.add_entries_from_config(map.entries_from_config);
      out.add_bpf_value_size(map.bpf_value_size);
      out.add_location(place);
      all.push_back(out.Finish());
    }
    return out_.CreateVector(all);
  }

  Vector<fb::Event> add_events() {
    std::vector<Offset<fb::Event>> all;
    for (const ir::Event& event : module_.events) {
      // Outermost call site first: each place names the one it was expanded from.
      int parent = -1;
      for (size_t i = event.expanded_from.size(); i-- > 0;) parent = location(event.expanded_from[i], parent);
      int place = location(event.loc, parent);
      auto format = out_.CreateString(event.format);
      auto helper = out_.CreateString(event.helper);
      fb::EventBuilder out(out_);
      out.add_kind(static_cast<uint8_t>(event.kind));
      out.add_payload(type_index(event.payload));
      out.add_format(format);
      out.add_map(event.map);
      out.add_location(place);
      out.add_error(static_cast<uint8_t>(event.error));
      out.add_helper(helper);
      out.add_top(event.top);
      out.add_div(event.div);
      all.push_back(out.Finish());
    }
    return out_.CreateVector(all);
  }

  Vector<fb::Param> add_params() {
    std::vector<Offset<fb::Param>> all;
    for (const ir::Param& param : module_.params) {
      int place = location(param.loc);
      auto name = out_.CreateString(param.name);
      auto text = out_.CreateString(param.string_default);
      auto doc = out_.CreateString(param.doc);
      all.push_back(fb::CreateParam(out_, name, param.kind, param.is_getopt, false, param.has_default, param.int_default, text, doc, place));
    }
    return out_.CreateVector(all);
  }

  Vector<fb::Fact> add_facts() {
    std::vector<Offset<fb::Fact>> all;
    for (uint32_t i = 0; i < module_.facts.size(); ++i) {
      const ir::Fact& fact = module_.facts[i];
      int place = location(fact.loc);
      auto arg = out_.CreateString(fact.arg);
      all.push_back(fb::CreateFact(out_, static_cast<uint8_t>(fact.kind), module_.fact_offset(i), fact.size, fact.param, arg, place));
    }
    return out_.CreateVector(all);
  }

  std::string function_name(size_t program) const {
    for (const ir::Function& function : module_.functions) {
      if (function.kind == ir::Function::Program && function.program == static_cast<int>(program)) return function.name;
    }
    return "";
  }

  Vector<fb::Program> add_programs() {
    std::vector<Offset<fb::Program>> all;
    for (size_t i = 0; i < module_.programs.size(); ++i) {
      const ir::ProgramInfo& program = module_.programs[i];
      std::vector<Offset<fb::Patch>> patches;
      for (const Patch& patch : facts_.patches) {
        if (patch.program != i) continue;
        auto field = out_.CreateString(patch.field);
        patches.push_back(fb::CreatePatch(out_, patch.insn, static_cast<fb::PatchKind>(patch.kind), field, patch.id, patch.original));
      }
      int place = location(program.loc);
      auto patch_list = out_.CreateVector(patches);
      auto name = out_.CreateString(function_name(i));
      auto section = out_.CreateString(program.section);
      auto attach = out_.CreateString(program.attach);
      auto custom = out_.CreateString(program.custom_name);
      auto record = out_.CreateString(program.record);
      auto needs = out_.CreateVectorOfStrings(program.needs);
      auto args = out_.CreateVectorOfStrings(program.func_args);
      auto build_id = out_.CreateString(program.build_id);
      fb::ProgramBuilder out(out_);
      out.add_name(name);
      out.add_section(section);
      out.add_probe_kind(static_cast<uint8_t>(program.probe));
      out.add_attach(attach);
      out.add_custom_name(custom);
      out.add_has_params(program.has_params);
      out.add_wildcard(program.wildcard);
      out.add_location(place);
      out.add_record(record);
      out.add_patches(patch_list);
      out.add_needs(needs);
      out.add_uses_probe_name(program.uses_probe_name);
      out.add_probe_index(program.probe_index);
      out.add_sleepable(program.sleepable);
      out.add_func_args(args);
      out.add_build_id(build_id);
      out.add_source_address(program.source_address);
      all.push_back(out.Finish());
    }
    return out_.CreateVector(all);
  }

  Vector<fb::ForeignProgram> add_foreign_programs() {
    std::vector<Offset<fb::ForeignProgram>> all;
    for (const ir::Foreign& unit : module_.foreign) {
      for (const ir::ForeignProgram& program : unit.programs) {
        int place = location(program.loc);
        auto name = out_.CreateString(program.name);
        auto section = out_.CreateString(program.section);
        auto file = out_.CreateString(unit.name);
        all.push_back(fb::CreateForeignProgram(out_, name, section, file, place));
      }
    }
    return all.empty() ? Vector<fb::ForeignProgram>() : out_.CreateVector(all);
  }

  Vector<fb::ConfigEntry> add_config() {
    std::vector<Offset<fb::ConfigEntry>> all;
    for (const auto& [key, value] : module_.config) {
      auto key_text = out_.CreateString(key);
      auto value_text = out_.CreateString(value);
      all.push_back(fb::CreateConfigEntry(out_, key_text, value_text));
    }
    return out_.CreateVector(all);
  }

  Vector<fb::SourceFile> add_sources() {
    std::vector<Offset<fb::SourceFile>> all;
    for (const ir::SourceText& source : module_.sources) {
      auto name = out_.CreateString(source.name);
      auto text = out_.CreateString(source.text);
      all.push_back(fb::CreateSourceFile(out_, name, text));
    }
    return out_.CreateVector(all);
  }

  bool has_subprogs() const {
    if (!module_.foreign.empty()) return true;
    for (const ir::Function& function : module_.functions) {
      if (function.kind != ir::Function::Program) return true;
    }
    return false;
  }

  // Kernel functions that programs call, in order of first mention.
  std::vector<std::string> kernel_functions() const {
    std::vector<std::string> names;
    for (const ir::Function& function : module_.functions) {
      for (const ir::Block& block : function.blocks) {
        for (const ir::Inst& inst : block.insts) {
          if (inst.op != ir::Op::Kfunc) continue;
          const std::string& name = inst.operands[0].text;
          if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
        }
      }
    }
    return names;
  }

  const ir::Module& module_;
  const BackendFacts& facts_;
  flatbuffers::FlatBufferBuilder out_;
  std::vector<Offset<fb::Location>> locations_;
  std::unordered_map<uint32_t, uint32_t> type_index_;
  std::unordered_map<uint32_t, int> enum_index_;
  std::vector<uint32_t> enums_;
};

}  // namespace

std::string build_manifest(const ir::Module& module, const BackendFacts& facts) { return ManifestBuilder(module, facts).build(); }

}  // namespace btc::lower
