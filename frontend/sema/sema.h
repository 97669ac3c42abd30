// The working state of `analyse()`. One class, its methods grouped by file:
//
//   sema.cpp      the order of the steps, reporting, suggestions
//   collect.cpp   config, imports, C definitions, map declarations, subprograms
//   macros.cpp    hygienic expansion of macros          prelude.cpp  the built-in ones
//   names.cpp     variables, maps, builtins, functions, constants, parameters
//   solve.cpp     the fixpoint over bodies (docs/types.md)
//   infer*.cpp    the type rule of every node; in the last walk also checks and casts
//   coerce.cpp    casts where a value is stored          fold.cpp  literals
//   check_calls.cpp, calls/*.cpp  functions              records.cpp  members, tracepoint records
//   foreign.cpp   imported C and BPF objects
//   programs.cpp  debug information of traced programs
//   probes.cpp    attach points, what is allowed where   type_specs.cpp  types as written
//
// A body is walked several times while types grow (`final_` false: nothing is
// reported, nothing depending on types is changed) and once more at the end.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "frontend/cimport/clang_part.h"
#include "frontend/sema/lattice.h"
#include "frontend/sema/program.h"

namespace btc::sema {

using namespace ast;

// A value known while compiling.
struct Const {
  enum Kind : uint8_t { Int, Bool, Str } kind = Int;
  uint64_t bits = 0;
  bool negative = false;
  std::string text;
  bool truthy() const { return kind == Str ? !text.empty() : bits != 0; }
};

// One attach point's copy of a probe's body, or a subprogram.
struct Body {
  const ast::Probe* probe = nullptr;
  const AttachPoint* attach = nullptr;
  uint32_t probe_index = 0;
  Subprog* subprog = nullptr;
  Block* block = nullptr;
  std::optional<TypeId> args_type, retval_type;   // once asked for
  bool uses_probe_name = false;
  bool dropped = false;          // its types are unknown and missing probes are no error
  std::string build_id;          // of the program whose types it uses
  std::optional<uint64_t> source_address;   // of the source line it attaches to
  bool queued = false;
  uint32_t walks = 0;
  SourceRange place() const { return attach ? attach->range : subprog->name_range; }
};

// What is known of a map besides its symbol.
struct MapState {
  std::optional<bool> scalar;
  std::optional<bool> scalar_in_branch;  // how `if comptime` uses it, which counts where nothing else does
  bool self_made = false;        // ++ or op= seen: int8 if nothing else says
  bool used = false;
  bool read = false;             // as a value: zero if nobody stores into it
  bool never_stored = false;
  std::vector<Body*> users;
  std::optional<TypeId> aggregated;  // join of the arguments of sum(), min() ...
  const MapDecl* decl = nullptr;
};

// Macro expansion: what the names inside one macro body mean.
struct MacroFrame {
  const Macro* macro = nullptr;
  std::map<std::string, std::string> variables, maps;    // parameter -> caller's name
  std::map<std::string, Expr*> expressions;              // parameter -> argument
  std::set<std::string> locals;
  uint32_t number = 0;
};

struct Signature {
  struct Param { std::string type, name; bool literal = false, or_parameter = false; std::optional<std::string> default_value; };
  std::vector<Param> params;
  std::string result;
  size_t required() const;
};

// What a script does with `$1`: calculates with it, wants its text, or only shows what was given.
enum class ParamUse : uint8_t { Number, Text, Shown };

// The bytes of a file (imports.cpp).
bool read_whole(const std::filesystem::path& path, std::string* text);

class Sema {
 public:
  Sema(Arena& arena, Script& script, Profile* profile, const CompileOptions& options, SourceManager& sources,
       DiagEngine& diags, Program& program);
  void run();

