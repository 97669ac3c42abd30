// Direct child expressions of a node, as slots that may be replaced.
#pragma once

#include "frontend/ast/ast.h"

namespace btc::sema {

template <typename F>
void each_block(ast::Block*& block, F&& f) {
  if (block == nullptr) return;
  ast::Expr* slot = block;
  f(slot);
  if (slot->kind == ast::NodeKind::Block) block = ast::as<ast::Block>(slot);
}

template <typename F>
void each_spec_child(ast::TypeSpec* spec, F&& f) {
  if (spec != nullptr && spec->typeof_expr != nullptr) f(spec->typeof_expr);
}

template <typename F>
void each_child(ast::Node* node, F&& f) {
  using namespace ast;
  auto opt = [&](Expr*& slot) { if (slot != nullptr) f(slot); };
  switch (node->kind) {
    case NodeKind::MapAccess: opt(as<MapAccess>(node)->key); break;
    case NodeKind::Call: for (Expr*& arg : as<Call>(node)->args) opt(arg); break;
    case NodeKind::Unary: opt(as<Unary>(node)->operand); break;
    case NodeKind::Binary: opt(as<Binary>(node)->left); opt(as<Binary>(node)->right); break;
    case NodeKind::Ternary: opt(as<Ternary>(node)->cond); opt(as<Ternary>(node)->then_value); opt(as<Ternary>(node)->else_value); break;
    case NodeKind::Cast: each_spec_child(as<Cast>(node)->spec, f); opt(as<Cast>(node)->operand); break;
    case NodeKind::FieldAccess: opt(as<FieldAccess>(node)->base); break;
    case NodeKind::TupleAccess: opt(as<TupleAccess>(node)->base); break;
    case NodeKind::ArrayAccess: opt(as<ArrayAccess>(node)->base); opt(as<ArrayAccess>(node)->index); break;
    case NodeKind::Tuple: for (Expr*& e : as<Tuple>(node)->elements) opt(e); break;
    case NodeKind::RecordLit: for (auto& field : as<RecordLit>(node)->fields) opt(field.second); break;
    case NodeKind::Sizeof: each_spec_child(as<Sizeof>(node)->spec, f); opt(as<Sizeof>(node)->operand); break;
    case NodeKind::Offsetof: each_spec_child(as<Offsetof>(node)->spec, f); opt(as<Offsetof>(node)->operand); break;
    case NodeKind::Typeinfo: each_spec_child(as<Typeinfo>(node)->spec, f); opt(as<Typeinfo>(node)->operand); break;
    case NodeKind::TypeArg: each_spec_child(as<TypeArg>(node)->spec, f); break;
    case NodeKind::Comptime: opt(as<Comptime>(node)->operand); break;
    case NodeKind::IfExpr:
      opt(as<IfExpr>(node)->cond);
      each_block(as<IfExpr>(node)->then_block, f);
      each_block(as<IfExpr>(node)->else_block, f);
      break;
    case NodeKind::Block:
      for (Stmt* stmt : as<Block>(node)->stmts) each_child(stmt, f);
      opt(as<Block>(node)->value);
      break;
    case NodeKind::ExprStmt: opt(as<ExprStmt>(node)->expr); break;
    case NodeKind::VarDecl: each_spec_child(as<VarDecl>(node)->spec, f); opt(as<VarDecl>(node)->init); break;
    case NodeKind::Assign: opt(as<Assign>(node)->target); opt(as<Assign>(node)->value); break;
    case NodeKind::While: opt(as<While>(node)->cond); each_block(as<While>(node)->body, f); break;
    case NodeKind::ForMap: each_block(as<ForMap>(node)->body, f); break;
    case NodeKind::ForRange: opt(as<ForRange>(node)->begin); opt(as<ForRange>(node)->end); each_block(as<ForRange>(node)->body, f); break;
    case NodeKind::Unroll: opt(as<Unroll>(node)->count); each_block(as<Unroll>(node)->body, f); break;
    case NodeKind::Jump: opt(as<Jump>(node)->value); break;
    default: break;
  }
}

}  // namespace btc::sema
