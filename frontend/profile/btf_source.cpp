#include "frontend/profile/btf_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace btc {
namespace {

constexpr int kMaxDepth = 64;  // real BTF nests under 20; cycles only come in damaged BTF

uint32_t array_count(const btf_type* type) { return btf_array(type)->nelems; }

// The C spellings of the integers that BTF names otherwise, or does not name at all.
struct CInt { std::string_view text; uint32_t bytes; bool is_signed; };
constexpr CInt kCInts[] = {
    {"char", 1, true}, {"signed char", 1, true}, {"unsigned char", 1, false},
    {"short", 2, true}, {"short int", 2, true}, {"unsigned short", 2, false}, {"short unsigned int", 2, false}, {"unsigned short int", 2, false},
    {"int", 4, true}, {"signed", 4, true}, {"signed int", 4, true}, {"unsigned", 4, false}, {"unsigned int", 4, false},
    {"long", 8, true}, {"long int", 8, true}, {"unsigned long", 8, false}, {"long unsigned int", 8, false}, {"unsigned long int", 8, false},
    {"long long", 8, true}, {"long long int", 8, true}, {"unsigned long long", 8, false}, {"long long unsigned int", 8, false},
    {"unsigned long long int", 8, false}, {"s8", 1, true}, {"u8", 1, false}, {"s16", 2, true}, {"u16", 2, false}, {"s32", 4, true},
    {"u32", 4, false}, {"s64", 8, true}, {"u64", 8, false}, {"int8_t", 1, true}, {"uint8_t", 1, false}, {"int16_t", 2, true},
    {"uint16_t", 2, false}, {"int32_t", 4, true}, {"uint32_t", 4, false}, {"int64_t", 8, true}, {"uint64_t", 8, false},
    {"size_t", 8, false}, {"ssize_t", 8, true}, {"__s8", 1, true}, {"__u8", 1, false}, {"__s16", 2, true}, {"__u16", 2, false},
    {"__s32", 4, true}, {"__u32", 4, false}, {"__s64", 8, true}, {"__u64", 8, false},
};

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool strip_word(std::string_view& text, std::string_view word, bool at_end) {
  if (text.size() < word.size()) return false;
  if (at_end ? !text.ends_with(word) : !text.starts_with(word)) return false;
  if (text.size() > word.size()) {
    char neighbour = at_end ? text[text.size() - word.size() - 1] : text[word.size()];
    if (std::isalnum(static_cast<unsigned char>(neighbour)) || neighbour == '_') return false;
  }
  if (at_end) text.remove_suffix(word.size()); else text.remove_prefix(word.size());
  text = trim(text);
  return true;
}

}  // namespace

BtfRef btf_owner(BtfRef ref) {
  if (ref.btf && ref.id < ref.btf->first_id() && ref.btf->base()) ref.btf = ref.btf->base();
  return ref;
}

BtfRef btf_strip(BtfRef ref, std::string_view* typedef_name) {
  for (int i = 0; i < kMaxDepth; ++i) {
    const btf_type* type = btf_at(ref);
    if (!type || !(btf_is_mod(type) || btf_is_typedef(type))) break;
    if (typedef_name && btf_is_typedef(type)) *typedef_name = btf_name(ref, type->name_off);
    ref.id = type->type;
  }
  return btf_owner(ref);
}

TypeId BtfTypes::convert(TypeTable& types, BtfRef ref) { return convert(types, ref, 0, "anonymous", false); }

