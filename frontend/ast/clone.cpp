// Deep copies of trees.
//
// Used wherever one text becomes several typed trees: a macro's body per call, a
// probe's body per attach point. What sema filled in is left out, so that a copy
// can be analysed afresh.
#include "frontend/ast/ast.h"

namespace btc::ast {
namespace {

class Cloner {
 public:
  explicit Cloner(Arena& arena) : arena_(arena) {}

  Expr* expr(const Expr* from) {
    if (!from) return nullptr;
    switch (from->kind) {
#define BTC_AST_EXPR(Kind) \
  case NodeKind::Kind: return copy(as<Kind>(from));
#define BTC_AST_STMT(Kind)
#include "frontend/defs/ast_nodes.def"
#undef BTC_AST_EXPR
#undef BTC_AST_STMT
      default: return nullptr;
    }
  }

  Stmt* stmt(const Stmt* from) {
    if (!from) return nullptr;
    switch (from->kind) {
#define BTC_AST_EXPR(Kind)
#define BTC_AST_STMT(Kind) \
  case NodeKind::Kind: return copy(as<Kind>(from));
#include "frontend/defs/ast_nodes.def"
#undef BTC_AST_EXPR
#undef BTC_AST_STMT
      default: return nullptr;
    }
  }

  Block* block(const Block* from) { return from ? copy(from) : nullptr; }

 private:
  template <typename T>
  T* fresh(const T* from) { return arena_.make<T>(from->range); }

  TypeSpec* spec(const TypeSpec* from) {
    if (!from) return nullptr;
    auto* to = arena_.make<TypeSpec>(*from);
    to->typeof_expr = expr(from->typeof_expr);
    return to;
  }
  std::vector<Expr*> list(const std::vector<Expr*>& from) {
    std::vector<Expr*> to;
    for (const Expr* item : from) to.push_back(expr(item));
    return to;
  }
  VariableRef* variable(const VariableRef* from) { return from ? copy(from) : nullptr; }
  MapRef* map(const MapRef* from) { return from ? copy(from) : nullptr; }

