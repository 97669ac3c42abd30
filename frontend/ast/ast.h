// The syntax tree, and after `sema` the typed tree: the same nodes with
// `type` and the resolved members filled in (marked "sema:").
//
// Nodes live in an Arena and are referred to by plain pointers. Node kinds are
// the rows of frontend/defs/ast_nodes.def; a switch over `kind` plus `as<T>()`
// is the way to visit them.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/defs/tables.h"
#include "frontend/support/source.h"
#include "frontend/types/types.h"
#include "runtime-stub/abi/attach_point.h"

namespace btc::ast {

enum class NodeKind : uint8_t {
#define BTC_AST_EXPR(Kind) Kind,
#define BTC_AST_STMT(Kind) Kind,
#include "frontend/defs/ast_nodes.def"
#undef BTC_AST_EXPR
#undef BTC_AST_STMT
};
const char* node_kind_name(NodeKind kind);

enum class BinaryOp : uint8_t {
#define BTC_BINARY_OP(Enum, ...) Enum,
#include "frontend/defs/operators.def"
#undef BTC_BINARY_OP
};
enum class OpClass : uint8_t { Logical, Bitwise, Compare, Arithmetic };
struct BinaryOpInfo { BinaryOp op; const char* text; int precedence; OpClass op_class; };
const BinaryOpInfo& op_info(BinaryOp op);
// The longest operator that `text` begins with, or nullptr.
const BinaryOpInfo* find_binary_op(std::string_view text);
inline bool has_compound_form(const BinaryOpInfo& info) { return info.op_class == OpClass::Bitwise || info.op_class == OpClass::Arithmetic; }

enum class UnaryOp : uint8_t { Not, BitNot, Neg, Deref, AddressOf, PreInc, PreDec, PostInc, PostDec };
const char* op_text(BinaryOp op);
const char* op_text(UnaryOp op);

// As a string literal of the language.
std::string quoted(std::string_view text);

struct Node {
  NodeKind kind;
  SourceRange range;
  explicit Node(NodeKind kind, SourceRange range) : kind(kind), range(range) {}
  virtual ~Node() = default;
};
struct Expr : Node {
  TypeId type;                 // sema
  using Node::Node;
};
struct Stmt : Node { using Node::Node; };

template <typename T> T* as(Node* node) { return static_cast<T*>(node); }
template <typename T> const T* as(const Node* node) { return static_cast<const T*>(node); }
template <typename T> T* dyn(Node* node) { return node && node->kind == T::kKind ? static_cast<T*>(node) : nullptr; }
template <typename T> const T* dyn(const Node* node) { return node && node->kind == T::kKind ? static_cast<const T*>(node) : nullptr; }

// A type as written: `uint64`, `struct x *`, `string[16]`, `typeof(expr)`.
struct TypeSpec {
  SourceRange range;
  std::string name;            // "uint64", "struct task_struct", "string", "" when typeof
  bool is_struct = false, is_union = false, is_enum = false;  // keyword present (name holds the bare name)
  Expr* typeof_expr = nullptr;
  // Postfix in source order: '*' or an array; count -1 = `[]`.
  struct Suffix { bool pointer; int64_t count; };
  std::vector<Suffix> suffixes;
};

// ---- Expressions -----------------------------------------------------------
struct Variable;  // sema
struct MapSymbol;
struct Param;
struct ForeignFunction;
struct Block;

#define BTC_NODE(K, Base) static constexpr NodeKind kKind = NodeKind::K; explicit K(SourceRange r) : Base(kKind, r) {}

struct Integer : Expr { BTC_NODE(Integer, Expr)
  uint64_t value = 0; bool negative = false;  // value is the two's complement bits; negative: written or folded below zero
  std::string text;            // as written ("1e6", "100ms"), "" if folded
  bool is_duration = false; };
struct Boolean : Expr { BTC_NODE(Boolean, Expr) bool value = false; };
struct String : Expr { BTC_NODE(String, Expr) std::string value; };
// A bare word: builtin, zero-argument macro or function, enum constant, #define. Sema replaces or resolves it.
struct Identifier : Expr { BTC_NODE(Identifier, Expr)
  std::string name;
  std::optional<Builtin> builtin;                   // sema
  uint32_t builtin_index = 0;                       // sema: N of argN
  std::optional<std::pair<uint32_t, int64_t>> enum_constant; };  // sema: enum index in the TypeTable, value
struct Positional : Expr { BTC_NODE(Positional, Expr)
  uint32_t n = 0;              // $1 = 1; $# = 0
  Param* param = nullptr; };   // sema: the fact behind it
struct VariableRef : Expr { BTC_NODE(VariableRef, Expr)
  std::string name;            // with the sigil: "$x"
  Variable* var = nullptr; };  // sema
struct MapRef : Expr { BTC_NODE(MapRef, Expr)
  std::string name;            // with the sigil: "@", "@start"
  MapSymbol* map = nullptr; }; // sema
struct MapAccess : Expr { BTC_NODE(MapAccess, Expr)
  MapRef* map = nullptr;
  Expr* key = nullptr; };      // several keys arrive as one Tuple; nullptr only for a scalar map (sema wraps MapRef reads so)
struct Call : Expr { BTC_NODE(Call, Expr)
  std::string name;
  std::vector<Expr*> args;
  SourceRange name_range;
  std::optional<Function> function;                 // sema: row of functions.def
  uint32_t variant = 0;                             // sema: meaning per function in sema/typed_tree.md
  struct Subprog* subprog = nullptr;                // sema: user's fn
  const ForeignFunction* foreign = nullptr;         // sema: of an imported C file or object
  bool refused = false; };                          // sema: no definition of the macro fits; said
struct Unary : Expr { BTC_NODE(Unary, Expr) UnaryOp op{}; Expr* operand = nullptr; };
struct Binary : Expr { BTC_NODE(Binary, Expr) BinaryOp op{}; Expr* left = nullptr; Expr* right = nullptr; SourceRange op_range; };
struct Ternary : Expr { BTC_NODE(Ternary, Expr) Expr* cond = nullptr; Expr* then_value = nullptr; Expr* else_value = nullptr; };  // then_value nullptr: `a ?: b`
// The range of a Cast is `(type)`; a Call's, access's or operator's reaches from its first to its last part.
struct Cast : Expr { BTC_NODE(Cast, Expr) TypeSpec* spec = nullptr; Expr* operand = nullptr; bool implicit = false; };  // implicit: inserted by sema, `type` is the target
struct FieldAccess : Expr { BTC_NODE(FieldAccess, Expr)
  Expr* base = nullptr; std::string field; SourceRange field_range; bool arrow = false;
  // sema: the path through anonymous members, outermost first; for a tuple or anonymous record one index.
  std::vector<uint32_t> path; };
struct TupleAccess : Expr { BTC_NODE(TupleAccess, Expr) Expr* base = nullptr; uint32_t index = 0; };
struct ArrayAccess : Expr { BTC_NODE(ArrayAccess, Expr) Expr* base = nullptr; Expr* index = nullptr; };
struct Tuple : Expr { BTC_NODE(Tuple, Expr) std::vector<Expr*> elements; };
struct RecordLit : Expr { BTC_NODE(RecordLit, Expr) std::vector<std::pair<std::string, Expr*>> fields; };
// Of Sizeof, Offsetof, Typeinfo: `spec` if the text can only be a type, else `operand`; a bare word that is no builtin type
// arrives as an Identifier operand and may still be a typedef.
struct Sizeof : Expr { BTC_NODE(Sizeof, Expr) TypeSpec* spec = nullptr; Expr* operand = nullptr;
  TypeId measured; };          // sema: the type, when it relocates
struct Offsetof : Expr { BTC_NODE(Offsetof, Expr) TypeSpec* spec = nullptr; Expr* operand = nullptr; std::vector<std::string> fields;
  bool exists = false;         // has_field(), which asks whether the member is there
  uint32_t record = 0; std::vector<uint32_t> path; };  // sema
struct Typeinfo : Expr { BTC_NODE(Typeinfo, Expr) TypeSpec* spec = nullptr; Expr* operand = nullptr; };
struct TypeArg : Expr { BTC_NODE(TypeArg, Expr) TypeSpec* spec = nullptr; };  // `typeof(T)` as an argument of a call
struct Comptime : Expr { BTC_NODE(Comptime, Expr) Expr* operand = nullptr; };
struct IfExpr : Expr { BTC_NODE(IfExpr, Expr)   // statement and expression form
  Expr* cond = nullptr; bool comptime = false; Block* then_block = nullptr; Block* else_block = nullptr; };  // else-if: else_block holds one IfExpr
struct Block : Expr { BTC_NODE(Block, Expr)
  std::vector<Stmt*> stmts;
  Expr* value = nullptr;       // trailing expression without `;`
  SourceRange expanded_at; };  // sema: the call, if this is the body of a macro

// ---- Statements ------------------------------------------------------------
struct ExprStmt : Stmt { BTC_NODE(ExprStmt, Stmt) Expr* expr = nullptr; };
struct VarDecl : Stmt { BTC_NODE(VarDecl, Stmt) VariableRef* var = nullptr; TypeSpec* spec = nullptr; Expr* init = nullptr; };
// `$x = e`, `@m = e`, `@m[k] = e`, `_ = e` (target nullptr), and `op=` forms.
struct Assign : Stmt { BTC_NODE(Assign, Stmt) Expr* target = nullptr; Expr* value = nullptr; std::optional<BinaryOp> op; };
struct While : Stmt { BTC_NODE(While, Stmt) Expr* cond = nullptr; Block* body = nullptr; };
struct ForMap : Stmt { BTC_NODE(ForMap, Stmt) VariableRef* decl = nullptr; MapRef* map = nullptr; Block* body = nullptr;
  std::vector<Variable*> captures; };                                        // sema: outer variables that the body uses
struct ForRange : Stmt { BTC_NODE(ForRange, Stmt) VariableRef* decl = nullptr; Expr* begin = nullptr; Expr* end = nullptr; Block* body = nullptr;
  std::vector<Variable*> captures; };                                        // sema
struct Unroll : Stmt { BTC_NODE(Unroll, Stmt) Expr* count = nullptr; Block* body = nullptr; };
enum class JumpKind : uint8_t { Break, Continue, Return };
struct Jump : Stmt { BTC_NODE(Jump, Stmt) JumpKind jump{}; Expr* value = nullptr; };
struct ImportStmt : Stmt { BTC_NODE(ImportStmt, Stmt) std::string path; };

// ---- Top level -------------------------------------------------------------
struct AttachPoint {
  SourceRange range;
  std::string name;            // `name=` prefix, or ""
  std::string text;            // as written after the name, aliases and all: "k:vfs_*", may hold $1
  abi::AttachPoint parsed;     // valid if parse_ok
  bool parse_ok = false;       // false without an error if the probe type itself is a `$N`: parse again with baked parameters
  bool has_params = false;     // $N inside: parsed again on the target

