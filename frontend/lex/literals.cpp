// Literals: strings with their escapes, integers with their suffixes.
#include "frontend/lex/lexer.h"

namespace btc::parse {
namespace {

bool is_octal(char c) { return c >= '0' && c <= '7'; }
int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

// string ::= '"' { char | '\' escape } '"'
std::string Lexer::string_literal() {
  std::string value;
  advance();
  while (!stopped_) {
    if (pos_ >= text_.size() || peek() == '\n') {
      error_at(next_word_range(), DiagKind::SyntaxUnterminatedString);
    } else if (peek() == '"') {
      advance();
      return value;
    } else if (peek() == '\\') {
      escape(&value);
    } else {
      value += peek();
      advance();
    }
  }
  return value;
}

// escape ::= n | t | r | '"' | '\' | octal [octal [octal]] | (x | X) hex [hex]
void Lexer::escape(std::string* value) {
  uint32_t begin = here();
  advance();
  char c = peek();
  constexpr std::string_view kPlain = "n\nt\tr\r\"\"\\\\";
  for (size_t i = 0; i < kPlain.size(); i += 2) {
    if (c != kPlain[i]) continue;
    *value += kPlain[i + 1];
    return advance();
  }
  if (is_octal(c)) {
    size_t first = pos_;
    unsigned number = 0;
    for (; pos_ < first + 3 && is_octal(peek()); pos_++) number = number * 8 + static_cast<unsigned>(peek() - '0');
    if (number > 255) {
      complain(since(begin), DiagKind::SyntaxBadEscape,
               fmt::format("octal escape sequence out of range '\\{}'", text(first, pos_)));
    }
    *value += static_cast<char>(number);
  } else if (c == 'x' || c == 'X') {
    advance();
    size_t first = pos_;
    int number = 0;
    for (; pos_ < first + 2 && hex_value(peek()) >= 0; pos_++) number = number * 16 + hex_value(peek());
    if (pos_ == first) return error(DiagKind::SyntaxBadEscape, "invalid hex escape sequence");
    *value += static_cast<char>(number);
  } else if (pos_ < text_.size() && c != '\n') {
    complain(next_word_range(), DiagKind::SyntaxBadEscape, fmt::format("invalid escape character '\\{}'", c));
    advance();
  }
}

// integer ::= (digits | 0x hexdigits | 0b bits) [e digits] [suffix]; see runtime-stub/abi/int_parse.h
Lexer::IntLiteral Lexer::integer_literal() {
  size_t begin = pos_;
  auto digits = [this](auto accepts) {
    size_t first = pos_;
    while (accepts(peek()) || peek() == '_') pos_++;
    if (pos_ > first && text_[pos_ - 1] == '_') {
      complain({here() - 1, here()}, DiagKind::SyntaxBadInteger, "trailing underscore in integer literal");
    }
  };
  char second = peek(1);
  bool is_prefixed = peek() == '0' && (second == 'x' || second == 'X' || second == 'b' || second == 'B');
  if (is_prefixed) advance(2);
  if (is_prefixed && (second == 'x' || second == 'X')) {
    digits([](char c) { return hex_value(c) >= 0; });
  } else {
    digits(is_digit);
    if (!is_prefixed && (peek() == 'e' || peek() == 'E')) {
      advance();
      digits(is_digit);
    }
  }
  suffix();
  IntLiteral literal;
  literal.text = std::string(text(begin, pos_));
  literal.value = abi::parse_uint(literal.text);
  uint32_t first = base_ + static_cast<uint32_t>(begin);
  if (!literal.value.ok() && !stopped_) complain(since(first), DiagKind::SyntaxBadInteger, literal.value.error);
  return literal;
}

// Passes the suffix; letters behind it are an error.
void Lexer::suffix() {
  constexpr std::string_view kDurations[] = {"ns", "us", "ms", "s", "m", "h", "d"};
  std::string_view word = peek_word();
  size_t length = 0;
  for (std::string_view duration : kDurations) {
    if (word.starts_with(duration)) {
      length = duration.size();
      break;
    }
  }
  if (length == 0) {
    auto is = [&](size_t i, char c) { return i < word.size() && (word[i] == c || word[i] == c - 'a' + 'A'); };
    if (is(0, 'u')) length = 1;
    for (int l = 0; l < 2 && is(length, 'l'); l++) length++;
  }
  advance(length);
  if (length == word.size()) return;
  error_at({here(), here() + static_cast<uint32_t>(word.size() - length)}, DiagKind::SyntaxBadInteger,
           fmt::format("invalid integer suffix '{}'", word.substr(length)));
}

}  // namespace btc::parse
