// Statements: blocks, declarations, assignments, if.
#include "lower/build/body.h"
#include "lower/build/calls.h"
#include "lower/build/walk.h"

namespace btc::lower {

using ast::NodeKind;

void Body::statements(const ast::Block& block) {
  for (const ast::Stmt* stmt : block.stmts) {
    StatementScope scope(*this);
    statement(stmt);
  }
}

void Body::statement(const ast::Stmt* stmt) {
  if (b.terminated()) return;
  b.set_place(stmt->range);
  switch (stmt->kind) {
    case NodeKind::ExprStmt: return discard(ast::as<ast::ExprStmt>(stmt)->expr);
    case NodeKind::VarDecl: {
      const auto* decl = ast::as<ast::VarDecl>(stmt);
      if (!decl->var || !decl->var->var) return;
      Memory to = variable(decl->var->var);
      if (decl->init) return store(decl->init, to);
      return zero(to, types.size_of(decl->var->var->type));
    }
    case NodeKind::Assign: return assign(*ast::as<ast::Assign>(stmt));
    case NodeKind::While: return while_loop(*ast::as<ast::While>(stmt));
    case NodeKind::ForMap: return for_map(*ast::as<ast::ForMap>(stmt));
    case NodeKind::ForRange: return for_range(*ast::as<ast::ForRange>(stmt));
    case NodeKind::Unroll: return unroll(*ast::as<ast::Unroll>(stmt));
    case NodeKind::Jump: return jump(*ast::as<ast::Jump>(stmt));
    default: return;
  }
}

void Body::discard(const ast::Expr* expr) {
  switch (expr->kind) {
    case NodeKind::Block: {
      const auto* block = ast::as<ast::Block>(expr);
      ExpansionScope expansion(*this, *block);
      statements(*block);
      if (block->value && !b.terminated()) discard(block->value);
      return;
    }
    case NodeKind::IfExpr: {
      const auto* branch_expr = ast::as<ast::IfExpr>(expr);
      b.set_place(branch_expr->cond->range);
      ir::BlockId then_block = b.new_block("then");
      ir::BlockId done = b.new_block("endif");
      ir::BlockId else_block = branch_expr->else_block ? b.new_block("else") : done;
      branch(branch_expr->cond, then_block, else_block);
      b.set_block(then_block);
      discard(branch_expr->then_block);
      b.br(done);
      if (branch_expr->else_block) {
        b.set_block(else_block);
        discard(branch_expr->else_block);
        b.br(done);
      }
      b.set_block(done);
      return;
    }
    case NodeKind::Ternary: {
      const auto* ternary = ast::as<ast::Ternary>(expr);
      if (!has_effects(expr)) return;
      return if_else(ternary->cond, [&] { if (ternary->then_value) discard(ternary->then_value); }, [&] { discard(ternary->else_value); });
    }
    case NodeKind::Call: {
      const auto* call_expr = ast::as<ast::Call>(expr);
      b.set_place(expr->range);
      const Type& type = types[expr->type];
      bool in_memory = type.kind != TypeKind::Void && type.kind != TypeKind::Untyped && !has_prop(type, kTypeScalar);
      call(*call_expr, in_memory ? temp(expr->type, "unused") : Memory{});
      return;
    }
    default: break;
  }
  if (!has_effects(expr)) return;
  if (has_prop(types[expr->type], kTypeScalar)) scalar(expr);
  else for_each_child(expr, [&](const ast::Node* child) { discard(static_cast<const ast::Expr*>(child)); });
}

void Body::assign(const ast::Assign& assign) {
  if (!assign.target) return discard(assign.value);
  switch (assign.target->kind) {
    case NodeKind::VariableRef: return assign_variable(ast::as<ast::VariableRef>(assign.target)->var, assign);
    case NodeKind::MapRef:
    case NodeKind::MapAccess: {
      const auto* access = ast::dyn<ast::MapAccess>(assign.target);
      const ast::MapRef* ref = access ? access->map : ast::as<ast::MapRef>(assign.target);
      const ast::Expr* key = access ? access->key : nullptr;
      if (!assign.op) return assign_map(ref->map, key, assign.value);
      TypeId type = ref->map->value;
      ValueId by = scaled(scalar(assign.value), type);
      modify_map(ref->map, key, [&](ValueId old) { return convert(arithmetic(*assign.op, old, by, assign.range), types.i64(), type); });
      return;
    }
    default: return;
  }
}

void Body::assign_variable(const ast::Variable* variable, const ast::Assign& assign) {
  if (assign.op) {
    ValueId value = scaled(scalar(assign.value), variable->type);
    ValueId old = load_scalar(variable->type, this->variable(variable), variable->name.substr(1));
    return set_variable(variable, arithmetic(*assign.op, old, value, assign.range));
  }
  // `$x = ($x.1, $x.0)`: the value may read what it replaces.
  if (has_prop(types[variable->type], kTypeScalar)) {
    return set_variable(variable, scalar(assign.value));
  }
  bool is_plain = assign.value->kind == NodeKind::String || assign.value->kind == NodeKind::Call || assign.value->kind == NodeKind::MapAccess ||
                  assign.value->kind == NodeKind::Identifier || assign.value->kind == NodeKind::VariableRef;
  if (is_plain) return store(assign.value, this->variable(variable));
  Memory value = temp(variable->type, variable->name.substr(1) + "_new");
  store(assign.value, value);
  b.mem_copy(pointer_to(this->variable(variable)), pointer_to(value), types.size_of(variable->type));
}

bool has_effects(const ast::Expr* expr) {
  bool found = false;
  auto visit = [&](auto&& self, const ast::Node* node) -> void {
    switch (node->kind) {
      case NodeKind::Call: {
        const auto* call = ast::as<ast::Call>(node);
        if (call->subprog || call->foreign) found = true;
        if (!call->function) break;
        switch (*call->function) {
          case Function::Delete: case Function::Find: case Function::Signal: case Function::SignalThread: case Function::Override:
          case Function::WriteUser: case Function::Debugf: found = true; break;
          default: found = found || function_info(*call->function).phase == Phase::Async; break;
        }
        break;
      }
      case NodeKind::Unary: {
        ast::UnaryOp op = ast::as<ast::Unary>(node)->op;
        found = found || op == ast::UnaryOp::PreInc || op == ast::UnaryOp::PreDec || op == ast::UnaryOp::PostInc || op == ast::UnaryOp::PostDec;
        break;
      }
      case NodeKind::Assign: case NodeKind::Jump: case NodeKind::ForMap: case NodeKind::ForRange: case NodeKind::While: case NodeKind::VarDecl: found = true; break;
      default: break;
    }
    if (!found) for_each_child(node, [&](const ast::Node* child) { self(self, child); });
  };
  visit(visit, expr);
  return found;
}

static bool reports(const ast::Node* node, bool verbose) {
  switch (node->kind) {
    case NodeKind::Binary: {
      const auto* binary = ast::as<ast::Binary>(node);
      bool divides = binary->op == ast::BinaryOp::Div || binary->op == ast::BinaryOp::Mod;
      const auto* divisor = ast::dyn<ast::Integer>(binary->right);
      return divides && (divisor == nullptr || divisor->value == 0);
    }
    case NodeKind::ArrayAccess: return verbose || ast::as<ast::ArrayAccess>(node)->index->kind != NodeKind::Integer;
    case NodeKind::Call: {
      const auto* call = ast::as<ast::Call>(node);
      if (!call->function) return verbose;
      Function function = *call->function;
      return verbose || function == Function::Kstack || function == Function::Ustack || function == Function::DwUstack;
    }
    case NodeKind::MapAccess: case NodeKind::FieldAccess: case NodeKind::Unary: return verbose;
    default: return false;
  }
}

bool may_report(const ast::Expr* expr, bool verbose) {
  bool found = false;
  auto visit = [&](auto&& self, const ast::Node* node) -> void {
    found = found || reports(node, verbose);
    if (!found) for_each_child(node, [&](const ast::Node* child) { self(self, child); });
  };
  visit(visit, expr);
  return found;
}

}  // namespace btc::lower
