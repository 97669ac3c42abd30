// Number, padding and JSON string formatting; see append.h.
#include "runtime-stub/src/output/append.h"

#include <cstring>

namespace btc::rt {

void append_dec(std::string& out, uint64_t value) {
  char digits[20];
  size_t n = sizeof digits;
  do digits[--n] = static_cast<char>('0' + value % 10);
  while (value /= 10);
  out.append(digits + n, sizeof digits - n);
}
void append_dec(std::string& out, int64_t value) {
  if (value < 0) out += '-';
  append_dec(out, value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value));
}
void append_dec_width(std::string& out, uint64_t value, int digits) {
  size_t start = out.size();
  append_dec(out, value);
  pad_left(out, start, static_cast<size_t>(digits), '0');
}

static void append_base(std::string& out, uint64_t value, unsigned shift, bool upper) {
  const char* alphabet = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  char digits[22];
  size_t n = sizeof digits;
  do digits[--n] = alphabet[value & ((1u << shift) - 1)];
  while (value >>= shift);
  out.append(digits + n, sizeof digits - n);
}
void append_hex(std::string& out, uint64_t value, bool upper) { append_base(out, value, 4, upper); }
void append_oct(std::string& out, uint64_t value) { append_base(out, value, 3, false); }
void append_hex_byte(std::string& out, uint8_t value, bool upper) {
  if (value < 16) out += '0';
  append_hex(out, value, upper);
}

void pad_left(std::string& out, size_t start, size_t width, char fill) {
  size_t size = out.size() - start;
  if (size < width) out.insert(start, width - size, fill);
}
void pad_right(std::string& out, size_t start, size_t width, char fill) {
  size_t size = out.size() - start;
  if (size < width) out.append(width - size, fill);
}

// Length of the UTF-8 sequence at `text`, 0 if it is not one (overlong forms, surrogates and values above 10FFFF are not).
static size_t utf8_length(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  uint8_t first = byte(0);
  size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length == 0 || length > text.size()) return 0;
  for (size_t i = 1; i < length; i++)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  if (length == 1) return 1;
  uint8_t second = byte(1);
  if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f)) return 0;
  if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) return 0;
  return length;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  auto plain = [](char c) { return static_cast<uint8_t>(c) >= 0x20 && static_cast<uint8_t>(c) < 0x80 && c != '"' && c != '\\'; };
  while (!text.empty()) {
    size_t run = 0;
    while (run < text.size() && plain(text[run])) run++;
    out.append(text.data(), run);
    text.remove_prefix(run);
    if (text.empty()) break;
    uint8_t c = static_cast<uint8_t>(text[0]);
    size_t length = 1;
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c < 0x20) {
      out += "\\u00";
      append_hex_byte(out, c);
    } else if ((length = utf8_length(text)) == 0) {
      out += "\xef\xbf\xbd";
      length = 1;
    } else {
      out.append(text.substr(0, length));
    }
    text.remove_prefix(length);
  }
  out += '"';
}

std::string_view errno_text(int error) {
  // strerror() would bring in message catalogues.
  const char* text = strerrordesc_np(error);
  return text ? text : "Unknown error";
}

}  // namespace btc::rt
