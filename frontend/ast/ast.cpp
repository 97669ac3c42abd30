// Names of node kinds and operators, texts as literals.
#include "frontend/ast/ast.h"

#include <fmt/format.h>

namespace btc::ast {
namespace {

constexpr BinaryOpInfo kBinaryOps[] = {
#define BTC_BINARY_OP(Enum, Text, Precedence, Class) {BinaryOp::Enum, Text, Precedence, OpClass::Class},
#include "frontend/defs/operators.def"
#undef BTC_BINARY_OP
};

}  // namespace

const char* node_kind_name(NodeKind kind) {
  static constexpr const char* kNames[] = {
#define BTC_AST_EXPR(Kind) #Kind,
#define BTC_AST_STMT(Kind) #Kind,
#include "frontend/defs/ast_nodes.def"
#undef BTC_AST_EXPR
#undef BTC_AST_STMT
  };
  return kNames[static_cast<size_t>(kind)];
}

const BinaryOpInfo& op_info(BinaryOp op) { return kBinaryOps[static_cast<size_t>(op)]; }
const char* op_text(BinaryOp op) { return op_info(op).text; }

const BinaryOpInfo* find_binary_op(std::string_view text) {
  const BinaryOpInfo* found = nullptr;
  for (const BinaryOpInfo& info : kBinaryOps) {
    std::string_view candidate = info.text;
    if (text.starts_with(candidate) && (!found || candidate.size() > std::string_view(found->text).size())) found = &info;
  }
  return found;
}

const char* op_text(UnaryOp op) {
  static constexpr const char* kTexts[] = {"!", "~", "-", "*", "&", "++", "--", "++", "--"};
  return kTexts[static_cast<size_t>(op)];
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out += fmt::format("\\{}", c);
    else if (c == '\n') out += "\\n";
    else if (c == '\t') out += "\\t";
    else if (byte < 0x20 || byte == 0x7f) out += fmt::format("\\x{:02x}", byte);
    else out += c;
  }
  return out + "\"";
}

}  // namespace btc::ast
