// Reading small files and taking text apart, without streams.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace btc::rt {

// The whole file (also of /proc, whose sizes are not known), or its first `limit` bytes. False: errno says why.
bool read_file(const char* path, std::string* out, size_t limit = SIZE_MAX);

// `for (std::string_view line : Lines(text))`, without the newlines.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}
  struct Iterator {
    std::string_view rest, line;
    bool at_end = false;
    std::string_view operator*() const { return line; }
    Iterator& operator++() {
      if (rest.empty()) {
        at_end = true;
        return *this;
      }
      size_t newline = rest.find('\n');
      line = rest.substr(0, newline);
      rest = newline == rest.npos ? std::string_view() : rest.substr(newline + 1);
      return *this;
    }
    bool operator!=(const Iterator& other) const { return at_end != other.at_end; }
  };
  Iterator begin() const { return ++Iterator{text_, {}, false}; }
  Iterator end() const { return {{}, {}, true}; }

 private:
  std::string_view text_;
};

// The next word of `text`, which is separated by blanks, and the rest.
std::string_view next_word(std::string_view* text);

// The whole of `text` as a number.
bool parse_dec(std::string_view text, uint64_t* out);
bool parse_hex(std::string_view text, uint64_t* out);

}  // namespace btc::rt
