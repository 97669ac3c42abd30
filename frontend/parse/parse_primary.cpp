// Primary expressions: literals, names, calls, and everything in parentheses.
#include <algorithm>

#include "frontend/parse/parser_impl.h"

namespace btc::parse {

// primary ::= parens | block | word | map | dollar | integer | string
ast::Expr* Parser::parse_primary() {
  skip_layout();
  char c = peek();
  if (c == '(') return parse_parens();
  if (c == '{') return parse_block(BlockUse::Value);
  if (is_word_start(c)) return parse_word();
  if (c == '@') return parse_map();
  if (c == '$') return parse_dollar();
  if (is_digit(c)) return parse_integer();
  if (c == '"') return parse_string();
  error(DiagKind::SyntaxExpectedExpression);
  return missing();
}

// word ::= "true" | "false" | if | "sizeof" '(' type_or_expr ')' | offsetof | "typeinfo" '(' type_or_expr ')'
//        | "comptime" unary | call | identifier
ast::Expr* Parser::parse_word() {
  uint32_t begin = here();
  if (next_is_word("if")) return parse_if();
  std::string name = identifier();
  SourceRange name_range = since(begin);
  if (name == "true" || name == "false") {
    auto* boolean = make<ast::Boolean>(name_range);
    boolean->value = name == "true";
    return boolean;
  }
  if (name == "comptime") {
    ast::Expr* operand = parse_unary();
    auto* comptime = make<ast::Comptime>(since(begin));
    comptime->operand = operand;
    return comptime;
  }
  bool called = char_at(scan_layout(pos_)) == '(';
  if (name == "offsetof" || (name == "has_field" && called)) return parse_offsetof(begin, name == "has_field");
  auto measured = [&](auto* node) {
    expect('(');
    parse_type_or_expression(node, ")");
    expect(')');
    node->range = since(begin);
    return node;
  };
  if (name == "sizeof") return measured(make<ast::Sizeof>(name_range));
  if (name == "typeinfo") return measured(make<ast::Typeinfo>(name_range));
  if (called) return parse_call(std::move(name), name_range);
  auto* identifier = make<ast::Identifier>(name_range);
  identifier->name = std::move(name);
  return identifier;
}

// call ::= identifier '(' [argument {',' argument} [',']] ')'        argument ::= typeof | ("struct" | "union" | "enum") type | expression
ast::Expr* Parser::parse_call(std::string name, SourceRange name_range) {
  auto* call = make<ast::Call>(name_range);
  call->name = std::move(name);
  call->name_range = name_range;
  expect('(');
  for (skip_layout(); !at_end() && peek() != ')'; skip_layout()) {
    uint32_t begin = here();
    if (next_is_word("typeof") || next_is_word("struct") || next_is_word("union") || next_is_word("enum")) {
      ast::TypeSpec* spec = parse_type_or_typeof();
      auto* arg = make<ast::TypeArg>(since(begin));
      arg->spec = spec;
      call->args.push_back(arg);
    } else {
      call->args.push_back(parse_expression());
    }
    if (!match(',')) break;
  }
  expect(')');
  call->range = since(name_range.begin);
  return call;
}

// if ::= "if" condition block ["else" (block | if)]
ast::Expr* Parser::parse_if() {
  Nesting nesting(*this);
  skip_layout();
  uint32_t begin = here();
  expect_word("if");
  auto* node = make<ast::IfExpr>(since(begin));
  node->cond = parse_condition();
  if (auto* comptime = ast::dyn<ast::Comptime>(node->cond)) {
    node->comptime = true;
    node->cond = comptime->operand;
  }
  node->then_block = parse_block(BlockUse::Value);
  if (next_is_word("else")) {
    match_word("else");
    skip_layout();
    if (peek() == '{') {
      node->else_block = parse_block(BlockUse::Value);
    } else if (next_is_word("if")) {
      ast::Expr* nested = parse_if();
      node->else_block = make<ast::Block>(nested->range);
      node->else_block->value = nested;
    } else {
      error(DiagKind::SyntaxExpected, "'{' or 'if' after 'else'");
    }
  }
  node->range = since(begin);
  return node;
}

// offsetof ::= ("offsetof" | "has_field") '(' type_or_expr ',' identifier {'.' identifier} ')'
ast::Expr* Parser::parse_offsetof(uint32_t begin, bool exists) {
  auto* node = make<ast::Offsetof>(since(begin));
  node->exists = exists;
  expect('(');
  parse_type_or_expression(node, ",");
  expect(',');
  do node->fields.push_back(identifier("field name"));
  while (match('.'));
  expect(')');
  node->range = since(begin);
  return node;
}

// dollar ::= '$#' | '$' digits | variable
ast::Expr* Parser::parse_dollar() {
  uint32_t begin = here();
  if (peek(1) == '#') {
    advance(2);
    return make<ast::Positional>(since(begin));
  }
  if (!is_digit(peek(1))) return parse_variable("identifier after '$'");
  advance();
  size_t digits = pos_;
  while (is_digit(peek())) advance();
  uint64_t n = 0;
  for (char c : text(digits, pos_)) n = n > UINT32_MAX ? n : n * 10 + static_cast<uint64_t>(c - '0');
  if (n < 1 || n > UINT32_MAX) complain(since(begin), DiagKind::SyntaxParamRange, text(digits, pos_));
  auto* positional = make<ast::Positional>(since(begin));
  positional->n = static_cast<uint32_t>(std::min<uint64_t>(n, UINT32_MAX));
  return positional;
}

// variable ::= '$' identifier
ast::VariableRef* Parser::parse_variable(const char* what) {
  uint32_t begin = here();
  auto* variable = make<ast::VariableRef>(since(begin));
  if (peek() != '$') {
    error(DiagKind::SyntaxExpected, what);
  } else if (!is_word_start(peek(1))) {
    error(DiagKind::SyntaxExpected, "identifier after '$'");
  } else {
    size_t end = scan_word(pos_ + 1);
    variable->name = std::string(text(pos_, end));
    pos_ = end;
    variable->range = since(begin);
  }
  return variable;
}

// map_name ::= '@' [identifier]
ast::MapRef* Parser::parse_map_name() {
  uint32_t begin = here();
  auto* map = make<ast::MapRef>(since(begin));
  size_t end = is_word_start(peek(1)) ? scan_word(pos_ + 1) : pos_ + 1;
  map->name = std::string(text(pos_, std::min(end, text_.size())));
  pos_ = std::min(end, text_.size());
  map->range = since(begin);
  return map;
}

// map ::= map_name ['[' expression {',' expression} ']']        several keys are one tuple
ast::Expr* Parser::parse_map() {
  uint32_t begin = here();
  ast::MapRef* map = parse_map_name();
  if (char_at(scan_layout(pos_)) != '[') return map;
  match('[');
  std::vector<ast::Expr*> keys;
  do keys.push_back(parse_expression());
  while (match(','));
  expect(']');
  auto* access = make<ast::MapAccess>(since(begin));
  access->map = map;
  access->key = keys.front();
  if (keys.size() > 1) {
    auto* tuple = make<ast::Tuple>(since(begin));
    tuple->elements = std::move(keys);
    access->key = tuple;
  }
  return access;
}

ast::Expr* Parser::parse_integer() {
  uint32_t begin = here();
  IntLiteral literal = integer_literal();
  auto* integer = make<ast::Integer>(since(begin));
  integer->value = literal.value.value;
  integer->is_duration = literal.value.is_duration;
  integer->text = std::move(literal.text);
  return integer;
}

ast::Expr* Parser::parse_string() {
  uint32_t begin = here();
  std::string value = string_literal();
  auto* string = make<ast::String>(since(begin));
  string->value = std::move(value);
  return string;
}

// parens ::= '(' ')' | record | cast | tuple | '(' expression ')'
ast::Expr* Parser::parse_parens() {
  uint32_t begin = here();
  advance();
  if (match(')')) return make<ast::Tuple>(since(begin));
  size_t word = scan_layout(pos_);
  if (is_word_start(char_at(word))) {
    size_t next = scan_layout(scan_word(word));
    if (char_at(next) == '=' && char_at(next + 1) != '=') return parse_record(begin);
  }
  if (at_cast()) return parse_cast(begin);
  return parse_tuple_or_group(begin);
}

// cast ::= '(' (type | typeof) ')' unary
ast::Expr* Parser::parse_cast(uint32_t begin) {
  ast::TypeSpec* spec = parse_type_or_typeof();
  expect(')');
  auto* cast = make<ast::Cast>(since(begin));
  cast->spec = spec;
  cast->operand = parse_unary();
  return cast;
}

// record ::= '(' identifier '=' expression {',' identifier '=' expression} [','] ')'
ast::Expr* Parser::parse_record(uint32_t begin) {
  auto* record = make<ast::RecordLit>(since(begin));
  do {
    skip_layout();
    if (peek() == ')') break;
    uint32_t field_begin = here();
    std::string name = identifier("identifier");
    expect('=');
    ast::Expr* value = parse_expression();
    bool is_known = std::any_of(record->fields.begin(), record->fields.end(), [&](const auto& field) { return field.first == name; });
    if (is_known && !stopped()) complain(since(field_begin), DiagKind::SyntaxDuplicateField, name);
    record->fields.emplace_back(std::move(name), value);
  } while (match(','));
  expect(')');
  record->range = since(begin);
  return record;
}

// tuple ::= '(' expression ',' [expression {',' expression} [',']] ')'
ast::Expr* Parser::parse_tuple_or_group(uint32_t begin) {
  ast::Expr* first = parse_expression();
  if (!match(',')) {
    expect(')');
    return first;
  }
  auto* tuple = make<ast::Tuple>(since(begin));
  tuple->elements.push_back(first);
  for (skip_layout(); !at_end() && peek() != ')'; skip_layout()) {
    tuple->elements.push_back(parse_expression());
    if (!match(',')) break;
  }
  expect(')');
  tuple->range = since(begin);
  return tuple;
}

}  // namespace btc::parse
