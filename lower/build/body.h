// Typed tree -> BIR for one function: a probe's body, a subprogram, or the callback of a loop.
//
// Scalars (types with kTypeScalar) are i64 values, extended by the sign of their type; bools are 0 or 1. Everything else
// lives in memory: `place` says where an expression already lies, `store` makes it where it is wanted - a key on the stack, a
// field of an event's record - so that strings are read straight to their place and never copied on the way.
//
// Variables are slots. Those that a loop's callback uses lie together in one slot of the outermost function (the frame), whose
// address callbacks get as their context. Other memory needed for a moment comes from `temp`, which reuses slots that a
// finished statement has given back.
#pragma once

#include <functional>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "lower/build/module_builder.h"
#include "lower/ir/builder.h"

namespace btc::lower {

using ir::kI1;
using ir::kI16;
using ir::kI32;
using ir::kI64;
using ir::kI8;
using ir::kNoValue;
using ir::Op;
using ir::PtrSpace;
using ir::ValueId;

// Writable memory: a slot, a record in the ring buffer, a map value.
struct Memory {
  ValueId pointer = kNoValue;
  int64_t offset = 0;
  Memory at(int64_t more) const { return {pointer, offset + more}; }
};

// Where a value lies, without having been read yet.
struct Place {
  enum Kind : uint8_t {
    Direct,     // memory of ours: load from base + offset
    Remote,     // kernel or user memory: guarded read from base + offset
    Core,       // member of a kernel type: guarded read, relocated chain from base
    Record,     // field of the tracepoint's record: chain without base
    Context,    // constant offset of the context
    Argument,   // the arguments of a trampoline or raw tracepoint as a whole; `.field` is one of them
  } kind = Direct;
  ValueId base = kNoValue;       // Direct: pointer; Remote, Core: pointer or address (i64)
  int64_t offset = 0;            // Direct, Remote, Context: bytes
  AddrSpace space = AddrSpace::None;  // Remote, Core
  uint32_t record = 0;           // Core, Record: where the chain starts
  std::vector<uint32_t> path;    // Core, Record: members of core types, array indexes
  TypeId type;
  uint32_t bit_offset = 0, bit_size = 0;  // of a bitfield, from `offset`; relocated ones know from their chain
  bool data_loc = false, rel_loc = false;
  std::string movable;           // Record: name of a text that kernels keep in the record or behind it, as they like
  // Core: what the chain starts at, if the kernel knows that pointer's type (known_pointers.cpp).
  enum Root : uint8_t {
    Address,    // `base`
    Task,       // the current task
    InContext,  // a pointer at `offset` of the context that may be null: what an iterator shows, a raw tracepoint's argument
  } root = Address;
  struct Link { uint32_t record; std::vector<uint32_t> path; TypeId type; };
  std::vector<Link> links;       // pointers to follow from there, not read yet
  bool is_indirect() const { return root != Address || !links.empty(); }
};

// `side` L or M: a parameter must be at least or at most `value`, else `message` (about `name`).
std::string limit_line(char side, int64_t value, DiagKind message, std::string_view name = {});

enum class LoopKind : uint8_t { Inline, Callback };

class Body {
 public:
  Body(ModuleBuilder& module, uint32_t function, const TypedProbe* probe);

  // ---- Whole functions (body.cpp) ----
  void lower_probe();
  void lower_subprog(const ast::Subprog& subprog);

  // ---- Statements (stmt.cpp, loops.cpp) ----
  void statements(const ast::Block& block);
  void statement(const ast::Stmt* stmt);
  void discard(const ast::Expr* expr);          // evaluates for its effects
  void return_from_program();                    // `return;`, exit(): also out of a loop's callback
  void return_value(ValueId value);
  void return_memory(const ast::Expr* expr);     // of a function whose result is no scalar
  void store_whole(const ast::Expr* expr, TypeId type, Memory to);
  bool in_memory(TypeId type) const;             // neither a scalar nor nothing

  // ---- Expressions (expr.cpp, conditions in logic.cpp, casts in cast.cpp) ----
  ValueId scalar(const ast::Expr* expr);         // i64
  ValueId condition(const ast::Expr* expr);      // i1
  void store(const ast::Expr* expr, Memory to);  // any type with a value
  Place place(const ast::Expr* expr);            // types that are not scalars; makes a temporary if need be
  ValueId readable(const ast::Expr* expr);       // address that helpers and mem.* can read: place, copied near if far away
  void branch(const ast::Expr* expr, ir::BlockId then_block, ir::BlockId else_block);
  ValueId builtin(const ast::Identifier& identifier);
  ValueId pid_or_tid(bool tid, bool initial_namespace);
  ValueId argument(uint32_t n);                  // argN
  ValueId function_ip();                         // func
  ValueId probe_index();                         // which attach target fired
  const char* probe_type_name() const;           // probetype
  ValueId register_at(uint32_t offset, const char* name);
  ValueId convert(ValueId value, TypeId from, TypeId to);  // scalars
  void convert_memory(const Place& from, TypeId to_type, Memory to);

