// The words of a .bir file: names with a sigil, numbers, strings, punctuation. No input makes it read past the end; the first error
// is reported at its place, and everything behind it reads as the end of the file.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "frontend/support/diag.h"
#include "lower/ir/names.h"

namespace btc::ir {

class TextReader {
 protected:
  TextReader(std::string_view text, uint32_t base, DiagEngine& diags) : text_(text), base_(base), diags_(diags) {}

  void skip_space();
  bool at_end();
  char peek();
  SourceRange here(size_t begin) const;
  void fail_at(SourceRange range, const std::string& message);
  void fail(const std::string& message) { fail_at(here(pos_), message); }

  bool try_char(char c);
  void expect(char c);
  std::string_view try_word();
  std::string_view take_word(const char* what);
  bool try_keyword(std::string_view word);
  bool try_next_word(std::string_view word);
  void expect_word(std::string_view word);
  std::string_view take_name(char sigil, const char* what, bool allow_empty = false);
  int64_t take_int();
  uint32_t take_u32();
  std::string take_string();
  template <size_t N>
  size_t take_enum(const char* const (&names)[N], const char* what) {
    skip_space();
    size_t begin = pos_;
    std::string_view word = take_word(what);
    if (auto index = find_name(names, word)) return *index;
    fail_at(here(begin), fmt::format("'{}' is not {}", word, what));
    return 0;
  }
  std::string_view take_type_text(std::string_view stop);

  std::string_view text_;
  uint32_t base_;                                // place of text_ among the sources
  size_t pos_ = 0;
  bool failed_ = false;

 private:
  DiagEngine& diags_;
};

}  // namespace btc::ir
