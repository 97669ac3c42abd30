// Items of a module's text; see parser.h.
#include <algorithm>
#include <limits>

#include "lower/ir/base64.h"
#include "lower/ir/names.h"
#include "lower/ir/parser.h"

namespace btc::ir {

Parser::Parser(std::string_view text, uint32_t base, SourceManager& sources, DiagEngine& diags)
    : TextReader(text, base, diags), sources_(sources), module_(std::make_unique<Module>()) {
  module_->types = std::make_shared<TypeTable>();
  module_->places_in_bir = true;
}

std::unique_ptr<Module> Parser::run() {
  parse_first_line();
  while (!failed_ && !at_end()) parse_item();
  if (!failed_) resolve_functions();
  return failed_ ? nullptr : std::move(module_);
}

TypeId Parser::parse_type(std::string_view text, SourceRange range) {
  if (failed_) return {};
  if (text == "?") return {};
  if (auto type = module_->types->parse_text(text)) return *type;
  fail_at(range, fmt::format("'{}' is not a type", text));
  return {};
}

TypeId Parser::take_type(std::string_view stop) {
  skip_space();
  size_t begin = pos_;
  std::string_view text = take_type_text(stop);
  return parse_type(text, here(begin));
}

ValueType Parser::take_value_type() {
  skip_space();
  size_t begin = pos_;
  try_word();
  if (pos_ < text_.size() && text_[pos_] == '?') ++pos_;
  std::string_view text = text_.substr(std::min(begin, text_.size()), pos_ - std::min(begin, pos_));
  if (auto type = parse_value_type(text)) return *type;
  fail_at(here(begin), fmt::format("'{}' is not the type of a value", text));
  return {};
}

// `!begin-end`, or the item's own place when the file has no sources.
SourceRange Parser::take_place(size_t item_begin) {
  SourceRange own = here(item_begin);
  if (!try_char('!')) return module_->places_in_bir ? own : SourceRange{};
  uint32_t begin = take_u32();
  expect('-');
  uint32_t end = take_u32();
  if (module_->places_in_bir) return own;
  uint64_t limit = std::numeric_limits<uint32_t>::max() - module_->place_base;
  if (begin > limit || end > limit) {
    fail("place out of range");
    return {};
  }
  return {begin + module_->place_base, end + module_->place_base};
}

void Parser::parse_first_line() {
  expect_word("bir");
  if (take_int() != 1) fail("only version 1 is known");
  expect_word("stage");
  module_->stage = take_word("a stage");
  if (!failed_ && module_->stage != "raw" && module_->stage != "canonical") fail("a stage is raw or canonical");
}

void Parser::parse_item() {
  skip_space();
  size_t begin = pos_;
  struct Item { std::string_view word; void (Parser::*parse)(size_t); };
  static constexpr Item kItems[] = {
      {"arch", &Parser::parse_arch},     {"script", &Parser::parse_script}, {"license", &Parser::parse_license},
      {"warnings", &Parser::parse_warnings}, {"unsafe", &Parser::parse_unsafe}, {"without", &Parser::parse_without}, {"scratch", &Parser::parse_scratch},
      {"zero", &Parser::parse_zero},     {"config", &Parser::parse_config}, {"input", &Parser::parse_input}, {"string", &Parser::parse_strings},
      {"foreign", &Parser::parse_foreign}, {"source", &Parser::parse_source}, {"record", &Parser::parse_record}, {"enum", &Parser::parse_enum},
      {"core", &Parser::parse_core},     {"map", &Parser::parse_map},       {"event", &Parser::parse_event},
      {"param", &Parser::parse_param},   {"fact", &Parser::parse_fact},     {"probe", &Parser::parse_probe},
      {"fn", &Parser::parse_function},
  };
  std::string_view word = take_word("an item");
  if (failed_) return;
  if (word != "record" && word != "enum") complete_records();
  for (const Item& item : kItems) {
    if (item.word == word) return (this->*item.parse)(begin);
  }
  fail_at(here(begin), fmt::format("unknown item '{}'", word));
}

void Parser::parse_config(size_t) {
  std::string key = take_string();
  module_->config.emplace_back(key, take_string());
}

void Parser::parse_foreign(size_t begin_of_item) {
  static constexpr const char* kKinds[] = {"bitcode", "object", "program"};
  Foreign unit;
  size_t kind = take_enum(kKinds, "bitcode, object or program");
  if (kind == 2) return parse_foreign_program(begin_of_item);
  unit.is_object = kind == 1;
  unit.name = take_string();
  skip_space();
  size_t begin = pos_;
  auto code = from_base64(take_string());
  if (!code) fail_at(here(begin), "not base64");
  else unit.code = std::move(*code);
  module_->foreign.push_back(std::move(unit));
}

// Of the unit above.
void Parser::parse_foreign_program(size_t begin) {
  ForeignProgram program;
  program.name = take_string();
  expect_word("section");
  program.section = take_string();
  program.loc = take_place(begin);
  if (failed_) return;
  if (module_->foreign.empty()) return fail_at(here(begin), "no file that it could belong to");
  module_->foreign.back().programs.push_back(std::move(program));
}

// Places in the text count from 1 over its own sources; in memory they lie behind the files that were there before.
void Parser::parse_source(size_t begin) {
  SourceText source;
  source.base = take_u32();
  source.name = take_string();
  source.text = take_string();
  if (failed_) return;
  bool overlaps = source.base == 0 || (!module_->sources.empty() && source.base < module_->sources.back().base + module_->sources.back().text.size());
  if (overlaps) return fail_at(here(begin), "sources overlap");
  uint32_t base = sources_.file(sources_.add(source.name, source.text)).base;
  // Only the first script's place counts for messages; later sources keep their distance to it in the text alone.
  if (module_->sources.empty()) module_->place_base = base - std::min(base, source.base);
  module_->places_in_bir = false;
  module_->sources.push_back(std::move(source));
}

void Parser::parse_record(size_t) {
  Record record;
  record.is_union = take_enum({"struct", "union"}, "struct or union") == 1;
  record.name = take_string();
  record.origin = static_cast<RecordOrigin>(take_enum(kOriginNames, "an origin"));
  expect_word("size");
  record.size = take_u32();
  expect_word("align");
  record.align = std::max<uint32_t>(take_u32(), 1);
  if (try_keyword("class")) record.record_class = take_string();
  bool whole = !try_keyword("opaque");
  if (failed_) return;
  record.complete = whole;
  uint32_t index = module_->types->add_record(std::move(record));
  if (!whole) return;
  expect('{');
  while (!failed_ && !try_char('}')) parse_field(index);
}

void Parser::parse_field(uint32_t record) {
  Field field;
  field.name = take_string();
  expect(':');
  skip_space();
  size_t begin = pos_;
  std::string_view type = take_type_text(" at ");
  SourceRange range = here(begin);
  expect_word("at");
  field.bit_offset = take_u32();
  if (try_keyword("bits")) field.bit_size = static_cast<uint16_t>(take_u32());
  field.data_loc = try_keyword("data_loc");
  field.rel_loc = try_keyword("rel_loc");
  field.is_float = try_keyword("float");
  if (failed_) return;
  pending_fields_.push_back({record, static_cast<uint32_t>(module_->types->record(record).fields.size()), type, range});
  module_->types->record(record).fields.push_back(std::move(field));
}

// Field types may name records that come later; all are known when the first other item starts.
void Parser::complete_records() {
  for (const PendingField& pending : pending_fields_) {
    TypeId type = parse_type(pending.type, pending.range);
    if (failed_) return;
    module_->types->record(pending.record).fields[pending.field].type = type;
  }
  pending_fields_.clear();
}

void Parser::parse_enum(size_t) {
  EnumDef def;
  def.name = take_string();
  def.origin = static_cast<RecordOrigin>(take_enum(kOriginNames, "an origin"));
  expect_word("size");
  def.size = take_u32();
  def.is_signed = try_keyword("signed");
  expect('{');
  while (!failed_ && !try_char('}')) {
    std::string name = take_string();
    expect('=');
    def.variants.emplace_back(std::move(name), take_int());
  }
  if (!failed_) module_->types->add_enum(std::move(def));
}

void Parser::parse_core(size_t begin) {
  expect('#');
  if (take_u32() != module_->core_types.size()) return fail_at(here(begin), "core types are numbered in order");
  CoreType type;
  type.kind = static_cast<CoreType::Kind>(take_enum(kCoreNames, "a kind of core type"));
  type.name = take_string();
  expect_word("size");
  type.size = take_u32();
  type.is_signed = try_keyword("signed");
  type.is_typedef = try_keyword("typedef");
  if (try_keyword("elem")) {
    expect('#');
    type.elem = take_u32();
  }
  if (try_keyword("count")) type.count = take_u32();
  if (try_keyword("record")) type.record = take_string();
  if (try_char('{')) {
    while (!failed_ && !try_char('}')) {
      std::string name = take_string();
      if (try_char('=')) {
        type.variants.emplace_back(std::move(name), take_int());
        continue;
      }
      CoreType::Member member{std::move(name), 0, 0, 0};
      expect(':');
      expect('#');
      member.type = take_u32();
      expect_word("at");
      member.bit_offset = take_u32();
      if (try_keyword("bits")) member.bit_size = static_cast<uint16_t>(take_u32());
      type.members.push_back(std::move(member));
    }
  }
  if (!failed_) module_->core_types.push_back(std::move(type));
}

void Parser::parse_map(size_t begin) {
  Map map;
  map.name = "@" + std::string(take_name('@', "a map", true));
  expect(':');
  map.kind = static_cast<MapKind>(take_enum(kMapNames, "a kind of map"));
  expect('[');
  skip_space();
  size_t type_begin = pos_;
  std::string_view first = take_type_text(" -> ");
  TypeId type = parse_type(first, here(type_begin));
  if (peek() == '-') {
    pos_ += 1;
    expect('>');
    map.key = type;
    type = take_type("]");
  }
  map.value = type;
  expect(']');
  expect_word("bpf");
  map.bpf_name = take_word("a name");
  expect_word("key");
  map.bpf_key_size = take_u32();
  expect_word("value");
  map.bpf_value_size = take_u32();
  expect_word("entries");
  map.max_entries = take_u32();
  map.entries_from_config = try_keyword("from_config");
  map.loc = take_place(begin);
  if (failed_) return;
  if (find_map(map.name) >= 0) return fail_at(here(begin), fmt::format("map {} is there twice", map.name));
  module_->maps.push_back(std::move(map));
}

int Parser::find_map(std::string_view name) const {
  for (size_t i = 0; i < module_->maps.size(); ++i) {
    if (module_->maps[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

uint64_t Parser::take_map() {
  skip_space();
  size_t begin = pos_;
  std::string name = "@" + std::string(take_name('@', "a map", true));
  int index = find_map(name);
  if (index < 0) fail_at(here(begin), fmt::format("unknown map {}", name));
  return static_cast<uint64_t>(std::max(index, 0));
}

void Parser::parse_event(size_t begin) {
  expect('#');
  if (take_u32() != module_->events.size()) return fail_at(here(begin), "events are numbered in order");
  Event event;
  event.kind = static_cast<abi::EventKind>(take_enum(kEventNames, "a kind of event"));
  event.format = take_string();
  expect_word("payload");
  event.payload = take_type(peek() == '(' ? "" : " ");
  if (try_keyword("map")) event.map = static_cast<int>(take_map());
  if (try_keyword("top")) event.top = take_u32();
  if (try_keyword("div")) event.div = take_u32();
  if (try_keyword("error")) event.error = static_cast<abi::RuntimeErrorKind>(take_enum(kErrorNames, "a kind of runtime error"));
  if (try_keyword("helper")) event.helper = take_string();
  event.loc = take_place(begin);
  while (try_keyword("from")) event.expanded_from.push_back(take_place(begin));
  if (!failed_) module_->events.push_back(std::move(event));
}

void Parser::parse_param(size_t begin) {
  Param param;
  param.name = take_string();
  param.kind = static_cast<uint8_t>(take_enum(kParamNames, "a kind of parameter"));
  param.is_getopt = try_keyword("getopt");
  param.has_default = try_keyword("default");
  if (param.has_default && param.kind == 1) param.string_default = take_string();
  if (param.has_default && param.kind != 1) param.int_default = take_int();
  if (try_keyword("doc")) param.doc = take_string();
  if (try_keyword("size")) param.string_size = take_u32();
  param.loc = take_place(begin);
  if (!failed_) module_->params.push_back(std::move(param));
}

void Parser::parse_fact(size_t begin) {
  Fact fact;
  fact.name = take_word("a name");
  fact.kind = static_cast<abi::FactKind>(take_enum(kFactNames, "a kind of fact"));
  expect_word("size");
  fact.size = take_u32();
  if (try_keyword("param")) {
    uint32_t param = take_u32();
    if (param >= module_->params.size()) return fail("no such parameter");
    fact.param = static_cast<int>(param);
  }
  if (try_keyword("arg")) fact.arg = take_string();
  fact.loc = take_place(begin);
  if (failed_) return;
  if (find_fact(fact.name) >= 0) return fail_at(here(begin), fmt::format("fact {} is there twice", fact.name));
  module_->facts.push_back(std::move(fact));
}

int Parser::find_fact(std::string_view name) const {
  for (size_t i = 0; i < module_->facts.size(); ++i) {
    if (module_->facts[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

void Parser::parse_probe(size_t begin) {
  expect('#');
  if (take_u32() != module_->programs.size()) return fail_at(here(begin), "probes are numbered in order");
  ProgramInfo program;
  program.probe = static_cast<abi::ProbeKind>(take_enum(kProbeNames, "a kind of probe"));
  program.attach = take_string();
  expect_word("section");
  program.section = take_string();
  expect_word("index");
  program.probe_index = take_u32();
  if (try_keyword("name")) program.custom_name = take_string();
  program.has_params = try_keyword("has_params");
  program.wildcard = try_keyword("wildcard");
  program.uses_probe_name = try_keyword("uses_probe_name");
  program.sleepable = try_keyword("sleepable");
  if (try_keyword("record")) program.record = take_string();
  while (try_keyword("needs")) program.needs.push_back(take_string());
  while (try_keyword("func_arg")) program.func_args.push_back(take_string());
  if (try_keyword("build_id")) program.build_id = take_string();
  if (try_keyword("address")) program.source_address = static_cast<uint64_t>(take_int());
  program.loc = take_place(begin);
  if (!failed_) module_->programs.push_back(std::move(program));
}

std::unique_ptr<Module> parse(std::string_view name, std::string_view text, SourceManager& sources, DiagEngine& diags) {
  uint32_t base = sources.file(sources.add(std::string(name), std::string(text))).base;
  return Parser(text, base, sources, diags).run();
}

}  // namespace btc::ir
