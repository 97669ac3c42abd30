// What stands before the probes: config, imports, C definitions, map
// declarations, subprogram signatures.
#include <algorithm>
#include <charconv>

#include "frontend/sema/sema.h"

namespace btc::sema {

// Names of bpftrace's past.
struct OldConfig { const char* old_key; const char* new_key; };
static constexpr OldConfig kRenamed[] = {{"strlen", "max_strlen"}, {"no_cpp_demangle", "cpp_demangle"},
                                         {"cat_bytes_max", "max_cat_bytes"}, {"map_keys_max", "max_map_keys"}};
static constexpr const char* kNoEffect[] = {"symbol_source", "max_type_res_iterations", "unstable_addr", "unstable_import",
                                            "unstable_macro", "unstable_map_decl"};

static constexpr const char* kOnlyEnvironment[] = {"btf", "debug_output", "kernel_build", "kernel_source", "vmlinux"};

static std::string lower_key(std::string_view key) {
  std::string lower;
  for (char c : key) lower += static_cast<char>(tolower(static_cast<unsigned char>(c)));
  if (lower.starts_with("bpftrace_")) lower.erase(0, 9);
  return lower;
}

static bool in_choices(std::string_view choices, std::string_view value) {
  while (!choices.empty()) {
    size_t end = choices.find('|');
    if (choices.substr(0, end) == value) return true;
    if (end == std::string_view::npos) return false;
    choices.remove_prefix(end + 1);
  }
  return false;
}

// "a, b" or, as a sentence ends, "a, b, and c".
static std::string with_commas(std::string_view choices, bool with_and) {
  std::string text;
  size_t last = choices.rfind('|');
  for (size_t i = 0; i < choices.size(); ++i) text += choices[i] != '|' ? std::string(1, choices[i]) : with_and && i == last ? ", and " : ", ";
  return text;
}

void Sema::set_config(const std::string& written, const std::string& value, SourceRange key_range, SourceRange value_range) {
  std::string key = lower_key(written);
  SourceRange range{key_range.begin, value_range.end};
  for (const char* old : kNoEffect)
    if (key == old) return (void)report(DiagKind::ConfigNoEffect, range, written);
  for (const char* name : kOnlyEnvironment)
    if (key == name) return (void)report(DiagKind::ConfigEnvOnly, range, written);
  std::string given = value;
  for (const OldConfig& old : kRenamed)
    if (key == old.old_key) {
      report(DiagKind::ConfigRenamed, range, written, old.new_key);
      if (key == "no_cpp_demangle") given = value == "1" || value == "true" ? "false" : "true";
      key = old.new_key;
    }
  const ConfigInfo* info = find_config(key);
  if (info == nullptr) {
    std::vector<std::string> keys;
    for (size_t i = 0; i < static_cast<size_t>(ConfigKey::kCount); ++i) keys.push_back(config_info(static_cast<ConfigKey>(i)).key);
    return suggest(report(DiagKind::UnknownConfig, range, written), key, keys);
  }
  std::string low = lower_key(given);
  switch (info->type) {
    case ConfigType::Bool:
      if (low == "1" || low == "true" || low == "on" || low == "yes") given = "true";
      else if (low == "0" || low == "false" || low == "off" || low == "no") given = "false";
      else return (void)report(DiagKind::ConfigNotBool, range, written);
      break;
    case ConfigType::Uint: {
      uint64_t number = 0;
      bool hex = given.starts_with("0x");
      const char* begin = given.data() + (hex ? 2 : 0);
      auto [end, error] = std::from_chars(begin, given.data() + given.size(), number, hex ? 16 : 10);
      if (error != std::errc() || end != given.data() + given.size() || given.empty())
        return (void)report(DiagKind::ConfigNotUint, range, written, given);
      given = std::to_string(number);
      break;
    }
    case ConfigType::Choice: {
      bool found = in_choices(info->choices, given);
      if (!found) {
        // Words are accepted in any case; `unstable_*` also take booleans.
        for (const char* word : {"enable", "warn", "error", "ignore", "PER_PID", "PER_PROGRAM", "NONE"})
          if (lower_key(word) == low && in_choices(info->choices, word)) given = word, found = true;
        if (!found && in_choices(info->choices, "enable") && (low == "true" || low == "1")) given = "enable", found = true;
        if (!found && in_choices(info->choices, "enable") && (low == "false" || low == "0")) given = "error", found = true;
      }
      if (!found && info->id == ConfigKey::License) return (void)report(DiagKind::ConfigLicense, range, given, with_commas(info->choices, false));
      if (!found) return (void)report(DiagKind::ConfigBadChoice, range, written, in_choices(info->choices, "enable") ? "unstable config" : info->key, with_commas(info->choices, true));
      break;
    }
    case ConfigType::String:
      break;
  }
  program_.config[static_cast<size_t>(info->id)] = given;
  program_.config_set[static_cast<size_t>(info->id)] = true;
}

// The block first, then the environment: it wins.
void Sema::collect_config() {
  size_t count = static_cast<size_t>(ConfigKey::kCount);
  for (size_t i = 0; i < count; ++i) program_.config.push_back(config_info(static_cast<ConfigKey>(i)).default_value);
  program_.config_set.assign(count, false);
  for (const ConfigEntry& entry : script_.config) set_config(entry.key, entry.value, entry.key_range, entry.value_range);
  for (const auto& [key, value] : options_.config_env) set_config(key, value, {}, {});
  max_strlen_ = program_.config_uint(ConfigKey::MaxStrlen);
  if (max_strlen_ == 0) max_strlen_ = 1;
}

// False if the feature is refused; says so once per feature.
bool Sema::unstable(ConfigKey key, const char* feature, SourceRange range) {
  const std::string& mode = program_.config_value(key);
  if (mode == "enable") return true;
  const char* name = config_info(key).key;
  if (mode == "error") {
    report(DiagKind::UnstableRefused, range, feature, name);
    return false;
  }
  if (final_ && unstable_said_.insert(key).second) report(DiagKind::UnstableUsed, {}, feature, name);  // about the script, not a place
  return true;
}

void Sema::collect_maps() {
  static const std::set<std::string> kinds = {"hash", "lruhash", "percpuhash", "percpulruhash"};
  for (const MapDecl& decl : script_.map_decls) {
    if (map_names_.contains(decl.name)) {
      report(DiagKind::MapRedeclared, decl.name_range, decl.name).note(DiagKind::FirstDeclared, map_names_[decl.name]->first_use);
      continue;
    }
    auto symbol = std::make_unique<MapSymbol>();
    symbol->name = decl.name;
    symbol->first_use = decl.name_range;
    symbol->declared_kind = decl.kind;
    if (!kinds.contains(decl.kind)) {
      report(DiagKind::UnknownMapKind, decl.range, decl.kind).hint(DiagKind::MapKindsHint);
      symbol->declared_kind.reset();
    }
    Expr* entries = decl.max_entries;
    if (entries != nullptr && entries->kind == NodeKind::Positional) resolve_positional(entries, ParamUse::Number);
    if (auto* number = dyn<Integer>(entries); number != nullptr && !number->negative && number->value > 0)
      symbol->max_entries = number->value;
    else if (entries != nullptr)
      report(DiagKind::MapEntriesLiteral, entries->range);
    map_names_[decl.name] = symbol.get();
    maps_[symbol.get()].decl = &decl;
    program_.maps.push_back(std::move(symbol));
  }
}

void Sema::collect_subprogs() {
  auto add = [&](Script& script) {
    for (Subprog* subprog : script.subprogs) {
      auto [found, fresh] = subprogs_.emplace(subprog->name, subprog);
      if (!fresh) {
        report(DiagKind::SubprogRedefined, subprog->name_range, subprog->name).note(DiagKind::FirstDefined, found->second->name_range);
        continue;
      }
      if (auto foreign = foreign_.find(subprog->name); foreign != foreign_.end() && !foreign->second->is_static) {
        report(DiagKind::SubprogRedefined, subprog->name_range, subprog->name).note(DiagKind::FirstDefined, foreign->second->import);
        continue;
      }
      program_.subprogs.push_back(subprog);
      auto body = std::make_unique<Body>();
      body->subprog = subprog;
      body->block = subprog->body;
      bodies_.push_back(std::move(body));
    }
  };
  for (auto& script : imported_) add(*script);
  add(script_);
}

}  // namespace btc::sema
