// The probe table's look-ups, and what is done with attach points as text:
// patterns, parameters, the shown name. The grammar is in attach_point.cpp.
#include "runtime-stub/abi/attach_point.h"

#include <algorithm>

namespace btc::abi {
namespace {

constexpr ProbeInfo kProbes[] = {
#define BTC_PROBE(Kind, Bit, Name, Aliases, Forms, Ctx, Section, AttachPass, Doc) \
  {ProbeKind::Kind, Bit, Name, Aliases, Forms, CtxKind::Ctx, Section, AttachPass, Doc},
#include "runtime-stub/abi/probes.def"
#undef BTC_PROBE
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// Words of a list such as "f !kfunc".
template <typename Use>
void for_each_word(std::string_view words, Use use) {
  while (!words.empty()) {
    size_t space = std::min(words.find(' '), words.size());
    if (space > 0) use(words.substr(0, space));
    words.remove_prefix(std::min(space + 1, words.size()));
  }
}

}  // namespace

const ProbeInfo& probe_info(ProbeKind kind) { return kProbes[static_cast<size_t>(kind)]; }

const ProbeInfo* find_probe(std::string_view name, bool* deprecated) {
  if (deprecated) *deprecated = false;
  // Full names in any case (BEGIN, Kprobe), aliases as they are: `U` is usdt, `u` is uprobe.
  std::string lower_name = lowered(name);
  for (const ProbeInfo& info : kProbes) {
    if (lower_name == info.name) return &info;
  }
  const ProbeInfo* found = nullptr;
  for (const ProbeInfo& info : kProbes) {
    for_each_word(info.aliases, [&](std::string_view alias) {
      bool is_old = alias.starts_with('!');
      if (is_old) alias.remove_prefix(1);
      if (alias != name) return;
      found = &info;
      if (deprecated) *deprecated = is_old;
    });
  }
  return found;
}

std::vector<const ProbeInfo*> expand_provider(std::string_view pattern, bool user_space) {
  static constexpr ProbeKind kKernel[] = {ProbeKind::Fentry, ProbeKind::Hardware, ProbeKind::Iter, ProbeKind::Kprobe,
                                          ProbeKind::Rawtracepoint, ProbeKind::Software, ProbeKind::Tracepoint};
  static constexpr ProbeKind kUser[] = {ProbeKind::Uprobe, ProbeKind::Usdt};
  std::vector<const ProbeInfo*> found;
  auto add = [&](ProbeKind kind) {
    if (wildcard_match(pattern, probe_info(kind).name)) found.push_back(&probe_info(kind));
  };
  if (user_space) {
    for (ProbeKind kind : kUser) add(kind);
  } else {
    for (ProbeKind kind : kKernel) add(kind);
  }
  return found;
}

bool substitute_params(std::string_view text, const std::vector<std::string>& params, std::string* out, std::string* missing) {
  out->clear();
  if (missing != nullptr) missing->clear();
  bool in_quotes = false;
  for (size_t i = 0; i < text.size(); i++) {
    char c = text[i];
    if (c == '"') in_quotes = !in_quotes;
    if (in_quotes && c == '\\' && i + 1 < text.size()) {
      *out += c;
      *out += text[++i];
      continue;
    }
    if (in_quotes || c != '$') {
      *out += c;
      continue;
    }
    size_t end = i + 1;
    size_t n = 0;
    while (end < text.size() && is_digit(text[end]) && n <= params.size()) n = n * 10 + static_cast<size_t>(text[end++] - '0');
    while (end < text.size() && is_digit(text[end])) end++;
    if (n == 0) return false;
    if (n <= params.size()) *out += params[n - 1];
    else if (missing != nullptr && missing->empty()) *missing = text.substr(i, end - i);
    i = end - 1;
  }
  return true;
}

// Dots of the name as bpftrace builds it: provider, target, language or namespace, program id, function, numbers.
std::string AttachPoint::display_name() const {
  std::string name = probe_info(kind).name;
  auto add = [&name](const std::string& part) {
    if (!part.empty()) name += ":" + part;
  };
  auto add_number = [&name](uint64_t value) {
    if (value) name += ":" + std::to_string(value);
  };
  add(target);
  add(lang);
  add(ns);
  add_number(bpf_prog_id);
  add(func);
  if (offset) name += "+" + std::to_string(offset);
  if (has_address) add_number(address);
  if (!source_file.empty() && !has_address) {
    name += "@" + source_file + ":" + std::to_string(source_line);
    add_number(source_col);
  }
  add(unit);
  add_number(value);
  add_number(length);
  add(mode);
  return name;
}

// Backtracks to the last '*' only: linear for any pattern without nested retries.
constexpr std::string_view kSyscall = "sys_", kWrapper = "__x64_";

std::string syscall_wrapper(std::string_view function) {
  return function.starts_with(kSyscall) ? std::string(kWrapper).append(function) : std::string();
}

std::string_view unwrapped_syscall(std::string_view wrapper) { return wrapper.substr(wrapper.starts_with(kWrapper) ? kWrapper.size() : 0); }

bool wildcard_match(std::string_view pattern, std::string_view text) {
  size_t p = 0, t = 0;
  size_t star = std::string_view::npos, star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      p++;
      t++;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') p++;
  return p == pattern.size();
}

std::string without_parameters(std::string_view name) {
  size_t mark = std::min(name.find(" [clone "), name.size()), end = name.rfind(')', mark), begin = end;
  if (end == std::string_view::npos || name.substr(end + 1).starts_with("::")) return std::string(name);   // "(anonymous namespace)::f"
  for (int depth = 1; depth > 0 && begin > 0;) {
    char c = name[--begin];
    depth += c == ')' ? 1 : c == '(' ? -1 : 0;
  }
  return std::string(name.substr(0, begin)).append(name.substr(mark));
}

bool cpp_name_match(std::string_view pattern, std::string_view name) {
  return wildcard_match(pattern, name) || wildcard_match(pattern, without_parameters(name));
}

}  // namespace btc::abi
