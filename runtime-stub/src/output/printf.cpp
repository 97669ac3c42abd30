// The printf engine; see printf.h.
#include "runtime-stub/src/output/printf.h"

#include "runtime-stub/abi/format_spec.h"
#include "runtime-stub/src/output/append.h"

namespace btc::rt {

struct ConversionRow { std::string_view text; Conversion conversion; };
static constexpr ConversionRow kConversions[] = {
    {"d", Conversion::Signed},        {"i", Conversion::Signed},         {"u", Conversion::Unsigned}, {"o", Conversion::Octal},
    {"x", Conversion::Hex},           {"X", Conversion::UpperHex},       {"c", Conversion::Char},     {"s", Conversion::String},
    {"p", Conversion::Pointer},       {"r", Conversion::BufferAscii},    {"rx", Conversion::BufferEscaped},
    {"rh", Conversion::BufferPlain},  {"gr", Conversion::GfpFlags},
};
struct LengthRow { std::string_view text; uint8_t bytes; };
static constexpr LengthRow kLengths[] = {{"hh", 1}, {"h", 2}, {"l", 8}, {"ll", 8}, {"j", 8}, {"z", 8}, {"t", 8}};

PrintfFormat::PrintfFormat(std::string_view format) {
  for (abi::FormatPiece& from : abi::parse_format(format)) {
    Piece& piece = pieces_.emplace_back();
    piece.literal = std::move(from.literal);
    if (!from.has_conversion) continue;
    piece.conversion = Conversion::String;
    for (const ConversionRow& row : kConversions)
      if (row.text == from.conversion) piece.conversion = row.conversion;
    for (const LengthRow& row : kLengths)
      if (row.text == from.length) piece.bytes = row.bytes;
    piece.left = from.left, piece.plus = from.plus, piece.alt = from.alt, piece.zero = from.zero;
    piece.width = from.width > 0 ? static_cast<uint32_t>(from.width) : 0;
    if (piece.width > 4096) piece.width = 4096;
  }
}

static uint64_t cut(uint64_t number, uint8_t bytes, bool is_signed) {
  return read_int(reinterpret_cast<const uint8_t*>(&number), bytes, is_signed);
}

static std::string_view sign_of(Conversion conversion, int64_t value, bool plus) {
  if (conversion != Conversion::Signed) return "";
  return value < 0 ? "-" : plus ? "+" : "";
}

// Digits of a number without its sign or base prefix.
static void append_digits(std::string& out, Conversion conversion, uint64_t number) {
  switch (conversion) {
    case Conversion::Signed: append_dec(out, static_cast<int64_t>(number) < 0 ? 0 - number : number); break;
    case Conversion::Octal: append_oct(out, number); break;
    case Conversion::Hex: case Conversion::Pointer: append_hex(out, number); break;
    case Conversion::UpperHex: append_hex(out, number, true); break;
    default: append_dec(out, number); break;
  }
}

static std::string_view base_prefix(Conversion conversion, uint64_t number, bool alt) {
  if (number == 0) return "";
  if (conversion == Conversion::Pointer) return "0x";
  if (!alt) return "";
  return conversion == Conversion::Octal ? "0" : conversion == Conversion::Hex ? "0x" : conversion == Conversion::UpperHex ? "0X" : "";
}

void PrintfFormat::apply_piece(std::string& out, Render& render, const Piece& piece, Value value) {
  size_t start = out.size();
  uint64_t number = 0;
  bool is_number = piece.conversion != Conversion::String && numeric_value(value, &number);
  char fill = piece.zero && !piece.left ? '0' : ' ';
  switch (piece.conversion) {
    case Conversion::None: return;
    case Conversion::Char:
      if (is_number) out += static_cast<char>(number);
      break;
    case Conversion::BufferAscii: case Conversion::BufferEscaped: case Conversion::BufferPlain:
      if (value.type->kind == Kind::Buffer) {
        std::string_view bytes = buffer_bytes(value);
        auto style = static_cast<BufferStyle>(static_cast<int>(piece.conversion) - static_cast<int>(Conversion::BufferAscii));
        append_buffer(out, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), style);
        break;
      }
      append_text(out, render, value);
      break;
    case Conversion::GfpFlags:
      if (is_number) append_gfp_flags(out, number);
      break;
    case Conversion::String: append_text(out, render, value); break;
    default:
      if (!is_number) break;
      if (piece.conversion != Conversion::Pointer) number = cut(number, piece.bytes, piece.conversion == Conversion::Signed);
      std::string_view sign = sign_of(piece.conversion, static_cast<int64_t>(number), piece.plus);
      std::string_view prefix = base_prefix(piece.conversion, number, piece.alt);
      out += sign;
      out += prefix;
      size_t digits = out.size();
      append_digits(out, piece.conversion, number);
      if (fill == '0' && piece.width > sign.size() + prefix.size()) pad_left(out, digits, piece.width - sign.size() - prefix.size(), '0');
      break;
  }
  // The compiler lets only numbers through to numeric conversions; an artifact made otherwise shows what is wrong.
  if (!is_number && piece.conversion != Conversion::String && out.size() == start && value.type->kind != Kind::Buffer) {
    out += "!{invalid integer conversion: ";
    append_text(out, render, value);
    out += '}';
  }
  piece.left ? pad_right(out, start, piece.width) : pad_left(out, start, piece.width, fill);
}

void PrintfFormat::apply(std::string& out, Render& render, const TypeInfo& tuple, const uint8_t* data) const {
  size_t next = 0;
  for (const Piece& piece : pieces_) {
    out += piece.literal;
    if (piece.conversion == Conversion::None || next >= tuple.members.size()) continue;
    const Member& member = tuple.members[next++];
    apply_piece(out, render, piece, {&render.types[member.type], data + member.offset});
  }
}

}  // namespace btc::rt
