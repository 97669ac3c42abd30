// The type system, shared by the front end, BIR and the manifest.
//
// Types are interned in a TypeTable: two equal types have the same TypeId, so
// comparing ids compares types. A type has one text form (`print`), which
// `parse_type_text` reads back; BIR files and dumps use it.
//
//   void bool int8..int64 uint8..uint64 string[16] buffer[64] int32[4] int8*kernel
//   struct task_struct*kernel   enum pid_type   (int32,string[16])   {a=int64,b=bool}
//   count_t sum_t usum_t min_t umin_t max_t umax_t avg_t uavg_t stats_t ustats_t
//   hist_t(0) lhist_t(0,2000,200) tseries_t(1000000000,10,avg) utseries_t(...) kstack_t(127,bpftrace) ustack_t(...)
//   ksym_t usym_t inet[16] username_t timestamp_t macaddr_t cgroup_path_t probe_t
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace btc {

enum class TypeKind : uint8_t {
#define BTC_TYPE(Kind, Name, Props) Kind,
#include "frontend/defs/types.def"
#undef BTC_TYPE
};

// Properties in types.def, tested instead of comparing kinds one by one.
enum TypeProp : uint32_t {
  kTypeScalar = 1u << 0,       // fits a 64-bit register: bool, int, pointer, enum, ksym, username, probe ...
  kTypeAggregation = 1u << 1,  // only as a map's value: count_t ... tseries_t
  kTypeCastable = 1u << 2,     // an aggregation that reads back as an integer: count sum min max avg
  kTypeBytes = 1u << 3,        // align 1 inside tuples: string, buffer, inet, macaddr, timestamp ...
  kTypePrintOnly = 1u << 4,    // may only be printed or be a key/value: timestamp, cgroup_path
  kTypeMultiRow = 1u << 5,     // prints as a block of rows: hist lhist tseries
};

enum class AddrSpace : uint8_t { None, Kernel, User, Btf /* trusted, direct loads */, Ctx };
enum class StackMode : uint8_t { Bpftrace, Perf, Raw, BuildId };

struct TypeId {
  uint32_t index = 0;          // 0 = "not typed yet"
  explicit operator bool() const { return index != 0; }
  friend bool operator==(TypeId, TypeId) = default;
};

// Where a C record's definition comes from.
enum class RecordOrigin : uint8_t {
  Script,   // the script's own preamble or headers: layout fixed by the headers
  Kernel,   // the profile's BTF: every access relocates (CO-RE)
  Tracepoint,  // `args` of a tracepoint: layout settled from the target's format file
  FuncArgs, // `args` of fentry/fexit/rawtracepoint: members are arguments by index
  UprobeArgs,  // `args` of a uprobe, from the program's DWARF: members are parameters by index
  Program,  // a traced program's DWARF: layout fixed by the program
};

struct Field {
  std::string name;            // "" for an anonymous struct/union member
  TypeId type;
  uint32_t bit_offset = 0;     // from the start of the record
  uint16_t bit_size = 0;       // of a bitfield; 0 otherwise
  bool data_loc = false;       // tracepoint __data_loc / __rel_loc: u32 with (len << 16 | offset)
  bool rel_loc = false;
  bool is_float = false;       // floating point, which the language does not have: bytes to read, `null` where the record is shown
};

struct Record {
  std::string name;            // without struct/union; a tracepoint's is "category:event"
  bool is_union = false;
  RecordOrigin origin = RecordOrigin::Script;
  uint32_t size = 0;           // bytes (as in the profile, for Kernel records)
  uint32_t align = 1;
  bool complete = false;       // fields known; false = only a name so far
  bool anonymous = false;      // C gives it no name; `name` is made up ("task_struct.7")
  std::string typedef_name;    // of an anonymous record that a typedef names: its root name for CO-RE
  std::vector<Field> fields;
  // Tracepoint: name of the BTF struct that has this layout ("trace_event_raw_sched_switch"), "" if none is known.
  std::string record_class;
};

struct EnumDef {
  std::string name;
  uint32_t size = 4;
  bool is_signed = false;
  RecordOrigin origin = RecordOrigin::Script;
  std::vector<std::pair<std::string, int64_t>> variants;
};

// One interned type. Which members matter depends on `kind`.
struct Type {
  TypeKind kind{};
  bool is_signed = false;      // Int; Sum, Min, Max, Avg, Stats, TSeries; elsewhere intern() clears it
  uint32_t size = 0;           // Int: bytes; String, Buffer, Inet: capacity in bytes
  AddrSpace space = AddrSpace::None;  // Pointer
  TypeId elem;                 // Pointer, Array
  uint32_t count = 0;          // Array
  uint32_t record = 0;         // Struct: index into records(); Enum: index into enums()
  std::vector<std::pair<std::string, TypeId>> members;  // Tuple (names empty), AnonRecord
  int64_t p0 = 0, p1 = 0, p2 = 0;  // Hist: bits; LHist: min,max,step; TSeries: interval ns,count,agg (0 none avg max min sum); stacks: limit
  StackMode mode = StackMode::Bpftrace;  // KStack, UStack
  friend bool operator==(const Type&, const Type&) = default;
};

struct Layout {
  uint32_t size = 0;           // bytes
  uint32_t align = 1;
  std::vector<uint32_t> offsets;  // of tuple/record members
};

class TypeTable {
 public:
  TypeTable();
  TypeTable(const TypeTable&) = delete;
  TypeTable& operator=(const TypeTable&) = delete;

  TypeId intern(const Type& type);
  const Type& get(TypeId id) const { return types_[id.index]; }
  const Type& operator[](TypeId id) const { return types_[id.index]; }

  // Common types.
  TypeId void_type() const { return void_; }
  TypeId bool_type() const { return bool_; }
  TypeId int_type(uint32_t bytes, bool is_signed);
  TypeId i64() { return int_type(8, true); }
  TypeId u64() { return int_type(8, false); }
  TypeId simple(TypeKind kind);                 // kinds without parameters
  TypeId pointer(TypeId elem, AddrSpace space);
  TypeId string(uint32_t bytes);                // including the NUL
  TypeId buffer(uint32_t bytes);
  TypeId array(TypeId elem, uint32_t count);
  TypeId tuple(std::vector<TypeId> members);
  TypeId anon_record(std::vector<std::pair<std::string, TypeId>> members);
  TypeId struct_type(uint32_t record);
  TypeId enum_type(uint32_t index);

  uint32_t add_record(Record record);           // indexes stay valid; content may be completed later
  Record& record(uint32_t index) { return records_[index]; }
  const Record& record(uint32_t index) const { return records_[index]; }
  uint32_t record_count() const { return static_cast<uint32_t>(records_.size()); }
  std::optional<uint32_t> find_record(std::string_view name, bool is_union, RecordOrigin origin) const;
  uint32_t add_enum(EnumDef def);
  EnumDef& enum_def(uint32_t index) { return enums_[index]; }
  const EnumDef& enum_def(uint32_t index) const { return enums_[index]; }
  uint32_t enum_count() const { return static_cast<uint32_t>(enums_.size()); }

  // In-memory layout of a value of this type in maps, events and slots.
  // String[N]: N; Buffer[N]: 4 + N; KStack(n): 8 + n*8 (build-id mode: n*32); UStack: i32 pid, i32 probe, u64 n, n*8;
  // USym: u64 addr, i32 pid, i32 probe; Inet[N]: u64 af + N; Timestamp: u32 fmt, u32 mode, u64 ns; CgroupPath: u64 arg, u64 id;
  // tuples and records: C layout with kTypeBytes members aligned to 1.
  // Aggregations: value of one CPU in the map, see lower/passes/expand_aggregations.cpp.
  Layout layout(TypeId id) const;
  uint32_t size_of(TypeId id) const { return layout(id).size; }

  std::string print(TypeId id) const;           // btc's complete text form
  std::string print_user(TypeId id) const;      // as messages and typeinfo show it: "int64", "struct task_struct *"
  // Reads `print`'s form; nullopt if it is not one. Struct/enum names must have been added before.
  std::optional<TypeId> parse_text(std::string_view text);

 private:
  // Deques: references that get(), record() and enum_def() hand out stay valid.
  std::deque<Type> types_;
  std::unordered_multimap<size_t, uint32_t> index_;
  std::deque<Record> records_;
  std::unordered_multimap<std::string, uint32_t> record_names_;
  std::deque<EnumDef> enums_;
  TypeId void_, bool_;
};

const char* type_kind_name(TypeKind kind);
uint32_t type_props(TypeKind kind);
inline bool has_prop(const Type& type, TypeProp prop) { return (type_props(type.kind) & prop) != 0; }

}  // namespace btc
