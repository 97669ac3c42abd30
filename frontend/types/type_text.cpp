// Types as text: printing and reading back.
//
//   type    = base { "*" [space] | "[" number "]" }
//   base    = "(" [type {"," type}] ")" | "{" [name "=" type {"," name "=" type}] "}"
//           | ("struct" | "union" | "enum") name | word [ "[" number "]" ] [ "(" params ")" ]
//   space   = "kernel" | "user" | "btf" | "ctx"
//
// Suffixes apply from left to right, so `int8*kernel[4]` is four pointers. A
// record is named by its tag; if records of several origins share the tag, all
// but the first in kOrigins carry it: `struct node@script`. Records without a
// tag are `struct #N`, N being their index in the table.
#include <charconv>

#include <fmt/format.h>

#include "frontend/types/types.h"

namespace btc {
namespace {

constexpr const char* kSpaces[] = {"", "kernel", "user", "btf", "ctx"};
constexpr const char* kStackModes[] = {"bpftrace", "perf", "raw", "build_id"};
constexpr const char* kTSeriesAggs[] = {"none", "avg", "max", "min", "sum"};

struct OriginName {
  RecordOrigin origin;
  const char* name;
};
constexpr OriginName kOrigins[] = {
    {RecordOrigin::Kernel, "kernel"},     {RecordOrigin::Script, "script"},         {RecordOrigin::Tracepoint, "tracepoint"},
    {RecordOrigin::FuncArgs, "funcargs"}, {RecordOrigin::UprobeArgs, "uprobeargs"},
    {RecordOrigin::Program, "program"},
};

constexpr TypeKind kSimpleKinds[] = {
    TypeKind::Void,      TypeKind::Bool,    TypeKind::KSym,       TypeKind::USym,      TypeKind::Username,
    TypeKind::Timestamp, TypeKind::MacAddr, TypeKind::CgroupPath, TypeKind::ProbeName, TypeKind::Count,
};
constexpr TypeKind kSignedKinds[] = {TypeKind::Sum, TypeKind::Min, TypeKind::Max, TypeKind::Avg, TypeKind::Stats};
constexpr TypeKind kSizedKinds[] = {TypeKind::String, TypeKind::Buffer, TypeKind::Inet};
constexpr TypeKind kParamKinds[] = {TypeKind::Hist, TypeKind::LHist, TypeKind::TSeries, TypeKind::KStack, TypeKind::UStack};

template <size_t N>
bool is_one_of(TypeKind kind, const TypeKind (&kinds)[N]) {
  for (TypeKind other : kinds) {
    if (kind == other) return true;
  }
  return false;
}

constexpr std::string_view kNotInTags = "*[](){},= @";

// First origin of kOrigins that has the tag.
std::optional<uint32_t> first_record(const TypeTable& types, std::string_view name, bool is_union) {
  for (const OriginName& origin : kOrigins) {
    if (auto found = types.find_record(name, is_union, origin.origin)) return found;
  }
  return std::nullopt;
}

std::string record_text(const TypeTable& types, uint32_t index) {
  const Record& record = types.record(index);
  std::string text = record.is_union ? "union " : "struct ";
  if (record.name.empty()) return text + fmt::format("#{}", index);
  // Names of C++ templates and of files may hold what ends a name here.
  bool is_foreign = record.origin == RecordOrigin::Program || record.origin == RecordOrigin::UprobeArgs;
  if (is_foreign && record.name.find_first_of(kNotInTags) != std::string::npos) return text + fmt::format("#{}", index);
  text += record.name;
  auto first = first_record(types, record.name, record.is_union);
  if (first == index) return text;
  for (const OriginName& origin : kOrigins) {
    if (origin.origin != record.origin) continue;
    if (types.find_record(record.name, record.is_union, record.origin) == index) return text + "@" + origin.name;
  }
  return text.substr(0, text.find(' ') + 1) + fmt::format("#{}", index);
}

std::string enum_text(const TypeTable& types, uint32_t index) {
  const std::string& name = types.enum_def(index).name;
  for (uint32_t i = 0; !name.empty() && i <= index; i++) {
    if (types.enum_def(i).name == name && i != index) break;
    if (i == index) return "enum " + name;
  }
  return fmt::format("enum #{}", index);
}

std::string params_text(const Type& type) {
  switch (type.kind) {
    case TypeKind::Hist: return fmt::format("({})", type.p0);
    case TypeKind::LHist: return fmt::format("({},{},{})", type.p0, type.p1, type.p2);
    case TypeKind::TSeries: return fmt::format("({},{},{})", type.p0, type.p1, kTSeriesAggs[type.p2 >= 0 && type.p2 < 5 ? type.p2 : 0]);
    default: return fmt::format("({},{})", type.p0, kStackModes[static_cast<size_t>(type.mode)]);
  }
}

class Reader {
 public:
  Reader(TypeTable& types, std::string_view text) : types_(types), text_(text) {}

