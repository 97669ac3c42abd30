// Module -> text. The grammar is in docs/bir.md; parse.cpp reads every line that is written here.
//
// Items come in the order in which they refer to each other: types, maps, events, facts, programs, functions. Records and
// enums are declared in the order in which maps and events mention them, so the text does not depend on how a TypeTable grew.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "lower/ir/base64.h"
#include "lower/ir/ir.h"
#include "lower/ir/names.h"
#include "lower/ir/reachable_types.h"

namespace btc::ir {
namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte >= 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

class Printer {
 public:
  Printer(const Module& module, bool locs) : module_(module), locs_(locs && !module.places_in_bir) {}

  std::string print_module() {
    print_header();
    print_types();
    print_core_types();
    print_maps();
    print_events();
    print_facts();
    print_programs();
    for (const Function& function : module_.functions) {
      line("");
      print_function(function);
    }
    return std::move(out_);
  }

  std::string print_one(const Function& function) {
    print_function(function);
    return std::move(out_);
  }

 private:
  template <typename... Args>
  void put(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }
  void line(std::string_view text) {
    out_ += text;
    out_ += '\n';
  }
  void place(SourceRange range) {
    if (locs_ && range.valid()) put(" !{}-{}", range.begin - module_.place_base, range.end - module_.place_base);
  }
  void end_line(SourceRange range) {
    place(range);
    out_ += '\n';
  }
  std::string type_text(TypeId type) const { return type && module_.types ? module_.types->print(type) : "?"; }

  void print_header() {
    put("bir 1 stage {}\n", module_.stage);
    put("arch {}\n", quoted(module_.arch));
    put("script {}\n", quoted(module_.script_name));
    put("license {}\n", quoted(module_.license));
    put("warnings {}\n", module_.warning_level);
    if (module_.unsafe_ok) line("unsafe");
    for (const std::string& feature : module_.no_features) put("without {}\n", quoted(feature));
    if (module_.scratch_size != 0) put("scratch {}\n", module_.scratch_size);
    if (module_.zero_size != 0) put("zero {}\n", module_.zero_size);
    for (const auto& [key, value] : module_.config) put("config {} {}\n", quoted(key), quoted(value));
    for (const std::string& input : module_.inputs) put("input {}\n", quoted(input));
    for (const std::string& string : module_.strings) put("string {}\n", quoted(string));
    for (const SourceText& source : module_.sources)
      if (locs_) put("source {} {} {}\n", source.base, quoted(source.name), quoted(source.text));
    for (const Foreign& unit : module_.foreign) print_foreign(unit);   // its programs have places
  }

  void print_foreign(const Foreign& unit) {
    put("foreign {} {} \"{}\"\n", unit.is_object ? "object" : "bitcode", quoted(unit.name), to_base64(unit.code));
    for (const ForeignProgram& program : unit.programs) {
      put("foreign program {} section {}", quoted(program.name), quoted(program.section));
      end_line(program.loc);
    }
  }

  void print_types() {
    if (!module_.types) return;
    ReachableTypes types = reachable_types(module_);
    for (const auto& [index, whole] : types.records) print_record(module_.types->record(index), whole);
    for (uint32_t index : types.enums) print_enum(module_.types->enum_def(index));
  }

  void print_record(const Record& record, bool whole) {
    put("record {} {} {} size {} align {}", record.is_union ? "union" : "struct", quoted(record.name),
        kOriginNames[static_cast<size_t>(record.origin)], record.size, record.align);
    if (!record.record_class.empty()) put(" class {}", quoted(record.record_class));
    if (!whole) return line(" opaque");
    line(" {");
    for (const Field& field : record.fields) {
      put("  {}: {} at {}", quoted(field.name), type_text(field.type), field.bit_offset);
      if (field.bit_size != 0) put(" bits {}", field.bit_size);
      if (field.data_loc) put(" data_loc");
      if (field.rel_loc) put(" rel_loc");
      if (field.is_float) put(" float");
      line("");
    }
    line("}");
  }

  void print_enum(const EnumDef& def) {
    put("enum {} {} size {}{} {{\n", quoted(def.name), kOriginNames[static_cast<size_t>(def.origin)], def.size, def.is_signed ? " signed" : "");
    for (const auto& [name, value] : def.variants) put("  {} = {}\n", quoted(name), value);
    line("}");
  }

  void print_core_types() {
    for (size_t i = 0; i < module_.core_types.size(); ++i) {
      const CoreType& type = module_.core_types[i];
      put("core #{} {} {} size {}", i, kCoreNames[type.kind], quoted(type.name), type.size);
      if (type.is_signed) put(" signed");
      if (type.is_typedef) put(" typedef");
      if (type.kind == CoreType::Pointer || type.kind == CoreType::Array) put(" elem #{}", type.elem);
      if (type.kind == CoreType::Array) put(" count {}", type.count);
      if (!type.record.empty()) put(" record {}", quoted(type.record));
      if (type.members.empty() && type.variants.empty()) {
        line("");
        continue;
      }
      line(" {");
      for (const CoreType::Member& member : type.members) {
        put("  {}: #{} at {}", quoted(member.name), member.type, member.bit_offset);
        if (member.bit_size != 0) put(" bits {}", member.bit_size);
        line("");
      }
      for (const auto& [name, value] : type.variants) put("  {} = {}\n", quoted(name), value);
      line("}");
    }
  }

  void print_maps() {
    for (const Map& map : module_.maps) {
      put("map {}: {}[", map.name, kMapNames[static_cast<size_t>(map.kind)]);
      if (map.key) put("{} -> ", type_text(map.key));
      put("{}] bpf {} key {} value {} entries {}", type_text(map.value), map.bpf_name, map.bpf_key_size, map.bpf_value_size, map.max_entries);
      if (map.entries_from_config) put(" from_config");
      end_line(map.loc);
    }
  }

