// Parameters where the language has a literal: names that the target looks up, numbers with limits.
#include <fmt/format.h>

#include "frontend/support/diag.h"
#include "lower/build/body.h"

namespace btc::lower {

std::string limit_line(char side, int64_t value, DiagKind message, std::string_view name) {
  return fmt::format("{} {} {}\n", side, value, fmt::format(fmt::runtime(diag_info(message).format), name));
}

ValueId Body::param_within(const ast::Expr* expr, std::string_view limits, SourceRange loc) {
  return b.fact(module.param_fact(abi::FactKind::ParamWithin, ast::param_of(expr), 8, limits, loc));
}

ValueId Body::named_fact(abi::FactKind kind, std::string_view prefix, uint32_t size, const ast::Expr* text, SourceRange loc) {
  if (const ast::Param* param = ast::param_of(text)) return b.fact(module.param_fact(kind, param, size, "", loc));
  const std::string& name = ast::as<ast::String>(text)->value;
  return fact(kind, fmt::format("{}{}", prefix, name), size, name, loc);
}

}  // namespace btc::lower