  std::optional<TypeId> whole() {
    auto type = read(0);
    skip_space();
    return pos_ == text_.size() ? type : std::nullopt;
  }

 private:
  static constexpr int kMaxDepth = 64;

  void skip_space() {
    while (pos_ < text_.size() && text_[pos_] == ' ') pos_++;
  }
  bool take(char c) {
    skip_space();
    if (pos_ >= text_.size() || text_[pos_] != c) return false;
    pos_++;
    return true;
  }
  static bool is_word_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  }
  std::string_view word() {
    skip_space();
    size_t begin = pos_;
    while (pos_ < text_.size() && is_word_char(text_[pos_])) pos_++;
    return text_.substr(begin, pos_ - begin);
  }
  // A tag may be a tracepoint's "category:event" or hold a path.
  std::string_view tag() {
    skip_space();
    size_t begin = pos_;
    while (pos_ < text_.size() && kNotInTags.find(text_[pos_]) == std::string_view::npos) pos_++;
    return text_.substr(begin, pos_ - begin);
  }
  template <typename Int>
  bool number(Int* out) {
    skip_space();
    auto [end, error] = std::from_chars(text_.data() + pos_, text_.data() + text_.size(), *out);
    if (error != std::errc()) return false;
    pos_ = static_cast<size_t>(end - text_.data());
    return true;
  }
  template <size_t N>
  bool choice(const char* const (&names)[N], int64_t* out) {
    std::string_view wanted = word();
    for (size_t i = 0; i < N; i++) {
      if (wanted == names[i]) return *out = static_cast<int64_t>(i), true;
    }
    return false;
  }

  std::optional<TypeId> read(int depth) {
    if (depth > kMaxDepth) return std::nullopt;
    auto type = base(depth);
    while (type) {
      if (take('*')) {
        size_t before = pos_;
        std::string_view space = word();
        uint8_t index = 0;
        for (uint8_t i = 1; i < std::size(kSpaces); i++) {
          if (space == kSpaces[i]) index = i;
        }
        if (index == 0) pos_ = before;
        type = types_.pointer(*type, static_cast<AddrSpace>(index));
      } else if (take('[')) {
        uint32_t count = 0;
        if (!number(&count) || !take(']')) return std::nullopt;
        type = types_.array(*type, count);
      } else {
        return type;
      }
    }
    return type;
  }

  std::optional<TypeId> base(int depth) {
    if (take('(')) return tuple(depth);
    if (take('{')) return anon_record(depth);
    if (take('?')) return TypeId{};
    std::string_view name = word();
    if (name == "struct" || name == "union") return record(name == "union");
    if (name == "enum") return enumeration();
    return named(name);
  }

  std::optional<TypeId> tuple(int depth) {
    std::vector<TypeId> members;
    if (take(')')) return types_.tuple(std::move(members));
    do {
      auto member = read(depth + 1);
      if (!member) return std::nullopt;
      members.push_back(*member);
    } while (take(','));
    if (!take(')')) return std::nullopt;
    return types_.tuple(std::move(members));
  }