 private:
  // sema.cpp
  template <typename... Args>
  DiagBuilder report(DiagKind kind, SourceRange range, const Args&... args) {
    return report_text(kind, range, fmt::format(fmt::runtime(diag_info(kind).format), args...), [&](DiagEngine& engine) {
      return engine.report(kind, range, args...);
    });
  }
  template <typename Emit>
  DiagBuilder report_text(DiagKind kind, SourceRange range, const std::string& message, Emit emit) {
    if (branch_reports_ != nullptr) return emit(*branch_reports_);
    bool fresh = final_ && seen_.emplace(static_cast<uint16_t>(kind), range.begin, range.end, message).second;
    return emit(fresh ? diags_ : scratch());
  }
  DiagEngine& scratch();
  // What was found wrong with the names in a branch of `if comptime`; it counts if the branch is taken.
  std::map<const Block*, std::unique_ptr<DiagEngine>> branch_problems_;
  DiagEngine* branch_reports_ = nullptr;
  static const std::string* closest(std::string_view name, const std::vector<std::string>& candidates);
  static bool has_close(std::string_view name, const std::vector<std::string>& candidates) { return closest(name, candidates) != nullptr; }
  bool defined_in_c(const std::string& name) const;
  void suggest(DiagBuilder builder, std::string_view name, const std::vector<std::string>& candidates);
  std::string show(TypeId type);                    // as messages show it
  std::string base_name(TypeId type);               // "int" "string" "pointer" ...
  uint64_t max_strlen() { return max_strlen_; }
  template <typename T> T* make(SourceRange range, TypeId type = {}) {
    T* node = arena_.make<T>(range);
    node->type = type;
    return node;
  }
  Integer* make_int(SourceRange range, uint64_t value, bool negative = false);
  String* make_string(SourceRange range, std::string text);

  // collect.cpp
  void collect_config();
  void set_config(const std::string& key, const std::string& value, SourceRange key_range, SourceRange value_range);
  void collect_imports();
  void import_script(const std::string& path, SourceRange range, const std::string& text);
  void import_path(const std::string& written, SourceRange range, const std::string& directory);
  void import_file(const std::filesystem::path& path, SourceRange range);
  void add_input(const std::filesystem::path& path, const std::string& content);
  void insert_input(InputFile input);
  std::string script_directory() const;
  void collect_c_definitions();
  void import_stdlib(const std::string& name, SourceRange range, const std::string& checked);
  void import_statement(const ImportStmt& stmt, const std::string& directory);
  void find_import_statements(Script& script, const std::string& directory);

  // foreign.cpp
  struct PendingImport { bool is_object; std::string name, path, text; SourceRange range; };
  void collect_foreign();
  void compile_import(const PendingImport& import, ForeignUnit* unit, std::string* object);
  void read_unit(const PendingImport& import, const std::string& object, ForeignUnit* unit);
  void add_foreign(ForeignFunction function);
  std::optional<uint32_t> foreign_source(const std::string& path);
  SourceRange foreign_place(const std::string& path, unsigned line, unsigned col);
  void report_clang(const std::vector<ClangMessage>& messages, SourceRange import);
  bool is_char_pointer(TypeId type);
  bool fits_pointer(TypeId given, TypeId wanted);
  bool coerce_argument(Expr*& slot, TypeId wanted);
  TypeId call_foreign(Call* call);

  void collect_maps();
  void collect_subprogs();
  bool unstable(ConfigKey key, const char* feature, SourceRange range);

  // probes.cpp
  void settle_attach_params(AttachPoint& attach);
  void make_bodies();
  void check_attach_point(const ast::Probe& probe, const AttachPoint& attach);
  TypeId args_type(Body& body, SourceRange range);
  TypeId retval_type(Body& body, SourceRange range);
  TypeId ctx_type(Body& body, SourceRange range);
  AddrSpace probe_space(const Body& body) const;
  bool in_set(const Body& body, uint32_t set) const;
  const char* provider(const Body& body) const;

  // macros.cpp
  void register_macros();
  void expand_body(Block* block);
  void expand(Expr*& slot, MacroFrame* frame);
  void expand_children(Node* node, MacroFrame* frame);
  void expand_spec(TypeSpec* spec, MacroFrame* frame);
  void expand_offsetof(Offsetof* node, MacroFrame* frame);
  void rename_map(MapRef* ref, MacroFrame* frame);
  void check_macro_jumps(Node* node);
  std::unordered_set<std::string> all_words();
  Expr* expand_call(const std::string& name, const std::vector<Expr*>& args, SourceRange site, MacroFrame* frame, bool* is_macro);
  const Macro* find_macro(const std::string& name, const std::vector<Expr*>& args, bool stdlib_only, bool* any, const Macro** closest);

