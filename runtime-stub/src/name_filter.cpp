// Backtracking matcher; see name_filter.h.
#include "runtime-stub/src/name_filter.h"

#include "runtime-stub/src/support.h"

namespace btc::rt {
namespace {

constexpr int kMaxDepth = 2000;                   // of recursion while matching
constexpr uint32_t kEndless = UINT32_MAX;

std::string_view class_of(char c) {
  switch (c) {
    case 'd': return "09";
    case 'w': return "azAZ09__";
    case 's': return "  \t\r";
  }
  return {};
}

}  // namespace

bool NameFilter::parse(std::string_view expression, std::string* problem) {
  choices_.clear();
  std::string_view rest = expression;
  if (!parse_choices(rest, &choices_, 0, problem)) return false;
  if (!rest.empty()) { *problem = "unmatched )"; return false; }
  return true;
}

bool NameFilter::parse_set(std::string_view& text, Node* out, std::string* problem) {
  text.remove_prefix(1);
  if (text.starts_with('^')) { out->negated = true; text.remove_prefix(1); }
  out->kind = Node::Set;
  bool first = true;
  while (!text.empty() && (first || text[0] != ']')) {
    first = false;
    char low = text[0];
    text.remove_prefix(1);
    if (low == '\\' && !text.empty()) {
      low = text[0];
      text.remove_prefix(1);
      if (std::string_view known = class_of(low); !known.empty()) { out->set += known; continue; }
    }
    char high = low;
    if (text.size() > 1 && text[0] == '-' && text[1] != ']') { high = text[1]; text.remove_prefix(2); }
    out->set += low;
    out->set += high;
  }
  if (text.empty()) { *problem = "unmatched ["; return false; }
  text.remove_prefix(1);
  return true;
}

bool NameFilter::parse_choices(std::string_view& text, std::vector<Sequence>* out, int depth, std::string* problem) {
  if (depth > 50) { *problem = "too many nested groups"; return false; }
  out->emplace_back();
  while (!text.empty() && text[0] != ')') {
    char c = text[0];
    if (c == '|') { text.remove_prefix(1); out->emplace_back(); continue; }
    Node node;
    if (c == '[') {
      if (!parse_set(text, &node, problem)) return false;
    } else if (c == '(') {
      text.remove_prefix(text.starts_with("(?:") ? 3 : 1);
      node.kind = Node::Group;
      if (!parse_choices(text, &node.choices, depth + 1, problem)) return false;
      if (text.empty()) { *problem = "unmatched ("; return false; }
      text.remove_prefix(1);
    } else if (c == '*' || c == '+' || c == '?') {
      *problem = "nothing to repeat";
      return false;
    } else {
      text.remove_prefix(1);
      node.c = c;
      if (c == '.') node.kind = Node::Any;
      else if (c == '^') node.kind = Node::Begin;
      else if (c == '$') node.kind = Node::End;
      else if (c == '\\') {
        if (text.empty()) { *problem = "trailing backslash"; return false; }
        node.c = text[0];
        if (std::string_view known = class_of(text[0]); !known.empty()) { node.kind = Node::Set; node.set = known; }
        text.remove_prefix(1);
      }
    }
    if (!text.empty() && (text[0] == '*' || text[0] == '+' || text[0] == '?')) {
      node.low = text[0] == '+' ? 1 : 0;
      node.high = text[0] == '?' ? 1 : kEndless;
      text.remove_prefix(1);
    } else if (!text.empty() && text[0] == '{') {
      size_t close = text.find('}');
      if (close == std::string_view::npos) { *problem = "unmatched {"; return false; }
      std::string_view range = text.substr(1, close - 1);
      size_t comma = range.find(',');
      uint64_t low, high;
      if (!parse_u64(range.substr(0, comma), &low) || low > 1000) { *problem = "invalid repeat count"; return false; }
      high = low;
      if (comma != std::string_view::npos && (comma + 1 == range.size() ? (high = kEndless, false) : !parse_u64(range.substr(comma + 1), &high))) {
        *problem = "invalid repeat count";
        return false;
      }
      node.low = static_cast<uint32_t>(low);
      node.high = static_cast<uint32_t>(high);
      text.remove_prefix(close + 1);
    }
    out->back().push_back(std::move(node));
  }
  return true;
}

bool NameFilter::match_one(const Node& node, char c) {
  if (node.kind == Node::Any) return true;
  if (node.kind == Node::Char) return node.c == c;
  bool in = false;
  for (size_t i = 0; i + 1 < node.set.size(); i += 2) in |= c >= node.set[i] && c <= node.set[i + 1];
  return in != node.negated;
}

bool NameFilter::match_repeats(const Node& node, uint32_t done, const Rest* rest, std::string_view whole, size_t at, int depth) const {
  if (depth > kMaxDepth) return false;
  // As many as possible first.
  if (done < node.high) {
    if (node.kind == Node::Group) {
      Sequence again(1, node);
      again[0].low = node.low > done + 1 ? node.low - done - 1 : 0;
      again[0].high = node.high == kEndless ? kEndless : node.high - done - 1;
      Rest after{&again, again[0].high == 0 ? 1u : 0u, rest};
      for (const Sequence& choice : node.choices) {
        if (choice.empty()) { if (match(rest, whole, at, depth + 1)) return true; continue; }
        Rest inside{&choice, 0, &after};
        if (match(&inside, whole, at, depth + 1)) return true;
      }
    } else if (node.kind == Node::Begin || node.kind == Node::End) {
      if (node.kind == Node::Begin ? at == 0 : at == whole.size()) return match(rest, whole, at, depth + 1);
    } else if (at < whole.size() && match_one(node, whole[at])) {
      if (match_repeats(node, done + 1, rest, whole, at + 1, depth + 1)) return true;
    }
  }
  return done >= node.low && match(rest, whole, at, depth + 1);
}

bool NameFilter::match(const Rest* rest, std::string_view whole, size_t at, int depth) const {
  if (depth > kMaxDepth) return false;
  while (rest != nullptr && rest->at >= rest->sequence->size()) rest = rest->then;
  if (rest == nullptr) return true;
  Rest next{rest->sequence, rest->at + 1, rest->then};
  return match_repeats((*rest->sequence)[rest->at], 0, &next, whole, at, depth + 1);
}

bool NameFilter::search(std::string_view text) const {
  for (size_t start = 0; start <= text.size(); ++start)
    for (const Sequence& choice : choices_) {
      Rest all{&choice, 0, nullptr};
      if (match(&all, text, start, 0)) return true;
    }
  return false;
}

}  // namespace btc::rt