  std::optional<TypeId> anon_record(int depth) {
    std::vector<std::pair<std::string, TypeId>> members;
    if (take('}')) return types_.anon_record(std::move(members));
    do {
      std::string name(word());
      if (name.empty() || !take('=')) return std::nullopt;
      auto member = read(depth + 1);
      if (!member) return std::nullopt;
      members.emplace_back(std::move(name), *member);
    } while (take(','));
    if (!take('}')) return std::nullopt;
    return types_.anon_record(std::move(members));
  }

  std::optional<TypeId> record(bool is_union) {
    std::optional<uint32_t> index = by_number(types_.record_count());
    if (!index) {
      std::string_view name = tag();
      if (name.empty()) return std::nullopt;
      if (take('@')) {
        std::string_view wanted = word();
        for (const OriginName& origin : kOrigins) {
          if (wanted == origin.name) index = types_.find_record(name, is_union, origin.origin);
        }
      } else {
        index = first_record(types_, name, is_union);
      }
    }
    if (!index) return std::nullopt;
    return types_.struct_type(*index);
  }

  std::optional<TypeId> enumeration() {
    if (auto index = by_number(types_.enum_count())) return types_.enum_type(*index);
    std::string_view name = tag();
    for (uint32_t i = 0; i < types_.enum_count(); i++) {
      if (types_.enum_def(i).name == name && !name.empty()) return types_.enum_type(i);
    }
    return std::nullopt;
  }

  std::optional<uint32_t> by_number(uint32_t count) {
    size_t before = pos_;
    uint32_t index = 0;
    if (take('#') && number(&index) && index < count) return index;
    pos_ = before;
    return std::nullopt;
  }

  std::optional<TypeId> named(std::string_view name) {
    for (TypeKind kind : kSimpleKinds) {
      if (name == type_kind_name(kind)) return types_.simple(kind);
    }
    for (TypeKind kind : kSizedKinds) {
      if (name == type_kind_name(kind)) return sized(kind);
    }
    for (TypeKind kind : kSignedKinds) {
      if (auto type = signed_or_not(name, kind)) return types_.intern(*type);
    }
    for (TypeKind kind : kParamKinds) {
      if (auto type = signed_or_not(name, kind)) return with_params(*type);
    }
    return integer(name);
  }

  // `sum_t` is signed, `usum_t` is not.
  static std::optional<Type> signed_or_not(std::string_view name, TypeKind kind) {
    bool is_unsigned = name.starts_with('u') && name.substr(1) == type_kind_name(kind);
    if (!is_unsigned && name != type_kind_name(kind)) return std::nullopt;
    // Only tseries_t among the kinds with parameters has a sign; `ustack_t` is its own name.
    Type type;
    type.kind = kind;
    type.is_signed = !is_unsigned;
    return type;
  }

  std::optional<TypeId> sized(TypeKind kind) {
    Type type;
    type.kind = kind;
    // `string` alone has no size yet.
    size_t before = pos_;
    if (take('[') && !(number(&type.size) && take(']'))) pos_ = before;
    return types_.intern(type);
  }

  std::optional<TypeId> with_params(Type type) {
    if (!take('(') || !number(&type.p0)) return std::nullopt;
    if (type.kind == TypeKind::KStack || type.kind == TypeKind::UStack) {
      int64_t mode = 0;
      if (!take(',') || !choice(kStackModes, &mode)) return std::nullopt;
      type.mode = static_cast<StackMode>(mode);
    } else if (type.kind != TypeKind::Hist) {
      if (!take(',') || !number(&type.p1) || !take(',')) return std::nullopt;
      if (type.kind == TypeKind::LHist ? !number(&type.p2) : !choice(kTSeriesAggs, &type.p2)) return std::nullopt;
    }
    if (!take(')')) return std::nullopt;
    return types_.intern(type);
  }

  std::optional<TypeId> integer(std::string_view name) {
    bool is_signed = !name.starts_with('u');
    if (!is_signed) name.remove_prefix(1);
    if (!name.starts_with("int")) return std::nullopt;
    name.remove_prefix(3);
    for (uint32_t bytes : {1u, 2u, 4u, 8u, 16u}) {
      if (name == std::to_string(bytes * 8)) return types_.int_type(bytes, is_signed);
    }
    return std::nullopt;
  }

