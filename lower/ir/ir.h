// BIR: the language-level intermediate representation.
//
// A Module is complete: it holds everything the object, the manifest and the
// executable are made from, so `.bt -> exe` and `.bt -> .bir -> exe` give the
// same bytes. Values are SSA within a function; script variables and all values
// larger than a register are slots (memory). docs/bir.md describes the text.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/support/diag.h"
#include "frontend/support/source.h"
#include "frontend/types/types.h"
#include "runtime-stub/abi/abi.h"
#include "runtime-stub/abi/attach_point.h"

namespace btc::ir {

enum OpFlag : uint32_t { OpPure = 1, OpTerm = 2, OpHelper = 4 };
enum class Op : uint8_t {
#define BTC_OP(Enum, ...) Enum,
#include "lower/ir/ops.def"
#undef BTC_OP
  kCount
};
struct OpInfo { Op op; const char* mnemonic; char result; const char* operands; uint32_t flags; const char* doc; };
const OpInfo& op_info(Op op);
const OpInfo* find_op(std::string_view mnemonic);

// Type of an SSA value.
enum class ScalarKind : uint8_t { None, I1, I8, I16, I32, I64, Ptr };
enum class PtrSpace : uint8_t { Ctx, Mem, Map, Kernel, User, Btf, Ro };
struct ValueType {
  ScalarKind kind = ScalarKind::None;
  PtrSpace space = PtrSpace::Mem;
  bool nullable = false;
  friend bool operator==(ValueType, ValueType) = default;
};
uint32_t bytes_of(ValueType type);      // 1, 1, 2, 4, 8, 8
std::string print(ValueType type);      // "i64", "ptr.map?"
std::optional<ValueType> parse_value_type(std::string_view text);

using ValueId = uint32_t;               // index into Function::values; 0 = none
inline constexpr ValueId kNoValue = 0;
using BlockId = uint32_t;

struct Value { std::string name; ValueType type; };  // name without '%', unique in the function

struct Chain {                          // member access without dereference
  uint32_t type = 0;                    // index into Module::core_types (the root struct)
  std::vector<uint32_t> path;           // member index, array index, member index ...: each step by the kind of the current type
};

struct Operand {
  enum Kind : uint8_t { None, Value, Int, Slot, Map, Event, Fact, Block, ChainRef, CoreType, Name, Func, Text } kind = None;
  uint64_t number = 0;                  // value/slot/map/event/fact/block/core type/function index, or the integer
  std::string text;                     // Name, Text
  Chain chain;
};

struct Inst {
  Op op{};
  ValueId result = kNoValue;
  std::vector<Operand> operands;
  SourceRange loc;
};

struct Block { std::string name; std::vector<Inst> insts; };

struct Slot {
  std::string name;                     // without '$'
  uint32_t size = 8, align = 8;         // bytes
  // Chosen by the pass place-slots.
  enum Place : uint8_t { Unplaced, Stack, Scratch, Register } place = Unplaced;
  uint32_t scratch_offset = 0;
};

struct Function {
  std::string name;                     // symbol; for programs the BPF program name
  enum Kind : uint8_t { Program, Subprog, Callback } kind = Program;
  std::vector<ValueId> params;          // Program: one, the context
  ValueType return_type{ScalarKind::I64};
  std::vector<Value> values;            // [0] unused
  std::vector<Slot> slots;
  std::vector<Block> blocks;            // [0] is the entry
  SourceRange loc;
  int program = -1;                     // index into Module::programs
  ValueType type(ValueId id) const { return values[id].type; }
};

// A trimmed C type for CO-RE: only the members that are accessed.
struct CoreType {
  enum Kind : uint8_t { Struct, Union, Int, Pointer, Array, Enum, Fwd, Void } kind = Struct;
  std::string name;                     // "" for anonymous
  uint32_t size = 0;                    // bytes
  bool is_signed = false;               // Int, Enum
  bool is_typedef = false;              // Struct, Union without a tag: `name` is its typedef's, and it relocates by that
  uint32_t elem = 0;                    // Pointer, Array
  uint32_t count = 0;                   // Array
  struct Member { std::string name; uint32_t type; uint32_t bit_offset; uint16_t bit_size; };
  std::vector<Member> members;          // Struct, Union; in order of offset
  std::vector<std::pair<std::string, int64_t>> variants;  // Enum
  std::string record;                   // tracepoint record "sched:sched_switch" (accesses are patched), or ""
};

enum class MapKind : uint8_t { Hash, LruHash, PercpuHash, PercpuLruHash, Array, PercpuArray };
struct Map {
  std::string name;                     // "@start"
  std::string bpf_name;                 // "AT_start"
  MapKind kind = MapKind::Hash;
  TypeId key;                           // invalid: scalar
  TypeId value;
  uint32_t bpf_key_size = 8, bpf_value_size = 8;
  uint32_t max_entries = 1;
  bool entries_from_config = false;
  SourceRange loc;
};
struct Event {
  abi::EventKind kind{};
  TypeId payload;                       // tuple
  std::string format;
  int map = -1;
  uint32_t top = 0, div = 0;
  abi::RuntimeErrorKind error{};
  std::string helper;
  SourceRange loc;
  std::vector<SourceRange> expanded_from;
};
struct Param {
  std::string name; uint8_t kind = 0; bool is_getopt = false; bool has_default = false;
  int64_t int_default = 0; std::string string_default, doc; uint32_t string_size = 0; SourceRange loc;
};
struct Fact { std::string name; abi::FactKind kind{}; uint32_t size = 8; int param = -1; std::string arg; SourceRange loc; };

struct ProgramInfo {
  abi::ProbeKind probe{};
  std::string attach;                   // "kprobe:vfs_read"; aliases resolved
  std::string custom_name;
  std::string section;                  // "kprobe/vfs_read", or only the type for patterns
  bool has_params = false, wildcard = false, uses_probe_name = false, sleepable = false;
  std::string record;
  std::vector<std::string> needs;
  std::vector<std::string> func_args;   // "index:name:shape", see runtime-stub/src/signature.h
  std::string build_id;                 // uprobe: of the program whose types it uses, or whose line it attaches to; "" if from none
  uint64_t source_address = 0;          // of that line; 0 = none
  uint32_t probe_index = 0;
  SourceRange loc;
};

struct SourceText {
  std::string name, text;
  uint32_t base = 1;                    // global offset of text[0]
  mutable std::vector<uint32_t> lines = {};  // where each line begins; filled by the first locate()
};

// A range as people read it: 1-based lines and byte columns, end exclusive. `file` indexes Module::sources.
struct Place { uint32_t file = 0, line = 0, col = 0, end_line = 0, end_col = 0; };

// An imported C file or BPF object, to be linked (frontend/sema/foreign.cpp).
struct ForeignProgram { std::string name, section; SourceRange loc; };   // loc: of the import
struct Foreign { bool is_object = false; std::string name, code; std::vector<ForeignProgram> programs; };

struct Module {
  std::string arch = "x86_64";
  std::string script_name;
  bool unsafe_ok = false;
  uint8_t warning_level = 1;
  std::vector<std::string> no_features; // --no-feature: not used on the target, even where the kernel has them
  std::string license = "GPL";
  std::string stage = "raw";            // raw | canonical (after all passes)
  std::vector<SourceText> sources;      // ranges in the module are global offsets into these
  // Added to every range in memory, not in the text: a module read by parse() lies behind other files in its SourceManager.
  uint32_t place_base = 0;
  bool places_in_bir = false;           // the text had no `source` lines: ranges point into the .bir file itself
  std::vector<std::pair<std::string, std::string>> config;  // run-side keys that were set
  std::vector<std::string> inputs;      // "sha256  path"
  std::vector<std::string> strings;     // constants that values name by index: strftime formats, cgroup filters
  std::vector<Foreign> foreign;         // in order of import
  std::shared_ptr<TypeTable> types;
  std::vector<CoreType> core_types;
  std::vector<Map> maps;
  std::vector<Event> events;
  std::vector<Param> params;
  std::vector<Fact> facts;
  std::vector<ProgramInfo> programs;
  std::vector<Function> functions;
  uint32_t scratch_size = 0;            // bytes per level, by place-slots
  uint32_t zero_size = 0;               // bytes of btc_zero's value, by expand-aggregations

  uint32_t fact_offset(uint32_t fact) const;  // in btc_facts: in order, naturally aligned
  uint32_t facts_size() const;
  // Where a range lies in `sources`; nullopt for no place (and for ranges into a .bir file).
  std::optional<Place> locate(SourceRange range) const;
};

// Text form. `locs` false drops the `!begin-end` places and the sources (for tests).
std::string print(const Module& module, bool locs = true);
std::string print(const Module& module, const Function& function, bool locs = false);
// Reads `print`'s text; null and diagnostics on error. Places in the file refer to its own `source` lines,
// diagnostics to the .bir text itself (registered in `sources`).
std::unique_ptr<Module> parse(std::string_view name, std::string_view text, SourceManager& sources, DiagEngine& diags);

// Invariants are listed at the top of verify.cpp. Reports BirInvalid; false if any.
bool verify(const Module& module, DiagEngine& diags);

}  // namespace btc::ir
