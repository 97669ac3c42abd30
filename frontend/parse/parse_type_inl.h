// sizeof, offsetof and typeinfo take a type or an expression.
#pragma once

#include "frontend/parse/parser_impl.h"

namespace btc::parse {

template <typename NodeT>
void Parser::parse_type_or_expression(NodeT* node, std::string_view terminators) {
  if (next_is_word("typeof")) node->spec = parse_typeof();
  else if (at_type(terminators)) node->spec = parse_type();
  else node->operand = parse_expression();
}

}  // namespace btc::parse
