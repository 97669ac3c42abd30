// Module-wide parts: header, maps, parameters and facts, one program per attach point.
#include "lower/build/module_builder.h"

#include <algorithm>

#include "lower/build/body.h"
#include "lower/build/walk.h"
#include "lower/ir/reachable_types.h"

namespace btc::lower {

using ir::MapKind;

namespace {

// Symbols are C identifiers.
std::string identifier(std::string_view text) {
  std::string out;
  for (char c : text) out += (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ? c : '_';
  return out;
}

bool calls_exit(const ast::Node* node) {
  const auto* call = ast::dyn<ast::Call>(node);
  bool found = call && call->function == Function::Exit;
  if (!found) for_each_child(node, [&](const ast::Node* child) { found = found || calls_exit(child); });
  return found;
}

bool is_aggregation(const Type& type) { return has_prop(type, kTypeAggregation); }

}  // namespace

ModuleBuilder::ModuleBuilder(const Program& program, const SourceManager& sources, DiagEngine& diags)
    : program(program), types(*program.types), diags(diags), sources_(sources), module_(std::make_unique<ir::Module>()), core_(*module_, types), uses_(program) {}

std::unique_ptr<ir::Module> ModuleBuilder::run() {
  add_header();
  find_exits();
  add_maps();
  add_params();
  add_subprogs();
  add_programs();
  core_.finish();
  module_->types = std::shared_ptr<TypeTable>(&types, [](TypeTable*) {});
  compact_types(*module_);
  drop_unused_sources();
  return std::move(module_);
}

void ModuleBuilder::add_header() {
  module_->arch = program.options.arch;
  module_->script_name = program.script_name;
  module_->unsafe_ok = program.options.unsafe;
  module_->warning_level = program.options.warning_level;
  module_->no_features = program.options.no_features;
  module_->license = program.config_value(ConfigKey::License);
  for (size_t i = 0; i < program.config.size(); ++i) {
    const ConfigInfo& info = config_info(static_cast<ConfigKey>(i));
    if (program.config_set[i] && info.side != ConfigSide::Compile) module_->config.emplace_back(info.key, program.config[i]);
  }
  for (const InputFile& input : program.inputs) module_->inputs.push_back(input.sha256 + "  " + input.name);
  for (const ForeignUnit& unit : program.foreign_units) {
    module_->foreign.push_back({unit.kind == ForeignUnit::Object, unit.name, unit.code, {}});
    for (const ForeignProgram& one : unit.programs) module_->foreign.back().programs.push_back({one.name, one.section, one.import});
  }
  for (uint32_t i = 0; i < sources_.file_count(); ++i) {
    const SourceFile& file = sources_.file(i);
    module_->sources.push_back({file.name, file.text, file.base});
  }
}

bool is_timer(const TypedProbe& probe) {
  abi::ProbeKind kind = probe.attach->parsed.kind;
  return kind == abi::ProbeKind::Interval || kind == abi::ProbeKind::Profile;
}

void ModuleBuilder::find_exits() {
  bool exits = false, timers = false;
  for (const ast::Subprog* subprog : program.subprogs) exits = exits || calls_exit(subprog->body);
  for (const TypedProbe& probe : program.probes) {
    exits = exits || calls_exit(probe.body);
    timers = timers || is_timer(probe);
  }
  stops_at_exit_ = exits && timers;
}

MapKind ModuleBuilder::hash_of(MapKind kind) {
  if (kind == MapKind::Array) return MapKind::Hash;
  return kind == MapKind::PercpuArray ? MapKind::PercpuHash : kind;
}

void ModuleBuilder::map_needs_hash(uint32_t index) {
  ir::Map& map = module_->maps[index];
  if (hash_of(map.kind) == map.kind) return;
  map.kind = hash_of(map.kind);
  map.bpf_key_size = 8;
}

// Aggregations are per CPU. Without a key they are arrays, whose lookup costs least; there an all-zero value on every CPU means
// "no entry", so sum_t (which may well be zero) stays a hash.
void ModuleBuilder::add_maps() {
  for (const auto& symbol : program.maps) {
    const Type& value = types[symbol->value];
    ir::Map map;
    map.name = symbol->name;
    map.bpf_name = abi::kMapPrefix + identifier(symbol->name.substr(1));
    map.key = symbol->key;
    map.value = symbol->value;
    map.loc = symbol->first_use;
    map.bpf_key_size = symbol->is_scalar() ? 8 : std::max<uint32_t>(types.size_of(symbol->key), 1);
    map.bpf_value_size = std::max<uint32_t>(types.size_of(symbol->value), 1);
    if (is_aggregation(value)) {
      bool is_array = symbol->is_scalar() && value.kind != TypeKind::Sum;
      map.kind = is_array ? MapKind::PercpuArray : MapKind::PercpuHash;
      if (is_array) map.bpf_key_size = 4;
      map.bpf_value_size = (map.bpf_value_size + 7) / 8 * 8;
    }
    if (symbol->declared_kind == "lruhash") map.kind = MapKind::LruHash;
    if (symbol->declared_kind == "percpuhash") map.kind = MapKind::PercpuHash;
    if (symbol->declared_kind == "percpulruhash") map.kind = MapKind::PercpuLruHash;
    if (symbol->max_entries) map.max_entries = static_cast<uint32_t>(*symbol->max_entries);
    else if (symbol->is_scalar()) map.max_entries = 1;
    else map.max_entries = static_cast<uint32_t>(program.config_uint(ConfigKey::MaxMapKeys));
    map.entries_from_config = !symbol->max_entries && !symbol->is_scalar();
    maps_[symbol.get()] = static_cast<uint32_t>(module_->maps.size());
    module_->maps.push_back(std::move(map));
  }
}

void ModuleBuilder::add_params() {
  for (const auto& symbol : program.params) {
    ir::Param param;
    param.name = symbol->name;
    param.kind = static_cast<uint8_t>(symbol->kind);
    param.is_getopt = symbol->is_getopt;
    param.has_default = symbol->int_default.has_value() || symbol->string_default.has_value();
    param.int_default = symbol->int_default.value_or(0);
    param.string_default = symbol->string_default.value_or("");
    param.doc = symbol->doc;
    param.string_size = symbol->string_size;
    param.loc = symbol->range;
    params_[symbol.get()] = static_cast<uint32_t>(module_->params.size());
    module_->params.push_back(std::move(param));
  }
}

uint32_t ModuleBuilder::fact(abi::FactKind kind, std::string_view name, uint32_t size, std::string_view arg, SourceRange loc) {
  auto [entry, is_new] = facts_.try_emplace({kind, std::string(arg)}, module_->facts.size());
  if (!is_new) return entry->second;
  ir::Fact fact;
  fact.name = identifier(name);
  for (const ir::Fact& other : module_->facts) {
    if (other.name == fact.name) fact.name = identifier(name) + "." + std::to_string(module_->facts.size());
  }
  fact.kind = kind;
  fact.size = size;
  fact.arg = arg;
  fact.loc = loc;
  module_->facts.push_back(std::move(fact));
  return entry->second;
}

uint32_t ModuleBuilder::param_fact(const ast::Param* param) {
  bool is_string = param->kind == ast::Param::Str;
  uint32_t size = is_string ? std::max<uint32_t>(param->string_size, 1) : param->kind == ast::Param::Bool ? 1 : 8;
  return param_fact(abi::FactKind::Param, param, size, "", param->range);
}

uint32_t ModuleBuilder::param_fact(abi::FactKind kind, const ast::Param* param, uint32_t size, std::string_view arg, SourceRange loc) {
  uint32_t index = params_.at(param);
  std::string name = param->is_getopt ? "opt_" + param->name : param->name == "#" ? "param_count" : "param_" + param->name;
  uint32_t id = fact(kind, name, size, fmt::format("{}\n{}", index, arg), loc);
  module_->facts[id].param = static_cast<int>(index);
  module_->facts[id].arg = arg;
  return id;
}

uint32_t ModuleBuilder::event(ir::Event event) {
  module_->events.push_back(std::move(event));
  return static_cast<uint32_t>(module_->events.size() - 1);
}

uint32_t ModuleBuilder::error_event(abi::RuntimeErrorKind kind, std::string_view helper, SourceRange place, std::vector<SourceRange> expanded_from) {
  auto [first, end] = error_events_.equal_range(place.begin);
  for (auto at = first; at != end; ++at) {
    const ir::Event& event = module_->events[at->second];
    if (event.error == kind && event.helper == helper && event.loc == place && event.expanded_from == expanded_from) return at->second;
  }
  ir::Event event;
  event.kind = abi::EventKind::RuntimeError;
  event.payload = types.tuple({types.int_type(4, true)});
  event.error = kind;
  event.helper = helper;
  event.loc = place;
  event.expanded_from = std::move(expanded_from);
  uint32_t index = this->event(std::move(event));
  error_events_.emplace(place.begin, index);
  return index;
}

uint32_t ModuleBuilder::string_index(std::string_view text) {
  auto found = std::find(module_->strings.begin(), module_->strings.end(), text);
  if (found != module_->strings.end()) return static_cast<uint32_t>(found - module_->strings.begin());
  module_->strings.emplace_back(text);
  return static_cast<uint32_t>(module_->strings.size() - 1);
}

uint32_t ModuleBuilder::new_function(ir::Function::Kind kind, std::string name, SourceRange place, int program_index) {
  ir::Function function;
  function.kind = kind;
  function.name = std::move(name);
  function.loc = place;
  function.program = program_index;
  function.values.emplace_back();
  module_->functions.push_back(std::move(function));
  return static_cast<uint32_t>(module_->functions.size() - 1);
}

uint32_t ModuleBuilder::count_callback(int program_index, SourceRange place) {
  uint32_t index = new_function(ir::Function::Callback, "count_" + std::to_string(module_->functions.size()), place, program_index);
  ir::Builder b(*module_, index);
  b.set_place(place);
  b.add_param("map", ir::ptr_type(ir::PtrSpace::Mem));
  b.add_param("key", ir::ptr_type(ir::PtrSpace::Map));
  b.add_param("value", ir::ptr_type(ir::PtrSpace::Map));
  b.add_param("frame", ir::ptr_type(ir::PtrSpace::Mem));
  b.set_block(b.new_block("entry"));
  b.ret(b.constant(0));
  return index;
}

void ModuleBuilder::add_subprogs() {
  for (const ast::Subprog* subprog : program.subprogs) {
    subprogs_[subprog] = new_function(ir::Function::Subprog, "fn_" + identifier(subprog->name), subprog->name_range, -1);
  }
  for (const ast::Subprog* subprog : program.subprogs) Body(*this, subprogs_[subprog], nullptr).lower_subprog(*subprog);
}

// bpftrace's form, which people look for with bpftool: the attach point's name and a number.
std::string ModuleBuilder::program_name(const TypedProbe& probe) const {
  std::string name = identifier(probe.attach->name.empty() ? probe.attach->parsed.display_name() : probe.attach->name);
  if (name.empty()) name = "probe";
  if (name.size() > 100) name.resize(100);
  return name + "_" + std::to_string(module_->programs.size());
}

ir::ProgramInfo ModuleBuilder::program_info(const TypedProbe& probe) const {
  const abi::AttachPoint& attach = probe.attach->parsed;
  const abi::ProbeInfo& info = abi::probe_info(attach.kind);
  ir::ProgramInfo out;
  out.probe = attach.kind;
  // `kprobe:f` whether it was written so or as `k:f`.
  size_t colon = probe.attach->text.find(':');
  out.attach = std::string(info.name) + (colon == std::string::npos ? "" : probe.attach->text.substr(colon));
  out.custom_name = probe.attach->name;
  out.has_params = probe.attach->has_params;
  out.wildcard = attach.wildcard;
  out.uses_probe_name = probe.uses_probe_name;
  out.probe_index = probe.probe_index;
  out.loc = probe.attach->range;
  out.section = info.section;
  out.build_id = probe.build_id;
  out.source_address = probe.source_address.value_or(0);
  bool is_pattern = attach.wildcard || probe.attach->has_params;
  if (attach.kind == abi::ProbeKind::Tracepoint) {
    if (!is_pattern) out.section += "/" + attach.target + "/" + attach.func;
    if (!is_pattern) out.record = attach.target + ":" + attach.func;
  } else if (attach.kind == abi::ProbeKind::Iter) {
    out.section += "/" + attach.target;
  } else if (!is_pattern && (info.ctx == abi::CtxKind::trampoline || info.ctx == abi::CtxKind::raw_args)) {
    if (!attach.func.empty() && attach.target != "bpf") out.section += "/" + attach.func;
  } else if (!is_pattern && (attach.kind == abi::ProbeKind::Kprobe || attach.kind == abi::ProbeKind::Kretprobe)) {
    if (!attach.func.empty() && !attach.has_offset) out.section += "/" + attach.func;
  }
  return out;
}

void ModuleBuilder::add_programs() {
  for (const TypedProbe& probe : program.probes) {
    auto index = static_cast<int>(module_->programs.size());
    module_->programs.push_back(program_info(probe));
    uint32_t function = new_function(ir::Function::Program, program_name(probe), probe.attach->range, index);
    Body(*this, function, &probe).lower_probe();
  }
}

// Only files that some place of the module points into; the script itself always stays.
void ModuleBuilder::drop_unused_sources() {
  std::vector<bool> used(module_->sources.size());
  if (program.script_file < used.size()) used[program.script_file] = true;
  auto mark = [&](SourceRange range) {
    if (auto place = module_->locate(range)) used[place->file] = true;
  };
  for (const ir::Foreign& unit : module_->foreign)
    for (const ir::ForeignProgram& one : unit.programs) mark(one.loc);
  for (const ir::Map& map : module_->maps) mark(map.loc);
  for (const ir::Event& event : module_->events) {
    mark(event.loc);
    for (SourceRange range : event.expanded_from) mark(range);
  }
  for (const ir::Function& function : module_->functions) {
    for (const ir::Block& block : function.blocks) {
      for (const ir::Inst& inst : block.insts) mark(inst.loc);
    }
  }
  std::vector<ir::SourceText> kept;
  for (size_t i = 0; i < used.size(); ++i) {
    if (used[i]) kept.push_back(std::move(module_->sources[i]));
  }
  module_->sources = std::move(kept);
}

namespace {

// Copies types into another table; records and enums are declared there first.
class TypeMover {
 public:
  TypeMover(const TypeTable& from, TypeTable& to) : from_(from), to_(to) {}

