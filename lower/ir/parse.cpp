// Text -> module. Reads what print.cpp writes; docs/bir.md has the grammar.
//
// Items may refer only to what stands before them, except functions (by name, anywhere) and, within a function, blocks and
// values: those are looked up when the function, or the file, is complete. The first error ends the reading, with a
// diagnostic at its place: a .bir file is written by a program, so one message is what its reader needs. No input crashes:
// everything goes through the small take_/try_ functions, which never read past the end.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "lower/ir/ir.h"
#include "lower/ir/names.h"

namespace btc::ir {
namespace {

bool is_word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}
int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

class Parser {
 public:
  Parser(std::string_view name, std::string_view text, SourceManager& sources, DiagEngine& diags)
      : text_(text), sources_(sources), diags_(diags) {
    base_ = sources.file(sources.add(std::string(name), std::string(text))).base;
    module_ = std::make_unique<Module>();
    module_->types = std::make_shared<TypeTable>();
    module_->places_in_bir = true;
  }

  std::unique_ptr<Module> run() {
    parse_first_line();
    while (!failed_ && !at_end()) parse_item();
    if (!failed_) resolve_functions();
    return failed_ ? nullptr : std::move(module_);
  }

 private:
  // ---- Characters ----
  void skip_space() {
    while (pos_ < text_.size()) {
      char c = text_[pos_];
      if (c == ';') {
        while (pos_ < text_.size() && text_[pos_] != '\n') ++pos_;
      } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        ++pos_;
      } else {
        break;
      }
    }
  }
  bool at_end() {
    skip_space();
    return pos_ >= text_.size();
  }
  char peek() {
    skip_space();
    return pos_ < text_.size() ? text_[pos_] : '\0';
  }
  SourceRange here(size_t begin) const {
    auto from = static_cast<uint32_t>(std::min(begin, text_.size()));
    auto to = static_cast<uint32_t>(std::min(std::max(pos_, begin + 1), text_.size()));
    return {base_ + from, base_ + to};
  }
  void fail_at(SourceRange range, const std::string& message) {
    if (!failed_) diags_.report(DiagKind::BirSyntax, range, message);
    failed_ = true;
    pos_ = text_.size();
  }
  void fail(const std::string& message) { fail_at(here(pos_), message); }