  // ---- Places (place.cpp, reads in read.cpp) ----
  Place field(Place base, uint32_t record, const std::vector<uint32_t>& path);
  Place element(Place base, TypeId elem, const ast::Expr* index);
  Place pointee(const ast::Expr* pointer);
  ValueId load(const Place& place);              // a scalar
  void copy(const Place& place, Memory to);      // all bytes of the type
  ValueId address(const Place& place);           // pointer
  ValueId record_address(const Place& place);    // Record: of the field itself
  // Record, movable: `use` is called for each form that the field may have; `moved` where it is not the one compiled for.
  void by_form(const Place& place, const std::function<void(ValueId address, bool moved)>& use);
  void read(Memory to, ValueId from, AddrSpace space, uint32_t bytes, const char* what = "ret");
  void read_bytes(Memory to, ValueId from, AddrSpace space, ValueId size, uint32_t limit);  // a size known at run time
  ValueId read_string(Memory to, ValueId from, AddrSpace space, ValueId size, uint32_t limit);
  // Calls `kernel` or `user` by the space; where the script did not say, by the address at run time.
  template <typename F> void by_space(ValueId address, AddrSpace space, F&& read);

  // ---- Memory ----
  Memory temp(uint32_t size, uint32_t align, std::string_view name);
  Memory temp(TypeId type, std::string_view name);
  Memory variable(const ast::Variable* variable);
  ValueId pointer_to(Memory memory) { return b.ptr_add(memory.pointer, memory.offset); }
  void store_scalar(ValueId value, TypeId type, Memory to);
  ValueId load_scalar(TypeId type, Memory from, std::string_view name);
  void zero(Memory to, uint32_t bytes);
  void store_literal(std::string_view text, uint32_t size, Memory to);
  void zero_gaps(TypeId type, Memory to);        // padding of a tuple or record: keys must not differ by it

  // ---- Maps (maps.cpp) ----
  ValueId key_address(const ast::MapSymbol* map, const ast::Expr* key);
  void assign_map(const ast::MapSymbol* map, const ast::Expr* key, const ast::Expr* value);
  void update_map(const ast::MapSymbol* map, ValueId key, ValueId value, int64_t flags = 0);
  ValueId map_scalar(const ast::MapSymbol* map, const ast::Expr* key);
  void map_value(const ast::MapSymbol* map, const ast::Expr* key, Memory to);
  ValueId aggregate_value(const ast::MapSymbol* map, const ast::Expr* key);
  // `change` makes the new value from the old one; returns (old, new).
  std::pair<ValueId, ValueId> modify_map(const ast::MapSymbol* map, const ast::Expr* key, const std::function<ValueId(ValueId)>& change);

  // ---- Events (events.cpp) ----
  struct EventField { TypeId type; const ast::Expr* expr = nullptr; ValueId value = kNoValue; };
  std::vector<SourceRange> expanded_from() const { return {expansions_.rbegin(), expansions_.rend()}; }
  void send(ir::Event event, const std::vector<EventField>& fields);
  void send_formatted(abi::EventKind kind, const ast::Call& call, size_t first);
  bool prints_by_kernel();                       // iterators (calls/iter_output.cpp)
  void print_by_kernel(const ast::Call& call);
  TypeId payload_type(const ast::Expr* expr);    // aggregations are sent as the number they stand for
  void report(abi::RuntimeErrorKind kind, std::string_view helper, ValueId code);
  // Reports only with -k.
  void report_verbose(abi::RuntimeErrorKind kind, std::string_view helper, ValueId code);
  void check_helper(ValueId ret, std::string_view helper);   // ret < 0: report_verbose