  void declare(const ir::ReachableTypes& reachable) {
    for (const auto& [index, whole] : reachable.records) {
      Record record = from_.record(index);
      record.fields.clear();
      record.complete = whole;
      records_[index] = to_.add_record(std::move(record));
    }
    for (uint32_t index : reachable.enums) enums_[index] = to_.add_enum(from_.enum_def(index));
    for (const auto& [index, whole] : reachable.records) {
      if (!whole) continue;
      std::vector<Field> fields = from_.record(index).fields;
      for (Field& field : fields) field.type = move(field.type);
      to_.record(records_[index]).fields = std::move(fields);
    }
  }

  TypeId move(TypeId id) {
    if (!id) return {};
    Type type = from_[id];
    if (type.elem) type.elem = move(type.elem);
    for (auto& [name, member] : type.members) member = move(member);
    if (type.kind == TypeKind::Struct) type.record = records_.at(type.record);
    if (type.kind == TypeKind::Enum) type.record = enums_.at(type.record);
    return to_.intern(type);
  }

 private:
  const TypeTable& from_;
  TypeTable& to_;
  std::unordered_map<uint32_t, uint32_t> records_, enums_;
};

}  // namespace

void compact_types(ir::Module& module) {
  auto table = std::make_shared<TypeTable>();
  TypeMover mover(*module.types, *table);
  mover.declare(ir::reachable_types(module));
  for (ir::Map& map : module.maps) {
    map.key = mover.move(map.key);
    map.value = mover.move(map.value);
  }
  for (ir::Event& event : module.events) event.payload = mover.move(event.payload);
  module.types = std::move(table);
}

}  // namespace btc::lower
