// Binds parameters and says what is wrong with them, in bpftrace's words; see params.h.
#include "runtime-stub/src/params.h"

namespace btc::rt {
namespace {

enum ParamKind : uint8_t { kInt = 0, kString = 1, kBool = 2, kUnsigned = 3 };

bool same_word(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i)
    if ((a[i] | 0x20) != (b[i] | 0x20)) return false;
  return true;
}
bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  for (std::string_view word : words)
    if (same_word(text, word)) return true;
  return false;
}

// "" if `text` reads as an integer, else what is wrong with it.
std::string_view integer_problem(std::string_view text, bool is_unsigned, int64_t* out) {
  if (is_unsigned) {
    uint64_t value;
    int64_t negative;
    if (parse_u64(text, &value, 0)) { *out = static_cast<int64_t>(value); return {}; }
    if (parse_i64(text, &negative, 0)) { *out = negative; return {}; }   // as strtoull does
  } else if (parse_i64(text, out, 0)) {
    return {};
  }
  std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits.empty() || digits[0] < '0' || digits[0] > '9') return "invalid integer";
  bool hex_form = digits.starts_with("0x");
  for (char c : hex_form ? digits.substr(2) : digits)
    if (!((c >= '0' && c <= '9') || (hex_form && (c | 0x20) >= 'a' && (c | 0x20) <= 'f'))) return "invalid trailing bytes";
  return "value is out of range";
}

bool bind_named(const fb::Param& param, std::string_view given, bool has_value, ParamValue* out, std::string* error) {
  std::string_view problem;
  std::string_view shown = has_value ? given : std::string_view("true");
  switch (param.kind()) {
    case kBool:
      if (!has_value || is_one_of(given, {"true", "1", "on", "yes"})) out->number = 1;
      else if (is_one_of(given, {"false", "0", "off", "no"})) out->number = 0;
      else problem = "expects a boolean (e.g. 'true')";
      break;
    case kString:
      if (has_value) out->text = given;
      else problem = "expects a string";
      break;
    default:
      problem = has_value ? integer_problem(given, param.kind() == kUnsigned, &out->number) : std::string_view("expects an integer");
      break;
  }
  if (problem.empty()) return true;
  *error = cat("ERROR: program command line option --", text_of(param.name()), " ", problem, " (value: ", shown, ")\n");
  return false;
}

std::string expected_options(const fb::Manifest& manifest, bool help) {
  std::string text;
  for (uint32_t i = 0; i < count_of(manifest.params()); ++i) {
    const fb::Param* param = manifest.params()->Get(i);
    if (!param->is_getopt()) continue;
    append(text, cat(text.empty() ? (help ? "\n" : " ") : (help ? "\n" : ": "), "--", text_of(param->name())));
    if (help && !text_of(param->doc()).empty()) append(text, cat(": ", text_of(param->doc())));
  }
  if (text.empty()) return "HINT: no custom program options defined.\n";
  return cat("HINT: expected program options:", text, "\n");
}

const fb::Param* find_getopt(const fb::Manifest& manifest, std::string_view name) {
  for (uint32_t i = 0; i < count_of(manifest.params()); ++i) {
    const fb::Param* param = manifest.params()->Get(i);
    if (param->is_getopt() && text_of(param->name()) == name) return param;
  }
  return nullptr;
}

bool bind_positional(const fb::Param& param, const Options& options, ParamValue* out, std::string* error) {
  std::string_view name = text_of(param.name());
  if (name == "#") {
    out->number = static_cast<int64_t>(options.positional.size());
    out->text = cat(out->number);
    return true;
  }
  uint64_t index = 0;
  if (!parse_u64(name, &index) || index == 0 || index > options.positional.size()) {
    if (param.required()) {
      *error = cat("ERROR: positional parameter $", name, " is not given\n");
      return false;
    }
    out->text = text_of(param.string_default());
    return true;                               // 0 and "", or what is shown of one that is not given
  }
  const std::string& given = options.positional[index - 1];
  out->text = given;
  if (param.kind() == kString) return true;
  if (parse_i64(given, &out->number, 0)) return true;
  uint64_t large;
  if (parse_u64(given, &large, 0)) { out->number = static_cast<int64_t>(large); return true; }
  *error = cat("ERROR: positional parameter $", name, " expects an integer (value: ", given, ")\n");
  return false;
}

}  // namespace

bool bind_params(const fb::Manifest& manifest, const Options& options, std::vector<ParamValue>* out, std::string* error) {
  std::string unexpected;
  for (const std::string& given : options.named) {
    std::string_view name = std::string_view(given).substr(0, given.find('='));
    if (name == "help" && find_getopt(manifest, "help") == nullptr) {
      *error = expected_options(manifest, true);
      return false;
    }
    if (find_getopt(manifest, name) == nullptr) append(unexpected, cat(unexpected.empty() ? "--" : ", --", name));
  }
  if (!unexpected.empty()) {
    *error = cat("ERROR: unexpected program command line options: ", unexpected, "\n", expected_options(manifest, false));
    return false;
  }
  for (uint32_t i = 0; i < count_of(manifest.params()); ++i) {
    const fb::Param* param = manifest.params()->Get(i);
    ParamValue value;
    if (!param->is_getopt()) {
      if (!bind_positional(*param, options, &value, error)) return false;
      out->push_back(std::move(value));
      continue;
    }
    value.number = param->int_default();
    value.text = text_of(param->string_default());
    for (const std::string& given : options.named) {
      size_t equals = given.find('=');
      if (std::string_view(given).substr(0, equals) != text_of(param->name())) continue;
      bool has_value = equals != std::string::npos;
      if (!bind_named(*param, has_value ? std::string_view(given).substr(equals + 1) : std::string_view(), has_value, &value, error)) return false;
    }
    out->push_back(std::move(value));
  }
  return true;
}

std::string describe_params(const fb::Manifest& manifest) {
  std::string text;
  for (uint32_t i = 0; i < count_of(manifest.params()); ++i) {
    const fb::Param* param = manifest.params()->Get(i);
    if (param->is_getopt()) append(text, cat("    -- --", text_of(param->name()), "=...  ", text_of(param->doc()), "\n"));
    std::string line = cat("    $", text_of(param->name()), "\n");
    bool is_said = text.find(line) != std::string::npos;   // as a number, and now as a text
    if (!param->is_getopt() && text_of(param->name()) != "#" && !is_said) append(text, line);
  }
  return text;
}

}  // namespace btc::rt
