// Types as written.
#include <algorithm>

#include "frontend/parse/parser_impl.h"

namespace btc::parse {
namespace {

// Words that are types wherever they stand. Other names may be typedefs: only sema knows.
constexpr std::string_view kTypeWords[] = {
    "avg_t",     "bool",  "buffer", "cgroup_path_t", "count_t", "inet",   "int16",   "int32",  "int64",  "int8",       "ksym_t",
    "macaddr_t", "max_t", "min_t",  "stats_t",       "string",  "sum_t",  "timestamp", "uavg_t", "uint16", "uint32",  "uint64",
    "uint8",     "umax_t", "umin_t", "ustats_t",     "usum_t",  "usym_t", "username_t", "void",
};

bool is_builtin_word(std::string_view name) {
  if (find_builtin(name) || find_function(name)) return true;
  return name.size() > 3 && name.starts_with("arg") && name.find_first_not_of("0123456789", 3) == std::string_view::npos;
}

}  // namespace

// type ::= [struct | union | enum] identifier {'*' | '[' [integer] ']'}
ast::TypeSpec* Parser::parse_type() {
  skip_layout();
  auto* spec = arena_.make<ast::TypeSpec>();
  uint32_t begin = here();
  spec->name = identifier("type name");
  spec->is_struct = spec->name == "struct";
  spec->is_union = spec->name == "union";
  spec->is_enum = spec->name == "enum";
  if (spec->is_struct || spec->is_union || spec->is_enum) spec->name = identifier("identifier");
  spec->range = since(begin);
  while (!stopped() && spec->suffixes.size() < kMaxNesting) {
    if (match('*')) {
      spec->suffixes.push_back({true, 0});
    } else if (match('[')) {
      skip_layout();
      int64_t count = -1;
      if (is_digit(peek())) count = static_cast<int64_t>(std::min<uint64_t>(integer_literal().value.value, INT64_MAX));
      expect(']');
      spec->suffixes.push_back({false, count});
    } else {
      break;
    }
    spec->range = since(begin);
  }
  return spec;
}

// typeof ::= "typeof" '(' (type | expression) ')'
ast::TypeSpec* Parser::parse_typeof() {
  Nesting nesting(*this);
  skip_layout();
  uint32_t begin = here();
  expect_word("typeof");
  expect('(');
  ast::TypeSpec* spec = nullptr;
  if (at_type(")")) {
    spec = parse_type();
  } else {
    spec = arena_.make<ast::TypeSpec>();
    spec->typeof_expr = parse_expression();
  }
  expect(')');
  spec->range = since(begin);
  return spec;
}

ast::TypeSpec* Parser::parse_type_or_typeof() { return next_is_word("typeof") ? parse_typeof() : parse_type(); }

// End of the type that begins here, or the position itself. *certain: it cannot be an expression as well.
size_t Parser::scan_type(bool* certain) const {
  *certain = false;
  if (stopped()) return pos_;
  size_t pos = scan_layout(pos_);
  if (!is_word_start(char_at(pos))) return pos_;
  size_t end = scan_word(pos);
  std::string_view word = text(pos, end);
  if (word == "struct" || word == "union" || word == "enum") {
    pos = scan_layout(end);
    if (!is_word_start(char_at(pos))) return pos_;
    end = scan_word(pos);
    *certain = true;
  } else if (std::find(std::begin(kTypeWords), std::end(kTypeWords), word) != std::end(kTypeWords)) {
    *certain = true;
  } else if (is_builtin_word(word)) {
    return pos_;
  }
  for (;;) {
    size_t next = scan_layout(end);
    if (char_at(next) == '*') {
      end = next + 1;
      *certain = true;
    } else if (char_at(next) == '[') {
      size_t close = scan_layout(next + 1);
      close = scan_layout(scan_word(close));
      if (char_at(close) != ']') return pos_;
      end = close + 1;
      *certain = true;
    } else {
      return end;
    }
  }
}

bool Parser::at_type(std::string_view terminators) const {
  bool certain = false;
  size_t end = scan_type(&certain);
  if (end == pos_ || !certain) return false;
  char next = char_at(scan_layout(end));
  return next != '\0' && terminators.find(next) != std::string_view::npos;
}

// Behind a '(': `type ')'` followed by what can begin an operand.
bool Parser::at_cast() const {
  if (next_is_word("typeof")) return true;
  bool certain = false;
  size_t end = scan_type(&certain);
  if (end == pos_) return false;
  size_t close = scan_layout(end);
  if (char_at(close) != ')') return false;
  char c = char_at(scan_layout(close + 1));
  return is_word_char(c) || (c != '\0' && std::string_view("$@\"(-!~*&").find(c) != std::string_view::npos);
}

}  // namespace btc::parse