  // names.cpp
  struct Scope { std::map<std::string, Variable*> names; };
  struct LoopFrame { size_t depth; std::vector<Variable*>* captures; };
  void resolve_body(Body& body);
  void resolve(Expr*& slot);
  void resolve_stmt(Stmt* stmt);
  void declare_old_variables(Body& body);
  void resolve_branch(Block* block);
  void resolve_block(Block* block);
  void resolve_spec(TypeSpec* spec);
  void resolve_call(Expr*& slot);
  void resolve_identifier(Expr*& slot);
  void resolve_positional(Expr*& slot, ParamUse use);
  bool param_as_text(Expr*& slot, ParamUse use = ParamUse::Text);
  void show_params_as_given(Expr*& slot);
  void drop_unused_params();
  void resolve_getopt(Expr*& slot);
  void resolve_map(MapRef* ref, std::optional<bool> scalar);
  void resolve_map(MapRef* ref, std::optional<bool> scalar, SourceRange place);  // `place`: of a message that it is used otherwise
  Variable* find_variable(const std::string& name, size_t* depth = nullptr);
  DiagKind origin_of(const Variable* var) const;
  Variable* declare(const std::string& name, SourceRange range);
  void use_variable(VariableRef* ref);
  void demote_value(Block* block);
  Expr* config_record(SourceRange range);
  bool names_type(const Identifier* word);
  Param* find_param(const std::string& name, bool is_getopt, SourceRange range);
  std::vector<std::string> value_names();
  void warn_unassigned();

  // solve.cpp
  void solve();
  void walk(Body& body);
  void queue(Body* body);
  void check_declared_kind(const MapSymbol& map);
  void finish();
  void report_never_stored(const MapSymbol& map);
  void settle_tree(Node* node);

  // infer.cpp: type rules
  TypeId visit(Expr*& slot);
  TypeId visit_identifier(Expr*& slot);
  TypeId visit_map_access(MapAccess* access);
  TypeId visit_unary(Expr*& slot);
  TypeId visit_step(Unary* unary);
  TypeId visit_binary(Expr*& slot);
  TypeId binary_type(BinaryOp op, SourceRange range, SourceRange left_range, SourceRange right_range, TypeId left, TypeId right, bool warn);
  TypeId pointer_binary(BinaryOp op, SourceRange range, TypeId left, TypeId right);
  void unify_comparison(Binary* binary, TypeId left, TypeId right);
  TypeId visit_ternary(Expr*& slot);
  TypeId visit_if(Expr*& slot, bool value_wanted);
  TypeId visit_block(Block* block);
  TypeId visit_cast(Cast* cast);
  void check_cast(Cast* cast, TypeId from, TypeId to);
  TypeId visit_field(Expr*& slot);
  TypeId with_terminator(Expr*& slot, TypeId type);
  TypeId visit_bytes(Expr*& slot);
  TypeId visit_tuple_access(Expr*& slot);
  TypeId visit_array_access(Expr*& slot);
  TypeId visit_tuple(Tuple* tuple);
  TypeId visit_record(RecordLit* record);
  std::optional<TypeId> operand_type(TypeSpec*& type, Expr*& operand);
  TypeId visit_sizeof(Expr*& slot);
  TypeId visit_offsetof(Expr*& slot);
  TypeId visit_typeinfo(Expr*& slot);
  TypeId visit_comptime(Expr*& slot);
  bool check_condition(Expr* cond, TypeId type, SourceRange range);
  void visit_stmt(Stmt* stmt);
  void visit_assign(Assign* assign);
  void visit_assign_map(Assign* assign, MapSymbol* map);
  void visit_decl(VarDecl* decl);
  void visit_for_map(ForMap* loop);
  void visit_for_range(ForRange* loop);
  void visit_unroll(Unroll* unroll);
  void visit_jump(Jump* jump);
  void visit_expr_stmt(ExprStmt* stmt);
  void set_variable(Variable* var, TypeId type, SourceRange range);
  void set_map_value(MapSymbol* map, TypeId type, SourceRange range);
  void set_map_key(MapSymbol* map, TypeId type, SourceRange range);
  void map_changed(MapSymbol* map);
  bool storable(TypeId type, TypeId current, bool to_map);
  bool ends_flow(Stmt* stmt);

  // fold.cpp
  std::optional<Const> value_of(const Expr* expr) const;
  std::optional<Const> fold_binary(const Binary* binary, bool report_errors);
  std::optional<Const> fold_unary(const Unary* unary);
  std::optional<bool> same_literals(const Expr* left, const Expr* right) const;
  std::optional<bool> same_elements(const Expr* left, const Expr* right) const;
  bool is_written_down(const Expr* expr) const;
  Expr* literal_of(const Const& value, SourceRange range);
  TypeId type_of_const(const Const& value);
  static bool is_pure_literal(const Expr* expr);
  TypeId set_const(Expr*& slot, const Const& value, bool pure);
  std::optional<std::vector<std::pair<std::string, const Expr*>>> record_fields(const Expr* expr) const;

