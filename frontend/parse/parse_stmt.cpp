// Blocks and statements.
//
// A mistake ends one statement: the block's loop skips to the next `;` or `}`
// and goes on, so a script with three typos gets three messages.
#include "frontend/parse/parser_impl.h"

namespace btc::parse {

using ast::dyn;

// block ::= '{' {statement} [expression] '}'
ast::Block* Parser::parse_block(BlockUse use) {
  Nesting nesting(*this);
  skip_layout();
  uint32_t begin = here();
  auto* block = make<ast::Block>({begin, begin + 1});
  if (!expect('{')) return block;
  bool was_in_predicate = in_predicate_;
  in_predicate_ = false;
  for (skip_layout(); !at_end() && peek() != '}'; skip_layout()) {
    parse_statement_into(block);
    if (stopped()) recover_statement();
  }
  in_predicate_ = was_in_predicate;
  if (!match('}')) {
    if (!stopped()) {
      complain(next_word_range(), DiagKind::SyntaxExpected, "'}'").note(DiagKind::OpenedHere, {begin, begin + 1}, "{");
      error_silently();
    }
    return block;
  }
  block->range = since(begin);
  if (use == BlockUse::NoValue) drop_values(block);
  return block;
}

// statement ::= ';' | import | while | unroll | for | jump ';' | let ';' | assignment ';' | expression ';' | if | block
void Parser::parse_statement_into(ast::Block* block) {
  if (match(';')) return;  // an empty statement
  size_t errors_before = errors_;
  uint32_t begin = here();
  std::string_view word = peek_word();
  ast::Stmt* stmt = nullptr;
  if (word == "import") stmt = parse_import_statement();
  else if (word == "while") stmt = parse_while();
  else if (word == "unroll") stmt = parse_unroll();
  else if (word == "for") stmt = parse_for();
  else if (word == "break" || word == "continue" || word == "return") stmt = parse_jump();
  else if (word == "let") stmt = parse_let();
  if (stmt) {
    if (!stopped()) block->stmts.push_back(stmt);
    return;
  }

  // An `if` or block in front of a statement ends it: what follows is the next one, not an operand.
  bool ends_itself = word == "if" || peek() == '{';
  bool has_sigil = peek() == '$' || peek() == '@';
  ast::Expr* expr = ends_itself ? parse_primary() : parse_expression();
  if (stopped()) return;
  std::optional<ast::BinaryOp> op;
  size_t length = 0;
  if (at_assignment(&op, &length)) {
    stmt = parse_assignment(expr, begin);
    if (stmt && errors_ == errors_before) block->stmts.push_back(stmt);
    return;
  }
  SourceRange range = since(begin);
  skip_layout();
  if (match(';')) {
    block->stmts.push_back(expr_stmt(expr, has_sigil ? range : since(begin)));
  } else if (peek() == '}') {
    block->value = expr;
  } else if (ends_itself) {
    block->stmts.push_back(expr_stmt(expr, range));
  } else {
    error(DiagKind::SyntaxExpectedSemicolon);
  }
}

ast::Stmt* Parser::expr_stmt(ast::Expr* expr, SourceRange range) {
  drop_values(expr);
  auto* stmt = make<ast::ExprStmt>(range);
  stmt->expr = expr;
  return stmt;
}

// The value of a block whose value nobody takes is an ordinary statement.
void Parser::drop_values(ast::Expr* expr) {
  if (auto* if_expr = dyn<ast::IfExpr>(expr)) {
    drop_values(if_expr->then_block);
    if (if_expr->else_block) drop_values(if_expr->else_block);
  }
  auto* block = dyn<ast::Block>(expr);
  if (!block || !block->value) return;
  ast::Expr* value = block->value;
  block->value = nullptr;
  block->stmts.push_back(expr_stmt(value, value->range));
}

// `;`, or nothing in front of `}`.
void Parser::end_statement() {
  skip_layout();
  if (peek() != '}') expect(';');
}

// condition ::= expression        (usually in parentheses; the block's `{` ends it either way)
ast::Expr* Parser::parse_condition() {
  skip_layout();
  if (peek() != '(') return parse_expression();
  advance();
  if (at_cast()) {
    pos_--;
    return parse_expression();
  }
  // `(x = 1)` is no record here, and `(a, b)` no tuple, unless in parentheses of their own.
  ast::Expr* cond = parse_expression();
  expect(')');
  skip_layout();
  if (peek() == '{') return cond;
  return parse_ternary(parse_binary(0, parse_postfix(cond)));
}

// while ::= "while" condition block
ast::Stmt* Parser::parse_while() {
  uint32_t begin = here();
  expect_word("while");
  ast::Expr* cond = parse_condition();
  ast::Block* body = parse_block(BlockUse::NoValue);
  auto* stmt = make<ast::While>(since(begin));
  stmt->cond = cond;
  stmt->body = body;
  return stmt;
}

// unroll ::= "unroll" condition block
ast::Stmt* Parser::parse_unroll() {
  uint32_t begin = here();
  expect_word("unroll");
  ast::Expr* count = parse_condition();
  ast::Block* body = parse_block(BlockUse::NoValue);
  auto* stmt = make<ast::Unroll>(since(begin));
  stmt->count = count;
  stmt->body = body;
  return stmt;
}

// `for (let $i = 0; $i < 3; $i++)`: said once, and read on behind the loop.
bool Parser::counts_as_c() const {
  std::string_view word = peek_word();
  size_t name = word == "let" || word == "int" ? scan_layout(pos_ + word.size()) : pos_;
  size_t behind = char_at(name) == '$' ? scan_layout(scan_word(name + 1)) : name;
  return word == "let" || word == "int" || (char_at(behind) == '=' && char_at(behind + 1) != '=');
}

ast::Stmt* Parser::parse_for_of_c(uint32_t begin) {
  complain(next_word_range(), DiagKind::SyntaxExpected, "variable in for loop").hint(DiagKind::Habit, "a loop goes over a range, `for ($i : 0..10)`, or over a map");
  size_t open = pos_;
  while (open > 0 && char_at(open) != '(') open--;
  pos_ = std::max(scan_balanced(open, '(', ')'), pos_);
  parse_block(BlockUse::NoValue);
  return expr_stmt(missing(), since(begin));
}

// for ::= "for" ['('] variable ':' (map | expression '..' expression) [')'] block
ast::Stmt* Parser::parse_for() {
  uint32_t begin = here();
  expect_word("for");
  bool has_paren = match('(');
  skip_layout();
  if (has_paren && counts_as_c()) return parse_for_of_c(begin);
  ast::VariableRef* decl = parse_variable("variable in for loop");
  expect(':');
  ast::Expr* first = parse_binary(0);
  if (match_text("..")) {
    ast::Expr* last = parse_binary(0);
    if (has_paren) expect(')');
    ast::Block* body = parse_block(BlockUse::NoValue);
    auto* stmt = make<ast::ForRange>(since(begin));
    stmt->decl = decl;
    stmt->begin = first;
    stmt->end = last;
    stmt->body = body;
    return stmt;
  }
  auto* map = dyn<ast::MapRef>(first);
  if (!map) error_at(first->range, DiagKind::SyntaxForSource);
  if (has_paren) expect(')');
  ast::Block* body = parse_block(BlockUse::NoValue);
  auto* stmt = make<ast::ForMap>(since(begin));
  stmt->decl = decl;
  stmt->map = map;
  stmt->body = body;
  return stmt;
}

// jump ::= "break" | "continue" | "return" [expression]
ast::Stmt* Parser::parse_jump() {
  uint32_t begin = here();
  auto* stmt = make<ast::Jump>(since(begin));
  if (match_word("break")) {
    stmt->jump = ast::JumpKind::Break;
  } else if (match_word("continue")) {
    stmt->jump = ast::JumpKind::Continue;
  } else {
    expect_word("return");
    stmt->jump = ast::JumpKind::Return;
    skip_layout();
    if (peek() != ';' && peek() != '}') stmt->value = parse_expression();
  }
  end_statement();
  stmt->range = since(begin);
  return stmt;
}

// let ::= "let" variable [':' type] ['=' expression]
ast::Stmt* Parser::parse_let() {
  uint32_t begin = here();
  expect_word("let");
  skip_layout();
  ast::VariableRef* var = parse_variable("variable after 'let'");
  auto* stmt = make<ast::VarDecl>(since(begin));
  stmt->var = var;
  if (match(':')) stmt->spec = parse_type_or_typeof();
  if (match('=')) {
    stmt->init = parse_expression();
    stmt->range = since(begin);
  }
  end_statement();
  return stmt;
}

// import_statement ::= "import" string ';'
ast::Stmt* Parser::parse_import_statement() {
  uint32_t begin = here();
  expect_word("import");
  skip_layout();
  auto* stmt = make<ast::ImportStmt>(since(begin));
  if (peek() != '"') {
    error(DiagKind::SyntaxExpected, "string after 'import'");
    return stmt;
  }
  stmt->path = string_literal();
  stmt->range = since(begin);
  if (!match(';')) error(DiagKind::SyntaxExpected, "';' after import");
  return stmt;
}

// `=` or `op=` comes next. *op stays empty for `=`.
bool Parser::at_assignment(std::optional<ast::BinaryOp>* op, size_t* length) const {
  if (stopped()) return false;
  std::string_view rest = text_.substr(scan_layout(pos_));
  const ast::BinaryOpInfo* info = ast::find_binary_op(rest);
  if (info && ast::has_compound_form(*info) && rest.substr(std::string_view(info->text).size()).starts_with('=')) {
    *op = info->op;
    *length = std::string_view(info->text).size() + 1;
    return true;
  }
  *length = 1;
  return rest.starts_with('=') && !rest.starts_with("==");
}

// assignment ::= (variable | map | map_access) ('=' | op '=') expression | '_' '=' expression
ast::Stmt* Parser::parse_assignment(ast::Expr* target, uint32_t begin) {
  std::optional<ast::BinaryOp> op;
  size_t length = 0;
  at_assignment(&op, &length);
  skip_layout();
  advance(length);
  ast::Expr* value = parse_expression();
  auto* stmt = make<ast::Assign>(since(begin));
  stmt->op = op;
  stmt->target = target;
  stmt->value = value;
  auto* name = dyn<ast::Identifier>(target);
  switch (target->kind) {
    case ast::NodeKind::VariableRef:
    case ast::NodeKind::MapRef:
    case ast::NodeKind::MapAccess: break;
    case ast::NodeKind::TupleAccess:
    case ast::NodeKind::FieldAccess:
      if (!stopped()) complain(stmt->range, DiagKind::SyntaxImmutable);
      break;
    default:
      if (name && name->name == "_" && !op) stmt->target = nullptr;
      else if (!stopped()) complain(stmt->range, DiagKind::SyntaxAssignTarget);
  }
  end_statement();
  return stopped() ? nullptr : stmt;
}

}  // namespace btc::parse