  // A function of the kernel that may be a system call by its plain name (abi::syscall_wrapper).
  bool may_be_syscall() const {
    return (parsed.kind == abi::ProbeKind::Kprobe || parsed.kind == abi::ProbeKind::Kretprobe) && (has_params || !abi::syscall_wrapper(parsed.func).empty());
  }
};
struct Probe {
  SourceRange range;
  std::vector<AttachPoint> attach_points;
  Expr* predicate = nullptr;
  SourceRange predicate_range; // from the last attach point's end to behind the closing '/'
  Block* body = nullptr;
};
struct MacroParam { enum Kind : uint8_t { Var, Map, Expr } kind; std::string name; SourceRange range; };
// Macro and Subprog: name_range is `macro name`, `fn name` (the place of messages about the definition).
struct Macro { SourceRange range; std::string name; SourceRange name_range; std::vector<MacroParam> params; Block* body = nullptr; bool is_stdlib = false; };
struct SubprogParam { std::string name; TypeSpec* spec = nullptr; SourceRange range; Variable* var = nullptr; };
struct Subprog { SourceRange range; std::string name; SourceRange name_range; std::vector<SubprogParam> params; TypeSpec* return_spec = nullptr; Block* body = nullptr;
  TypeId return_type; };       // sema
struct MapDecl { SourceRange range; std::string name; SourceRange name_range; std::string kind; SourceRange kind_range; Expr* max_entries = nullptr; };
struct ConfigEntry { SourceRange range; std::string key; SourceRange key_range; std::string value; SourceRange value_range; bool quoted = false; };
struct CDefinition { SourceRange range; std::string text; };   // one `#…` line or one struct/union/enum, verbatim
struct Import { SourceRange range; std::string path; };
struct Comment { SourceRange range; };                          // kept for `btc fmt`

struct Script {
  std::string shebang;
  std::vector<CDefinition> c_definitions;
  std::optional<SourceRange> config_range;
  std::vector<ConfigEntry> config;
  std::vector<Import> imports;
  std::vector<MapDecl> map_decls;
  std::vector<Macro*> macros;
  std::vector<Subprog*> subprogs;
  std::vector<Probe*> probes;
  // Order of main items as written, for dumps and `btc fmt`.
  struct Item { enum Kind : uint8_t { MapDecl, Macro, Subprog, Probe } kind; size_t index; };
  std::vector<Item> items;
  std::vector<Comment> comments;
};

// Owns all nodes of one compile.
class Arena {
 public:
  template <typename T, typename... Args>
  T* make(Args&&... args) {
    auto owned = std::make_shared<T>(std::forward<Args>(args)...);
    T* raw = owned.get();
    nodes_.push_back(std::move(owned));
    return raw;
  }
 private:
  std::deque<std::shared_ptr<void>> nodes_;
};

// Deep copy into the same arena (macro expansion, one body per attach point). Sema members are not copied.
Expr* clone(Arena& arena, const Expr* expr);
Stmt* clone(Arena& arena, const Stmt* stmt);
Block* clone_block(Arena& arena, const Block* block);

// S-expression dump, one node a line; `typed` adds `: type` (types may be null otherwise).
std::string dump(const Script& script, const TypeTable* types);
// One expression, indented by `depth`.
std::string dump_node(const Expr* node, const TypeTable* types, int depth);

}  // namespace btc::ast
