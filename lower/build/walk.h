// Visits a typed tree: `for_each_child` calls `visit(node)` for the direct children of a statement or expression.
#pragma once

#include "frontend/ast/ast.h"

namespace btc::lower {

template <typename F>
void for_each_child(const ast::Node* node, F&& visit) {
  using namespace ast;
  auto see = [&](const Node* child) {
    if (child) visit(child);
  };
  switch (node->kind) {
    case NodeKind::MapAccess: see(as<MapAccess>(node)->key); break;
    case NodeKind::Call: for (const Expr* arg : as<Call>(node)->args) see(arg); break;
    case NodeKind::Unary: see(as<Unary>(node)->operand); break;
    case NodeKind::Binary: see(as<Binary>(node)->left), see(as<Binary>(node)->right); break;
    case NodeKind::Ternary: see(as<Ternary>(node)->cond), see(as<Ternary>(node)->then_value), see(as<Ternary>(node)->else_value); break;
    case NodeKind::Cast: see(as<Cast>(node)->operand); break;
    case NodeKind::FieldAccess: see(as<FieldAccess>(node)->base); break;
    case NodeKind::TupleAccess: see(as<TupleAccess>(node)->base); break;
    case NodeKind::ArrayAccess: see(as<ArrayAccess>(node)->base), see(as<ArrayAccess>(node)->index); break;
    case NodeKind::Tuple: for (const Expr* element : as<Tuple>(node)->elements) see(element); break;
    case NodeKind::RecordLit: for (const auto& [name, value] : as<RecordLit>(node)->fields) see(value); break;
    case NodeKind::Comptime: see(as<Comptime>(node)->operand); break;
    case NodeKind::IfExpr: see(as<IfExpr>(node)->cond), see(as<IfExpr>(node)->then_block), see(as<IfExpr>(node)->else_block); break;
    case NodeKind::Block:
      for (const Stmt* stmt : as<Block>(node)->stmts) see(stmt);
      see(as<Block>(node)->value);
      break;
    case NodeKind::ExprStmt: see(as<ExprStmt>(node)->expr); break;
    case NodeKind::VarDecl: see(as<VarDecl>(node)->init); break;
    case NodeKind::Assign: see(as<Assign>(node)->target), see(as<Assign>(node)->value); break;
    case NodeKind::While: see(as<While>(node)->cond), see(as<While>(node)->body); break;
    case NodeKind::ForMap: see(as<ForMap>(node)->body); break;
    case NodeKind::ForRange: see(as<ForRange>(node)->begin), see(as<ForRange>(node)->end), see(as<ForRange>(node)->body); break;
    case NodeKind::Unroll: see(as<Unroll>(node)->body); break;
    case NodeKind::Jump: see(as<Jump>(node)->value); break;
    default: break;
  }
}

}  // namespace btc::lower
