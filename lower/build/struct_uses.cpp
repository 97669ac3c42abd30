#include "lower/build/struct_uses.h"

#include "lower/build/walk.h"

namespace btc::lower {

using ast::NodeKind;

StructUses::StructUses(const Program& program) : types_(*program.types) {
  for (const TypedProbe& probe : program.probes) visit(probe.body, false);
  for (const ast::Subprog* subprog : program.subprogs) visit(subprog->body, false);
}

void StructUses::mark_whole(TypeId type) {
  while (type && types_[type].kind == TypeKind::Array) type = types_[type].elem;
  if (type && types_[type].kind == TypeKind::Struct) whole_.insert(types_[type].record);
}

void StructUses::visit_access(const ast::FieldAccess& access) {
  const Type& base = types_[access.base->type];
  if (base.kind == TypeKind::Struct) {
    uint32_t record = base.record;
    for (uint32_t step : access.path) {
      named_.insert({record, step});
      const Type& member = types_[types_.record(record).fields[step].type];
      if (member.kind == TypeKind::Struct) record = member.record;
    }
  }
  visit(access.base, true);
}

// `only_parts`: what the node gives is not used as a whole here, only members of it are, or a variable is to hold it.
void StructUses::visit(const ast::Node* node, bool only_parts) {
  const auto* expr = dynamic_cast<const ast::Expr*>(node);
  if (expr && !only_parts) mark_whole(expr->type);
  switch (node->kind) {
    case NodeKind::FieldAccess: return visit_access(*ast::as<ast::FieldAccess>(node));
    case NodeKind::ArrayAccess:
      visit(ast::as<ast::ArrayAccess>(node)->base, true);
      return visit(ast::as<ast::ArrayAccess>(node)->index, false);
    case NodeKind::Assign: {
      const auto* assign = ast::as<ast::Assign>(node);
      bool to_variable = assign->target && assign->target->kind == NodeKind::VariableRef;
      if (assign->target && !to_variable) visit(assign->target, true);
      return visit(assign->value, to_variable);
    }
    case NodeKind::VarDecl:
      if (ast::as<ast::VarDecl>(node)->init) visit(ast::as<ast::VarDecl>(node)->init, true);
      return;
    default: return for_each_child(node, [&](const ast::Node* child) { visit(child, false); });
  }
}

}  // namespace btc::lower
