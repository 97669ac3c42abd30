#include "lower/ir/text_reader.h"

#include <algorithm>
#include <limits>

namespace btc::ir {
namespace {

bool is_word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}
int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

void TextReader::skip_space() {
  while (pos_ < text_.size()) {
    char c = text_[pos_];
    if (c == ';') {
      while (pos_ < text_.size() && text_[pos_] != '\n') ++pos_;
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      ++pos_;
    } else {
      break;
    }
  }
}

bool TextReader::at_end() {
  skip_space();
  return pos_ >= text_.size();
}

char TextReader::peek() {
  skip_space();
  return pos_ < text_.size() ? text_[pos_] : '\0';
}

SourceRange TextReader::here(size_t begin) const {
  auto from = static_cast<uint32_t>(std::min(begin, text_.size()));
  auto to = static_cast<uint32_t>(std::min(std::max(pos_, begin + 1), text_.size()));
  return {base_ + from, base_ + to};
}

void TextReader::fail_at(SourceRange range, const std::string& message) {
  if (!failed_) diags_.report(DiagKind::BirSyntax, range, message);
  failed_ = true;
  pos_ = text_.size();
}

bool TextReader::try_char(char c) {
  if (peek() != c) return false;
  ++pos_;
  return true;
}

void TextReader::expect(char c) {
  if (!try_char(c)) fail(fmt::format("expected '{}'", c));
}

std::string_view TextReader::try_word() {
  skip_space();
  size_t begin = pos_;
  while (pos_ < text_.size() && is_word_char(text_[pos_])) ++pos_;
  return text_.substr(begin, pos_ - begin);
}

std::string_view TextReader::take_word(const char* what) {
  std::string_view word = try_word();
  if (word.empty()) fail(fmt::format("expected {}", what));
  return word;
}

// Takes `word` if it comes next on the same line: an attribute of the item before.
bool TextReader::try_keyword(std::string_view word) {
  while (pos_ < text_.size() && (text_[pos_] == ' ' || text_[pos_] == '\t')) ++pos_;
  if (pos_ < text_.size() && !is_word_char(text_[pos_])) return false;
  return try_next_word(word);
}

bool TextReader::try_next_word(std::string_view word) {
  skip_space();
  size_t begin = pos_;
  if (!failed_ && try_word() == word) return true;
  pos_ = failed_ ? text_.size() : begin;
  return false;
}

void TextReader::expect_word(std::string_view word) {
  if (!try_next_word(word)) fail(fmt::format("expected '{}'", word));
}

// A name with its sigil; `allow_empty` for the map "@".
std::string_view TextReader::take_name(char sigil, const char* what, bool allow_empty) {
  if (peek() != sigil) {
    fail(fmt::format("expected {} ('{}...')", what, sigil));
    return {};
  }
  size_t begin = ++pos_;
  while (pos_ < text_.size() && is_word_char(text_[pos_])) ++pos_;
  if (pos_ == begin && !allow_empty) fail(fmt::format("expected a name after '{}'", sigil));
  return failed_ ? std::string_view{} : text_.substr(begin, pos_ - begin);
}

int64_t TextReader::take_int() {
  skip_space();
  size_t begin = pos_;
  bool negative = pos_ < text_.size() && text_[pos_] == '-';
  if (negative) ++pos_;
  bool is_hex = text_.substr(pos_, 2) == "0x";
  if (is_hex) pos_ += 2;
  size_t digits = pos_;
  uint64_t value = 0;
  while (pos_ < text_.size()) {
    int digit = hex_digit(text_[pos_]);
    uint64_t radix = is_hex ? 16 : 10;
    if (digit < 0 || static_cast<uint64_t>(digit) >= radix) break;
    if (value > (std::numeric_limits<uint64_t>::max() - static_cast<uint64_t>(digit)) / radix) {
      fail_at(here(begin), "number does not fit 64 bits");
      return 0;
    }
    value = value * radix + static_cast<uint64_t>(digit);
    ++pos_;
  }
  if (pos_ == digits) {
    fail_at(here(begin), "expected a number");
    return 0;
  }
  return static_cast<int64_t>(negative ? 0 - value : value);
}

uint32_t TextReader::take_u32() {
  size_t begin = pos_;
  int64_t value = take_int();
  if (value < 0 || value > std::numeric_limits<uint32_t>::max()) {
    fail_at(here(begin), "number out of range");
    return 0;
  }
  return static_cast<uint32_t>(value);
}

std::string TextReader::take_string() {
  std::string out;
  if (!try_char('"')) {
    fail("expected a string");
    return out;
  }
  while (pos_ < text_.size() && text_[pos_] != '"') {
    char c = text_[pos_++];
    if (c == '\n') break;
    if (c != '\\') {
      out += c;
      continue;
    }
    char escape = pos_ < text_.size() ? text_[pos_++] : '\0';
    if (escape == 'n') out += '\n';
    else if (escape == 't') out += '\t';
    else if (escape == '"' || escape == '\\') out += escape;
    else if (escape == 'x' && pos_ + 2 <= text_.size() && hex_digit(text_[pos_]) >= 0 && hex_digit(text_[pos_ + 1]) >= 0) {
      out += static_cast<char>(hex_digit(text_[pos_]) * 16 + hex_digit(text_[pos_ + 1]));
      pos_ += 2;
    } else {
      fail("unknown escape in string");
      return out;
    }
  }
  if (pos_ >= text_.size() || text_[pos_] != '"') fail("string without end");
  else ++pos_;
  return out;
}

// Text of a type: up to `stop` outside of brackets, or the end of a bracketed type.
std::string_view TextReader::take_type_text(std::string_view stop) {
  skip_space();
  size_t begin = pos_;
  int depth = 0;
  while (pos_ < text_.size() && text_[pos_] != '\n') {
    char c = text_[pos_];
    if (!stop.empty() && depth == 0 && text_.substr(pos_, stop.size()) == stop) break;
    if (c == '(' || c == '[' || c == '{') ++depth;
    if (c == ')' || c == ']' || c == '}') {
      if (depth == 0) break;
      --depth;
    }
    ++pos_;
    if (stop.empty() && depth == 0) break;
  }
  return text_.substr(begin, pos_ - begin);
}

}  // namespace btc::ir