TypeId BtfTypes::convert(TypeTable& types, BtfRef ref, int depth, const std::string& anonymous_name, bool from_typedef) {
  if (depth > kMaxDepth) return {};
  std::string_view typedef_name;
  ref = btf_strip(ref, &typedef_name);
  if (ref.id == 0) return types.void_type();
  const btf_type* type = btf_at(ref);
  if (!type) return {};
  switch (btf_kind(type)) {
    case BTF_KIND_INT:
      if (btf_int_encoding(type) & BTF_INT_BOOL) return types.bool_type();
      if (type->size == 16) return types.array(types.u64(), 2);
      if (type->size != 1 && type->size != 2 && type->size != 4 && type->size != 8) return {};
      return types.int_type(type->size, btf_int_encoding(type) & BTF_INT_SIGNED);
    case BTF_KIND_FLOAT: return types.array(types.int_type(1, false), type->size);
    case BTF_KIND_PTR: {
      BtfRef target = btf_strip({ref.btf, type->type});
      const btf_type* target_type = btf_at(target);
      if (target_type && btf_is_func_proto(target_type)) return types.pointer(types.void_type(), space_);
      TypeId elem = convert(types, {ref.btf, type->type}, depth + 1, anonymous_name, false);
      return elem ? types.pointer(elem, space_) : TypeId{};
    }
    case BTF_KIND_ARRAY: return convert_array(types, ref, depth, anonymous_name);
    case BTF_KIND_ENUM:
    case BTF_KIND_ENUM64: return convert_enum(types, ref);
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
    case BTF_KIND_FWD:
      if (typedef_name.empty()) return convert_record(types, ref, depth, anonymous_name, from_typedef);
      return convert_record(types, ref, depth, std::string(typedef_name), true);
    case BTF_KIND_FUNC_PROTO: return types.void_type();
    case BTF_KIND_VAR: return convert(types, {ref.btf, type->type}, depth + 1, anonymous_name, false);
    default: return {};
  }
}

TypeId BtfTypes::convert_array(TypeTable& types, BtfRef ref, int depth, const std::string& anonymous_name) {
  const btf_type* type = btf_at(ref);
  BtfRef elem_ref = btf_strip({ref.btf, btf_array(type)->type});
  const btf_type* elem_type = btf_at(elem_ref);
  uint32_t count = array_count(type);
  bool bytes = elem_type && btf_is_int(elem_type) && elem_type->size == 1 && !(btf_int_encoding(elem_type) & BTF_INT_BOOL);
  if (bytes && count > 0) return types.string(count);
  TypeId elem = convert(types, {ref.btf, btf_array(type)->type}, depth + 1, anonymous_name, false);
  return elem ? types.array(elem, count) : TypeId{};
}

TypeId BtfTypes::convert_enum(TypeTable& types, BtfRef ref) {
  const btf_type* type = btf_at(ref);
  bool size_ok = type->size == 1 || type->size == 2 || type->size == 4 || type->size == 8;
  std::string name(btf_name(ref, type->name_off));
  if (name.empty() || !size_ok) return types.int_type(size_ok ? type->size : 4, btf_kflag(type));
  return enum_named(types, ref, name, origin_);
}

TypeId BtfTypes::nameless_enum(TypeTable& types, BtfRef ref, std::string_view first_constant) {
  return enum_named(types, ref, "__nameless_" + std::string(first_constant), RecordOrigin::Script);
}

TypeId BtfTypes::enum_named(TypeTable& types, BtfRef ref, const std::string& name, RecordOrigin origin) {
  const btf_type* type = btf_at(ref);
  for (uint32_t i = 0; i < types.enum_count(); ++i)
    if (types.enum_def(i).name == name && types.enum_def(i).origin == origin) return types.enum_type(i);
  EnumDef def;
  def.name = name;
  def.size = type->size;
  def.is_signed = btf_kflag(type);
  def.origin = origin;
  for (const BtfEnumValue& value : btf_enum_values(ref)) def.variants.emplace_back(value.name, value.value);
  return types.enum_type(types.add_enum(std::move(def)));
}