  void print_events() {
    for (size_t i = 0; i < module_.events.size(); ++i) {
      const Event& event = module_.events[i];
      put("event #{} {} {} payload {}", i, kEventNames[static_cast<size_t>(event.kind)], quoted(event.format), type_text(event.payload));
      if (event.map >= 0) put(" map {}", module_.maps[static_cast<size_t>(event.map)].name);
      if (event.top != 0) put(" top {}", event.top);
      if (event.div != 0) put(" div {}", event.div);
      if (event.kind == abi::EventKind::RuntimeError) put(" error {}", kErrorNames[static_cast<size_t>(event.error)]);
      if (!event.helper.empty()) put(" helper {}", quoted(event.helper));
      place(event.loc);
      if (locs_) {
        for (SourceRange range : event.expanded_from) {
          put(" from");
          place(range);
        }
      }
      line("");
    }
  }

  void print_facts() {
    for (const Param& param : module_.params) {
      put("param {} {}", quoted(param.name), kParamNames[std::min<size_t>(param.kind, 3)]);
      if (param.is_getopt) put(" getopt");
      if (param.has_default && param.kind == 1) put(" default {}", quoted(param.string_default));
      if (param.has_default && param.kind != 1) put(" default {}", param.int_default);
      if (!param.doc.empty()) put(" doc {}", quoted(param.doc));
      if (param.string_size != 0) put(" size {}", param.string_size);
      end_line(param.loc);
    }
    for (const Fact& fact : module_.facts) {
      put("fact {} {} size {}", fact.name, kFactNames[static_cast<size_t>(fact.kind)], fact.size);
      if (fact.param >= 0) put(" param {}", fact.param);
      if (!fact.arg.empty()) put(" arg {}", quoted(fact.arg));
      end_line(fact.loc);
    }
  }

  void print_programs() {
    for (size_t i = 0; i < module_.programs.size(); ++i) {
      const ProgramInfo& program = module_.programs[i];
      put("probe #{} {} {} section {} index {}", i, kProbeNames[static_cast<size_t>(program.probe)], quoted(program.attach),
          quoted(program.section), program.probe_index);
      if (!program.custom_name.empty()) put(" name {}", quoted(program.custom_name));
      if (program.has_params) put(" has_params");
      if (program.wildcard) put(" wildcard");
      if (program.uses_probe_name) put(" uses_probe_name");
      if (program.sleepable) put(" sleepable");
      if (!program.record.empty()) put(" record {}", quoted(program.record));
      for (const std::string& need : program.needs) put(" needs {}", quoted(need));
      for (const std::string& arg : program.func_args) put(" func_arg {}", quoted(arg));
      if (!program.build_id.empty()) put(" build_id {}", quoted(program.build_id));
      if (program.source_address != 0) put(" address {}", program.source_address);
      end_line(program.loc);
    }
  }

  void print_function(const Function& function) {
    put("fn &{} {}", function.name, kFunctionNames[function.kind]);
    if (function.program >= 0) put(" #{}", function.program);
    put("(");
    for (size_t i = 0; i < function.params.size(); ++i) {
      put("{}%{}: {}", i == 0 ? "" : ", ", function.values[function.params[i]].name, print(function.type(function.params[i])));
    }
    put(") -> {}", print(function.return_type));
    place(function.loc);
    line(" {");
    for (const Slot& slot : function.slots) {
      put("  slot ${} size {} align {}", slot.name, slot.size, slot.align);
      if (slot.place != Slot::Unplaced) put(" {}", kPlaceNames[slot.place]);
      if (slot.place == Slot::Scratch) put(" {}", slot.scratch_offset);
      line("");
    }
    for (const Block& block : function.blocks) {
      put("^{}:\n", block.name);
      for (const Inst& inst : block.insts) print_inst(function, inst);
    }
    line("}");
  }

  void print_inst(const Function& function, const Inst& inst) {
    const OpInfo& info = op_info(inst.op);
    put("  ");
    if (inst.result != kNoValue) put("%{}: {} = ", function.values[inst.result].name, print(function.type(inst.result)));
    put("{}", info.mnemonic);
    for (size_t i = 0; i < inst.operands.size(); ++i) {
      put("{}", i == 0 ? " " : ", ");
      print_operand(function, inst.operands[i]);
    }
    end_line(inst.loc);
  }

  void print_operand(const Function& function, const Operand& operand) {
    auto index = static_cast<size_t>(operand.number);
    switch (operand.kind) {
      case Operand::None: return put("none");
      case Operand::Value: return put("%{}", function.values[index].name);
      case Operand::Int: return put("{}", static_cast<int64_t>(operand.number));
      case Operand::Slot: return put("${}", function.slots[index].name);
      case Operand::Map: return put("{}", module_.maps[index].name);
      case Operand::Event:
      case Operand::CoreType: return put("#{}", index);
      case Operand::Fact: return put("{}", module_.facts[index].name);
      case Operand::Block: return put("^{}", function.blocks[index].name);
      case Operand::ChainRef: return put("#{}[{}]", operand.chain.type, fmt::join(operand.chain.path, ","));
      case Operand::Name: return put("{}", operand.text);
      case Operand::Func: return put("&{}", module_.functions[index].name);
      case Operand::Text: return put("{}", quoted(operand.text));
    }
  }

  const Module& module_;
  bool locs_;
  std::string out_;
};

}  // namespace

std::string print(const Module& module, bool locs) { return Printer(module, locs).print_module(); }
std::string print(const Module& module, const Function& function, bool locs) { return Printer(module, locs).print_one(function); }

}  // namespace btc::ir
