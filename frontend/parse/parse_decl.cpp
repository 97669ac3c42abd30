// Macros, functions and map declarations.
#include <algorithm>

#include "frontend/parse/parser_impl.h"

namespace btc::parse {
namespace {

// Words that bpftrace's parser itself knows as builtins; its other builtins are names like any other.
constexpr std::string_view kReservedParams[] = {"args", "ctx", "kstack", "nsecs", "pid", "tid", "ustack"};

bool is_reserved_param(std::string_view name) {
  if (std::find(std::begin(kReservedParams), std::end(kReservedParams), name) != std::end(kReservedParams)) return true;
  return name.size() > 3 && name.starts_with("arg") && name.find_first_not_of("0123456789", 3) == std::string_view::npos;
}

}  // namespace

// macro ::= "macro" identifier '(' [macro_param {',' macro_param}] ')' block
void Parser::parse_macro() {
  uint32_t begin = here();
  auto* macro = arena_.make<ast::Macro>();
  expect_word("macro");
  macro->name = identifier("macro name");
  macro->name_range = since(begin);
  expect('(');
  if (!match(')')) {
    do macro->params.push_back(parse_macro_param());
    while (match(','));
    expect(')');
  }
  macro->body = parse_block(BlockUse::Value);
  macro->range = since(begin);
  if (stopped()) return;
  script_->items.push_back({ast::Script::Item::Macro, script_->macros.size()});
  script_->macros.push_back(macro);
}

// macro_param ::= variable | map | identifier
ast::MacroParam Parser::parse_macro_param() {
  skip_layout();
  uint32_t begin = here();
  ast::MacroParam param;
  if (peek() == '$') {
    param.kind = ast::MacroParam::Var;
    param.name = parse_variable("variable")->name;
  } else if (peek() == '@') {
    param.kind = ast::MacroParam::Map;
    param.name = parse_map_name()->name;
  } else {
    param.kind = ast::MacroParam::Expr;
    param.name = identifier("macro argument ($var, @map, or identifier)");
    if (is_reserved_param(param.name)) complain(since(begin), DiagKind::SyntaxBuiltinParam, param.name);
  }
  param.range = since(begin);
  return param;
}

// subprog ::= "fn" identifier '(' [variable ':' type {',' variable ':' type}] ')' ':' type block
void Parser::parse_subprog() {
  uint32_t begin = here();
  auto* subprog = arena_.make<ast::Subprog>();
  expect_word("fn");
  subprog->name = identifier("function name");
  subprog->name_range = since(begin);
  expect('(');
  if (!match(')')) {
    do {
      skip_layout();
      ast::SubprogParam param;
      uint32_t param_begin = here();
      param.name = parse_variable("variable in function argument")->name;
      expect(':');
      param.spec = parse_type_or_typeof();
      param.range = since(param_begin);
      subprog->params.push_back(std::move(param));
    } while (match(','));
    expect(')');
  }
  expect(':');
  subprog->return_spec = parse_type_or_typeof();
  subprog->body = parse_block(BlockUse::NoValue);
  subprog->range = since(begin);
  if (stopped()) return;
  script_->items.push_back({ast::Script::Item::Subprog, script_->subprogs.size()});
  script_->subprogs.push_back(subprog);
}

// map_decl ::= "let" map '=' identifier '(' integer ')' [';']
void Parser::parse_map_decl() {
  uint32_t begin = here();
  ast::MapDecl decl;
  expect_word("let");
  skip_layout();
  uint32_t name = here();
  decl.name = parse_map_name()->name;
  decl.name_range = since(name);
  expect('=');
  skip_layout();
  uint32_t kind = here();
  decl.kind = identifier("map type name");
  decl.kind_range = since(kind);
  expect('(');
  skip_layout();
  if (!is_digit(peek())) error(DiagKind::SyntaxExpected, "positive integer for map declaration max entries");
  decl.max_entries = parse_integer();
  expect(')');
  if (stopped()) return;
  match(';');
  decl.range = since(begin);
  script_->items.push_back({ast::Script::Item::MapDecl, script_->map_decls.size()});
  script_->map_decls.push_back(std::move(decl));
}

}  // namespace btc::parse
