// The C++ loader skeleton: a class with the script's parameters, events and
// maps as typed members, on top of btc::Script (include/btc/runtime.h). The
// object is embedded, so the header is all that has to be shipped.
//
//   class opens : public btc::Script {
//     struct Printf0 { int64_t f0; btc::Text<16> f1; };       // opens.bt:3: printf("%d %s\n")
//     struct Params { int64_t limit = 7; } params;
//     struct Events { std::function<void(const Printf0&)> printf_0; } events;
//     struct Maps { btc::Map<btc::Text<16>, btc::Sum<uint64_t>> at; } maps;
//   };
#include <fmt/format.h>

#include <map>
#include <set>

#include "backend/backend.h"
#include "backend/skel/cpp_types.h"

namespace btc::backend {

namespace {

constexpr const char* kEventWords[] = {
#define BTC_EVENT(Kind, Text, ...) Text,
#include "runtime-stub/abi/events.def"
#undef BTC_EVENT
};

// Events whose payload is worth handling; the others steer the runtime (exit, clear, print of maps ...).
bool has_handler(abi::EventKind kind) {
  using K = abi::EventKind;
  return kind == K::Printf || kind == K::Errorf || kind == K::Warnf || kind == K::PrintValue || kind == K::PrintMapItem ||
         kind == K::Cat || kind == K::System || kind == K::Join;
}

std::string camel(std::string_view word) {
  std::string text;
  bool up = true;
  for (char c : word) {
    if (c == '_') { up = true; continue; }
    text += up && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    up = false;
  }
  return text;
}

// Comments end at a line's end, so what they quote must not have any.
std::string comment_text(std::string_view text) {
  std::string literal = cpp_string_literal(text);
  if (literal.size() > 80) literal = literal.substr(0, 77) + "...";
  return literal;
}

class Writer {
 public:
  Writer(const ir::Module& module, std::string_view name) : module_(module), name_(cpp_identifier(name)), types_(module) {}

  std::string run(std::string_view object) {
    params();
    events();
    maps();
    std::string out = fmt::format("// Made by btc from {}: do not edit. See <btc/runtime.h>.\n#pragma once\n\n"
                                  "#include <btc/runtime.h>\n\n", comment_text(module_.script_name));
    out += fmt::format("namespace btc_objects {{\n// The BPF object, {} bytes.\nalignas(16) inline constexpr char {}[] =\n",
                       object.size(), name_);
    out += bytes(object);
    out += fmt::format("}}  // namespace btc_objects\n\nclass {} : public btc::Script {{\n public:\n", name_);
    out += fmt::format("  {0}() : btc::Script({{reinterpret_cast<const uint8_t*>(btc_objects::{0}), {1}}}) {{}}\n\n", name_, object.size());
    out += fmt::format("  ~{}() {{ detach(); }}                     // while the handlers are still there\n\n", name_);
    out += types_.definitions();
    out += fmt::format("\n  // Values are taken by load().\n  struct Params {{\n{}  }} params;\n", params_);
    out += fmt::format("\n  // Handlers; set them before load(). An event without one is printed.\n  struct Events {{\n{}  }} events;\n", events_);
    if (!maps_.empty()) {
      out += fmt::format("\n  struct Maps {{\n    explicit Maps(btc::Script* script) : {} {{}}\n{}  }};\n  Maps maps{{this}};\n",
                         maps_init_, maps_);
    }
    out += fmt::format("\n  bool load() {{\n{}    return btc::Script::load();\n  }}\n}};\n", load_);
    return out;
  }

 private:
  static std::string bytes(std::string_view object) {
    std::string out;
    for (size_t at = 0; at < object.size(); at += 64) {
      out += "    " + cpp_string_literal(object.substr(at, 64)) + "\n";
    }
    out.insert(out.size() - 1, ";");
    return out;
  }

  std::string unique(std::string name) {
    while (!names_.insert(name).second) name += '_';
    return name;
  }

  void params() {
    for (const ir::Param& param : module_.params) {
      if (param.name == "#") continue;
      bool text = param.kind == 1, flag = param.kind == 2;
      std::string field = unique("param " + (param.is_getopt ? cpp_identifier(param.name) : "arg" + param.name)).substr(6);
      std::string type = text ? "std::string" : flag ? "bool" : param.kind == 3 ? "uint64_t" : "int64_t";
      std::string initial = text ? cpp_string_literal(param.string_default)
                            : flag ? (param.int_default != 0 ? "true" : "false")
                            : param.kind == 3 ? fmt::format("{}u", static_cast<uint64_t>(param.int_default))
                                              : fmt::format("{}", param.int_default);
      params_ += fmt::format("    {} {} = {};", type, field, initial);
      params_ += param.doc.empty() ? "\n" : "  // " + comment_text(param.doc) + "\n";
      std::string value = text ? "params." + field : flag ? fmt::format("params.{} ? \"true\" : \"false\"", field)
                                                          : fmt::format("std::to_string(params.{})", field);
      load_ += param.is_getopt ? fmt::format("    set_param({}, {});\n", cpp_string_literal(param.name), value)
                               : fmt::format("    set_positional({}, {});\n", param.name, value);
    }
  }

  // Named by kind and by order among their kind: printf_0 is the script's first printf.
  void events() {
    std::map<abi::EventKind, uint32_t> counts;
    for (size_t i = 0; i < module_.events.size(); ++i) {
      const ir::Event& event = module_.events[i];
      if (!has_handler(event.kind) || !event.payload) continue;
      std::string word = kEventWords[static_cast<size_t>(event.kind)];
      uint32_t number = counts[event.kind]++;
      std::string type = types_.type(event.payload, fmt::format("{}{}", camel(word), number));
      std::optional<ir::Place> place = module_.locate(event.loc);
      std::string where = place ? fmt::format("line {}: ", place->line) : "";
      std::string handler = fmt::format("{}_{}", word, number);
      events_ += fmt::format("    std::function<void(const {}&)> {};  // {}{} {}\n", type, handler, where, word,
                             event.format.empty() ? "" : comment_text(event.format));
      load_ += fmt::format("    if (events.{0}) {{\n      on_event({1}, [this](std::span<const uint8_t> payload) {{\n"
                           "        {2} event{{}};\n"
                           "        std::memcpy(&event, payload.data(), std::min(payload.size(), sizeof event));\n"
                           "        events.{0}(event);\n      }});\n    }}\n", handler, i, type);
    }
  }

  void maps() {
    for (size_t i = 0; i < module_.maps.size(); ++i) {
      const ir::Map& map = module_.maps[i];
      std::string field = unique("map " + cpp_identifier(map.name.size() > 1 ? std::string_view(map.name).substr(1) : "at")).substr(4);
      std::string key = map.key ? types_.type(map.key, field + "_key") : "btc::NoKey";
      std::string value = types_.map_value(map.value, field + "_value");
      maps_ += fmt::format("    btc::Map<{}, {}> {};  // {}\n", key, value, field, map.name);
      maps_init_ += fmt::format("{}{}(script, {})", maps_init_.empty() ? "" : ", ", field, i);
    }
  }

  const ir::Module& module_;
  std::string name_;
  CppTypes types_;
  std::set<std::string> names_;
  std::string params_, events_, maps_, maps_init_, load_;
};

}  // namespace

std::string make_skeleton(const ir::Module& module, std::string_view object, std::string_view name) {
  return Writer(module, name).run(object);
}

}  // namespace btc::backend