  // ---- expressions ------------------------------------------------------------
  Integer* copy(const Integer* from) {
    auto* to = fresh(from);
    to->value = from->value;
    to->negative = from->negative;
    to->text = from->text;
    to->is_duration = from->is_duration;
    return to;
  }
  Boolean* copy(const Boolean* from) {
    auto* to = fresh(from);
    to->value = from->value;
    return to;
  }
  String* copy(const String* from) {
    auto* to = fresh(from);
    to->value = from->value;
    return to;
  }
  Identifier* copy(const Identifier* from) {
    auto* to = fresh(from);
    to->name = from->name;
    return to;
  }
  Positional* copy(const Positional* from) {
    auto* to = fresh(from);
    to->n = from->n;
    return to;
  }
  VariableRef* copy(const VariableRef* from) {
    auto* to = fresh(from);
    to->name = from->name;
    return to;
  }
  MapRef* copy(const MapRef* from) {
    auto* to = fresh(from);
    to->name = from->name;
    return to;
  }
  MapAccess* copy(const MapAccess* from) {
    auto* to = fresh(from);
    to->map = map(from->map);
    to->key = expr(from->key);
    return to;
  }
  Call* copy(const Call* from) {
    auto* to = fresh(from);
    to->name = from->name;
    to->name_range = from->name_range;
    to->args = list(from->args);
    return to;
  }
  Unary* copy(const Unary* from) {
    auto* to = fresh(from);
    to->op = from->op;
    to->operand = expr(from->operand);
    return to;
  }
  Binary* copy(const Binary* from) {
    auto* to = fresh(from);
    to->op = from->op;
    to->op_range = from->op_range;
    to->left = expr(from->left);
    to->right = expr(from->right);
    return to;
  }
  Ternary* copy(const Ternary* from) {
    auto* to = fresh(from);
    to->cond = expr(from->cond);
    to->then_value = expr(from->then_value);
    to->else_value = expr(from->else_value);
    return to;
  }
  // A cast that sema inserted is not in the text; its operand stands for it.
  Expr* copy(const Cast* from) {
    if (from->implicit) return expr(from->operand);
    auto* to = fresh(from);
    to->spec = spec(from->spec);
    to->operand = expr(from->operand);
    return to;
  }
  FieldAccess* copy(const FieldAccess* from) {
    auto* to = fresh(from);
    to->base = expr(from->base);
    to->field = from->field;
    to->field_range = from->field_range;
    to->arrow = from->arrow;
    return to;
  }
  TupleAccess* copy(const TupleAccess* from) {
    auto* to = fresh(from);
    to->base = expr(from->base);
    to->index = from->index;
    return to;
  }
  ArrayAccess* copy(const ArrayAccess* from) {
    auto* to = fresh(from);
    to->base = expr(from->base);
    to->index = expr(from->index);
    return to;
  }
  Tuple* copy(const Tuple* from) {
    auto* to = fresh(from);
    to->elements = list(from->elements);
    return to;
  }
  RecordLit* copy(const RecordLit* from) {
    auto* to = fresh(from);
    for (const auto& [name, value] : from->fields) to->fields.emplace_back(name, expr(value));
    return to;
  }
  Sizeof* copy(const Sizeof* from) {
    auto* to = fresh(from);
    to->spec = spec(from->spec);
    to->operand = expr(from->operand);
    return to;
  }
  Offsetof* copy(const Offsetof* from) {
    auto* to = fresh(from);
    to->spec = spec(from->spec);
    to->operand = expr(from->operand);
    to->fields = from->fields;
    to->exists = from->exists;
    return to;
  }
  Typeinfo* copy(const Typeinfo* from) {
    auto* to = fresh(from);
    to->spec = spec(from->spec);
    to->operand = expr(from->operand);
    return to;
  }
  TypeArg* copy(const TypeArg* from) {
    auto* to = fresh(from);
    to->spec = spec(from->spec);
    return to;
  }
  Comptime* copy(const Comptime* from) {
    auto* to = fresh(from);
    to->operand = expr(from->operand);
    return to;
  }
  IfExpr* copy(const IfExpr* from) {
    auto* to = fresh(from);
    to->cond = expr(from->cond);
    to->comptime = from->comptime;
    to->then_block = block(from->then_block);
    to->else_block = block(from->else_block);
    return to;
  }
  Block* copy(const Block* from) {
    auto* to = fresh(from);
    for (const Stmt* item : from->stmts) to->stmts.push_back(stmt(item));
    to->value = expr(from->value);
    return to;
  }

  // ---- statements ---------------------------------------------------------------
  ExprStmt* copy(const ExprStmt* from) {
    auto* to = fresh(from);
    to->expr = expr(from->expr);
    return to;
  }
  VarDecl* copy(const VarDecl* from) {
    auto* to = fresh(from);
    to->var = variable(from->var);
    to->spec = spec(from->spec);
    to->init = expr(from->init);
    return to;
  }
  Assign* copy(const Assign* from) {
    auto* to = fresh(from);
    to->target = expr(from->target);
    to->value = expr(from->value);
    to->op = from->op;
    return to;
  }
  While* copy(const While* from) {
    auto* to = fresh(from);
    to->cond = expr(from->cond);
    to->body = block(from->body);
    return to;
  }
  ForMap* copy(const ForMap* from) {
    auto* to = fresh(from);
    to->decl = variable(from->decl);
    to->map = map(from->map);
    to->body = block(from->body);
    return to;
  }
  ForRange* copy(const ForRange* from) {
    auto* to = fresh(from);
    to->decl = variable(from->decl);
    to->begin = expr(from->begin);
    to->end = expr(from->end);
    to->body = block(from->body);
    return to;
  }
  Unroll* copy(const Unroll* from) {
    auto* to = fresh(from);
    to->count = expr(from->count);
    to->body = block(from->body);
    return to;
  }
  Jump* copy(const Jump* from) {
    auto* to = fresh(from);
    to->jump = from->jump;
    to->value = expr(from->value);
    return to;
  }
  ImportStmt* copy(const ImportStmt* from) {
    auto* to = fresh(from);
    to->path = from->path;
    return to;
  }

  Arena& arena_;
};

}  // namespace

Expr* clone(Arena& arena, const Expr* expr) { return Cloner(arena).expr(expr); }
Stmt* clone(Arena& arena, const Stmt* stmt) { return Cloner(arena).stmt(stmt); }
Block* clone_block(Arena& arena, const Block* block) { return Cloner(arena).block(block); }

}  // namespace btc::ast
