// Reading stacks for flame graphs; see flamegraph.h.
//
// In JSON a stack is part of a map's key, as the text output shows it: a line break, then one line per frame,
// innermost first, "name+offset"; other parts of the key stand before or behind it, separated by commas:
//   {"type": "map", "data": {"@": {"bash,\nvfs_read+24\nksys_read+95\n": 17}}}
#include "driver/flamegraph.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace btc {
namespace {

// Just enough JSON: walks one value and hands every member (path, text of key, number) to the visitor.
class JsonLine {
 public:
  explicit JsonLine(std::string_view text) : text_(text) {}
  // Calls visit(key, weight) for each entry of each keyed map; false if the text is not JSON.
  template <typename Visit>
  bool each_entry(Visit visit) {
    bool good = object([&](const std::string& key) {
      if (key != "data") return skip();
      return peek() != '{' ? skip() : object([&](const std::string&) {
        if (peek() != '{') return skip();  // a scalar map has no stack
        return object([&](const std::string& entry) {
          double weight = 0;
          if (!value(&weight)) return false;
          if (weight > 0) visit(entry, static_cast<uint64_t>(weight));
          return true;
        });
      });
    });
    return good;
  }

 private:
  char peek() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) at_++;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool eat(char c) { return peek() == c ? (at_++, true) : false; }

  template <typename Member>
  bool object(Member member) {
    if (++depth_ > 64 || !eat('{')) return false;
    while (peek() != '}') {
      std::string key;
      if (!string(&key) || !eat(':') || !member(key)) return false;
      if (!eat(',')) break;
    }
    depth_--;
    return eat('}');
  }
  bool skip() {
    double ignored = 0;
    return value(&ignored);
  }
  // A value's weight: a number, also in quotes; a histogram's counts together; the total of stats.
  bool value(double* weight) {
    switch (peek()) {
      case '{': return object([&](const std::string& key) {
        double inner = 0;
        if (!value(&inner)) return false;
        if (key == "count" || key == "total") *weight = inner;
        return true;
      });
      case '[':
        if (++depth_ > 64) return false;
        at_++;
        while (peek() != ']') {
          double inner = 0;
          if (!value(&inner)) return false;
          *weight += inner;
          if (!eat(',')) break;
        }
        depth_--;
        return eat(']');
      case '"': {
        std::string text;
        if (!string(&text)) return false;
        std::from_chars(text.data(), text.data() + text.size(), *weight);
        return true;
      }
      default: {
        size_t end = text_.find_first_of(",]} \t\r\n", at_);
        if (end == text_.npos) end = text_.size();
        if (end == at_) return false;
        std::from_chars(text_.data() + at_, text_.data() + end, *weight);
        at_ = end;
        return true;
      }
    }
  }
  bool string(std::string* out) {
    if (!eat('"')) return false;
    while (at_ < text_.size() && text_[at_] != '"') {
      char c = text_[at_++];
      if (c != '\\') {
        *out += c;
        continue;
      }
      if (at_ >= text_.size()) return false;
      c = text_[at_++];
      if (c == 'u') {
        unsigned code = '?';
        if (at_ + 4 > text_.size()) return false;
        std::from_chars(text_.data() + at_, text_.data() + at_ + 4, code, 16);
        at_ += 4;
        *out += code < 0x80 ? static_cast<char>(code) : '?';
      } else {
        *out += c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
      }
    }
    return at_++ < text_.size();
  }

  std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
};

// "\tffff8123 vfs_read+24 (vmlinux)" and "vfs_read+24": the name.
std::string frame_name(std::string_view line) {
  if (!line.empty() && line[0] == '\t') {
    line.remove_prefix(1);
    size_t blank = line.find(' ');
    if (blank != line.npos) line.remove_prefix(blank + 1);
    size_t module = line.rfind(" (");
    if (module != line.npos) line = line.substr(0, module);
  }
  size_t plus = line.rfind('+');
  if (plus != line.npos && plus + 1 < line.size() && line.find_first_not_of("0123456789", plus + 1) == line.npos) line = line.substr(0, plus);
  if (line.substr(0, 2) == "0x" || line.empty()) return "[unknown]";
  return std::string(line);
}

// JSON does not say which stack is the kernel's: its outermost frame does.
bool is_kernel_stack(const std::vector<std::string>& outermost_first) {
  for (std::string_view entry : {"entry_", "ret_from_fork", "asm_", "secondary_startup", "common_startup", "el0", "x64_sys_call", "do_syscall", "syscall_", "start_kernel"})
    if (!outermost_first.empty() && outermost_first[0].compare(0, entry.size(), entry) == 0) return true;
  return false;
}

// The key's words, then its user frames, then its kernel frames.
std::vector<std::string> split_key(std::string_view key) {
  std::vector<std::string> words, user, kernel;
  auto add_word = [&](std::string_view word) {
    while (!word.empty() && word.front() == ',') word.remove_prefix(1);
    while (!word.empty() && word.back() == ',') word.remove_suffix(1);
    if (!word.empty()) words.emplace_back(word);
  };
  size_t at = std::min(key.find('\n'), key.size());
  add_word(key.substr(0, at));
  while (at < key.size()) {
    std::vector<std::string> frames;
    at++;
    size_t end;
    for (; at < key.size() && key[at] != ',' && key[at] != '\n'; at = end + 1) {
      end = std::min(key.find('\n', at), key.size());
      frames.push_back(frame_name(key.substr(at, end - at)));
    }
    std::reverse(frames.begin(), frames.end());
    bool in_kernel = is_kernel_stack(frames);
    for (std::string& frame : frames) (in_kernel ? kernel : user).push_back(in_kernel ? frame + "_[k]" : std::move(frame));
    if (at >= key.size()) break;
    end = std::min(key.find('\n', at), key.size());
    add_word(key.substr(at, end - at));
    at = end;
  }
  for (std::vector<std::string>* part : {&user, &kernel}) words.insert(words.end(), part->begin(), part->end());
  return words;
}

bool read_folded_line(std::string_view line, FoldedStack* stack) {
  size_t blank = line.rfind(' ');
  if (blank == line.npos || blank == 0) return false;
  double weight = 0;  // perf's and other tools' files may hold fractions
  auto result = std::from_chars(line.data() + blank + 1, line.data() + line.size(), weight);
  if (result.ec != std::errc() || result.ptr != line.data() + line.size() || weight < 0) return false;
  stack->weight = static_cast<uint64_t>(weight);
  line = line.substr(0, blank);
  while (!line.empty()) {
    size_t end = std::min(line.find(';'), line.size());
    if (end) stack->frames.emplace_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return true;
}

}  // namespace

bool read_stacks(std::string_view text, std::vector<FoldedStack>* stacks, std::string* error) {
  size_t number = 0;
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    number++;
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty()) continue;
    FoldedStack stack;
    bool good = line[0] == '{' ? JsonLine(line).each_entry([&](const std::string& key, uint64_t weight) {
      if (key.find('\n') != key.npos) stacks->push_back({split_key(key), weight});
    }) : read_folded_line(line, &stack);
    if (!good) {
      *error = "line " + std::to_string(number) + " is neither `frame;frame NUMBER` nor JSON";
      return false;
    }
    if (!stack.frames.empty() && stack.weight > 0) stacks->push_back(std::move(stack));
  }
  return true;
}

}  // namespace btc
