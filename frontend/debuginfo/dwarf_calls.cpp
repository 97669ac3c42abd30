// Classes as in the psABI: each eightbyte of up to two goes to integer or floating-point registers, everything larger is in memory.
#include "frontend/debuginfo/dwarf_calls.h"

#include <algorithm>

#include "frontend/debuginfo/dwarf_types.h"

namespace btc {

using namespace llvm::dwarf;
using llvm::DWARFDie;

namespace {

constexpr uint32_t kIntegerRegisters = 6, kFloatRegisters = 8;
constexpr int kMaxDepth = 32;

enum class Class : uint8_t { None, Integer, Float, Memory };

struct Classes {
  Class words[2] = {Class::None, Class::None};
  bool memory() const { return words[0] == Class::Memory || words[1] == Class::Memory; }
  uint32_t count(Class wanted) const { return static_cast<uint32_t>(std::count(words, words + 2, wanted)); }
  void add(uint64_t offset, uint64_t size, Class what) {
    for (uint64_t word = offset / 8; size != 0 && word <= (offset + size - 1) / 8; ++word) {
      if (word > 1 || what == Class::Memory) words[0] = Class::Memory;
      else if (words[word] != Class::Integer && words[word] != Class::Memory) words[word] = what;
    }
  }
};

uint64_t size_of(DWARFDie type) {
  type = peel(type);
  return type ? type.getTypeSize(8).value_or(0) : 0;
}

void classify(DWARFDie type, uint64_t offset, Classes* out, int depth) {
  type = peel(type);
  uint64_t size = size_of(type);
  if (!type || depth > kMaxDepth) return;
  if (is_record_tag(type.getTag())) {
    if (offset + size > 16) return out->add(0, 1, Class::Memory);
    for (DWARFDie member : type.children()) {
      bool part = member.getTag() == DW_TAG_member || member.getTag() == DW_TAG_inheritance;
      if (part && unsigned_of(member, DW_AT_external, 0) == 0 && unsigned_of(member, DW_AT_declaration, 0) == 0) {
        uint64_t at = member.find(DW_AT_data_bit_offset) ? unsigned_of(member, DW_AT_data_bit_offset, 0) / 8 : member_byte_offset(member);
        classify(type_of(member), offset + at, out, depth + 1);
      }
    }
    return;
  }
  if (type.getTag() == DW_TAG_array_type) {
    DWARFDie element = type_of(type);
    uint64_t step = size_of(element), count = 1;
    for (uint32_t n : array_counts(type)) count *= n;
    if (step == 0 || offset + step * count > 16) return out->add(0, 1, Class::Memory);
    for (uint64_t i = 0; i < count; ++i) classify(element, offset + i * step, out, depth + 1);
    return;
  }
  bool is_float = type.getTag() == DW_TAG_base_type &&
                  (unsigned_of(type, DW_AT_encoding, 0) == DW_ATE_float || unsigned_of(type, DW_AT_encoding, 0) == DW_ATE_complex_float);
  if (is_float && (size > 8 && unsigned_of(type, DW_AT_encoding, 0) == DW_ATE_float)) return out->add(0, 1, Class::Memory);   // long double
  out->add(offset, size, is_float ? Class::Float : Class::Integer);
}

// C++ objects with a destructor or copy constructor: the producer says so (DWARF 5).
bool is_by_reference(DWARFDie type) {
  type = peel(type);
  return type && is_record_tag(type.getTag()) && unsigned_of(type, DW_AT_calling_convention, 0) == DW_CC_pass_by_reference;
}

Classes classes_of(DWARFDie type) {
  Classes out;
  classify(type, 0, &out, 0);
  return out;
}

}  // namespace

std::vector<PassedParameter> passed_parameters(DWARFDie function) {
  std::vector<PassedParameter> out;
  uint32_t integers = 0, floats = 0, stack = 0;
  if (DWARFDie result = type_of(function); result && (is_by_reference(result) || classes_of(result).memory())) integers = 1;   // where to write it
  for (DWARFDie child : function.children()) {
    if (child.getTag() != DW_TAG_formal_parameter) continue;
    PassedParameter parameter{child, {}, false};
    DWARFDie type = type_of(child);
    parameter.by_reference = is_by_reference(type);
    Classes classes = classes_of(type);
    if (parameter.by_reference) classes = {{Class::Integer, Class::None}};
    uint32_t wanted = classes.count(Class::Integer), wanted_floats = classes.count(Class::Float);
    ParameterPlace& place = parameter.place;
    if (!classes.memory() && integers + wanted <= kIntegerRegisters && floats + wanted_floats <= kFloatRegisters) {
      place.kind = wanted_floats == 0 && wanted != 0 ? ParameterPlace::Register : ParameterPlace::Unreadable;
      place.first = integers;
      place.count = wanted;
      integers += wanted;
      floats += wanted_floats;
    } else {
      uint32_t words = static_cast<uint32_t>((size_of(type) + 7) / 8);
      DWARFDie plain = peel(type);
      bool wide = plain && plain.getTag() == DW_TAG_base_type && words == 2;   // __int128 and long double are aligned to 16
      if (wide) stack = (stack + 15) / 16 * 16;
      place = {ParameterPlace::Stack, stack, words};
      stack += words * 8;
    }
    out.push_back(parameter);
  }
  return out;
}

}  // namespace btc
