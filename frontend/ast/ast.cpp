// Names of node kinds and operators.
#include "frontend/ast/ast.h"

namespace btc::ast {

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

const char* op_text(BinaryOp op) {
  static constexpr const char* kTexts[] = {"+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "==", "!=", "<", ">", "<=", ">=", "&&", "||"};
  return kTexts[static_cast<size_t>(op)];
}

const char* op_text(UnaryOp op) {
  static constexpr const char* kTexts[] = {"!", "~", "-", "*", "&", "++", "--", "++", "--"};
  return kTexts[static_cast<size_t>(op)];
}

}  // namespace btc::ast