  void need(std::string_view what);              // ProgramInfo::needs
  ValueId iterated_object(const ast::Expr* expr);            // `ctx.file` below `expr`, typed and maybe null; kNoValue: none
  ValueId iterated = kNoValue;                   // what `ctx.file` is while a value is made of it, known not to be null
  bool keep_tail = false;                        // bytes behind a string's NUL need not be zero: it is sent, not stored
  ValueId fact(abi::FactKind kind, std::string_view name, uint32_t size, std::string_view arg = "", SourceRange loc = {}) {
    return b.fact(module.fact(kind, name, size, arg, loc));
  }
  // A fact about the kernel symbol, path ... that `text` says, a literal or a parameter.
  ValueId named_fact(abi::FactKind kind, std::string_view prefix, uint32_t size, const ast::Expr* text, SourceRange loc);
  // A parameter's number where the language has a literal. `limits`: lines of limit_line(); what is beyond ends the run before it begins.
  ValueId param_within(const ast::Expr* expr, std::string_view limits, SourceRange loc);

  // Loops (loops.cpp)
  void for_map(const ast::ForMap& loop);
  void for_range(const ast::ForRange& loop);
  void while_loop(const ast::While& loop);
  void unroll(const ast::Unroll& loop);
  void repeat(const ast::Unroll& loop);
  void jump(const ast::Jump& jump);

  // Both branches of a condition of the script.
  template <typename Then, typename Else> void if_else(const ast::Expr* cond, Then&& then_part, Else&& else_part) {
    b.if_else_by("then", [&](ir::BlockId then_block, ir::BlockId else_block) { branch(cond, then_block, else_block); }, then_part, else_part);
  }

  ModuleBuilder& module;
  TypeTable& types;
  ir::Builder b;
  const TypedProbe* probe;                       // null in subprograms

 private:
  friend class StatementScope;
  friend class ExpansionScope;
  struct FreeSlot { uint32_t slot, size, align; bool taken; };
  struct LoopContext {
    LoopKind kind;
    ir::BlockId on_break = 0, on_continue = 0;   // Inline
  };

  std::optional<bool> prints_by_kernel_;
  void collect_captures(const ast::Node* node);
  void collect_steering(const ast::Node* node);
  void set_variable(const ast::Variable* variable, ValueId value);   // of a scalar type
  void hand_over(const std::vector<ast::Variable*>& captures);
  bool lives_in_frame(const ast::Variable* variable) const;
  void make_frame();
  void filter_by_pid();
  void guard_against_recursion();
  void stop_after_exit();
  ValueId guard_ = kNoValue;
  void store_memory(const ast::Expr* expr, Memory to);
  ValueId scalar_of(const ast::Expr* expr);
  ValueId binary(const ast::Binary& binary);
  ValueId arithmetic(ast::BinaryOp op, ValueId left, ValueId right, SourceRange place);
  ValueId divide(Op op, ValueId left, ValueId right);
  ValueId compare(const ast::Binary& binary);
  ValueId compare_memory(const ast::Binary& binary);
  ValueId equal_memory(const ast::Expr* left, const ast::Expr* right);
  ValueId equal_places(const Place& left, const Place& right);
  ValueId unary(const ast::Unary& unary);
  ValueId step(const ast::Unary& unary);
  ValueId cast(const ast::Cast& cast);
  ValueId logical(const ast::Expr* expr);
  ValueId call(const ast::Call& call, Memory to);
  ValueId call_subprog(const ast::Call& node, Memory to);
  ValueId call_foreign(const ast::Call& node);
  ValueId args_field(const ast::FieldAccess& access);
  const std::vector<ParameterPlace>& parameter_places(uint32_t record) const;
  ValueId parameter_word(const ParameterPlace& where, uint32_t word, const std::string& name);
  void store_parameter(uint32_t record, uint32_t index, Memory to);

  // Pointers of known type (known_pointers.cpp).
  void find_aliases(const ast::Node* body);
  const ast::Expr* origin(const ast::Expr* pointer) const;
  bool is_known(const Place& place) const;
  bool start_chain(const ast::Expr* pointer, Place* out);
  bool is_iterated(const ast::Expr* expr) const;
  int64_t iterated_offset(const ast::FieldAccess& access) const;
  const Field* argument_field(const ast::Expr* pointer) const;
  ValueId trusted_argument(const ast::Expr* pointer);
  void follow(const Place& place, const std::function<void(ValueId)>& use, const std::function<void()>& missing);
  static Place followed(const Place& place, ValueId base);
  ValueId load_followed(const Place& place);
  ValueId load_number(const Place& place);
  Place followed(const Place& place);
  ValueId guarded_root(const Place& place);
  ValueId plain_number(ValueId pointer);

