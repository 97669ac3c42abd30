// Seeds and mutations.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "test/fuzz/fuzz.h"

namespace btc::fuzz {
namespace {

constexpr size_t kLargestSeed = 64 * 1024;

constexpr std::string_view kScriptWords[] = {
    "{", "}", "(", ")", "[", "]", ";", ",", ":", "..", "->", ".", "@", "$x", "@m", "@m[1]", "$1", "$#", "/", "*", "&", "!", "-", "++", "--", "?", "=",
    "==", "<<", ">>=", "||", "\"", "\\", "'", "#", "//", "/*", "*/", "0", "18446744073709551615", "18446744073709551616", "0x", "1e19", "1e20",
    "100ms", "5ull", "if ", "else ", "for $i : ", "while (", "unroll (3) ", "let $y : ", "macro m(a, $b, @c) ", "fn f($a : int64) : int64 ", "return ",
    "break;", "continue;", "comptime ", "sizeof(", "offsetof(struct task_struct, ", "typeof(", "typeinfo(", "(struct task_struct *)", "(int8)",
    "(uint64[2])", "string[16]", "begin ", "end ", "kprobe:", "k:vfs_*", "tracepoint:sched:sched_switch", "uprobe:/bin/sh:", "interval:s:1 ",
    "profile:hz:99 ", "usdt:*:a:b", "watchpoint:0x1:8:rw", "iter:task ", "config = { ", "import \"", "count()", "hist(", "lhist(1, 2, 3, 4)",
    "printf(\"%d %s\\n\", ", "print(", "str(", "args", "retval", "pid", "nsecs", "kstack(", "delete(@m, 1)", "curtask", "has_key(", "\n",
};
constexpr std::string_view kBirWords[] = {
    "{", "}", "(", ")", "[", "]", ",", ":", "->", "%a", "%b.1", "@m", "$x", "^entry", "^bb1", "#0", "!1:1", "=", "\"", "; ", "i64", "i8", "str16",
    "ptr.map?", "ptr.kernel", "br ", "br.if ", "ret", "const ", "map.update ", "builtin ", "probe @p ", "bir 1 stage canonical", "event ", "fact ",
    "18446744073709551615", "-1", "\n",
};

std::string pick_word(Kind kind, Random& random) {
  if (kind == Kind::Bir) return std::string(kBirWords[random.below(std::size(kBirWords))]);
  return std::string(kScriptWords[random.below(std::size(kScriptWords))]);
}

void edit(std::string& text, const std::string& other, Kind kind, Random& random) {
  size_t at = random.below(text.size() + 1);
  size_t length = 1 + random.below(random.below(4) == 0 ? 200 : 8);
  switch (random.below(8)) {
    case 0:  // a bit
      if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << random.below(8)));
      break;
    case 1:  // a byte
      text.insert(at, 1, static_cast<char>(random.next()));
      break;
    case 2: text.erase(at, length); break;
    case 3: text.insert(at, text.substr(random.below(text.size() + 1), length)); break;
    case 4: text.insert(at, pick_word(kind, random)); break;
    case 5:  // a word in place of something
      text.replace(std::min(at, text.size()), std::min(length, text.size() - at), pick_word(kind, random));
      break;
    case 6: text.insert(at, other.substr(random.below(other.size() + 1), length * 4)); break;
    case 7: {  // the same many times: depth and length limits
      std::string word = pick_word(kind, random);
      std::string many;
      for (size_t i = random.below(400); i > 0; i--) many += word;
      text.insert(at, many);
      break;
    }
  }
}

}  // namespace

std::vector<Seed> read_seeds(const std::vector<std::string>& paths) {
  std::vector<Seed> seeds;
  auto add = [&](const std::filesystem::path& path) {
    bool is_script = path.extension() == ".bt";
    if (!is_script && path.extension() != ".bir") return;
    std::ifstream file(path, std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    if (text.size() <= kLargestSeed) seeds.push_back({path.string(), std::move(text), is_script ? Kind::Script : Kind::Bir});
  };
  for (const std::string& path : paths) {
    std::error_code error;
    if (!std::filesystem::is_directory(path, error)) {
      add(path);
      continue;
    }
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path, error)) {
      if (entry.is_regular_file(error)) add(entry.path());
    }
  }
  std::sort(seeds.begin(), seeds.end(), [](const Seed& a, const Seed& b) { return a.path < b.path; });
  return seeds;
}

std::string mutate(const std::string& text, const std::string& other, Kind kind, Random& random) {
  std::string mutant = text;
  for (size_t edits = 1 + random.below(4); edits > 0; edits--) edit(mutant, other, kind, random);
  return mutant;
}

}  // namespace btc::fuzz
