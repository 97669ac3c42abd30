// printf format strings, see format_spec.h.
//
// The grammar is a regular expression matched from left to right; text that
// does not match from a `%` on is literal. Written by hand: std::regex would
// bring locales and exceptions into every artifact.
#include "runtime-stub/abi/format_spec.h"

namespace btc::abi {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Conversions in the order in which they are tried: "gr" before "g", "rx" before "r".
constexpr std::string_view kTwoLetter[] = {"gr", "rh", "rx"};
constexpr std::string_view kOneLetter = "diouxXeEfFGaAcspn%gr";
constexpr std::string_view kLength = "hlLjzt";
constexpr int kMaxNumber = 1 << 20;  // a width beyond it is a mistake, not a wish

class Matcher {
 public:
  Matcher(std::string_view text, size_t pos) : text_(text), pos_(pos) {}

  // True if `%...` at pos is a conversion; fills `piece` and leaves pos() behind it.
  bool match(FormatPiece* piece) {
    if (!take('%')) return false;
    piece->left = take('-');
    piece->plus = take('+');
    piece->space = take(' ');
    piece->alt = take('#');
    piece->zero = take('0');
    piece->width = number();
    size_t before_precision = pos_;
    if (take('.')) {
      piece->precision = number();
      if (piece->precision == -1) pos_ = before_precision;  // "%.d": no match below, so literal
    }
    size_t length_begin = pos_;
    while (pos_ < text_.size() && kLength.find(text_[pos_]) != std::string_view::npos) pos_++;
    piece->length = std::string(text_.substr(length_begin, pos_ - length_begin));
    return conversion(piece);
  }
  size_t pos() const { return pos_; }

 private:
  bool take(char c) {
    if (pos_ >= text_.size() || text_[pos_] != c) return false;
    pos_++;
    return true;
  }

  int number() {
    if (take('*')) return -2;
    if (pos_ >= text_.size() || !is_digit(text_[pos_])) return -1;
    int value = 0;
    for (; pos_ < text_.size() && is_digit(text_[pos_]); pos_++) {
      if (value < kMaxNumber) value = value * 10 + (text_[pos_] - '0');
    }
    return value < kMaxNumber ? value : kMaxNumber;
  }

  bool conversion(FormatPiece* piece) {
    std::string_view rest = text_.substr(pos_);
    for (std::string_view two : kTwoLetter) {
      if (rest.starts_with(two)) return accept(piece, two.size());
    }
    return !rest.empty() && kOneLetter.find(rest[0]) != std::string_view::npos && accept(piece, 1);
  }

  bool accept(FormatPiece* piece, size_t length) {
    piece->conversion = std::string(text_.substr(pos_, length));
    piece->has_conversion = true;
    pos_ += length;
    return true;
  }

  std::string_view text_;
  size_t pos_;
};

}  // namespace

std::vector<FormatPiece> parse_format(std::string_view format) {
  std::vector<FormatPiece> pieces;
  std::string literal;
  for (size_t pos = 0; pos < format.size();) {
    FormatPiece piece;
    Matcher matcher(format, pos);
    if (format[pos] != '%' || !matcher.match(&piece)) {
      literal += format[pos++];
      continue;
    }
    piece.begin = static_cast<uint32_t>(pos);
    piece.end = static_cast<uint32_t>(matcher.pos());
    pos = matcher.pos();
    if (piece.conversion == "%") {
      literal += '%';
      continue;
    }
    piece.literal = std::move(literal);
    literal.clear();
    pieces.push_back(std::move(piece));
  }
  if (!literal.empty()) {
    FormatPiece tail;
    tail.literal = std::move(literal);
    pieces.push_back(std::move(tail));
  }
  return pieces;
}

}  // namespace btc::abi
