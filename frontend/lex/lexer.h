// Characters to words: layout, identifiers, literals, look-ahead.
//
// There is no token stream. What a word is depends on where it stands (an
// attach point is raw text up to a blank, a C definition is passed on verbatim,
// `/` may end a predicate), so the parser asks for the word it expects.
//
// After an error the lexer is stopped: it shows the end of the input until
// resume(), so that all open productions finish by themselves and only the
// first mistake of a statement is reported.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/ast/ast.h"
#include "frontend/support/diag.h"
#include "runtime-stub/abi/int_parse.h"

namespace btc::parse {

class Lexer {
 public:
  Lexer(const SourceFile& file, DiagEngine& diags) : text_(file.text), base_(file.base), diags_(diags) {}

 protected:
  // ---- position ---------------------------------------------------------------
  char peek(size_t ahead = 0) const { return stopped_ ? '\0' : char_at(pos_ + ahead); }
  char char_at(size_t pos) const { return pos < text_.size() ? text_[pos] : '\0'; }
  bool at_end() const { return stopped_ || pos_ >= text_.size(); }
  void advance(size_t n = 1) { pos_ = std::min(pos_ + n, text_.size()); }
  uint32_t here() const { return base_ + static_cast<uint32_t>(pos_); }
  // From `begin` to the current position.
  SourceRange since(uint32_t begin) const { return {begin, here()}; }
  std::string_view text(size_t begin, size_t end) const { return text_.substr(begin, end - begin); }

  // ---- words --------------------------------------------------------------------
  void skip_layout();                              // blanks and comments; comments are collected
  bool match(char c);                              // after layout
  bool match_word(std::string_view word);
  bool match_text(std::string_view symbol);        // operator of several characters
  bool next_is_word(std::string_view word) const;  // after layout, without moving
  std::string_view peek_word() const { return stopped_ ? std::string_view() : text(pos_, scan_word(pos_)); }
  bool expect(char c);
  bool expect_word(std::string_view word);
  // Empty if there is none; then, with `what`, "expected <what>" was reported.
  std::string identifier(const char* what = nullptr);

  // ---- literals -------------------------------------------------------------------
  std::string string_literal();                    // at the opening quote
  struct IntLiteral { std::string text; abi::IntParse value; };
  IntLiteral integer_literal();                    // at a digit

  // ---- look-ahead, on plain positions -----------------------------------------------
  size_t scan_layout(size_t pos) const;
  size_t scan_word(size_t pos) const;
  size_t scan_balanced(size_t pos, char open, char close) const;  // behind the closing bracket; `pos` if there is none

  // ---- errors ---------------------------------------------------------------------
  // Reports at the next word and stops.
  template <typename... Args>
  void error(DiagKind kind, const Args&... args) {
    error_at(next_word_range(), kind, args...);
  }
  template <typename... Args>
  void error_at(SourceRange range, DiagKind kind, const Args&... args) {
    if (stopped_) return;
    DiagBuilder builder = diags_.report(kind, range, args...);
    bool expected = kind == DiagKind::SyntaxExpected || kind == DiagKind::SyntaxExpectedExpression || kind == DiagKind::SyntaxExpectedSemicolon;
    std::string_view habit = expected ? habit_at(range.begin - base_) : std::string_view();
    if (!habit.empty()) builder.hint(DiagKind::Habit, habit);
    errors_++;
    stopped_ = true;
  }
  // Reports without stopping: the text is understood, only not accepted.
  template <typename... Args>
  DiagBuilder complain(SourceRange range, DiagKind kind, const Args&... args) {
    errors_++;
    return diags_.report(kind, range, args...);
  }
  void error_silently() { stopped_ = true; }  // after complain()
  bool stopped() const { return stopped_; }
  void resume() { stopped_ = false; }
  SourceRange next_word_range();
  std::string_view habit_at(size_t pos) const;   // empty if there is none

  static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  static bool is_word_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
  static bool is_word_char(char c) { return is_word_start(c) || is_digit(c); }

  std::string_view text_;
  uint32_t base_;
  DiagEngine& diags_;
  size_t pos_ = 0;
  size_t errors_ = 0;
  std::vector<ast::Comment> comments_;

 private:
  void take_comment(size_t end);
  void escape(std::string* value);
  void suffix();

  bool stopped_ = false;
};

}  // namespace btc::parse
