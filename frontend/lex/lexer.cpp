// Words, layout and look-ahead; literals are in literals.cpp.
#include "frontend/lex/lexer.h"

#include <algorithm>

namespace btc::parse {

void Lexer::take_comment(size_t end) {
  SourceRange range{here(), base_ + static_cast<uint32_t>(end)};
  // The parser may pass a comment again after looking ahead.
  if (comments_.empty() || comments_.back().range.begin < range.begin) comments_.push_back({range});
  pos_ = end;
}

void Lexer::skip_layout() {
  while (!at_end()) {
    if (is_space(peek())) {
      pos_++;
    } else if (peek() == '/' && peek(1) == '/') {
      take_comment(std::min(text_.find('\n', pos_), text_.size()));
    } else if (peek() == '/' && peek(1) == '*') {
      size_t close = text_.find("*/", pos_ + 2);
      if (close == std::string_view::npos) return error_at({here(), here() + 2}, DiagKind::SyntaxUnterminatedComment);
      take_comment(close + 2);
    } else {
      return;
    }
  }
}

bool Lexer::match(char c) {
  skip_layout();
  if (at_end() || peek() != c) return false;
  pos_++;
  return true;
}

bool Lexer::match_text(std::string_view symbol) {
  skip_layout();
  if (at_end() || !text_.substr(pos_).starts_with(symbol)) return false;
  pos_ += symbol.size();
  return true;
}

bool Lexer::next_is_word(std::string_view word) const {
  if (stopped_) return false;
  size_t begin = scan_layout(pos_);
  return text(begin, scan_word(begin)) == word;
}

bool Lexer::match_word(std::string_view word) {
  skip_layout();
  if (peek_word() != word) return false;
  pos_ += word.size();
  return true;
}

bool Lexer::expect(char c) {
  if (match(c)) return true;
  if (c == ';') {
    error(DiagKind::SyntaxExpectedSemicolon);
  } else {
    error(DiagKind::SyntaxExpected, fmt::format("'{}'", c));
  }
  return false;
}

bool Lexer::expect_word(std::string_view word) {
  if (match_word(word)) return true;
  error(DiagKind::SyntaxExpected, fmt::format("'{}'", word));
  return false;
}

std::string Lexer::identifier(const char* what) {
  skip_layout();
  if (!is_word_start(peek())) {
    if (what) error(DiagKind::SyntaxExpected, what);
    return "";
  }
  std::string name(peek_word());
  pos_ += name.size();
  return name;
}

size_t Lexer::scan_layout(size_t pos) const {
  while (pos < text_.size()) {
    if (is_space(text_[pos])) {
      pos++;
    } else if (text_[pos] == '/' && char_at(pos + 1) == '/') {
      pos = std::min(text_.find('\n', pos), text_.size());
    } else if (text_[pos] == '/' && char_at(pos + 1) == '*') {
      size_t close = text_.find("*/", pos + 2);
      pos = close == std::string_view::npos ? text_.size() : close + 2;
    } else {
      break;
    }
  }
  return pos;
}

size_t Lexer::scan_word(size_t pos) const {
  while (pos < text_.size() && is_word_char(text_[pos])) pos++;
  return pos;
}

size_t Lexer::scan_balanced(size_t pos, char open, char close) const {
  int depth = 0;
  for (size_t i = pos; i < text_.size(); i++) {
    if (text_[i] == open) depth++;
    if (text_[i] == close && --depth == 0) return i + 1;
  }
  return pos;
}

SourceRange Lexer::next_word_range() {
  skip_layout();
  size_t end = pos_;
  if (is_word_start(char_at(pos_))) {
    end = scan_word(pos_);
  } else if (is_digit(char_at(pos_))) {
    while (is_word_char(char_at(end)) || char_at(end) == '.') end++;
  } else if (char_at(pos_) == '@' || char_at(pos_) == '$') {
    end = scan_word(pos_ + 1);
  } else if (pos_ < text_.size()) {
    end = pos_ + 1;
    while (end < text_.size() && (static_cast<unsigned char>(text_[end]) & 0xc0) == 0x80) end++;  // the whole UTF-8 character
  }
  return {here(), base_ + static_cast<uint32_t>(end)};
}

}  // namespace btc::parse
