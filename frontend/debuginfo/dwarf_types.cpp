#include "frontend/debuginfo/dwarf_types.h"

#include <fmt/format.h>

namespace btc {

using namespace llvm::dwarf;
using llvm::DWARFDie;

namespace {

constexpr int kMaxDepth = 100;
constexpr uint32_t kMaxBytes = 1u << 28;

bool is_transparent(Tag tag) {
  return tag == DW_TAG_typedef || tag == DW_TAG_const_type || tag == DW_TAG_volatile_type || tag == DW_TAG_restrict_type || tag == DW_TAG_atomic_type;
}
bool is_reference(Tag tag) { return tag == DW_TAG_pointer_type || tag == DW_TAG_reference_type || tag == DW_TAG_rvalue_reference_type; }

uint64_t byte_size(DWARFDie type) { return unsigned_of(type, DW_AT_byte_size, 0); }

}  // namespace

bool is_record_tag(Tag tag) { return tag == DW_TAG_structure_type || tag == DW_TAG_class_type || tag == DW_TAG_union_type; }

std::string die_name(DWARFDie die) {
  const char* name = die.getShortName();
  return name != nullptr ? name : "";
}

uint64_t unsigned_of(DWARFDie die, Attribute attribute, uint64_t otherwise) { return toUnsigned(die.find(attribute), otherwise); }

// A parameter of an out-of-line copy of an inlined function has its type at its origin.
DWARFDie type_of(DWARFDie die) {
  for (int i = 0; i < kMaxDepth && die.isValid(); ++i) {
    if (DWARFDie type = die.getAttributeValueAsReferencedDie(DW_AT_type)) return type.resolveTypeUnitReference();
    DWARFDie origin = die.getAttributeValueAsReferencedDie(DW_AT_abstract_origin);
    if (!origin) origin = die.getAttributeValueAsReferencedDie(DW_AT_specification);
    die = origin;
  }
  return {};
}

DWARFDie peel(DWARFDie type) {
  for (int i = 0; i < kMaxDepth && type.isValid() && is_transparent(type.getTag()); ++i) type = type_of(type);
  return type;
}

uint64_t member_byte_offset(DWARFDie member) {
  auto value = member.find(DW_AT_data_member_location);
  if (!value) return 0;
  if (auto constant = value->getAsUnsignedConstant()) return *constant;
  // DWARF 2: an expression, always this one operation.
  auto block = value->getAsBlock();
  if (!block || block->empty() || (*block)[0] != DW_OP_plus_uconst) return 0;
  uint64_t result = 0;
  for (size_t i = 1, shift = 0; i < block->size() && shift < 64; ++i, shift += 7) {
    result |= uint64_t{(*block)[i] & 0x7fu} << shift;
    if (((*block)[i] & 0x80) == 0) break;
  }
  return result;
}

std::vector<uint32_t> array_counts(DWARFDie array) {
  std::vector<uint32_t> counts;
  for (DWARFDie range : array.children()) {
    if (range.getTag() != DW_TAG_subrange_type) continue;
    uint64_t count = unsigned_of(range, DW_AT_count, 0);
    if (auto bound = range.find(DW_AT_upper_bound))
      if (auto last = bound->getAsUnsignedConstant()) count = *last + 1;
    counts.push_back(count < kMaxBytes ? static_cast<uint32_t>(count) : 0);
  }
  return counts;
}

std::string type_text(DWARFDie type) {
  if (!type) return "void";
  switch (type.getTag()) {
    case DW_TAG_base_type: case DW_TAG_typedef: case DW_TAG_unspecified_type: return die_name(type);
    case DW_TAG_pointer_type: return type_text(type_of(type)) + "*";
    case DW_TAG_reference_type: return type_text(type_of(type)) + "&";
    case DW_TAG_rvalue_reference_type: return type_text(type_of(type)) + "&&";
    case DW_TAG_structure_type: case DW_TAG_class_type: case DW_TAG_union_type: case DW_TAG_enumeration_type: {
      const char* word = type.getTag() == DW_TAG_union_type ? "union " : type.getTag() == DW_TAG_enumeration_type ? "enum " : "struct ";
      std::string name = die_name(type);
      return word + (name.empty() ? "<anonymous>" : name);
    }
    case DW_TAG_const_type: case DW_TAG_volatile_type: {
      std::string word = type.getTag() == DW_TAG_const_type ? "const" : "volatile";
      DWARFDie inner = type_of(type);
      return inner && inner.getTag() == DW_TAG_pointer_type ? type_text(inner) + " " + word : word + " " + type_text(inner);
    }
    case DW_TAG_restrict_type: case DW_TAG_atomic_type: return type_text(type_of(type));
    default: return "<unknown type>";
  }
}

TypeId DwarfTypes::base_type(TypeTable& types, DWARFDie type) {
  uint64_t size = byte_size(type), encoding = unsigned_of(type, DW_AT_encoding, 0);
  if (size == 0 || size > 64) return {};
  bool is_signed = encoding == DW_ATE_signed || encoding == DW_ATE_signed_char || encoding == DW_ATE_signed_fixed;
  bool is_integer = is_signed || encoding == DW_ATE_boolean || encoding == DW_ATE_unsigned || encoding == DW_ATE_unsigned_char ||
                    encoding == DW_ATE_UTF || encoding == DW_ATE_ASCII || encoding == DW_ATE_UCS;
  if (is_integer && (size == 1 || size == 2 || size == 4 || size == 8)) return types.int_type(static_cast<uint32_t>(size), is_signed);
  if (is_integer && size == 16) return types.array(types.u64(), 2);
  return types.array(types.int_type(1, false), static_cast<uint32_t>(size));
}

TypeId DwarfTypes::array_type(TypeTable& types, DWARFDie type, const std::string& anonymous_name, int depth) {
  DWARFDie element = peel(type_of(type));
  TypeId result = convert(types, element, anonymous_name, depth + 1);
  if (!result) return {};
  uint64_t encoding = element && element.getTag() == DW_TAG_base_type ? unsigned_of(element, DW_AT_encoding, 0) : 0;
  bool is_text = encoding == DW_ATE_signed_char || encoding == DW_ATE_unsigned_char;
  std::vector<uint32_t> counts = array_counts(type);
  for (size_t i = counts.size(); i-- > 0;) {
    if (uint64_t{types.size_of(result)} * counts[i] > kMaxBytes) return {};
    result = is_text && i + 1 == counts.size() && counts[i] != 0 ? types.string(counts[i]) : types.array(result, counts[i]);
  }
  return result;
}

TypeId DwarfTypes::record_type(TypeTable& types, DWARFDie type, const std::string& anonymous_name) {
  std::string name = die_name(type);
  if (toUnsigned(type.find(DW_AT_declaration), 0) != 0)
    if (DWARFDie definition = find_definition_(type)) type = definition;
  bool is_union = type.getTag() == DW_TAG_union_type, known = toUnsigned(type.find(DW_AT_declaration), 0) == 0;
  std::string key = fmt::format("{} {} {}", is_union, name, byte_size(type));
  uint64_t place = type.getOffset() ^ (reinterpret_cast<uintptr_t>(type.getDwarfUnit()) << 1);
  if (name.empty()) {
    if (auto found = anonymous_.find(place); found != anonymous_.end()) return types.struct_type(found->second);
  } else if (auto found = named_.find(key); found != named_.end()) {
    return types.struct_type(found->second);
  }
  Record record;
  record.anonymous = name.empty();
  record.name = name.empty() ? anonymous_name : name;
  record.is_union = is_union;
  record.origin = RecordOrigin::Program;
  record.size = static_cast<uint32_t>(std::min<uint64_t>(byte_size(type), kMaxBytes));
  while (record.align < 8 && record.size != 0 && record.size % (record.align * 2) == 0) record.align *= 2;
  uint32_t index = types.add_record(std::move(record));
  if (name.empty()) anonymous_[place] = index;
  else named_[key] = index;
  if (known) definitions_[index] = type;
  return types.struct_type(index);
}

TypeId DwarfTypes::convert(TypeTable& types, DWARFDie type, const std::string& anonymous_name, int depth) {
  if (!type) return types.void_type();
  if (depth > kMaxDepth) return {};
  Tag tag = type.getTag();
  // A record without a name of its own has its typedef's.
  if (tag == DW_TAG_typedef) return convert(types, type_of(type), die_name(type), depth + 1);
  if (is_transparent(tag)) return convert(types, type_of(type), anonymous_name, depth + 1);
  if (is_reference(tag)) {
    DWARFDie target = peel(type_of(type));
    TypeId inner = target && target.getTag() != DW_TAG_subroutine_type ? convert(types, target, anonymous_name, depth + 1) : types.void_type();
    return types.pointer(inner ? inner : types.void_type(), AddrSpace::None);
  }
  if (is_record_tag(tag)) return record_type(types, type, anonymous_name);
  switch (tag) {
    case DW_TAG_base_type: return base_type(types, type);
    case DW_TAG_array_type: return array_type(types, type, anonymous_name, depth);
    case DW_TAG_enumeration_type: {
      DWARFDie underlying = peel(type_of(type));
      uint64_t encoding = underlying ? unsigned_of(underlying, DW_AT_encoding, DW_ATE_unsigned) : uint64_t{DW_ATE_unsigned};
      uint64_t size = byte_size(type);
      if (size != 1 && size != 2 && size != 4 && size != 8) return {};
      return types.int_type(static_cast<uint32_t>(size), encoding == DW_ATE_signed || encoding == DW_ATE_signed_char);
    }
    case DW_TAG_unspecified_type: return types.pointer(types.void_type(), AddrSpace::None);   // decltype(nullptr)
    case DW_TAG_ptr_to_member_type: {
      DWARFDie target = peel(type_of(type));
      return target && target.getTag() == DW_TAG_subroutine_type ? types.array(types.u64(), 2) : types.u64();
    }
    default: return {};
  }
}

void DwarfTypes::add_member(TypeTable& types, DWARFDie member, std::vector<Field>* fields, const std::string& parent) {
  bool is_base = member.getTag() == DW_TAG_inheritance;
  if (!is_base && member.getTag() != DW_TAG_member) return;
  if (unsigned_of(member, DW_AT_declaration, 0) != 0 || unsigned_of(member, DW_AT_external, 0) != 0) return;   // static
  if (is_base && unsigned_of(member, DW_AT_virtuality, 0) != 0) return;   // its place is in the object's table
  Field field;
  if (!is_base) field.name = die_name(member);
  DWARFDie type = type_of(member);
  field.type = convert(types, type, fmt::format("{}.{}", parent, fields->size()));
  if (!field.type) return;
  field.is_float = peel(type).getTag() == DW_TAG_base_type && unsigned_of(peel(type), DW_AT_encoding, 0) == DW_ATE_float;
  uint64_t bits = member_byte_offset(member) * 8;
  if (auto size = member.find(DW_AT_bit_size)) {
    field.bit_size = static_cast<uint16_t>(toUnsigned(size, 0));
    if (member.find(DW_AT_data_bit_offset)) {
      bits = unsigned_of(member, DW_AT_data_bit_offset, 0);
    } else {
      // DWARF 3 and older count from the high end of the storage unit.
      uint64_t storage = unsigned_of(member, DW_AT_byte_size, byte_size(peel(type))) * 8;
      bits += storage - unsigned_of(member, DW_AT_bit_offset, 0) - field.bit_size;
    }
  }
  if (bits / 8 >= kMaxBytes) return;
  field.bit_offset = static_cast<uint32_t>(bits);
  fields->push_back(std::move(field));
}

bool DwarfTypes::complete(TypeTable& types, uint32_t record) {
  auto found = definitions_.find(record);
  if (found == definitions_.end()) return false;
  DWARFDie definition = found->second;
  definitions_.erase(found);
  std::string name = types.record(record).name;
  std::vector<Field> fields;
  for (DWARFDie member : definition.children()) add_member(types, member, &fields, name);
  types.record(record).fields = std::move(fields);
  types.record(record).complete = true;
  for (size_t i = 0; i < types.record(record).fields.size(); ++i) complete_by_value(types, types.record(record).fields[i].type);
  return true;
}

// A record is printed and compared with all that lies in it.
void DwarfTypes::complete_by_value(TypeTable& types, TypeId type) {
  while (types[type].kind == TypeKind::Array) type = types[type].elem;
  if (types[type].kind == TypeKind::Struct) complete(types, types[type].record);
}

}  // namespace btc
