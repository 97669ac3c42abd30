// Conditions: comparisons, && || !, branching without making a value first.
#include <algorithm>

#include "lower/build/body.h"

namespace btc::lower {

using ast::BinaryOp;
using ast::NodeKind;

// `if (a && b)` becomes branches; nothing is stored.
void Body::branch(const ast::Expr* expr, ir::BlockId then_block, ir::BlockId else_block) {
  if (const auto* node = ast::dyn<ast::Binary>(expr); node && node->op >= BinaryOp::LogicalAnd) {
    bool is_and = node->op == BinaryOp::LogicalAnd;
    ir::BlockId right = b.new_block(is_and ? "and" : "or");
    if (is_and) branch(node->left, right, else_block);
    else branch(node->left, then_block, right);
    b.set_block(right);
    return branch(node->right, then_block, else_block);
  }
  if (const auto* node = ast::dyn<ast::Unary>(expr); node && node->op == ast::UnaryOp::Not) return branch(node->operand, else_block, then_block);
  if (const auto* node = ast::dyn<ast::Cast>(expr); node && types[expr->type].kind == TypeKind::Bool && has_prop(types[node->operand->type], kTypeScalar)) {
    return branch(node->operand, then_block, else_block);
  }
  ValueId flag = condition(expr);
  if (!b.terminated()) b.br_if(flag, then_block, else_block);
}

ValueId Body::condition(const ast::Expr* expr) {
  if (const auto* node = ast::dyn<ast::Binary>(expr); node && node->op >= BinaryOp::Eq) {
    return node->op >= BinaryOp::LogicalAnd ? logical(expr) : compare(*node);
  }
  // A string as a condition: whether it is empty.
  if (types[expr->type].kind == TypeKind::String) {
    Place text = place(expr);
    return b.is_nonzero(b.load(address(text), 0, kI8, "first"));
  }
  return b.is_nonzero(scalar(expr));
}

ValueId Body::logical(const ast::Expr* expr) {
  Memory result = temp(8, 8, "truth");
  ir::BlockId yes = b.new_block("true"), no = b.new_block("false"), done = b.new_block("logic_end");
  branch(expr, yes, no);
  b.set_block(yes);
  b.store(result.pointer, result.offset, b.constant(1));
  b.br(done);
  b.set_block(no);
  b.store(result.pointer, result.offset, b.constant(0));
  b.br(done);
  b.set_block(done);
  return b.is_nonzero(b.load(result.pointer, result.offset, kI64, "truth"));
}

namespace {

bool is_unsigned(const TypeTable& types, TypeId id) {
  const Type& type = types[id];
  return type.kind != TypeKind::Int || !type.is_signed;
}

}  // namespace

ValueId Body::compare(const ast::Binary& node) {
  if (!has_prop(types[node.left->type], kTypeScalar) || !has_prop(types[node.right->type], kTypeScalar)) return compare_memory(node);
  ValueId left = scalar(node.left);
  ValueId right = scalar(node.right);
  bool u = is_unsigned(types, node.left->type) || is_unsigned(types, node.right->type);
  switch (node.op) {
    case BinaryOp::Eq: return b.binary(Op::Eq, left, right, "equal");
    case BinaryOp::Ne: return b.binary(Op::Ne, left, right, "differ");
    case BinaryOp::Lt: return b.binary(u ? Op::LtU : Op::LtS, left, right, "less");
    case BinaryOp::Gt: return b.binary(u ? Op::LtU : Op::LtS, right, left, "greater");
    case BinaryOp::Le: return b.binary(u ? Op::LeU : Op::LeS, left, right, "less_equal");
    default: return b.binary(u ? Op::LeU : Op::LeS, right, left, "greater_equal");
  }
}

ValueId Body::compare_memory(const ast::Binary& node) {
  ValueId same = equal_memory(node.left, node.right);
  if (node.op != BinaryOp::Ne) return same;
  return b.binary(Op::Eq, b.bool_value(same), b.constant(0), "differ");
}

// Strings are equal up to their NULs or the smaller capacity; everything else byte by byte of the values (not of padding).
ValueId Body::equal_memory(const ast::Expr* left, const ast::Expr* right) {
  bool strings = types[left->type].kind == TypeKind::String && types[right->type].kind == TypeKind::String;
  if (strings) {
    if (left->kind == NodeKind::String) std::swap(left, right);
    uint32_t left_size = types.size_of(left->type);
    if (right->kind == NodeKind::String) {
      // A literal has one NUL, at its end: that many bytes decide.
      const std::string& literal = ast::as<ast::String>(right)->value;
      auto bytes = static_cast<uint32_t>(std::min<size_t>(literal.size() + 1, left_size));
      return b.mem_eq(readable(left), b.rodata(literal), bytes);
    }
    uint32_t bytes = std::min(left_size, types.size_of(right->type));
    ValueId a = readable(left);
    ValueId result = b.bpf("btc_str_equal", {a, readable(right), b.constant(bytes)}, "same");
    return b.is_nonzero(result);
  }
  Place a = place(left);
  return equal_places(a, place(right));
}

ValueId Body::equal_places(const Place& left, const Place& right) {
  const Type type = types[left.type];
  if (type.kind == TypeKind::Tuple || type.kind == TypeKind::AnonRecord) {
    Layout a = types.layout(left.type), c = types.layout(right.type);
    const std::vector<std::pair<std::string, TypeId>> others = types[right.type].members;
    ValueId all = b.constant(1);
    for (size_t i = 0; i < type.members.size(); ++i) {
      size_t j = i;
      for (size_t k = 0; type.kind == TypeKind::AnonRecord && k < others.size(); ++k) {
        if (others[k].first == type.members[i].first) j = k;
      }
      if (j >= others.size()) return b.binary(Op::Ne, b.constant(0), b.constant(0));
      Place x = left, y = right;
      x.type = type.members[i].second, x.offset += a.offsets[i];
      y.type = others[j].second, y.offset += c.offsets[j];
      all = b.binary(Op::And, all, b.bool_value(equal_places(x, y)), "all");
    }
    return b.is_nonzero(all);
  }
  if (has_prop(type, kTypeScalar)) return b.binary(Op::Eq, load(left), load(right), "same");
  uint32_t bytes = std::min(types.size_of(left.type), types.size_of(right.type));
  if (type.kind == TypeKind::String) return b.is_nonzero(b.bpf("btc_str_equal", {address(left), address(right), b.constant(bytes)}, "same"));
  auto near_by = [&](const Place& place) {
    if (place.kind == Place::Direct) return address(place);
    Memory near = temp(place.type, "copy");
    copy(place, near);
    return pointer_to(near);
  };
  ValueId a = near_by(left);
  return b.mem_eq(a, near_by(right), bytes);
}

}  // namespace btc::lower
