// Maps are BTF-defined, as libbpf wants them: a variable in .maps whose *type*
// says everything. `type`, `max_entries` and `map_flags` are pointers to
// `int[N]`, N being the value; `key` and `value` are pointers to the real types:
//
//   struct { int (*type)[5]; int (*max_entries)[4096]; struct btc_key_AT_x *key; struct btc_count *value; } AT_x SEC(".maps");
#include <linux/bpf.h>

#include <llvm/IR/Module.h>

#include "backend/llvm/foreign.h"
#include "backend/llvm/maps.h"
#include "runtime-stub/abi/unwind.h"

namespace btc::backend {

// Facts about kernel map types, by MapKind.
static constexpr uint32_t kBpfMapType[] = {BPF_MAP_TYPE_HASH,         BPF_MAP_TYPE_LRU_HASH, BPF_MAP_TYPE_PERCPU_HASH,
                                           BPF_MAP_TYPE_LRU_PERCPU_HASH, BPF_MAP_TYPE_ARRAY,    BPF_MAP_TYPE_PERCPU_ARRAY};

// Placeholder: the runtime sizes the ring from the config (perf_rb_pages) before load; 256 KiB for other loaders.
static constexpr uint32_t kDefaultRingBytes = 256 * 1024;

static llvm::GlobalVariable* define_global(llvm::Module& llvm, llvm::Type* type, llvm::Constant* value, bool constant,
                                           const std::string& name, const char* section) {
  auto* global = new llvm::GlobalVariable(llvm, type, constant, llvm::GlobalValue::ExternalLinkage, value, name);
  global->setSection(section);
  global->setAlignment(llvm::Align(8));
  return global;
}

void Globals::emit_license(const ForeignCode& foreign) {
  llvm::Constant* text = llvm::ConstantDataArray::getString(llvm_.getContext(), bir_.license);
  auto* global = define_global(llvm_, text->getType(), text, !foreign.license_is_writable(), "_license", "license");
  global->setAlignment(llvm::Align(1));
  // libbpf's linker wants a type of everything, and sections of one name to be alike.
  if (foreign.has_objects()) debug_.describe_global(global, debug_.array(debug_.character(), 1, bir_.license.size() + 1));
}

llvm::GlobalVariable* Globals::define_map(const MapSpec& spec) {
  std::vector<DebugInfo::Member> members;
  auto add = [&](const char* name, llvm::DIType* to) {
    members.push_back({name, debug_.pointer(to), 8, static_cast<uint32_t>(members.size()) * 8});
  };
  auto number = [&](uint32_t n) { return debug_.array(debug_.integer(4, true), 4, n); };
  add("type", number(spec.type));
  if (spec.max_entries != 0) add("max_entries", number(spec.max_entries));
  if (spec.flags != 0) add("map_flags", number(spec.flags));
  if (spec.key != nullptr) add("key", spec.key);
  if (spec.value != nullptr) add("value", spec.value);
  std::vector<llvm::Type*> fields(members.size(), llvm::PointerType::get(llvm_.getContext(), 0));
  llvm::StructType* type = llvm::StructType::get(llvm_.getContext(), fields);
  auto* global = define_global(llvm_, type, llvm::ConstantAggregateZero::get(type), false, spec.name, ".maps");
  debug_.describe_global(global, debug_.structure("", static_cast<uint32_t>(members.size()) * 8, members));
  return global;
}

// BTF must agree with the sizes exactly; where the type alone does not (a scalar map's key), plain bytes do.
llvm::DIType* Globals::key_type(const ir::Map& map) {
  if (map.bpf_key_size == 4 && (map.kind == ir::MapKind::Array || map.kind == ir::MapKind::PercpuArray)) {
    return debug_.integer(4, false);  // the kernel insists on an int
  }
  if (!map.key || bir_.types->size_of(map.key) != map.bpf_key_size) return debug_.bytes(map.bpf_key_size);
  return debug_.script_type(map.key, "btc_key_" + map.bpf_name);
}

llvm::DIType* Globals::value_type(const ir::Map& map) {
  if (!map.value || bir_.types->size_of(map.value) != map.bpf_value_size) return debug_.bytes(map.bpf_value_size);
  return debug_.script_type(map.value, "btc_value_" + map.bpf_name);
}

void Globals::emit_script_maps() {
  for (const ir::Map& map : bir_.maps) {
    MapSpec spec;
    spec.name = map.bpf_name;
    spec.type = kBpfMapType[static_cast<size_t>(map.kind)];
    spec.max_entries = map.max_entries;
    spec.key = key_type(map);
    spec.value = value_type(map);
    script_maps_.push_back(define_map(spec));
  }
}

llvm::GlobalVariable* Globals::events() {
  if (events_ == nullptr) events_ = define_map({abi::kRingMap, BPF_MAP_TYPE_RINGBUF, kDefaultRingBytes});
  return events_;
}

llvm::GlobalVariable* Globals::losses() {
  if (losses_ == nullptr) {
    uint32_t entries = abi::lost_program_first(static_cast<uint32_t>(bir_.maps.size()));
    if (bir_.programs.size() > 1) entries += static_cast<uint32_t>(bir_.programs.size());
    losses_ = define_map({abi::kLossMap, BPF_MAP_TYPE_PERCPU_ARRAY, entries, 0, debug_.integer(4, false),
                          debug_.integer(8, false)});
  }
  return losses_;
}

// For loaders that do not know better; the runtime asks the machine.
static constexpr uint32_t kCpusByDefault = 64;

bool Globals::large_scratch() const { return bir_.scratch_size > abi::kMostPerCpu; }

llvm::GlobalVariable* Globals::scratch() {
  if (scratch_ == nullptr) {
    uint32_t size = (bir_.scratch_size + 7) / 8 * 8;
    MapSpec spec{abi::kScratchMap, BPF_MAP_TYPE_PERCPU_ARRAY, abi::kScratchLevels, 0, debug_.integer(4, false), debug_.bytes(size)};
    if (large_scratch()) spec.name = abi::kLargeScratchMap, spec.type = BPF_MAP_TYPE_ARRAY, spec.max_entries = abi::kScratchLevels * kCpusByDefault;
    scratch_ = define_map(spec);
  }
  return scratch_;
}

llvm::GlobalVariable* Globals::nest() {
  if (nest_ == nullptr) {
    nest_ = define_map({abi::kNestMap, BPF_MAP_TYPE_PERCPU_ARRAY, 1, 0, debug_.integer(4, false),
                        debug_.array(debug_.integer(8, false), 8, abi::kScratchLevels + 1)});
  }
  return nest_;
}

llvm::GlobalVariable* Globals::zero() {
  if (zero_ == nullptr) {
    uint32_t size = std::max<uint32_t>(8, (bir_.zero_size + 7) / 8 * 8);
    zero_ = define_map({abi::kZeroMap, BPF_MAP_TYPE_ARRAY, 1, 0, debug_.integer(4, false), debug_.bytes(size)});
  }
  return zero_;
}

llvm::GlobalVariable* Globals::exited() {
  if (exited_ == nullptr) {
    llvm::Type* type = llvm::Type::getInt64Ty(llvm_.getContext());
    exited_ = define_global(llvm_, type, llvm::ConstantInt::get(type, 0), false, abi::kExitedSymbol, ".bss");
    debug_.describe_global(exited_, debug_.integer(8, false));
  }
  return exited_;
}

llvm::GlobalVariable* Globals::probe_names() {
  if (probe_names_ == nullptr) probe_names_ = define_map({abi::kProbeNames, BPF_MAP_TYPE_ARRAY, 1, 0, debug_.integer(4, false), debug_.bytes(abi::kProbeTextBytes)});
  return probe_names_;
}

llvm::GlobalVariable* Globals::unwind_table(const std::string& name) {
  struct Table { const char* name; uint32_t type, value; };
  static constexpr Table kTables[] = {{abi::kUnwindProcs, BPF_MAP_TYPE_HASH, sizeof(btc_unwind_proc)},
                                      {abi::kUnwindMaps, BPF_MAP_TYPE_ARRAY, sizeof(btc_unwind_map)},
                                      {abi::kUnwindRows, BPF_MAP_TYPE_ARRAY, sizeof(btc_unwind_row)},
                                      {abi::kUnwindState, BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(btc_unwind_state)}};
  for (const Table& table : kTables) {
    if (name != table.name) continue;
    llvm::GlobalVariable*& map = unwind_[name];
    if (map == nullptr) map = define_map({name, table.type, 1, 0, debug_.integer(4, false), debug_.bytes(table.value)});
    return map;
  }
  return nullptr;
}

llvm::GlobalVariable* Globals::runtime_map(const std::string& name) {
  if (name == abi::kRingMap) return events();
  if (name == abi::kLossMap) return losses();
  if (name == abi::kZeroMap) return zero();
  if (name == abi::kProbeNames) return probe_names();
  return unwind_table(name);
}

// One object with a member per fact. `const volatile` for the loader's readers; for LLVM "externally initialised"
// says the same and still lets repeated loads be shared. The initial values serve loaders that know nothing of facts.
llvm::GlobalVariable* Globals::facts() {
  if (facts_ != nullptr) return facts_;
  uint32_t size = std::max<uint32_t>(8, (bir_.facts_size() + 7) / 8 * 8);
  std::string bytes(size, '\0');
  std::vector<DebugInfo::Member> members;
  for (uint32_t i = 0; i < bir_.facts.size(); ++i) {
    const ir::Fact& fact = bir_.facts[i];
    uint32_t offset = bir_.fact_offset(i);
    bool scalar = fact.size == 1 || fact.size == 2 || fact.size == 4 || fact.size == 8;
    bool text = fact.param >= 0 && bir_.params[static_cast<size_t>(fact.param)].kind == 1;
    llvm::DIType* type = scalar && !text ? debug_.integer(fact.size, false) : debug_.array(debug_.character(), 1, fact.size);
    members.push_back({btf_identifier(fact.name), type, fact.size, offset});
    uint64_t initial = 0;
    if (fact.kind == abi::FactKind::WarningLevel) initial = bir_.warning_level;
    if (fact.param >= 0 && !text) initial = static_cast<uint64_t>(bir_.params[static_cast<size_t>(fact.param)].int_default);
    for (uint32_t b = 0; b < fact.size && b < 8; ++b) {
      uint32_t at = bir_.arch == "s390x" ? fact.size - 1 - b : b;
      bytes[offset + at] = static_cast<char>(initial >> (8 * b));
    }
    if (text) {
      const std::string& value = bir_.params[static_cast<size_t>(fact.param)].string_default;
      if (value.size() < fact.size) bytes.replace(offset, value.size(), value);
    }
  }
  llvm::Constant* value = llvm::ConstantDataArray::getString(llvm_.getContext(), bytes, /*AddNull=*/false);
  facts_ = define_global(llvm_, value->getType(), value, true, abi::kFactsSymbol, ".rodata");
  facts_->setExternallyInitialized(true);
  debug_.describe_global(facts_, debug_.const_volatile(debug_.structure(abi::kFactsSymbol, size, members)));
  return facts_;
}

llvm::GlobalVariable* Globals::string_constant(const std::string& text) {
  llvm::GlobalVariable*& global = strings_[text];
  if (global == nullptr) {
    llvm::Constant* value = llvm::ConstantDataArray::getString(llvm_.getContext(), text);
    global = new llvm::GlobalVariable(llvm_, value->getType(), true, llvm::GlobalValue::InternalLinkage, value,
                                      "btc_str_" + std::to_string(strings_.size() - 1));
    global->setSection(".rodata");  // one map for all constants, not one per string section
    global->setAlignment(llvm::Align(8));
  }
  return global;
}

// A type of the shape that Op::KsymAddr says; libbpf compares kinds, not names or sizes.
static llvm::DIType* type_of_shape(DebugInfo& debug, uint64_t shape) {
  constexpr uint64_t kStruct = 2, kUnion = 3, kPointer = 4, kArray = 5, kVoid = 6;
  switch (shape & 7) {
    case kStruct: return debug.structure("btc_kernel_struct", 1, {});
    case kUnion: return debug.builder().createUnionType(debug.unit(), "btc_kernel_union", debug.file(), 0, 8, 0, llvm::DINode::FlagZero, {});
    case kPointer: return debug.pointer(type_of_shape(debug, shape >> 3));
    case kArray: return debug.array(type_of_shape(debug, shape >> 3), 8, 1);
    case kVoid: return nullptr;
    default: return debug.integer(8, false);
  }
}

// Resolved by the loader: from the kernel's BTF where the type is known, so that the kernel's verifier takes it for a per-CPU
// variable, else from kallsyms. 0 where the kernel has no such variable.
llvm::GlobalVariable* Globals::kernel_variable(const std::string& name, uint64_t shape) {
  if (llvm::GlobalVariable* known = llvm_.getNamedGlobal(name)) return known;
  llvm::Type* byte = llvm::Type::getInt8Ty(llvm_.getContext());
  auto* global = new llvm::GlobalVariable(llvm_, byte, true, llvm::GlobalValue::ExternalWeakLinkage, nullptr, name);
  global->setSection(".ksyms");
  llvm::DIBuilder& di = debug_.builder();
  // `const void` is libbpf's sign for a variable without a type.
  llvm::DIType* type = shape == 0 ? di.createQualifiedType(llvm::dwarf::DW_TAG_const_type, nullptr) : type_of_shape(debug_, shape);
  global->addDebugInfo(di.createGlobalVariableExpression(debug_.unit(), name, name, debug_.file(), 0, type, false,
                                                         /*isDefined=*/false));
  return global;
}

}  // namespace btc::backend
