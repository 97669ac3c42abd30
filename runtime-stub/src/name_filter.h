// A small regular expression matcher for --probe-filter: ECMAScript's common
// part, by backtracking: . [] [^] ranges * + ? {m,n} | () ^ $ \d \w \s and
// escaped characters. The C library's is 70 KB.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace btc::rt {

class NameFilter {
 public:
  bool parse(std::string_view expression, std::string* problem);
  bool search(std::string_view text) const;

 private:
  struct Node {
    enum Kind : uint8_t { Char, Any, Set, Begin, End, Group } kind = Char;
    char c = 0;
    bool negated = false;
    std::string set;                              // pairs: low, high
    std::vector<std::vector<Node>> choices;       // Group
    uint32_t low = 1, high = 1;
  };
  using Sequence = std::vector<Node>;
  struct Rest { const Sequence* sequence; size_t at; const Rest* then; };
  bool parse_choices(std::string_view& text, std::vector<Sequence>* out, int depth, std::string* problem);
  bool parse_set(std::string_view& text, Node* out, std::string* problem);
  bool match(const Rest* rest, std::string_view whole, size_t at, int depth) const;
  bool match_repeats(const Node& node, uint32_t done, const Rest* rest, std::string_view whole, size_t at, int depth) const;
  static bool match_one(const Node& node, char c);
  std::vector<Sequence> choices_;
};

}  // namespace btc::rt
