// Variables of scripts from before bpftrace had block scopes: assigned in the branches of an `if`, used behind it.
//
//   if ($family == AF_INET) { $addr = ntop(...); } else { $addr = ntop(...); }
//   print($addr);
//
// Today the variable ends with its block and the use is an error. Where the meaning is clear (no `let`, no loop in between)
// the variable belongs to the whole probe instead, and a warning names the place of the declaration that is missing.
#include "frontend/sema/sema.h"
#include "frontend/sema/walk.h"

namespace btc::sema {

namespace {

class OldScopes {
 public:
  explicit OldScopes(std::map<std::string, SourceRange>* found) : found_(found) {}

  void block(Block* node, bool is_loop = false) {
    if (node == nullptr) return;
    scopes_.emplace_back();
    for (Stmt* stmt : node->stmts) statement(stmt);
    if (node->value != nullptr) expression(node->value);
    if (!is_loop) ended_.insert(scopes_.back().begin(), scopes_.back().end());
    scopes_.pop_back();
  }

  void declare(const std::string& name) { scopes_.back().insert(name); }
  void open() { scopes_.emplace_back(); }

 private:
  bool known(const std::string& name) const {
    for (const std::set<std::string>& scope : scopes_)
      if (scope.contains(name)) return true;
    return false;
  }

  void children(Node* node) {
    each_child(node, [&](Expr*& child) { expression(child); });
  }

  void expression(Expr* expr) {
    if (auto* inner = dyn<Block>(expr)) return block(inner);
    if (auto* ref = dyn<VariableRef>(expr); ref != nullptr && !known(ref->name) && ended_.contains(ref->name) && !declared_.contains(ref->name))
      found_->emplace(ref->name, ref->range);
    children(expr);
  }

  void statement(Stmt* stmt) {
    switch (stmt->kind) {
      case NodeKind::VarDecl: {
        auto* node = as<VarDecl>(stmt);
        if (node->init != nullptr) expression(node->init);
        declare(node->var->name);
        declared_.insert(node->var->name);
        return;
      }
      case NodeKind::Assign: {
        auto* node = as<Assign>(stmt);
        if (node->value != nullptr) expression(node->value);
        auto* ref = node->target != nullptr ? dyn<VariableRef>(node->target) : nullptr;
        if (ref == nullptr || node->op) return node->target != nullptr ? expression(node->target) : void();
        if (!known(ref->name)) declare(ref->name);
        return;
      }
      case NodeKind::ForMap: return loop(as<ForMap>(stmt)->decl, as<ForMap>(stmt)->body);
      case NodeKind::ForRange:
        expression(as<ForRange>(stmt)->begin);
        expression(as<ForRange>(stmt)->end);
        return loop(as<ForRange>(stmt)->decl, as<ForRange>(stmt)->body);
      default: return children(stmt);
    }
  }

  void loop(VariableRef* variable, Block* body) {
    scopes_.emplace_back();
    declare(variable->name);
    std::set<std::string> ended = ended_;
    block(body, true);
    ended_ = std::move(ended);
    scopes_.pop_back();
  }

  std::map<std::string, SourceRange>* found_;
  std::vector<std::set<std::string>> scopes_;
  std::set<std::string> ended_, declared_;
};

}  // namespace

// Declares them for the whole body; its scope is open.
void Sema::declare_old_variables(Body& body) {
  std::map<std::string, SourceRange> found;
  OldScopes scopes(&found);
  scopes.open();
  if (body.subprog != nullptr)
    for (SubprogParam& param : body.subprog->params) scopes.declare(param.name);
  scopes.block(body.block);
  for (const auto& [name, use] : found) {
    if (find_variable(name) != nullptr) continue;
    Variable* variable = declare(name, use);
    assigned_.insert(variable);
    origin_[variable] = DiagKind::OriginAssignment;
    report(DiagKind::InnerVariable, use, variable->name).hint(DiagKind::InnerVariableHint, variable->name);
  }
}

}  // namespace btc::sema
