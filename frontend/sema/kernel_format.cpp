// Conversion by conversion; see kernel_format.h.
#include "frontend/sema/kernel_format.h"

#include <algorithm>

#include "runtime-stub/abi/format_spec.h"

namespace btc::sema {

namespace {

constexpr size_t kMaxArguments = 12;            // MAX_SEQ_PRINTF_VARARGS / 8-byte words (5.9)

// One conversion in the kernel's words (lib/vsprintf.c as bpf_seq_printf lets it through since 5.9); "" if it has none.
std::string kernel_conversion(const abi::FormatPiece& piece, TypeKind kind) {
  if (piece.alt || piece.precision != -1 || piece.width == -2) return "";
  std::string flags = std::string(piece.left ? "-" : "") + (piece.plus ? "+" : "") + (piece.space ? " " : "") + (piece.zero ? "0" : "");
  std::string width = piece.width > 0 ? std::to_string(piece.width) : "";
  if (piece.conversion == "s") return kind == TypeKind::String ? "%" + flags + width + "s" : "";
  if (kind == TypeKind::String) return "";
  if (piece.conversion == "p") return flags.empty() && width.empty() ? "0x%llx" : "";
  static constexpr std::string_view kNumbers[] = {"d", "i", "u", "x", "X"};
  if (std::find(std::begin(kNumbers), std::end(kNumbers), piece.conversion) == std::end(kNumbers)) return "";
  if (!piece.length.empty() && piece.length[0] == 'h') return "";
  return "%" + flags + width + (piece.length.empty() ? "" : "ll") + piece.conversion;
}

std::string literal(const std::string& text) {
  std::string out;
  for (char c : text) out += c == '%' ? "%%" : std::string(1, c);
  return out;
}

}  // namespace

std::string kernel_format(const TypeTable& types, const ast::Call& call) {
  const auto* text = ast::dyn<ast::String>(call.args[0]);
  if (!text || call.args.size() > kMaxArguments + 1) return "";
  std::string out;
  size_t argument = 1;
  for (const abi::FormatPiece& piece : abi::parse_format(text->value)) {
    // The kernel prints ASCII only.
    if (std::any_of(piece.literal.begin(), piece.literal.end(), [](char c) { return static_cast<unsigned char>(c) > 126 || (c < ' ' && c != '\n' && c != '\t'); })) return "";
    out += literal(piece.literal);
    if (!piece.has_conversion) continue;
    if (argument >= call.args.size()) return "";
    const Type& type = types[call.args[argument++]->type];
    if (type.kind != TypeKind::String && !has_prop(type, kTypeScalar)) return "";
    if (has_prop(type, kTypeAggregation)) return "";
    std::string conversion = kernel_conversion(piece, type.kind);
    if (conversion.empty()) return "";
    out += conversion;
  }
  return out;
}

}  // namespace btc::sema