  // Copies of kernel structures (struct_copy.cpp).
  const Record* relocated_record(TypeId type) const;
  uint32_t count_reads(TypeId type, bool whole, uint32_t limit) const;
  void copy_record(const Place& from, Memory to);
  void copy_member(const Place& from, Memory to, bool whole, Memory result);
  void copy_trace_record(const Place& from, Memory to);
  void copy_bitfield(const Place& from, const Field& field, Memory record, bool whole);
  void if_exists(const Place& member, const std::function<void()>& then);
  void assign(const ast::Assign& assign);
  void assign_variable(const ast::Variable* variable, const ast::Assign& assign);
  ValueId stride(TypeId elem);                   // bytes from one element to the next
  ValueId scaled(ValueId steps, TypeId pointer); // steps of a pointer in bytes; of other types the steps
  bool is_syscall_record(uint32_t record) const;
  int64_t program_return() const;
  uint32_t loop_function(std::string_view name, SourceRange place);
  std::string shape(TypeId id) const;
  void note_argument(uint32_t index, const std::string& name, TypeId type);
  void begin_callback(Body& inner, ValueId frame, const std::vector<ast::Variable*>& captures);
  void after_callback();
  void for_range_inline(const ast::ForRange& loop);

  std::unordered_map<const ast::Variable*, Memory> slots_;      // pointer unused: offset is the slot
  std::unordered_map<const ast::Variable*, uint32_t> frame_offsets_;
  std::unordered_set<const ast::Variable*> shared_;     // of those, what some callback changes, and what is no scalar
  std::unordered_set<const ast::Variable*> steering_;   // what conditions of `while` ask for
  std::unordered_set<const ast::Variable*> captured_;   // what this callback's loop found outside
  ValueId frame_ = kNoValue;                     // address of the frame in this function
  uint32_t frame_slot_ = UINT32_MAX;             // in the outermost function
  uint32_t frame_size_ = 0;
  ValueId result_ = kNoValue;                    // where the function's result goes, if it is no scalar
  uint32_t result_offset_ = 0;                   // its place in the frame while a callback returns it; 0: none
  std::unordered_map<const ast::ForRange*, uint32_t> frame_start_;  // where a range's first number is handed over
  bool frame_has_flag_ = false;
  std::vector<FreeSlot> temps_;
  std::vector<LoopContext> loops_;
  std::unordered_map<const ast::Variable*, const ast::Expr*> aliases_;   // variables that are another name of a known pointer
  std::vector<SourceRange> expansions_;          // calls of the macros that are being lowered, outermost first
  Body* outer_ = nullptr;                        // the function whose loop this callback is
  TypeId return_type_;                           // of a subprogram
};

// Messages about an instruction point at the innermost expression that made it.
class PlaceScope {
 public:
  PlaceScope(ir::Builder& b, SourceRange place) : b_(b), before_(b.place()) {
    if (place.valid()) b.set_place(place);
  }
  ~PlaceScope() { b_.set_place(before_); }
  PlaceScope(const PlaceScope&) = delete;
  PlaceScope& operator=(const PlaceScope&) = delete;

 private:
  ir::Builder& b_;
  SourceRange before_;
};

// Temporaries made inside are free again at its end.
class StatementScope {
 public:
  explicit StatementScope(Body& body) : body_(body) {
    for (const auto& temp : body_.temps_) taken_.push_back(temp.taken);
  }
  ~StatementScope() {
    for (size_t i = 0; i < body_.temps_.size(); ++i) body_.temps_[i].taken = i < taken_.size() && taken_[i];
  }
  StatementScope(const StatementScope&) = delete;
  StatementScope& operator=(const StatementScope&) = delete;

 private:
  Body& body_;
  std::vector<bool> taken_;
};

// Events sent from the body of a macro say where that was called.
class ExpansionScope {
 public:
  ExpansionScope(Body& body, const ast::Block& block) : body_(body), is_macro_(block.expanded_at.valid()) {
    if (is_macro_) body_.expansions_.push_back(block.expanded_at);
  }
  ~ExpansionScope() {
    if (is_macro_) body_.expansions_.pop_back();
  }
  ExpansionScope(const ExpansionScope&) = delete;
  ExpansionScope& operator=(const ExpansionScope&) = delete;

 private:
  Body& body_;
  bool is_macro_;
};

bool changes(const ast::Node* node, const ast::Variable* variable);
bool is_timer(const TypedProbe& probe);  // interval or profile
bool is_inline_loop(const ast::ForRange& loop);  // runs in the function itself, not in a callback
bool has_effects(const ast::Expr* expr);         // assigns, calls something that sends or changes, or jumps
// Making it may send a runtime error. `verbose`: also those that are only told with -k.
bool may_report(const ast::Expr* expr, bool verbose);

}  // namespace btc::lower
