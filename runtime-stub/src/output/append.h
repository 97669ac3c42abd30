// Appending numbers and padded text to a string: the runtime's whole formatting
// layer. No printf, no locale, no allocation beyond the string's own growth.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace btc::rt {

void append_dec(std::string& out, uint64_t value);
void append_dec(std::string& out, int64_t value);
inline void append_dec(std::string& out, int value) { append_dec(out, static_cast<int64_t>(value)); }
inline void append_dec(std::string& out, unsigned value) { append_dec(out, static_cast<uint64_t>(value)); }
void append_dec_width(std::string& out, uint64_t value, int digits);    // leading zeros
void append_hex(std::string& out, uint64_t value, bool upper = false);  // no prefix
void append_oct(std::string& out, uint64_t value);
void append_hex_byte(std::string& out, uint8_t value, bool upper = false);  // two digits

// The text from `start` to the end of `out` is moved right or padded so that it takes at least `width` bytes.
void pad_left(std::string& out, size_t start, size_t width, char fill = ' ');   // text right-aligned
void pad_right(std::string& out, size_t start, size_t width, char fill = ' ');  // text left-aligned

// A JSON string with quotes. Bytes that are not UTF-8 become U+FFFD, since a JSON text must be UTF-8.
void append_json_string(std::string& out, std::string_view text);

// Text of an errno, untranslated ("Bad address").
std::string_view errno_text(int error);

}  // namespace btc::rt