  TypeTable& types_;
  std::string_view text_;
  size_t pos_ = 0;
};

}  // namespace

std::string TypeTable::print(TypeId id) const {
  const Type& type = get(id);
  std::string name = type_kind_name(type.kind);
  if (is_one_of(type.kind, kSignedKinds)) return (type.is_signed ? "" : "u") + name;
  if (is_one_of(type.kind, kSizedKinds)) return type.size ? fmt::format("{}[{}]", name, type.size) : name;
  if (is_one_of(type.kind, kParamKinds)) {
    const char* sign = type.kind == TypeKind::TSeries && !type.is_signed ? "u" : "";
    return sign + name + params_text(type);
  }
  switch (type.kind) {
    case TypeKind::Int: return fmt::format("{}int{}", type.is_signed ? "" : "u", type.size * 8);
    case TypeKind::Pointer: return print(type.elem) + "*" + kSpaces[static_cast<size_t>(type.space)];
    case TypeKind::Array: return fmt::format("{}[{}]", print(type.elem), type.count);
    case TypeKind::Struct: return record_text(*this, type.record);
    case TypeKind::Enum: return enum_text(*this, type.record);
    case TypeKind::Tuple:
    case TypeKind::AnonRecord: {
      bool is_tuple = type.kind == TypeKind::Tuple;
      std::string text(1, is_tuple ? '(' : '{');
      for (const auto& [member_name, member] : type.members) {
        if (text.size() > 1) text += ',';
        if (!is_tuple) text += member_name + "=";
        text += print(member);
      }
      return text + (is_tuple ? ')' : '}');
    }
    default: return name;
  }
}

// bpftrace's wording: people compare messages.
std::string TypeTable::print_user(TypeId id) const {
  const Type& type = get(id);
  switch (type.kind) {
    case TypeKind::Untyped: return "none";
    case TypeKind::Pointer: return print_user(type.elem) + " *";
    case TypeKind::Array: return fmt::format("{}[{}]", print_user(type.elem), type.count);
    case TypeKind::Buffer:
    case TypeKind::Inet: return fmt::format("{}[{}]", type_kind_name(type.kind), type.size);
    case TypeKind::Struct: {
      const Record& record = records_[type.record];
      std::string text = record.is_union ? "union " : "struct ";
      if (record.origin == RecordOrigin::Tracepoint) return fmt::format("{}tracepoint:{}_args", text, record.name);
      if (!record.name.empty()) return text + record.name;
      text += '{';
      for (size_t i = 0; i < record.fields.size(); i++) {
        text += (i ? "," : "") + print_user(record.fields[i].type);
      }
      return text + "}";
    }
    case TypeKind::Enum: return "enum " + enums_[type.record].name;
    case TypeKind::Tuple: {
      std::string text = "(";
      for (size_t i = 0; i < type.members.size(); i++) text += (i ? "," : "") + print_user(type.members[i].second);
      return text + ")";
    }
    case TypeKind::AnonRecord: {
      std::string text = "record {";
      for (size_t i = 0; i < type.members.size(); i++) {
        text += fmt::format("{} .{} = {}", i ? "," : "", type.members[i].first, print_user(type.members[i].second));
      }
      return text + " }";
    }
    case TypeKind::KStack: return fmt::format("kstack_{}_{}", kStackModes[static_cast<size_t>(type.mode)], type.p0);
    case TypeKind::UStack: return fmt::format("ustack_{}_{}", kStackModes[static_cast<size_t>(type.mode)], type.p0);
    case TypeKind::Hist:
    case TypeKind::LHist:
    case TypeKind::TSeries: return type_kind_name(type.kind);
    case TypeKind::Timestamp: return "timestamp";
    case TypeKind::MacAddr: return "mac_address";
    default: return print(id);
  }
}

std::optional<TypeId> TypeTable::parse_text(std::string_view text) { return Reader(*this, text).whole(); }

}  // namespace btc
