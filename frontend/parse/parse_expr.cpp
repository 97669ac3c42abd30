// Operators, from the loosest to the tightest.
#include "frontend/parse/parser_impl.h"

namespace btc::parse {

using ast::BinaryOp;
using ast::UnaryOp;

namespace {

bool can_be_counted(const ast::Expr* expr) {
  return expr->kind == ast::NodeKind::VariableRef || expr->kind == ast::NodeKind::MapRef || expr->kind == ast::NodeKind::MapAccess;
}

}  // namespace

// expression ::= ternary
ast::Expr* Parser::parse_expression() {
  Nesting nesting(*this);
  if (expression_depth_++ == 0) operators_ = 0;
  ast::Expr* expr = parse_ternary(parse_binary(0));
  expression_depth_--;
  return expr;
}

void Parser::count_operator(SourceRange range) {
  if (++operators_ > kMaxOperators) error_at(range, DiagKind::SyntaxTooLong, kMaxOperators);
}

// ternary ::= binary ['?' [expression] ':' expression]
ast::Expr* Parser::parse_ternary(ast::Expr* cond) {
  if (stopped() || char_at(scan_layout(pos_)) != '?') return cond;
  match('?');
  auto* ternary = make<ast::Ternary>(cond->range);
  ternary->cond = cond;
  if (!match(':')) {
    ternary->then_value = parse_expression();
    expect(':');
  }
  ternary->else_value = parse_expression();
  ternary->range = since(cond->range.begin);
  return ternary;
}

// The binary operator behind the layout, if there is one; compound assignments are none.
std::optional<Parser::Operator> Parser::peek_operator() const {
  if (stopped()) return std::nullopt;
  std::string_view rest = text_.substr(scan_layout(pos_));
  // In a predicate a division may be written `\/`.
  bool escaped = in_predicate_ && rest.starts_with("\\/");
  if (escaped) return Operator{BinaryOp::Div, ast::op_info(BinaryOp::Div).precedence, 2};
  if (rest.starts_with("++") || rest.starts_with("--") || rest.starts_with("->")) return std::nullopt;
  const ast::BinaryOpInfo* info = ast::find_binary_op(rest);
  if (!info) return std::nullopt;
  size_t length = std::string_view(info->text).size();
  if (ast::has_compound_form(*info) && rest.substr(length).starts_with('=')) return std::nullopt;
  // A '/' in front of the body ends the predicate.
  if (info->op == BinaryOp::Div && char_at(scan_layout(scan_layout(pos_) + 1)) == '{') return std::nullopt;
  return Operator{info->op, info->precedence, static_cast<uint32_t>(length)};
}

// binary ::= unary {operator unary}         by precedence, all left-associative
ast::Expr* Parser::parse_binary(int min_precedence) { return parse_binary(min_precedence, parse_unary()); }

ast::Expr* Parser::parse_binary(int min_precedence, ast::Expr* left) {
  while (auto found = peek_operator()) {
    if (found->precedence < min_precedence) break;
    skip_layout();
    uint32_t begin = here();
    advance(found->length);
    SourceRange op_range = since(begin);
    count_operator(op_range);
    ast::Expr* right = parse_binary(found->precedence + 1);
    auto* binary = make<ast::Binary>(since(left->range.begin));
    binary->op = found->op;
    binary->left = left;
    binary->right = right;
    binary->op_range = op_range;
    left = binary;
  }
  return left;
}

// unary ::= ('-' | '!' | '~' | '*') unary | ('++' | '--') unary | '&' (variable | map) | postfix
ast::Expr* Parser::parse_unary() {
  Nesting nesting(*this);
  skip_layout();
  uint32_t begin = here();
  char c = peek();
  if ((c == '+' || c == '-') && peek(1) == c) return parse_increment(begin);
  if (c == '&') return parse_address_of(begin);
  UnaryOp op{};
  if (c == '*') op = UnaryOp::Deref;
  else if (c == '!' && peek(1) != '=') op = UnaryOp::Not;
  else if (c == '~') op = UnaryOp::BitNot;
  else if (c == '-') op = UnaryOp::Neg;
  else return parse_postfix(parse_primary());
  advance();
  ast::Expr* operand = parse_unary();
  auto* unary = make<ast::Unary>(since(begin));
  unary->op = op;
  unary->operand = operand;
  return unary;
}

ast::Expr* Parser::parse_increment(uint32_t begin) {
  UnaryOp op = peek() == '+' ? UnaryOp::PreInc : UnaryOp::PreDec;
  advance(2);
  ast::Expr* operand = parse_unary();
  if (!stopped() && !can_be_counted(operand)) complain(operand->range, DiagKind::SyntaxIncrementTarget);
  auto* unary = make<ast::Unary>(since(begin));
  unary->op = op;
  unary->operand = operand;
  return unary;
}

// Of a map's entry or a field (`&@m[k]`, `&$p.x`) the address is taken too; sema says what has one.
ast::Expr* Parser::parse_address_of(uint32_t begin) {
  advance();
  skip_layout();
  if (peek() != '$' && peek() != '@') error(DiagKind::SyntaxAddressOf);
  ast::Expr* operand = parse_postfix(parse_primary());
  auto* unary = make<ast::Unary>(since(begin));
  unary->op = UnaryOp::AddressOf;
  unary->operand = operand;
  return unary;
}

// postfix ::= primary {'.' identifier | '.' integer | '->' identifier | '[' expression ']' | '++' | '--'}
ast::Expr* Parser::parse_postfix(ast::Expr* base) {
  while (!stopped()) {
    size_t next = scan_layout(pos_);
    char c = char_at(next);
    char second = char_at(next + 1);
    bool dot = c == '.' && second != '.';
    bool arrow = c == '-' && second == '>';
    bool count = (c == '+' || c == '-') && second == c;
    if (!dot && !arrow && !count && c != '[') break;
    skip_layout();
    SourceRange op_range{here(), here() + (arrow || count ? 2 : 1)};
    count_operator(op_range);
    if (dot || arrow) {
      advance(arrow ? 2 : 1);
      base = parse_member(base, arrow);
    } else if (c == '[') {
      advance();
      auto* access = make<ast::ArrayAccess>(base->range);
      access->base = base;
      access->index = parse_expression();
      expect(']');
      access->range = since(base->range.begin);
      base = access;
    } else {
      advance(2);
      if (!can_be_counted(base)) error_at(op_range, DiagKind::SyntaxIncrementTarget);
      auto* unary = make<ast::Unary>(since(base->range.begin));
      unary->op = c == '+' ? UnaryOp::PostInc : UnaryOp::PostDec;
      unary->operand = base;
      base = unary;
    }
  }
  return base;
}

ast::Expr* Parser::parse_member(ast::Expr* base, bool arrow) {
  uint32_t op_begin = here() - (arrow ? 2 : 1);
  skip_layout();
  uint32_t name_begin = here();
  if (!arrow && is_digit(peek())) {
    size_t end = pos_;
    while (is_digit(char_at(end))) end++;
    abi::IntParse index = abi::parse_uint(text(pos_, end));
    pos_ = end;
    if (!index.ok() || index.value > UINT32_MAX) complain(since(name_begin), DiagKind::SyntaxBadInteger, "tuple index is too large");
    auto* access = make<ast::TupleAccess>(since(base->range.begin));
    access->base = base;
    access->index = static_cast<uint32_t>(index.value);
    return access;
  }
  std::string field = identifier(arrow ? "field name after '->'" : "field name after '.'");
  auto* access = make<ast::FieldAccess>(since(base->range.begin));
  access->base = base;
  access->field = std::move(field);
  access->field_range = since(name_begin);
  access->arrow = arrow;
  auto* name = ast::dyn<ast::Identifier>(base);
  if (arrow && name && name->name == "args" && !stopped()) {
    diags_.report(DiagKind::OldArgsArrow, access->range, access->field).fix({op_begin, op_begin + 2}, ".");
  }
  return access;
}

}  // namespace btc::parse
