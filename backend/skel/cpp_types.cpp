#include "backend/skel/cpp_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "runtime-stub/abi/aggregates.h"

namespace btc::backend {

static constexpr std::array<std::string_view, 92> kKeywords = {
    "alignas", "alignof", "and", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "break", "case", "catch", "char",
    "char16_t", "char32_t", "char8_t", "class", "co_await", "co_return", "co_yield", "compl", "concept", "const",
    "const_cast", "consteval", "constexpr", "constinit", "continue", "decltype", "default", "delete", "do", "double",
    "dynamic_cast", "else", "enum", "explicit", "export", "extern", "false", "float", "for", "friend", "goto", "if",
    "inline", "int", "long", "mutable", "namespace", "new", "noexcept", "not", "not_eq", "nullptr", "operator", "or",
    "or_eq", "private", "protected", "public", "register", "reinterpret_cast", "requires", "return", "short", "signed",
    "sizeof", "static", "static_assert", "static_cast", "struct", "switch", "template", "this", "thread_local", "throw",
    "true", "try", "typedef", "typeid", "typename", "union", "unsigned", "using", "virtual", "void", "volatile",
    "wchar_t", "while", "xor", "xor_eq"};

std::string cpp_identifier(std::string_view name) {
  std::string text;
  for (char c : name) {
    bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    text += word ? c : '_';
  }
  if (text.empty() || (text[0] >= '0' && text[0] <= '9')) text.insert(text.begin(), '_');
  if (std::find(kKeywords.begin(), kKeywords.end(), text) != kKeywords.end()) text += '_';
  return text;
}

// Octal escapes have at most three digits, so what follows never joins them.
std::string cpp_string_literal(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    unsigned char byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte >= 0x7f || c == '?') {
      out += fmt::format("\\{:03o}", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

static std::string integer(uint32_t bytes, bool is_signed) {
  return fmt::format("{}int{}_t", is_signed ? "" : "u", bytes * 8);
}

// Packed, with the padding written out: offsets are the compiler's, whatever the C++ compiler thinks of alignment.
std::string CppTypes::tuple(TypeId id, const std::string& name) {
  const Type& type = (*module_.types)[id];
  Layout layout = module_.types->layout(id);
  std::string body;
  uint32_t offset = 0, pads = 0;
  auto pad_to = [&](uint32_t to) {
    if (to > offset) body += fmt::format("    uint8_t pad_{}[{}];\n", pads++, to - offset);
    offset = to;
  };
  for (size_t i = 0; i < type.members.size(); ++i) {
    const auto& [label, member] = type.members[i];
    std::string field = label.empty() ? fmt::format("f{}", i) : cpp_identifier(label);
    pad_to(layout.offsets[i]);
    body += fmt::format("    {} {};\n", this->type(member, name + "_" + field), field);
    offset += module_.types->size_of(member);
  }
  pad_to(layout.size);
  definitions_ += fmt::format("  struct __attribute__((packed)) {} {{\n{}  }};\n", name, body);
  if (layout.size != 0) definitions_ += fmt::format("  static_assert(sizeof({}) == {});\n", name, layout.size);
  return name;
}

std::string CppTypes::type(TypeId id, const std::string& name) {
  const Type& type = (*module_.types)[id];
  uint32_t size = module_.types->size_of(id);
  bool raw_frames = type.mode == StackMode::BuildId;
  switch (type.kind) {
    case TypeKind::Bool: return "bool";
    case TypeKind::Int: return integer(type.size, type.is_signed);
    case TypeKind::Enum: return integer(size, module_.types->enum_def(type.record).is_signed);
    case TypeKind::Pointer:
    case TypeKind::KSym:
    case TypeKind::Username:
    case TypeKind::ProbeName: return "uint64_t";
    case TypeKind::String: return fmt::format("btc::Text<{}>", type.size);
    case TypeKind::Buffer: return fmt::format("btc::Buffer<{}>", type.size);
    case TypeKind::Array: return fmt::format("std::array<{}, {}>", this->type(type.elem, name + "_elem"), type.count);
    case TypeKind::Tuple:
    case TypeKind::AnonRecord: return tuple(id, name);
    case TypeKind::KStack: if (!raw_frames && type.p0 > 0) return fmt::format("btc::KernelStack<{}>", type.p0); break;
    case TypeKind::UStack: if (!raw_frames && type.p0 > 0) return fmt::format("btc::UserStack<{}>", type.p0); break;
    default: break;
  }
  return fmt::format("std::array<uint8_t, {}>", std::max(1u, size));
}

std::string CppTypes::map_value(TypeId id, const std::string& name) {
  const Type& type = (*module_.types)[id];
  std::string number = integer(8, type.is_signed);
  uint32_t words = module_.types->size_of(id) / 8;
  switch (type.kind) {
    case TypeKind::Count: return "btc::Sum<uint64_t>";
    case TypeKind::Sum: return fmt::format("btc::Sum<{}>", number);
    case TypeKind::Min: return fmt::format("btc::Extreme<{}, false>", number);
    case TypeKind::Max: return fmt::format("btc::Extreme<{}, true>", number);
    case TypeKind::Avg:
    case TypeKind::Stats: return fmt::format("btc::Average<{}>", number);
    case TypeKind::Hist:
    case TypeKind::LHist: return fmt::format("btc::Buckets<{}>", words);
    default: return fmt::format("btc::Plain<{}>", this->type(id, name));
  }
}

}  // namespace btc::backend
