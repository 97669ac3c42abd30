// The parser's class. One file per family of productions:
//
//   parse_script.cpp  script, C definitions, config, imports, recovery
//   parse_decl.cpp    macros, functions, map declarations
//   parse_probe.cpp   probes, attach points, predicates
//   parse_stmt.cpp    blocks and statements
//   parse_expr.cpp    operators
//   parse_primary.cpp literals, names, calls, parentheses
//   parse_type.cpp    types
//
// Every parse function returns a node, also after an error: nothing needs to be
// checked on the way, and the statement loop throws the debris away.
#pragma once

#include "frontend/lex/lexer.h"
#include "frontend/parse/parser.h"

namespace btc::parse {

class Parser : private Lexer {
 public:
  Parser(ast::Arena& arena, const SourceFile& file, DiagEngine& diags, ast::Script* script)
      : Lexer(file, diags), arena_(arena), script_(script) {}

  bool parse_script();
  ast::Expr* parse_only_expression();

 private:
  // Trees deeper than this would overflow the stack of whoever walks them.
  static constexpr int kMaxNesting = 250;    // blocks and operands inside each other
  static constexpr int kMaxOperators = 1200;  // of one expression; a chain of them is as deep as it is long

  class Nesting {
   public:
    explicit Nesting(Parser& parser) : parser_(parser) {
      if (++parser_.nesting_ > kMaxNesting) parser_.error(DiagKind::SyntaxNesting);
    }
    ~Nesting() { parser_.nesting_--; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;

   private:
    Parser& parser_;
  };

  template <typename T>
  T* make(SourceRange range) { return arena_.make<T>(range); }
  ast::Expr* missing() { return make<ast::Integer>(since(here())); }  // stands where an error was

  // script
  void parse_c_definitions();
  bool at_c_definition() const;
  void parse_c_line();
  void parse_c_record();
  void parse_c_attributes();
  void parse_header_items();
  void parse_config();
  bool parse_config_entry();
  void parse_import();
  void parse_main_items();
  void parse_main_item();
  void misplaced(uint32_t begin, DiagKind kind);
  void recover_item(size_t begin);
  void recover_statement();
  size_t skip_literal(size_t pos) const;

  // declarations
  void parse_macro();
  ast::MacroParam parse_macro_param();
  void parse_subprog();
  void parse_map_decl();

  // probes
  void parse_probe();
  void parse_attach_point(ast::Probe* probe);
  size_t scan_attach_point() const;
  void add_attach_point(ast::Probe* probe, ast::AttachPoint point);
  void warn_if_deprecated(const ast::AttachPoint& point, std::string_view provider);

  // statements
  enum class BlockUse { Value, NoValue };
  ast::Block* parse_block(BlockUse use);
  void parse_statement_into(ast::Block* block);
  ast::Stmt* parse_while();
  ast::Stmt* parse_unroll();
  ast::Stmt* parse_for();
  bool counts_as_c() const;
  ast::Stmt* parse_for_of_c(uint32_t begin);
  ast::Stmt* parse_jump();
  ast::Stmt* parse_let();
  ast::Stmt* parse_import_statement();
  ast::Stmt* parse_assignment(ast::Expr* target, uint32_t begin);
  bool at_assignment(std::optional<ast::BinaryOp>* op, size_t* length) const;
  void end_statement();
  ast::Expr* parse_condition();
  ast::Stmt* expr_stmt(ast::Expr* expr, SourceRange range);
  void drop_values(ast::Expr* expr);

  // expressions
  ast::Expr* parse_expression();
  ast::Expr* parse_ternary(ast::Expr* cond);
  struct Operator { ast::BinaryOp op; int precedence; uint32_t length; };
  std::optional<Operator> peek_operator() const;
  void count_operator(SourceRange range);
  ast::Expr* parse_binary(int min_precedence);
  ast::Expr* parse_binary(int min_precedence, ast::Expr* left);
  ast::Expr* parse_unary();
  ast::Expr* parse_increment(uint32_t begin);
  ast::Expr* parse_address_of(uint32_t begin);
  ast::Expr* parse_postfix(ast::Expr* base);
  ast::Expr* parse_member(ast::Expr* base, bool arrow);

  // primary expressions
  ast::Expr* parse_primary();
  ast::Expr* parse_word();
  ast::Expr* parse_call(std::string name, SourceRange name_range);
  ast::Expr* parse_if();
  ast::Expr* parse_offsetof(uint32_t begin, bool exists);
  ast::Expr* parse_dollar();
  ast::Expr* parse_map();
  ast::Expr* parse_integer();
  ast::Expr* parse_string();
  ast::Expr* parse_parens();
  ast::Expr* parse_cast(uint32_t begin);
  ast::Expr* parse_record(uint32_t begin);
  ast::Expr* parse_tuple_or_group(uint32_t begin);
  ast::VariableRef* parse_variable(const char* what);
  ast::MapRef* parse_map_name();

  // types
  ast::TypeSpec* parse_type();
  ast::TypeSpec* parse_typeof();
  ast::TypeSpec* parse_type_or_typeof();
  bool at_type(std::string_view terminators) const;
  bool at_cast() const;
  size_t scan_type(bool* certain) const;
  template <typename NodeT>
  void parse_type_or_expression(NodeT* node, std::string_view terminators);

  ast::Arena& arena_;
  ast::Script* script_;
  int nesting_ = 0;
  int expression_depth_ = 0;
  int operators_ = 0;  // in the outermost expression so far
  bool in_predicate_ = false;
};

// type_or_expr ::= typeof | type | expression         (of sizeof, offsetof, typeinfo)
template <typename NodeT>
void Parser::parse_type_or_expression(NodeT* node, std::string_view terminators) {
  if (next_is_word("typeof")) node->spec = parse_typeof();
  else if (at_type(terminators)) node->spec = parse_type();
  else node->operand = parse_expression();
}

}  // namespace btc::parse