TypeId BtfTypes::convert_record(TypeTable& types, BtfRef ref, int depth, const std::string& anonymous_name, bool from_typedef) {
  const btf_type* type = btf_at(ref);
  std::string name(btf_name(ref, type->name_off));
  bool is_union = btf_is_fwd(type) ? btf_kflag(type) : btf_is_union(type), anonymous = name.empty();
  if (btf_is_fwd(type)) {
    // Declared here, maybe defined elsewhere (a module's BTF often only declares).
    if (BtfRef definition = set_.find(name, is_union ? BTF_KIND_UNION : BTF_KIND_STRUCT)) {
      ref = definition;
      type = btf_at(ref);
    }
  }
  if (anonymous) {
    name = anonymous_name;
    if (from_typedef && set_.find(name, is_union ? BTF_KIND_UNION : BTF_KIND_STRUCT)) name = "typedef." + name;
  } else if (uint32_t ordinal = btf_is_fwd(type) ? 0 : set_.ordinal(ref)) {
    name += fmt::format("___{}", ordinal + 1);
  }
  if (known_ && !anonymous)
    if (auto known = known_(ref, name, is_union)) return *known;
  if (auto known = types.find_record(name, is_union, origin_)) return types.struct_type(*known);
  Record record;
  record.name = name;
  record.is_union = is_union;
  record.origin = origin_;
  record.size = btf_is_fwd(type) ? 0 : type->size;
  record.anonymous = anonymous;
  if (anonymous && from_typedef) record.typedef_name = anonymous_name;
  if (!btf_is_fwd(type)) record.align = align_of(ref, 0);
  uint32_t index = types.add_record(std::move(record));
  // Without a name it cannot be found again, so its fields come at once.
  if (anonymous || origin_ == RecordOrigin::Script) fill(types, index, ref, depth + 1);
  return types.struct_type(index);
}

std::optional<TypeId> BtfTypes::record(TypeTable& types, std::string_view name, bool is_union) {
  if (auto known = types.find_record(name, is_union, RecordOrigin::Kernel); known && !types.record(*known).anonymous)
    return types.struct_type(*known);
  BtfRef ref = set_.find(name, is_union ? BTF_KIND_UNION : BTF_KIND_STRUCT);
  if (!ref) return std::nullopt;
  return convert(types, ref);
}

BtfRef BtfTypes::find_flavored(std::string_view name, bool is_union) {
  uint32_t kind = is_union ? BTF_KIND_UNION : BTF_KIND_STRUCT;
  if (BtfRef ref = set_.find(name, kind)) return ref;
  size_t mark = name.rfind("___");
  if (mark == std::string_view::npos) return {};
  uint32_t nth = static_cast<uint32_t>(std::strtoul(std::string(name.substr(mark + 3)).c_str(), nullptr, 10));
  return nth >= 2 ? set_.find(name.substr(0, mark), kind, "", nullptr, nth - 1) : BtfRef{};
}

void BtfTypes::complete(TypeTable& types, uint32_t index) {
  const Record& record = types.record(index);
  if (record.complete || record.origin != RecordOrigin::Kernel || record.anonymous) return;
  BtfRef ref = find_flavored(record.name, record.is_union);
  if (ref) fill(types, index, ref, 0);
}

void BtfTypes::fill(TypeTable& types, uint32_t index, BtfRef ref, int depth) {
  const btf_type* type = btf_at(ref);
  if (!type || !btf_is_composite(type) || depth > kMaxDepth) return;
  types.record(index).complete = true;  // first: a damaged record may hold itself
  std::string parent = types.record(index).name;
  std::vector<Field> fields;
  const btf_member* member = btf_members(type);
  for (uint32_t i = 0; i < btf_vlen(type); ++i, ++member) {
    Field field;
    field.name = std::string(btf_name(ref, member->name_off));
    field.bit_offset = btf_member_bit_offset(type, i);
    field.bit_size = static_cast<uint16_t>(btf_member_bitfield_size(type, i));
    field.type = convert(types, {ref.btf, member->type}, depth + 1, fmt::format("{}.{}", parent, i), false);
    const btf_type* stripped = btf_at(btf_strip({ref.btf, member->type}));
    field.is_float = stripped && btf_kind(stripped) == BTF_KIND_FLOAT;
    if (field.type) fields.push_back(std::move(field));
  }
  types.record(index).fields = std::move(fields);
}

