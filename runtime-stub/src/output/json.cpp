// Values as JSON. Objects are written `{"a": 1, "b": 2}`, arrays `[1,2]`.
#include "runtime-stub/src/output/append.h"
#include "runtime-stub/src/output/render.h"

namespace btc::rt {

// Whether a double holds the magnitude exactly: at most 53 significant bits.
static bool fits_double(uint64_t magnitude) {
  if (magnitude == 0) return true;
  magnitude >>= __builtin_ctzll(magnitude);
  return magnitude < (1ull << 53);
}

void append_json_int(std::string& out, uint64_t value, bool is_signed) {
  bool negative = is_signed && static_cast<int64_t>(value) < 0;
  bool quote = !fits_double(negative ? 0 - value : value);
  if (quote) out += '"';
  is_signed ? append_dec(out, static_cast<int64_t>(value)) : append_dec(out, value);
  if (quote) out += '"';
}

static void append_json_members(std::string& out, Render& render, Value value, uint32_t div, bool* first) {
  for (const Member& member : value.type->members) {
    const TypeInfo& type = render.types[member.type];
    Value inner{&type, value.data + member.offset};
    if (member.name.empty() && type.kind == Kind::Struct) {
      append_json_members(out, render, inner, div, first);
      continue;
    }
    if (!*first) out += ", ";
    *first = false;
    append_json_string(out, member.name);
    out += ": ";
    if (member.bit_size)
      append_json_int(out, read_bits(value.data, member, type), type.is_signed);
    else
      append_json(out, render, inner, div);
  }
}

void append_json(std::string& out, Render& render, Value value, uint32_t div) {
  const TypeInfo& type = *value.type;
  bool first = true;
  switch (type.kind) {
    case Kind::Untyped: case Kind::Void: out += "null"; return;
    case Kind::Bool: out += value.data[0] ? "true" : "false"; return;
    case Kind::Int: case Kind::Enum: case Kind::Pointer:
    case Kind::Count: case Kind::Sum: case Kind::Min: case Kind::Max: case Kind::Avg: {
      uint64_t number = 0;
      numeric_value(value, &number);
      number = type.is_signed ? static_cast<uint64_t>(static_cast<int64_t>(number) / static_cast<int64_t>(div)) : number / div;
      append_json_int(out, number, type.is_signed);
      return;
    }
    case Kind::Buffer:
      out += '[';
      for (char byte : buffer_bytes(value)) {
        if (!first) out += ',';
        first = false;
        append_dec(out, int{static_cast<signed char>(byte)});
      }
      out += ']';
      return;
    case Kind::Array: {
      const TypeInfo& elem = render.types[type.elem];
      out += '[';
      for (uint32_t i = 0; i < type.count; i++) {
        if (i) out += ',';
        append_json(out, render, {&elem, value.data + size_t{i} * elem.size}, div);
      }
      out += ']';
      return;
    }
    case Kind::Tuple:
      out += '[';
      for (const Member& member : type.members) {
        if (!first) out += ',';
        first = false;
        append_json(out, render, {&render.types[member.type], value.data + member.offset}, div);
      }
      out += ']';
      return;
    case Kind::Struct: case Kind::AnonRecord:
      out += '{';
      append_json_members(out, render, value, div, &first);
      out += '}';
      return;
    default: {
      std::string text;
      append_text(text, render, value);
      append_json_string(out, text);
    }
  }
}

}  // namespace btc::rt