  // coerce.cpp
  bool coerce(Expr*& slot, TypeId target, bool warn = true);
  Expr* implicit_cast(Expr* expr, TypeId target);
  std::optional<TypeId> as_text(Expr*& slot);
  void read_aggregation(Expr*& slot);               // count() map read as a number
  bool to_pointer(Expr*& slot, TypeId pointee, AddrSpace fallback);

  // type_specs.cpp
  std::optional<TypeId> type_of_spec(TypeSpec* spec);
  std::optional<TypeId> signature_type(TypeSpec* spec);
  std::optional<TypeId> named_type(TypeSpec* spec);

  // records.cpp
  struct FieldHit { std::vector<uint32_t> path; const Field* field; };
  std::optional<FieldHit> find_field(uint32_t record, const std::string& name);
  bool add_late_field(uint32_t record, const std::string& name);
  std::vector<std::string> field_names(uint32_t record);
  void complete(uint32_t record);
  void complete_whole(TypeId type);
  TypeId field_value_type(const Field& field, AddrSpace space, bool tracepoint);
  TypeId tracepoint_args(const AttachPoint& attach, SourceRange range);
  // A field that tracepoints of a pattern do not share.
  struct UnsharedField { std::string of, not_of; bool differs = false; };
  bool join_fields(Field& field, const Field& other);
  void report_unshared(const FieldAccess* node, const UnsharedField& field);
  Field tracepoint_field(const RecordField& field, bool user_space);

  // programs.cpp
  DebugInfo* debug_info(const std::string& program);
  DebugInfo* debug_info_of(const Body* body);
  void depend_on_program(Body& body, DebugInfo& info);
  std::optional<TypeId> program_type(const TypeSpec& spec);
  bool complete_program_type(uint32_t record);
  TypeId uprobe_args(Body& body, SourceRange range);
  bool is_unreadable_parameter(uint32_t record, const std::string& name) const;
  void locate_source_line(Body& body);

  // check_calls.cpp and calls/
  TypeId visit_call(Expr*& slot);
  const Signature& signature(Function function);
  TypeId check_by_signature(Call* call, const Signature& signature);
  bool check_arity(Call* call, size_t min, size_t max);
  bool check_arg(Call* call, size_t index, std::string_view type, bool literal, bool or_parameter = false);
  TypeId call_subprog(Call* call);
  using Handler = TypeId (Sema::*)(Call*, Expr*&);
  static Handler handler_of(Function function);
  TypeId call_aggregate(Call* call, Expr*& slot);
  TypeId call_tseries(Call* call, Expr*& slot);
  TypeId call_bswap(Call* call, Expr*& slot);
  TypeId call_buf(Call* call, Expr*& slot);
  TypeId call_cgroup_path(Call* call, Expr*& slot);
  TypeId call_format(Call* call, Expr*& slot);
  TypeId call_delete(Call* call, Expr*& slot);
  TypeId call_has_key(Call* call, Expr*& slot);
  TypeId call_find(Call* call, Expr*& slot);
  TypeId call_len(Call* call, Expr*& slot);
  TypeId call_map_only(Call* call, Expr*& slot);
  TypeId call_exit(Call* call, Expr*& slot);
  TypeId call_fail(Call* call, Expr*& slot);
  TypeId call_type_test(Call* call, Expr*& slot);
  TypeId call_join(Call* call, Expr*& slot);
  TypeId call_kptr(Call* call, Expr*& slot);
  TypeId call_stack(Call* call, Expr*& slot);
  TypeId call_symbol(Call* call, Expr*& slot);
  TypeId call_macaddr(Call* call, Expr*& slot);
  TypeId call_memcmp(Call* call, Expr*& slot);
  TypeId call_nsecs(Call* call, Expr*& slot);
  TypeId call_ntop(Call* call, Expr*& slot);
  TypeId call_override(Call* call, Expr*& slot);
  TypeId call_path(Call* call, Expr*& slot);
  TypeId call_percpu_kaddr(Call* call, Expr*& slot);
  TypeId call_pid(Call* call, Expr*& slot);
  TypeId call_print(Call* call, Expr*& slot);
  TypeId call_pton(Call* call, Expr*& slot);
  TypeId call_reg(Call* call, Expr*& slot);
  TypeId call_signal(Call* call, Expr*& slot);
  TypeId call_skboutput(Call* call, Expr*& slot);
  TypeId call_socket_cookie(Call* call, Expr*& slot);
  TypeId call_str(Call* call, Expr*& slot);
  TypeId call_string_pair(Call* call, Expr*& slot);
  TypeId call_strcap(Call* call, Expr*& slot);
  TypeId call_strftime(Call* call, Expr*& slot);
  TypeId call_strlen(Call* call, Expr*& slot);
  TypeId call_strncmp(Call* call, Expr*& slot);
  TypeId call_uaddr(Call* call, Expr*& slot);
  TypeId call_write_user(Call* call, Expr*& slot);
  TypeId call_none(Call* call, Expr*& slot);
  MapRef* map_argument(Call* call, size_t index);
  void map_key_argument(Call* call, MapRef* ref, size_t index);
  bool string_like(Expr*& slot, const char* what);
  static bool is_number_param(const Expr* expr) { const Param* param = param_of(expr); return param != nullptr && param->is_number(); }
  std::optional<Const> literal_argument(Call* call, size_t index);

