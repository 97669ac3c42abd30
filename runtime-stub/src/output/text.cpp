// The text form of every type but aggregations in maps (maps.cpp) and stacks (stack.cpp).
#include <arpa/inet.h>

#include "runtime-stub/src/output/append.h"
#include "runtime-stub/src/output/render.h"

namespace btc::rt {

std::string_view Render::constant(uint64_t index) const {
  if (!manifest->strings() || index >= manifest->strings()->size()) return {};
  const flatbuffers::String* text = manifest->strings()->Get(static_cast<uint32_t>(index));
  return text ? std::string_view(text->c_str(), text->size()) : std::string_view();
}

bool numeric_value(Value value, uint64_t* number) {
  const TypeInfo& type = *value.type;
  switch (type.kind) {
    case Kind::Bool: *number = value.data[0] != 0; return true;
    case Kind::Int: case Kind::Enum: case Kind::Username: *number = read_int(value.data, type.size, type.is_signed); return true;
    case Kind::Pointer: case Kind::KSym: case Kind::ProbeName:
    case Kind::Count: case Kind::Sum: case Kind::Min: case Kind::Max: case Kind::Avg:
      *number = read_as<uint64_t>(value.data);
      return true;
    default: return false;
  }
}

static void append_int(std::string& out, uint64_t value, bool is_signed, uint32_t div) {
  if (is_signed)
    append_dec(out, static_cast<int64_t>(value) / static_cast<int64_t>(div));
  else
    append_dec(out, value / div);
}

// The name of the variant whose value has the same bits, in the enum's width.
static void append_enum(std::string& out, Value value) {
  const TypeInfo& type = *value.type;
  uint64_t bits = read_int(value.data, type.size, false);
  uint64_t mask = type.size == 8 ? ~0ull : (1ull << type.size * 8) - 1;
  if (type.enum_def && type.enum_def->variants())
    for (const fb::EnumVariant* variant : *type.enum_def->variants())
      if ((static_cast<uint64_t>(variant->value()) & mask) == bits && variant->name()) {
        out.append(variant->name()->c_str(), variant->name()->size());
        return;
      }
  append_int(out, read_int(value.data, type.size, type.is_signed), type.is_signed, 1);
}

static void append_string(std::string& out, Render& render, Value value) {
  if (value.type->size == 0) return;
  const char* chars = reinterpret_cast<const char*>(value.data);
  size_t length = strnlen(chars, value.type->size);
  out.append(chars, length);
  // No NUL: the string did not fit.
  if (length == value.type->size) out += render.options->str_trunc_trailer;
}

static void append_array(std::string& out, Render& render, Value value, TextStyle style) {
  const TypeInfo& elem = render.types[value.type->elem];
  out += '[';
  for (uint32_t i = 0; i < value.type->count; i++) {
    if (i) out += ',';
    append_text(out, render, {&elem, value.data + size_t{i} * elem.size}, style);
  }
  out += ']';
}

static void append_tuple(std::string& out, Render& render, Value value, TextStyle style) {
  out += '(';
  bool first = true;
  for (const Member& member : value.type->members) {
    if (!first) out += style.compact ? "," : ", ";
    first = false;
    append_text(out, render, {&render.types[member.type], value.data + member.offset}, style);
  }
  out += ')';
}

// Members of unnamed structs and unions are shown as the outer record's own.
static void append_record_members(std::string& out, Render& render, Value value, TextStyle style, bool* first) {
  for (const Member& member : value.type->members) {
    const TypeInfo& type = render.types[member.type];
    Value inner{&type, value.data + member.offset};
    if (member.name.empty() && type.kind == Kind::Struct) {
      append_record_members(out, render, inner, style, first);
      continue;
    }
    if (!*first) out += style.compact ? "," : ", ";
    *first = false;
    out += '.';
    out += member.name;
    out += style.compact ? "=" : " = ";
    if (member.bit_size)
      append_int(out, read_bits(value.data, member, type), type.is_signed, style.div);
    else
      append_text(out, render, inner, style);
  }
}
static void append_record(std::string& out, Render& render, Value value, TextStyle style) {
  if (value.type->members.empty()) {
    out += "{}";
    return;
  }
  bool first = true;
  out += style.compact ? "{" : "{ ";
  append_record_members(out, render, value, style, &first);
  out += style.compact ? "}" : " }";
}

void append_buffer(std::string& out, const uint8_t* data, size_t size, BufferStyle style) {
  for (size_t i = 0; i < size; i++) {
    if (style == BufferStyle::Ascii && data[i] >= 0x20 && data[i] <= 0x7e) {
      out += static_cast<char>(data[i]);
      continue;
    }
    if (style == BufferStyle::Plain && i) out += ' ';
    if (style != BufferStyle::Plain) out += "\\x";
    append_hex_byte(out, data[i]);
  }
}
std::string_view buffer_bytes(Value value) {
  uint32_t length = read_as<uint32_t>(value.data), room = value.type->size - 4;
  return {reinterpret_cast<const char*>(value.data) + 4, length < room ? length : room};
}

static void append_inet(std::string& out, Value value) {
  uint64_t family = read_as<uint64_t>(value.data);
  uint32_t bytes = value.type->size - 8;
  char text[INET6_ADDRSTRLEN];
  if ((family == AF_INET && bytes >= 4) || (family == AF_INET6 && bytes >= 16))
    if (inet_ntop(static_cast<int>(family), value.data + 8, text, sizeof text)) out += text;
}

static void append_mac(std::string& out, const uint8_t* data) {
  for (int i = 0; i < 6; i++) {
    if (i) out += ':';
    append_hex_byte(out, data[i], true);
  }
}

static void append_timestamp(std::string& out, Render& render, const uint8_t* data) {
  uint32_t format = read_as<uint32_t>(data), mode = read_as<uint32_t>(data + 4);
  append_strftime(out, render.constant(format), render.clock.to_wall(mode, read_as<uint64_t>(data + 8)), false);
}

void append_text(std::string& out, Render& render, Value value, TextStyle style) {
  const TypeInfo& type = *value.type;
  switch (type.kind) {
    case Kind::Untyped: case Kind::Void: out += "null"; break;
    case Kind::Bool: out += value.data[0] ? "true" : "false"; break;
    case Kind::Int: append_int(out, read_int(value.data, type.size, type.is_signed), type.is_signed, style.div); break;
    case Kind::Pointer: out += "0x"; append_hex(out, read_as<uint64_t>(value.data)); break;
    case Kind::Enum: append_enum(out, value); break;
    case Kind::String: append_string(out, render, value); break;
    case Kind::Buffer: {
      std::string_view bytes = buffer_bytes(value);
      append_buffer(out, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), BufferStyle::Ascii);
      break;
    }
    case Kind::Array: append_array(out, render, value, style); break;
    case Kind::Struct: case Kind::AnonRecord: append_record(out, render, value, style); break;
    case Kind::Tuple: append_tuple(out, render, value, style); break;
    case Kind::KStack: case Kind::UStack: append_stack(out, render, value, style.compact); break;
    case Kind::KSym: render.kernel_symbols.append(out, read_as<uint64_t>(value.data), false); break;
    case Kind::USym:
      render.user_symbols.append(out, read_as<uint64_t>(value.data), read_as<int32_t>(value.data + 8), read_as<int32_t>(value.data + 12), false, false);
      break;
    case Kind::Inet: append_inet(out, value); break;
    case Kind::Username: render.users.append(out, read_int(value.data, type.size, false)); break;
    case Kind::Timestamp: append_timestamp(out, render, value.data); break;
    case Kind::MacAddr: append_mac(out, value.data); break;
    case Kind::CgroupPath: render.cgroups.append(out, read_as<uint64_t>(value.data + 8), render.constant(read_as<uint64_t>(value.data))); break;
    case Kind::ProbeName: out += render.target->probe_name(read_as<uint64_t>(value.data)); break;
    case Kind::Count: append_dec(out, read_as<uint64_t>(value.data) / style.div); break;
    // Read back in the kernel: one 64-bit number.
    case Kind::Sum: case Kind::Min: case Kind::Max: case Kind::Avg:
      append_int(out, read_as<uint64_t>(value.data), type.is_signed, style.div);
      break;
    case Kind::Stats: case Kind::Hist: case Kind::LHist: case Kind::TSeries: break;  // exist in maps only
  }
}

}  // namespace btc::rt