// BTF gives no alignment: the largest of the members', 1 where an offset shows the record is packed.
uint32_t BtfTypes::align_of(BtfRef ref, int depth) {
  ref = btf_strip(ref);
  const btf_type* type = btf_at(ref);
  if (!type || depth > kMaxDepth) return 1;
  switch (btf_kind(type)) {
    case BTF_KIND_INT: case BTF_KIND_ENUM: case BTF_KIND_ENUM64: case BTF_KIND_FLOAT: return type->size >= 1 && type->size <= 16 ? type->size : 1;
    case BTF_KIND_PTR: return 8;
    case BTF_KIND_ARRAY: return align_of({ref.btf, btf_array(type)->type}, depth + 1);
    case BTF_KIND_STRUCT: case BTF_KIND_UNION: break;
    default: return 1;
  }
  auto [it, fresh] = aligns_.try_emplace({ref.btf, ref.id}, 1);
  if (!fresh) return it->second;
  uint32_t align = 1;
  const btf_member* member = btf_members(type);
  for (uint32_t i = 0; i < btf_vlen(type); ++i, ++member) {
    uint32_t of_member = align_of({ref.btf, member->type}, depth + 1);
    if (btf_member_bitfield_size(type, i) == 0 && (btf_member_bit_offset(type, i) / 8) % of_member != 0) continue;
    align = std::max(align, of_member);
  }
  while (align > 1 && type->size % align != 0) align /= 2;
  aligns_[{ref.btf, ref.id}] = align;
  return align;
}

std::optional<TypeId> BtfTypes::parse_c(TypeTable& types, std::string_view text, AddrSpace space) {
  text = trim(text);
  if (text.size() > 500) return std::nullopt;
  while (strip_word(text, "__data_loc", false) || strip_word(text, "__rel_loc", false)) {}  // "char[]", count 0
  constexpr std::string_view kUserTag = R"(__attribute__((btf_type_tag("user"))))";
  if (text.ends_with("]")) {
    size_t open = text.rfind('[');
    if (open == std::string_view::npos) return std::nullopt;
    auto count = static_cast<uint32_t>(std::strtoul(std::string(text.substr(open + 1)).c_str(), nullptr, 0));
    auto elem = parse_c(types, text.substr(0, open), space);
    if (!elem) return std::nullopt;
    const Type& type = types.get(*elem);
    if (type.kind == TypeKind::Int && type.size == 1 && count > 0) return types.string(count);
    return types.array(*elem, count);
  }
  while (strip_word(text, "const", true) || strip_word(text, "volatile", true) || strip_word(text, "restrict", true)) {}
  if (text.ends_with("*")) {
    text = trim(text.substr(0, text.size() - 1));
    if (text.ends_with(kUserTag)) {
      text = trim(text.substr(0, text.size() - kUserTag.size()));
      space = AddrSpace::User;
    }
    auto elem = parse_c(types, text, space);
    return types.pointer(elem ? *elem : types.void_type(), space);
  }
  while (strip_word(text, "const", false) || strip_word(text, "volatile", false)) {}
  if (text == "void") return types.void_type();
  if (text == "bool" || text == "_Bool") return types.bool_type();
  for (const CInt& known : kCInts)
    if (text == known.text) return types.int_type(known.bytes, known.is_signed);
  if (strip_word(text, "struct", false)) return record(types, text, false);
  if (strip_word(text, "union", false)) return record(types, text, true);
  uint32_t kind = strip_word(text, "enum", false) ? BTF_KIND_ENUM : BTF_KIND_TYPEDEF;
  BtfRef ref = set_.find(text, kind);
  if (!ref) return std::nullopt;
  TypeId id = convert(types, ref);
  return id ? std::optional(id) : std::nullopt;
}

}  // namespace btc
