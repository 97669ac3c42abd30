// Literals and arithmetic on them, by the language's overflow rule: computed
// exactly, an error where neither int64 nor uint64 holds the result.
#include <algorithm>

#include "frontend/sema/sema.h"

namespace btc::sema {

bool Sema::is_pure_literal(const Expr* expr) {
  return expr->kind == NodeKind::Integer || expr->kind == NodeKind::Boolean || expr->kind == NodeKind::String;
}

std::optional<Const> Sema::value_of(const Expr* expr) const {
  switch (expr->kind) {
    case NodeKind::Integer: return Const{Const::Int, as<Integer>(expr)->value, as<Integer>(expr)->negative, {}};
    case NodeKind::Boolean: return Const{Const::Bool, as<Boolean>(expr)->value, false, {}};
    case NodeKind::String: return Const{Const::Str, 0, false, as<String>(expr)->value};
    default: break;
  }
  if (auto found = consts_.find(expr); found != consts_.end()) return found->second;
  if (auto* block = dyn<Block>(expr); block != nullptr && block->stmts.empty() && block->value != nullptr) return value_of(block->value);
  return std::nullopt;
}

Expr* Sema::literal_of(const Const& value, SourceRange range) {
  switch (value.kind) {
    case Const::Int: return make_int(range, value.bits, value.negative);
    case Const::Str: return make_string(range, value.text);
    case Const::Bool: break;
  }
  auto* node = make<Boolean>(range, types_.bool_type());
  node->value = value.bits != 0;
  return node;
}

TypeId Sema::type_of_const(const Const& value) {
  switch (value.kind) {
    case Const::Int: return lattice_.literal(value.bits, value.negative);
    case Const::Str: return types_.string(static_cast<uint32_t>(value.text.size() + 1));
    case Const::Bool: break;
  }
  return types_.bool_type();
}

// The slot's value is known: literals are replaced at once when nothing depended on types, others in the last walk.
TypeId Sema::set_const(Expr*& slot, const Const& value, bool pure) {
  if (pure || final_) {
    slot = literal_of(value, slot->range);
    return slot->type;
  }
  consts_[slot] = value;
  return type_of_const(value);
}

static Const of_wide(__int128 value) { return {Const::Int, static_cast<uint64_t>(value), value < 0, {}}; }

static std::optional<Const> fold_ints(BinaryOp op, const Const& left, const Const& right) {
  auto wide = [](const Const& c) { return c.negative ? static_cast<__int128>(static_cast<int64_t>(c.bits)) : static_cast<__int128>(c.bits); };
  __int128 a = wide(left), b = wide(right), result = 0;
  auto truth = [](bool value) { return Const{Const::Bool, value, false, {}}; };
  // A negative operand makes the operation a signed one.
  bool is_signed = left.negative || right.negative;
  bool compares = op >= BinaryOp::Eq;  // and logic
  if (is_signed && !compares && (a > INT64_MAX || b > INT64_MAX)) return std::nullopt;
  switch (op) {
    case BinaryOp::Eq: return truth(a == b);
    case BinaryOp::Ne: return truth(a != b);
    case BinaryOp::Lt: return truth(a < b);
    case BinaryOp::Gt: return truth(a > b);
    case BinaryOp::Le: return truth(a <= b);
    case BinaryOp::Ge: return truth(a >= b);
    case BinaryOp::LogicalAnd: return truth(a != 0 && b != 0);
    case BinaryOp::LogicalOr: return truth(a != 0 || b != 0);
    case BinaryOp::Add: result = a + b; break;
    case BinaryOp::Sub: result = a - b; break;
    case BinaryOp::Mul: {
      __int128 limit = static_cast<__int128>(1) << 64;
      if (a != 0 && b != 0 && ((a < 0 ? -a : a) > limit / (b < 0 ? -b : b))) return std::nullopt;
      result = a * b;
      break;
    }
    case BinaryOp::Div:
      if (b == 0) return std::nullopt;
      result = a / b;
      break;
    case BinaryOp::Mod:
      if (b == 0) return std::nullopt;
      result = a % b;
      break;
    case BinaryOp::BitAnd: result = a & b; break;
    case BinaryOp::BitOr: result = a | b; break;
    case BinaryOp::BitXor: result = a ^ b; break;
    case BinaryOp::Shl:
    case BinaryOp::Shr: {
      if (b < 0 || b >= 64) return std::nullopt;
      unsigned bits = static_cast<unsigned>(b);
      if (op == BinaryOp::Shr) result = a >> bits;
      else if (left.negative) result = static_cast<int64_t>(left.bits << bits);
      else result = static_cast<uint64_t>(left.bits << bits);
      break;
    }
  }
  if (result > static_cast<__int128>(is_signed ? static_cast<uint64_t>(INT64_MAX) : UINT64_MAX) || result < static_cast<__int128>(INT64_MIN)) return std::nullopt;
  return of_wide(result);
}

// Nothing if the operands are not both known, or on an error (then reported if asked).
std::optional<Const> Sema::fold_binary(const Binary* node, bool report_errors) {
  std::optional<Const> left = value_of(node->left), right = value_of(node->right);
  if (!left || !right) return std::nullopt;
  bool logic = node->op == BinaryOp::LogicalAnd || node->op == BinaryOp::LogicalOr;
  auto truth = [](bool value) { return Const{Const::Bool, value, false, {}}; };
  auto fail = [&](DiagKind kind) -> std::optional<Const> {
    if (report_errors) report(kind, node->range);
    return std::nullopt;
  };
  if (logic) return truth(node->op == BinaryOp::LogicalAnd ? left->truthy() && right->truthy() : left->truthy() || right->truthy());
  if (left->kind == Const::Str && right->kind == Const::Str) {
    int order = left->text.compare(right->text);
    switch (node->op) {
      case BinaryOp::Eq: return truth(order == 0);
      case BinaryOp::Ne: return truth(order != 0);
      case BinaryOp::Lt: return truth(order < 0);
      case BinaryOp::Gt: return truth(order > 0);
      case BinaryOp::Le: return truth(order <= 0);
      case BinaryOp::Ge: return truth(order >= 0);
      case BinaryOp::Add: return Const{Const::Str, 0, false, left->text + right->text};
      default: return fail(DiagKind::FoldStrings);
    }
  }
  if (left->kind == Const::Str || right->kind == Const::Str) {
    // "foo" + 1 is the string's rest.
    const Const& text = left->kind == Const::Str ? *left : *right;
    const Const& number = left->kind == Const::Str ? *right : *left;
    if (node->op != BinaryOp::Add || number.kind != Const::Int || number.negative) return std::nullopt;
    if (number.bits >= text.text.size()) {
      if (report_errors) report(DiagKind::LiteralEmpty, node->range);
      return Const{Const::Str, 0, false, ""};
    }
    return Const{Const::Str, 0, false, text.text.substr(number.bits)};
  }
  if ((left->kind == Const::Bool) != (right->kind == Const::Bool)) return std::nullopt;
  bool both_bool = left->kind == Const::Bool;
  std::optional<Const> result = fold_ints(node->op, *left, *right);
  if (!result) return fail(DiagKind::FoldOverflow);
  if (both_bool && result->kind == Const::Int) return truth(result->bits != 0);
  return result;
}

// Tuples and records written down on both sides of `==`: whether they are the same, as far as their literals say. Different
// numbers of elements are different values, though variables that hold such could not be compared.
std::optional<bool> Sema::same_literals(const Expr* left, const Expr* right) const {
  if (auto *a = dyn<Tuple>(left), *b = dyn<Tuple>(right); a != nullptr && b != nullptr) {
    if (a->elements.size() != b->elements.size()) return false;
    for (size_t i = 0; i < a->elements.size(); ++i)
      if (auto same = same_elements(a->elements[i], b->elements[i]); same != true) return same;
    return true;
  }
  auto *a = dyn<RecordLit>(left), *b = dyn<RecordLit>(right);
  if (a == nullptr || b == nullptr) return std::nullopt;
  if (a->fields.size() != b->fields.size()) return false;
  for (const auto& [name, value] : a->fields) {
    auto other = std::find_if(b->fields.begin(), b->fields.end(), [&](const auto& field) { return field.first == name; });
    if (other == b->fields.end()) return std::nullopt;
    if (auto same = same_elements(value, other->second); same != true) return same;
  }
  return true;
}

bool Sema::is_written_down(const Expr* expr) const {
  auto each = [&](const auto& parts, auto part) { return std::all_of(parts.begin(), parts.end(), [&](const auto& p) { return is_written_down(part(p)); }); };
  if (auto* tuple = dyn<Tuple>(expr)) return each(tuple->elements, [](const Expr* element) { return element; });
  if (auto* record = dyn<RecordLit>(expr)) return each(record->fields, [](const auto& field) { return field.second; });
  return value_of(expr).has_value();
}

std::optional<bool> Sema::same_elements(const Expr* left, const Expr* right) const {
  if (!is_written_down(left) || !is_written_down(right)) return std::nullopt;
  std::optional<Const> a = value_of(left), b = value_of(right);
  if (a && b) return a->kind == b->kind && a->bits == b->bits && a->negative == b->negative && a->text == b->text;
  return a || b || left->kind != right->kind ? false : same_literals(left, right);
}

std::optional<Const> Sema::fold_unary(const Unary* node) {
  std::optional<Const> operand = value_of(node->operand);
  if (!operand || operand->kind == Const::Str) return std::nullopt;
  switch (node->op) {
    case UnaryOp::Not: return Const{Const::Bool, operand->bits == 0, false, {}};
    case UnaryOp::BitNot:
      if (operand->kind == Const::Bool) return std::nullopt;
      return Const{Const::Int, ~operand->bits, false, {}};
    case UnaryOp::Neg:
      if (operand->kind == Const::Bool) return std::nullopt;
      if (operand->negative) return Const{Const::Int, 0 - operand->bits, false, {}};
      if (operand->bits > static_cast<uint64_t>(INT64_MAX) + 1) {
        report(DiagKind::NegativeUnderflow, node->range);
        return std::nullopt;
      }
      return Const{Const::Int, 0 - operand->bits, operand->bits != 0, {}};
    default: return std::nullopt;
  }
}

}  // namespace btc::sema
