// Productions of the whole script, and where parsing goes on after an error.
#include <algorithm>

#include "frontend/parse/parser_impl.h"

namespace btc::parse {

// script ::= ["#!" line] {c_definition} {config | import} {main_item}
bool Parser::parse_script() {
  skip_layout();
  if (peek() == '#' && peek(1) == '!') {
    size_t end = std::min(text_.find('\n', pos_), text_.size());
    script_->shebang = std::string(text(pos_, end));
    pos_ = end;
  }
  parse_c_definitions();
  parse_header_items();
  parse_main_items();
  script_->comments = std::move(comments_);
  return errors_ == 0;
}

ast::Expr* Parser::parse_only_expression() {
  ast::Expr* expr = parse_expression();
  skip_layout();
  if (!at_end()) error(DiagKind::SyntaxUnexpected, "");
  return errors_ == 0 ? expr : nullptr;
}

// ---- C definitions --------------------------------------------------------------

void Parser::parse_c_definitions() {
  for (skip_layout(); !at_end() && at_c_definition(); skip_layout()) {
    size_t begin = pos_;
    if (peek() == '#') parse_c_line();
    else parse_c_record();
    if (stopped()) recover_item(begin);
  }
}

// A `#` line, or struct|union|enum followed by names and bracket groups up to a `{`. `struct:x {` is an attach point.
bool Parser::at_c_definition() const {
  if (peek() == '#') return peek(1) != '!';
  std::string_view word = peek_word();
  if (word != "struct" && word != "union" && word != "enum") return false;
  size_t pos = scan_layout(pos_ + word.size());
  while (pos < text_.size()) {
    size_t next = pos;
    if (text_[pos] == '{') return true;
    if (is_word_start(text_[pos])) next = scan_word(pos);
    if (text_[pos] == '(') next = scan_balanced(pos, '(', ')');
    if (text_[pos] == '[') next = scan_balanced(pos, '[', ']');
    if (next == pos) return false;
    pos = scan_layout(next);
  }
  return false;
}

// c_definition ::= '#' line          (a backslash at its end joins the next line)
void Parser::parse_c_line() {
  size_t begin = pos_;
  size_t end = begin;
  do {
    end = std::min(text_.find('\n', end + (end > begin)), text_.size());
  } while (end < text_.size() && end > begin && text_[end - 1] == '\\');
  pos_ = end;
  while (pos_ > begin && is_space(text_[pos_ - 1])) pos_--;
  uint32_t first = base_ + static_cast<uint32_t>(begin);
  script_->c_definitions.push_back({since(first), std::string(text(begin, pos_))});
}

// c_definition ::= (struct | union | enum) ... '{' ... '}' {attribute} [';']      (verbatim)
void Parser::parse_c_record() {
  size_t begin = pos_;
  uint32_t first = here();
  int depth = 0;
  for (bool open = true; open;) {
    if (pos_ >= text_.size()) return error(DiagKind::SyntaxExpected, "'}'");
    size_t after = skip_literal(pos_);
    if (after != pos_) {
      pos_ = after;
      continue;
    }
    if (text_[pos_] == '{') depth++;
    if (text_[pos_] == '}') open = --depth > 0;
    pos_++;
  }
  parse_c_attributes();
  std::string definition(text(begin, pos_));
  size_t semicolon = scan_layout(pos_);
  if (char_at(semicolon) == ';') pos_ = semicolon + 1;
  script_->c_definitions.push_back({since(first), definition + ";"});
}

// attribute ::= "__attribute__" '((' ... '))'
void Parser::parse_c_attributes() {
  while (next_is_word("__attribute__")) {
    match_word("__attribute__");
    skip_layout();
    if (peek() != '(' || peek(1) != '(') return error(DiagKind::SyntaxAttribute, "expected '(('");
    size_t after = scan_balanced(pos_, '(', ')');
    if (after == pos_) return error(DiagKind::SyntaxAttribute, "mismatched '(' and ')'");
    pos_ = after;
  }
}

// ---- config and imports -----------------------------------------------------------

void Parser::parse_header_items() {
  for (skip_layout(); !at_end(); skip_layout()) {
    size_t begin = pos_;
    if (peek_word() == "config" && char_at(scan_layout(pos_ + 6)) != ':') {
      if (script_->config_range) misplaced(here(), DiagKind::SyntaxDuplicateConfig);
      else parse_config();
    } else if (peek_word() == "import") {
      parse_import();
    } else {
      return;
    }
    if (stopped()) recover_item(begin);
  }
}

// config ::= "config" '=' '{' [entry {';' entry} [';']] '}'
void Parser::parse_config() {
  uint32_t begin = here();
  expect_word("config");
  expect('=');
  expect('{');
  for (skip_layout(); !at_end() && peek() != '}'; skip_layout()) {
    if (!parse_config_entry()) break;
    skip_layout();
    if (peek() != '}') expect(';');
    while (match(';')) {}
  }
  expect('}');
  script_->config_range = since(begin);
}

// entry ::= identifier '=' (string | integer | true | false | identifier)
bool Parser::parse_config_entry() {
  ast::ConfigEntry entry;
  uint32_t begin = here();
  entry.key = identifier("config key");
  entry.key_range = since(begin);
  expect('=');
  skip_layout();
  uint32_t value = here();
  if (peek() == '"') {
    entry.value = string_literal();
    entry.quoted = true;
  } else if (is_digit(peek())) {
    entry.value = std::to_string(integer_literal().value.value);
  } else {
    entry.value = identifier("string, int, boolean, or ident");
  }
  entry.value_range = since(value);
  entry.range = since(begin);
  if (stopped()) return false;
  script_->config.push_back(std::move(entry));
  return true;
}

// import ::= "import" string ';'
void Parser::parse_import() {
  uint32_t begin = here();
  expect_word("import");
  skip_layout();
  if (peek() != '"') return error(DiagKind::SyntaxExpected, "string after 'import'");
  ast::Import import;
  import.path = string_literal();
  import.range = since(begin);
  if (!match(';')) return error(DiagKind::SyntaxExpected, "';' after import");
  script_->imports.push_back(std::move(import));
}

// ---- main items -------------------------------------------------------------------

void Parser::parse_main_items() {
  for (skip_layout(); !at_end(); skip_layout()) {
    size_t begin = pos_;
    parse_main_item();
    if (stopped() || pos_ == begin) recover_item(begin);
  }
}

// main_item ::= macro | subprog | map_decl | probe
void Parser::parse_main_item() {
  uint32_t begin = here();
  std::string_view word = peek_word();
  size_t after = scan_layout(pos_ + word.size());
  // A word that begins an item is a probe type's name if a ':' follows.
  if (char_at(after) == ':') return parse_probe();
  if (at_c_definition()) return misplaced(begin, DiagKind::SyntaxCOrder);
  if (word == "config" && char_at(after) == '=') return misplaced(begin, DiagKind::SyntaxConfigOrder);
  if (word == "import") return misplaced(begin, DiagKind::SyntaxImportOrder);
  if (word == "macro") return parse_macro();
  if (word == "fn") return parse_subprog();
  if (word == "let" && char_at(after) == '@') return parse_map_decl();
  if (word == "let") {
    advance(word.size());
    return error(DiagKind::SyntaxRootLet);
  }
  if (peek() == '}') return error(DiagKind::SyntaxUnexpected, "");  // one brace too many
  parse_probe();
}

// An item that is well-formed but comes too late: reads it, then says so.
void Parser::misplaced(uint32_t begin, DiagKind kind) {
  ast::Script* script = script_;
  ast::Script elsewhere;
  script_ = &elsewhere;
  uint32_t word_end = here() + static_cast<uint32_t>(peek_word().size());
  bool is_c = kind == DiagKind::SyntaxCOrder;
  if (is_c && peek() == '#') parse_c_line();
  else if (is_c) parse_c_record();
  else if (kind == DiagKind::SyntaxImportOrder) parse_import();
  else parse_config();
  script_ = script;
  if (!stopped()) complain({begin, is_c ? here() : word_end}, kind);
}

// ---- recovery -----------------------------------------------------------------------

// Behind a comment or string that begins at `pos`; `pos` if none does. A string ends with its line.
size_t Parser::skip_literal(size_t pos) const {
  if (char_at(pos) == '/' && (char_at(pos + 1) == '/' || char_at(pos + 1) == '*')) return scan_layout(pos);
  if (char_at(pos) != '"') return pos;
  for (size_t i = pos + 1; i < text_.size() && text_[i] != '\n'; i++) {
    if (text_[i] == '"') return i + 1;
    if (text_[i] == '\\') i++;
  }
  return pos + 1;
}

// Goes on behind the item's outermost `{...}`. Counts from the item's beginning: the error may lie inside the braces.
void Parser::recover_item(size_t begin) {
  resume();
  size_t failed = std::max(pos_, begin + 1);
  int depth = 0;
  for (size_t i = begin; i < text_.size();) {
    size_t after = skip_literal(i);
    if (after != i) {
      i = after;
      continue;
    }
    char c = text_[i++];
    if (c == '{') depth++;
    if (c == '}') depth--;
    if (depth <= 0 && i >= failed && (c == '}' || c == ';')) {
      pos_ = i;
      return;
    }
  }
  pos_ = text_.size();
}

// Goes on behind the next `;` of this block, or at its `}`.
void Parser::recover_statement() {
  resume();
  int depth = 0;
  while (pos_ < text_.size()) {
    size_t after = skip_literal(pos_);
    if (after != pos_) {
      pos_ = after;
      continue;
    }
    char c = text_[pos_];
    if (c == '}' && depth == 0) return;
    pos_++;
    if (c == '{') depth++;
    if (c == '}' && --depth == 0 && !next_is_word("else")) return;   // an `else` belongs to what was passed
    if (c == ';' && depth == 0) return;
  }
}

}  // namespace btc::parse

namespace btc {

bool parse_script(ast::Arena& arena, SourceManager& sources, uint32_t file, DiagEngine& diags, ast::Script* out) {
  const SourceFile& source = sources.file(file);
  // An executable or an archive would only give pages of syntax errors.
  if (size_t nul = source.text.find('\0'); nul != std::string::npos) {
    diags.report(DiagKind::NotText, {}, source.name, sources.line_col(source.base + static_cast<uint32_t>(nul)).line);
    return false;
  }
  return parse::Parser(arena, source, diags, out).parse_script();
}

ast::Expr* parse_expression_text(ast::Arena& arena, SourceManager& sources, uint32_t file, DiagEngine& diags) {
  ast::Script unused;
  return parse::Parser(arena, sources.file(file), diags, &unused).parse_only_expression();
}

}  // namespace btc