  Arena& arena_;
  Script& script_;
  Profile* profile_;
  const CompileOptions& options_;
  SourceManager& sources_;
  DiagEngine& diags_;
  Program& program_;
  TypeTable& types_;
  Lattice lattice_;
  std::unique_ptr<DiagEngine> scratch_;
  std::set<std::tuple<uint16_t, uint32_t, uint32_t, std::string>> seen_;
  bool final_ = true;
  uint64_t max_strlen_ = 1024;

  std::vector<CDefinition> c_definitions_;
  CDefinitions cdefs_;
  std::map<std::string, const CDefinitions::Macro*> c_macros_;
  std::map<std::string, std::pair<uint32_t, int64_t>> c_constants_;
  std::map<std::string, TypeId> c_typedefs_;
  std::map<std::string, std::vector<const Macro*>> macros_;
  std::vector<const Macro*> macro_stack_;
  uint32_t expansions_ = 0;
  std::unordered_map<const Expr*, SourceRange> expanded_at_;   // block of an expansion -> call site
  std::vector<std::unique_ptr<Script>> imported_;
  std::unique_ptr<Script> prelude_;
  std::set<std::string> imported_paths_;
  std::vector<PendingImport> pending_imports_;
  std::map<std::string, ForeignFunction*> foreign_;
  bool foreign_failed_ = false;                                         // functions are missing that the script may call
  std::map<std::string, SourceRange> foreign_programs_;                 // program -> the import that brought it
  std::map<std::string, std::string> foreign_maps_;                     // map -> the file that defines it
  std::map<std::string, std::optional<uint32_t>> foreign_sources_;      // files that Clang's messages point into
  std::set<ConfigKey> unstable_said_;

  std::map<std::string, std::unique_ptr<DebugInfo>> programs_;  // by the name in attach points
  std::set<std::string> depended_on_;                           // their files that are inputs
  std::map<uint32_t, std::set<std::string>> unreadable_parameters_;   // by record
  std::map<uint32_t, std::map<std::string, UnsharedField>> unshared_fields_;  // by record

  std::vector<std::unique_ptr<Body>> bodies_;
  std::vector<Body*> worklist_;
  Body* body_ = nullptr;
  std::map<std::string, MapSymbol*> map_names_;
  std::set<const Call*> fallen_back_;            // kstack in the mode that only ustack has
  std::set<std::pair<abi::ProbeKind, std::string>> named_probes_;  // tests and benchmarks
  std::unordered_map<const MapSymbol*, MapState> maps_;
  std::map<std::string, Subprog*> subprogs_;
  std::map<std::string, Param*> params_;
  std::set<const Param*> used_params_;
  std::unordered_set<const Variable*> locked_;                 // declared with a type that has a size, or by a loop
  std::unordered_set<const Variable*> assigned_;
  std::unordered_map<const Variable*, DiagKind> origin_;       // how it came to be, if not by `let`
  std::vector<Scope> scopes_;
  std::vector<LoopFrame> loops_;
  std::vector<std::pair<Variable*, SourceRange>> declared_;
  const char* meta_word_ = "";
  uint32_t meta_depth_ = 0;                                    // inside sizeof, typeof ...
  uint32_t loop_depth_ = 0, callback_depth_ = 0;
  bool local_changed_ = false;
  bool aggregate_allowed_ = false;                             // directly the value of a map assignment
  std::unordered_map<const Expr*, Const> consts_;
  const Expr* as_bytes_ = nullptr;     // of which visit_bytes() was asked
  std::map<Function, Signature> signatures_;
};


}  // namespace btc::sema

#include "frontend/sema/walk.h"