  // ---- Tokens ----
  bool try_char(char c) {
    if (peek() != c) return false;
    ++pos_;
    return true;
  }
  void expect(char c) {
    if (!try_char(c)) fail(fmt::format("expected '{}'", c));
  }
  std::string_view try_word() {
    skip_space();
    size_t begin = pos_;
    while (pos_ < text_.size() && is_word_char(text_[pos_])) ++pos_;
    return text_.substr(begin, pos_ - begin);
  }
  std::string_view take_word(const char* what) {
    std::string_view word = try_word();
    if (word.empty()) fail(fmt::format("expected {}", what));
    return word;
  }
  // Takes `word` if it comes next on the same line: an attribute of the item before.
  bool try_keyword(std::string_view word) {
    while (pos_ < text_.size() && (text_[pos_] == ' ' || text_[pos_] == '\t')) ++pos_;
    if (pos_ < text_.size() && !is_word_char(text_[pos_])) return false;
    return try_next_word(word);
  }
  bool try_next_word(std::string_view word) {
    skip_space();
    size_t begin = pos_;
    if (!failed_ && try_word() == word) return true;
    pos_ = failed_ ? text_.size() : begin;
    return false;
  }
  void expect_word(std::string_view word) {
    if (!try_next_word(word)) fail(fmt::format("expected '{}'", word));
  }
  // A name with its sigil; `allow_empty` for the map "@".
  std::string_view take_name(char sigil, const char* what, bool allow_empty = false) {
    if (peek() != sigil) {
      fail(fmt::format("expected {} ('{}...')", what, sigil));
      return {};
    }
    size_t begin = ++pos_;
    while (pos_ < text_.size() && is_word_char(text_[pos_])) ++pos_;
    if (pos_ == begin && !allow_empty) fail(fmt::format("expected a name after '{}'", sigil));
    return failed_ ? std::string_view{} : text_.substr(begin, pos_ - begin);
  }
  int64_t take_int() {
    skip_space();
    size_t begin = pos_;
    bool negative = pos_ < text_.size() && text_[pos_] == '-';
    if (negative) ++pos_;
    bool is_hex = text_.substr(pos_, 2) == "0x";
    if (is_hex) pos_ += 2;
    size_t digits = pos_;
    uint64_t value = 0;
    while (pos_ < text_.size()) {
      int digit = hex_digit(text_[pos_]);
      uint64_t radix = is_hex ? 16 : 10;
      if (digit < 0 || static_cast<uint64_t>(digit) >= radix) break;
      if (value > (std::numeric_limits<uint64_t>::max() - static_cast<uint64_t>(digit)) / radix) {
        fail_at(here(begin), "number does not fit 64 bits");
        return 0;
      }
      value = value * radix + static_cast<uint64_t>(digit);
      ++pos_;
    }
    if (pos_ == digits) {
      fail_at(here(begin), "expected a number");
      return 0;
    }
    return static_cast<int64_t>(negative ? 0 - value : value);
  }
  uint32_t take_u32() {
    size_t begin = pos_;
    int64_t value = take_int();
    if (value < 0 || value > std::numeric_limits<uint32_t>::max()) {
      fail_at(here(begin), "number out of range");
      return 0;
    }
    return static_cast<uint32_t>(value);
  }
  std::string take_string() {
    std::string out;
    if (!try_char('"')) {
      fail("expected a string");
      return out;
    }
    while (pos_ < text_.size() && text_[pos_] != '"') {
      char c = text_[pos_++];
      if (c == '\n') break;
      if (c != '\\') {
        out += c;
        continue;
      }
      char escape = pos_ < text_.size() ? text_[pos_++] : '\0';
      if (escape == 'n') out += '\n';
      else if (escape == 't') out += '\t';
      else if (escape == '"' || escape == '\\') out += escape;
      else if (escape == 'x' && pos_ + 2 <= text_.size() && hex_digit(text_[pos_]) >= 0 && hex_digit(text_[pos_ + 1]) >= 0) {
        out += static_cast<char>(hex_digit(text_[pos_]) * 16 + hex_digit(text_[pos_ + 1]));
        pos_ += 2;
      } else {
        fail("unknown escape in string");
        return out;
      }
    }
    if (pos_ >= text_.size() || text_[pos_] != '"') fail("string without end");
    else ++pos_;
    return out;
  }
  template <size_t N>
  size_t take_enum(const char* const (&names)[N], const char* what) {
    skip_space();
    size_t begin = pos_;
    std::string_view word = take_word(what);
    if (auto index = find_name(names, word)) return *index;
    fail_at(here(begin), fmt::format("'{}' is not {}", word, what));
    return 0;
  }
  // Text of a type: up to `stop` outside of brackets, or the end of a bracketed type.
  std::string_view take_type_text(std::string_view stop) {
    skip_space();
    size_t begin = pos_;
    int depth = 0;
    while (pos_ < text_.size() && text_[pos_] != '\n') {
      char c = text_[pos_];
      if (!stop.empty() && depth == 0 && text_.substr(pos_, stop.size()) == stop) break;
      if (c == '(' || c == '[' || c == '{') ++depth;
      if (c == ')' || c == ']' || c == '}') {
        if (depth == 0) break;
        --depth;
      }
      ++pos_;
      if (stop.empty() && depth == 0) break;
    }
    return text_.substr(begin, pos_ - begin);
  }
  TypeId parse_type(std::string_view text, SourceRange range) {
    if (failed_) return {};
    if (text == "?") return {};
    if (auto type = module_->types->parse_text(text)) return *type;
    fail_at(range, fmt::format("'{}' is not a type", text));
    return {};
  }
  TypeId take_type(std::string_view stop) {
    skip_space();
    size_t begin = pos_;
    std::string_view text = take_type_text(stop);
    return parse_type(text, here(begin));
  }
  ValueType take_value_type() {
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
  SourceRange take_place(size_t item_begin) {
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

  // ---- Items ----
  void parse_first_line() {
    expect_word("bir");
    if (take_int() != 1) fail("only version 1 is known");
    expect_word("stage");
    module_->stage = take_word("a stage");
    if (!failed_ && module_->stage != "raw" && module_->stage != "canonical") fail("a stage is raw or canonical");
  }

  void parse_item() {
    skip_space();
    size_t begin = pos_;
    struct Item { std::string_view word; void (Parser::*parse)(size_t); };
    static constexpr Item kItems[] = {
        {"arch", &Parser::parse_arch},     {"script", &Parser::parse_script}, {"license", &Parser::parse_license},
        {"warnings", &Parser::parse_warnings}, {"unsafe", &Parser::parse_unsafe}, {"scratch", &Parser::parse_scratch},
        {"zero", &Parser::parse_zero},     {"config", &Parser::parse_config}, {"input", &Parser::parse_input}, {"string", &Parser::parse_strings},
        {"source", &Parser::parse_source}, {"record", &Parser::parse_record}, {"enum", &Parser::parse_enum},
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

  void parse_arch(size_t) { module_->arch = take_string(); }
  void parse_script(size_t) { module_->script_name = take_string(); }
  void parse_license(size_t) { module_->license = take_string(); }
  void parse_warnings(size_t) { module_->warning_level = static_cast<uint8_t>(std::min<uint32_t>(take_u32(), 2)); }
  void parse_unsafe(size_t) { module_->unsafe_ok = true; }
  void parse_scratch(size_t) { module_->scratch_size = take_u32(); }
  void parse_zero(size_t) { module_->zero_size = take_u32(); }
  void parse_config(size_t) {
    std::string key = take_string();
    module_->config.emplace_back(key, take_string());
  }
  void parse_input(size_t) { module_->inputs.push_back(take_string()); }
  void parse_strings(size_t) { module_->strings.push_back(take_string()); }

  // Places in the text count from 1 over its own sources; in memory they lie behind the files that were there before.
  void parse_source(size_t begin) {
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

  void parse_record(size_t) {
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

  void parse_field(uint32_t record) {
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
    if (failed_) return;
    pending_fields_.push_back({record, static_cast<uint32_t>(module_->types->record(record).fields.size()), type, range});
    module_->types->record(record).fields.push_back(std::move(field));
  }

  // Field types may name records that come later; all are known when the first other item starts.
  void complete_records() {
    for (const PendingField& pending : pending_fields_) {
      TypeId type = parse_type(pending.type, pending.range);
      if (failed_) return;
      module_->types->record(pending.record).fields[pending.field].type = type;
    }
    pending_fields_.clear();
  }

  void parse_enum(size_t) {
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

  void parse_core(size_t begin) {
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

  void parse_map(size_t begin) {
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
  int find_map(std::string_view name) const {
    for (size_t i = 0; i < module_->maps.size(); ++i) {
      if (module_->maps[i].name == name) return static_cast<int>(i);
    }
    return -1;
  }
  uint64_t take_map() {
    skip_space();
    size_t begin = pos_;
    std::string name = "@" + std::string(take_name('@', "a map", true));
    int index = find_map(name);
    if (index < 0) fail_at(here(begin), fmt::format("unknown map {}", name));
    return static_cast<uint64_t>(std::max(index, 0));
  }

  void parse_event(size_t begin) {
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

  void parse_param(size_t begin) {
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

  void parse_fact(size_t begin) {
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
  int find_fact(std::string_view name) const {
    for (size_t i = 0; i < module_->facts.size(); ++i) {
      if (module_->facts[i].name == name) return static_cast<int>(i);
    }
    return -1;
  }

  void parse_probe(size_t begin) {
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

  // ---- Functions ----
  void parse_function(size_t begin) {
    module_->functions.emplace_back();
    function_ = &module_->functions.back();
    values_.clear();
    defined_.assign(1, true);
    blocks_.clear();
    slots_.clear();
    function_->values.emplace_back();
    function_->name = take_name('&', "a function");
    if (!failed_ && !functions_.try_emplace(function_->name, module_->functions.size() - 1).second) {
      return fail_at(here(begin), fmt::format("function &{} is there twice", function_->name));
    }
    function_->kind = static_cast<Function::Kind>(take_enum(kFunctionNames, "a kind of function"));
    if (try_char('#')) {
      uint32_t program = take_u32();
      if (program >= module_->programs.size()) return fail("no such probe");
      function_->program = static_cast<int>(program);
    }
    expect('(');
    while (!failed_ && !try_char(')')) {
      if (!function_->params.empty()) expect(',');
      function_->params.push_back(define_value());
    }
    expect('-');
    expect('>');
    function_->return_type = take_value_type();
    function_->loc = take_place(begin);
    expect('{');
    while (try_next_word("slot")) parse_slot();
    while (!failed_ && !try_char('}')) parse_block_line();
    if (!failed_) check_function_complete();
  }

  void parse_slot() {
    Slot slot;
    slot.name = take_name('$', "a slot");
    expect_word("size");
    slot.size = take_u32();
    expect_word("align");
    slot.align = take_u32();
    if (try_keyword("stack")) slot.place = Slot::Stack;
    if (try_keyword("register")) slot.place = Slot::Register;
    if (try_keyword("scratch")) {
      slot.place = Slot::Scratch;
      slot.scratch_offset = take_u32();
    }
    if (failed_) return;
    if (!slots_.try_emplace(slot.name, function_->slots.size()).second) return fail(fmt::format("slot ${} is there twice", slot.name));
    function_->slots.push_back(std::move(slot));
  }

  // A `^name:` line starts a block; everything else is an instruction of the last one.
  void parse_block_line() {
    skip_space();
    size_t begin = pos_;
    if (peek() != '^') return parse_inst();
    std::string name(take_name('^', "a block"));
    expect(':');
    if (failed_) return;
    BlockUse& use = block_use(name, here(begin));
    if (use.defined >= 0) return fail_at(here(begin), fmt::format("block ^{} is there twice", name));
    use.defined = static_cast<int64_t>(function_->blocks.size());
    function_->blocks.push_back({std::move(name), {}});
  }

  void parse_inst() {
    skip_space();
    size_t begin = pos_;
    if (function_->blocks.empty()) return fail("expected a block ('^name:')");
    Inst inst;
    if (peek() == '%') {
      inst.result = define_value();
      expect('=');
    }
    skip_space();
    size_t op_begin = pos_;
    std::string_view mnemonic = take_word("an operation");
    if (failed_) return;
    const OpInfo* info = find_op(mnemonic);
    if (!info) return fail_at(here(op_begin), fmt::format("unknown operation '{}'", mnemonic));
    inst.op = info->op;
    if ((info->result == '-') != (inst.result == kNoValue)) {
      return fail_at(here(op_begin), fmt::format("'{}' {} a result", mnemonic, info->result == '-' ? "has no" : "has"));
    }
    parse_operands(*info, inst);
    inst.loc = take_place(begin);
    if (!failed_) function_->blocks.back().insts.push_back(std::move(inst));
  }

  void parse_operands(const OpInfo& info, Inst& inst) {
    for (const char* letter = info.operands; *letter != '\0' && !failed_; ++letter) {
      if (*letter == '*') {
        bool first = inst.operands.empty();
        while (!failed_ && (first ? peek() == '%' : try_char(','))) {
          inst.operands.push_back(parse_operand('V'));
          first = false;
        }
        return;
      }
      if (!inst.operands.empty()) expect(',');
      inst.operands.push_back(parse_operand(*letter));
    }
  }

  Operand parse_operand(char letter) {
    Operand operand;
    switch (letter) {
      case 'V': operand.kind = Operand::Value; operand.number = use_value(); break;
      case 'I': operand.kind = Operand::Int; operand.number = static_cast<uint64_t>(take_int()); break;
      case 'S': operand.kind = Operand::Slot; operand.number = take_slot(); break;
      case 'M': operand.kind = Operand::Map; operand.number = take_map(); break;
      case 'E': operand.kind = Operand::Event; operand.number = take_index(module_->events.size(), "event"); break;
      case 'F': operand.kind = Operand::Fact; operand.number = take_fact(); break;
      case 'B': operand.kind = Operand::Block; operand.number = take_block(); break;
      case 'C': operand.kind = Operand::ChainRef; operand.chain = take_chain(); break;
      case 'T': operand.kind = Operand::CoreType; operand.number = take_index(module_->core_types.size(), "core type"); break;
      case 'N': operand.kind = Operand::Name; operand.text = take_word("a name"); break;
      case 'L': operand.kind = Operand::Func; operand.number = take_function(); break;
      default: operand.kind = Operand::Text; operand.text = take_string(); break;
    }
    return operand;
  }

  uint32_t take_index(size_t count, const char* what) {
    expect('#');
    uint32_t index = take_u32();
    if (!failed_ && index >= count) fail(fmt::format("no {} #{}", what, index));
    return index;
  }
  Chain take_chain() {
    Chain chain;
    chain.type = take_index(module_->core_types.size(), "core type");
    expect('[');
    while (!failed_ && !try_char(']')) {
      if (!chain.path.empty()) expect(',');
      chain.path.push_back(take_u32());
    }
    return chain;
  }
  uint64_t take_slot() {
    std::string name(take_name('$', "a slot"));
    auto found = slots_.find(name);
    if (!failed_ && found == slots_.end()) fail(fmt::format("unknown slot ${}", name));
    return failed_ ? 0 : found->second;
  }
  uint64_t take_fact() {
    std::string_view name = take_word("a fact");
    int index = find_fact(name);
    if (!failed_ && index < 0) fail(fmt::format("unknown fact {}", name));
    return static_cast<uint64_t>(std::max(index, 0));
  }
  // Functions are known only at the end of the file: the operand holds an index into function_uses_ until then.
  uint64_t take_function() {
    skip_space();
    size_t begin = pos_;
    std::string name(take_name('&', "a function"));
    function_uses_.push_back({std::move(name), here(begin)});
    return function_uses_.size() - 1;
  }

  struct ValueUse { ValueId id; SourceRange first_use; };
  ValueUse& value_use(const std::string& name, SourceRange range) {
    auto [entry, is_new] = values_.try_emplace(name, ValueUse{static_cast<ValueId>(function_->values.size()), range});
    if (is_new) {
      function_->values.push_back({name, {}});
      defined_.push_back(false);
    }
    return entry->second;
  }
  ValueId use_value() {
    skip_space();
    size_t begin = pos_;
    std::string name(take_name('%', "a value"));
    return failed_ ? kNoValue : value_use(name, here(begin)).id;
  }
  // `%name: type`
  ValueId define_value() {
    skip_space();
    size_t begin = pos_;
    std::string name(take_name('%', "a value"));
    if (failed_) return kNoValue;
    ValueId id = value_use(name, here(begin)).id;
    if (defined_[id]) fail_at(here(begin), fmt::format("value %{} is defined twice", name));
    defined_[id] = true;
    expect(':');
    function_->values[id].type = take_value_type();
    return id;
  }

  struct BlockUse { uint32_t id; int64_t defined; SourceRange first_use; };
  BlockUse& block_use(const std::string& name, SourceRange range) {
    return blocks_.try_emplace(name, BlockUse{static_cast<uint32_t>(blocks_.size()), -1, range}).first->second;
  }
  // Blocks are numbered by first mention while the function is read, then by their order.
  uint32_t take_block() {
    skip_space();
    size_t begin = pos_;
    std::string name(take_name('^', "a block"));
    return failed_ ? 0 : block_use(name, here(begin)).id;
  }

  void check_function_complete() {
    for (const auto& [name, use] : values_) {
      if (!defined_[use.id]) return fail_at(use.first_use, fmt::format("value %{} is never defined", name));
    }
    std::vector<uint64_t> order(blocks_.size());
    for (const auto& [name, use] : blocks_) {
      if (use.defined < 0) return fail_at(use.first_use, fmt::format("block ^{} is never defined", name));
      order[use.id] = static_cast<uint64_t>(use.defined);
    }
    for (Block& block : function_->blocks) {
      for (Inst& inst : block.insts) {
        for (Operand& operand : inst.operands) {
          if (operand.kind == Operand::Block) operand.number = order[operand.number];
        }
      }
    }
  }

  void resolve_functions() {
    complete_records();
    if (failed_) return;
    for (Function& function : module_->functions) {
      for (Block& block : function.blocks) {
        for (Inst& inst : block.insts) {
          for (Operand& operand : inst.operands) {
            if (operand.kind != Operand::Func) continue;
            const auto& [name, range] = function_uses_[operand.number];
            auto found = functions_.find(name);
            if (found == functions_.end()) return fail_at(range, fmt::format("unknown function &{}", name));
            operand.number = found->second;
          }
        }
      }
    }
  }

  std::string_view text_;
  SourceManager& sources_;
  DiagEngine& diags_;
  uint32_t base_ = 0;
  size_t pos_ = 0;
  bool failed_ = false;
  std::unique_ptr<Module> module_;
  struct PendingField { uint32_t record, field; std::string_view type; SourceRange range; };
  std::vector<PendingField> pending_fields_;
  std::unordered_map<std::string, uint64_t> functions_;
  std::vector<std::pair<std::string, SourceRange>> function_uses_;
  // Of the function that is being read.
  Function* function_ = nullptr;
  std::unordered_map<std::string, ValueUse> values_;
  std::vector<bool> defined_;
  std::unordered_map<std::string, BlockUse> blocks_;
  std::unordered_map<std::string, uint64_t> slots_;
};

}  // namespace

std::unique_ptr<Module> parse(std::string_view name, std::string_view text, SourceManager& sources, DiagEngine& diags) {
  return Parser(name, text, sources, diags).run();
}

}  // namespace btc::ir
