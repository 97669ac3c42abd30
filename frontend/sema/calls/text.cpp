// printf and its family, str(), and functions on strings.
#include "frontend/sema/kernel_format.h"
#include <algorithm>

#include "frontend/sema/sema.h"
#include "runtime-stub/abi/abi.h"
#include "runtime-stub/abi/format_spec.h"

namespace btc::sema {

enum class Accepts : uint8_t { Integers, Buffers, Anything, Nothing };

static Accepts accepts(const std::string& conversion) {
  if (conversion == "s") return Accepts::Anything;
  if (conversion == "r" || conversion == "rx" || conversion == "rh") return Accepts::Buffers;
  for (const char* word : {"d", "i", "u", "o", "x", "X", "c", "p", "gr"})
    if (conversion == word) return Accepts::Integers;
  return Accepts::Nothing;
}

TypeId Sema::call_format(Call* call, Expr*&) {
  bool good = check_arity(call, 1, 128);
  std::vector<abi::FormatPiece> pieces;
  if (auto* format = call->args.empty() ? nullptr : dyn<String>(call->args[0]))
    for (abi::FormatPiece& piece : abi::parse_format(format->value))
      if (piece.has_conversion) pieces.push_back(std::move(piece));
  for (size_t i = 1; i < std::min(pieces.size() + 1, call->args.size()); ++i)
    if (pieces[i - 1].conversion == "s") show_params_as_given(call->args[i]);
  for (Expr*& arg : call->args) visit(arg);
  if (!good || !check_arg(call, 0, "string", true)) return types_.void_type();
  if (*call->function == Function::Debugf) report(DiagKind::DebugfProduction, call->range);
  if (!final_) return types_.void_type();
  size_t given = call->args.size() - 1;
  if (given != pieces.size()) {
    report(given < pieces.size() ? DiagKind::FormatTooFew : DiagKind::FormatTooMany, call->range, given, pieces.size());
    return types_.void_type();
  }
  if (*call->function == Function::Debugf && given > 3) report(DiagKind::DebugfArgs, call->range);
  for (size_t i = 0; i < given; ++i) {
    Expr*& arg = call->args[i + 1];
    const std::string& conversion = pieces[i].conversion;
    if (lattice_.unknown(arg->type)) continue;
    if (lattice_.is(arg->type, TypeKind::Void)) {
      report(DiagKind::FormatNone, call->range, conversion);
      continue;
    }
    if (*call->function == Function::Debugf) {
      static const std::set<std::string> words = {"d", "u", "x", "p", "s"};
      if (!words.contains(conversion)) report(DiagKind::DebugfSpecifier, call->args[0]->range, conversion);
      else if ((conversion == "s") != lattice_.is(arg->type, TypeKind::String)) report(DiagKind::DebugfType, arg->range, conversion);
      continue;
    }
    if (lattice_.castable(arg->type)) read_aggregation(arg);
    TypeKind kind = types_[arg->type].kind;
    bool number = lattice_.is_int(arg->type) || kind == TypeKind::Bool || kind == TypeKind::Pointer;
    if (has_prop(types_[arg->type], kTypeMultiRow)) {
      report(DiagKind::FormatType, call->range, show(arg->type), conversion);
      continue;
    }
    switch (accepts(conversion)) {
      case Accepts::Nothing: report(DiagKind::FormatSpecifier, call->range, conversion); break;
      case Accepts::Anything: break;
      case Accepts::Integers:
        if (!number) report(DiagKind::FormatType, call->range, show(arg->type), conversion);
        break;
      case Accepts::Buffers:
        if (kind != TypeKind::Buffer) report(DiagKind::FormatType, call->range, show(arg->type), conversion);
        break;
    }
  }
  // Nobody is there to format it when a pinned iterator is read.
  bool pinned = body_->attach != nullptr && body_->attach->parsed.kind == abi::ProbeKind::Iter && !body_->attach->parsed.pin.empty();
  if (pinned && *call->function == Function::Printf && kernel_format(types_, *call).empty()) report(DiagKind::PinnedFormat, call->args[0]->range);
  return types_.void_type();
}

// str(literal) is a literal; str($1) the parameter as text; str(pointer[, length]) reads memory.
TypeId Sema::call_str(Call* call, Expr*& slot) {
  if (!check_arity(call, 1, 2)) {
    for (Expr*& arg : call->args) visit(arg);
    return types_.string(static_cast<uint32_t>(max_strlen_));
  }
  TypeId type = visit(call->args[0]);
  if (call->args.size() == 2) visit(call->args[1]);
  std::optional<Const> length;
  if (call->args.size() == 2) {
    length = value_of(call->args[1]);
    if (!lattice_.unknown(call->args[1]->type)) {
      if (!check_arg(call, 1, "int", false)) return lattice_.error();
      if (length && length->negative) {
        report(DiagKind::NegativeLength, call->range, call->name, static_cast<int64_t>(length->bits));
        return lattice_.error();
      }
    }
  }
  if (auto text = value_of(call->args[0]); text && text->kind != Const::Bool && (call->args.size() == 1 || length)) {
    std::string value = text->kind == Const::Str ? text->text
                        : text->negative ? std::to_string(static_cast<int64_t>(text->bits)) : std::to_string(text->bits);
    if (length && value.size() >= length->bits) value.resize(length->bits);
    return set_const(slot, {Const::Str, 0, false, value}, is_pure_literal(call->args[0]));
  }
  uint64_t capacity = max_strlen_;
  if (length) {
    if (length->bits + 1 > max_strlen_) report(DiagKind::LengthTooLong, call->range, length->bits, max_strlen_);
    else capacity = length->bits + 1;
  }
  TypeId result = types_.string(static_cast<uint32_t>(capacity));
  if (lattice_.unknown(type)) return result;
  auto is_param = [](const Expr* expr) {
    if (auto* sum = dyn<Binary>(expr)) expr = sum->left;
    return expr->kind == NodeKind::Positional;
  };
  if (lattice_.is(type, TypeKind::String)) {
    if (is_param(call->args[0]) && call->args.size() == 1) {
      if (final_) slot = call->args[0];
      return type;
    }
    if (call->args.size() == 1 && types_[type].size <= max_strlen_) {  // it is a string already
      if (final_) slot = call->args[0];
      return type;
    }
    return result;
  }
  if (call->args.size() == 1)
    if (auto text = as_text(call->args[0])) {
      if (final_) slot = call->args[0];
      return *text;
    }
  if (!lattice_.is_int(type) && !lattice_.is(type, TypeKind::Pointer) && !lattice_.is(type, TypeKind::Array)) {
    report(DiagKind::StrArgument, call->range, call->name, show(type));
    return lattice_.error();
  }
  to_pointer(call->args[0], types_.int_type(1, true), AddrSpace::None);
  if (final_ && call->args.size() == 2) coerce(call->args[1], types_.u64(), false);
  return result;
}

// A string, or memory that holds one: char arrays and pointers.
bool Sema::string_like(Expr*& slot, const char* what) {
  TypeId type = slot->type;
  if (lattice_.unknown(type)) return true;
  const Type t = types_[type];
  if (t.kind == TypeKind::String) return true;
  if (auto known = value_of(slot); known && known->kind == Const::Str) {  // `probe` of one attach point
    if (final_) slot = literal_of(*known, slot->range);
    return true;
  }
  if (as_text(slot)) return true;
  auto byte_elements = [&](TypeId elem) { return types_[elem].kind == TypeKind::Int && types_[elem].size == 1; };
  if (t.kind == TypeKind::Pointer || t.kind == TypeKind::Array) {
    if (!byte_elements(t.elem)) {
      report(t.kind == TypeKind::Array ? DiagKind::StringArray : DiagKind::StringPointer, slot->range);
      return false;
    }
    if (t.kind == TypeKind::Pointer) return true;
    return true;
  }
  report(DiagKind::StringLike, slot->range);
  (void)what;
  return false;
}

TypeId Sema::call_strlen(Call* call, Expr*& slot) {
  if (!check_arity(call, 1, 1)) return lattice_.error();
  visit(call->args[0]);
  if (auto text = value_of(call->args[0]); text && text->kind == Const::Str)
    return set_const(slot, {Const::Int, std::min(text->text.find('\0'), text->text.size()), false, {}}, is_pure_literal(call->args[0]));
  if (!string_like(call->args[0], "strlen")) return lattice_.error();
  return types_.u64();
}

TypeId Sema::call_strcap(Call* call, Expr*& slot) {
  if (!check_arity(call, 1, 1)) return lattice_.error();
  TypeId type = visit(call->args[0]);
  if (lattice_.unknown(type)) return type;
  if (!string_like(call->args[0], "strcap")) return lattice_.error();
  const Type& t = types_[type];
  if (t.kind == TypeKind::String) return set_const(slot, {Const::Int, t.size, false, {}}, false);
  if (t.kind == TypeKind::ProbeName) return set_const(slot, {Const::Int, abi::kProbeTextBytes, false, {}}, false);
  if (t.kind == TypeKind::Array) return set_const(slot, {Const::Int, t.count, false, {}}, false);
  if (final_) {
    call->function = Function::Strlen;  // of a pointer: as far as it goes
    call->name = "strlen";
  }
  return types_.u64();
}

// strstr(haystack, needle) -> int64; str_concat(a, b) -> string
TypeId Sema::call_string_pair(Call* call, Expr*&) {
  if (!check_arity(call, 2, 2)) return lattice_.error();
  bool good = true;
  for (Expr*& arg : call->args) {
    visit(arg);
    good = string_like(arg, call->name.c_str()) && good;
  }
  if (!good) return lattice_.error();
  return *call->function == Function::Strstr ? types_.i64() : types_.string(1024);
}

TypeId Sema::call_strncmp(Call* call, Expr*&) {
  if (!check_arity(call, 3, 3)) return lattice_.error();
  for (Expr*& arg : call->args) visit(arg);
  for (size_t i = 0; i < 2; ++i) {
    TypeId type = call->args[i]->type;
    if (lattice_.is(type, TypeKind::Pointer) || lattice_.is(type, TypeKind::Array)) {
      if (!string_like(call->args[i], "strncmp")) return lattice_.error();
    } else if (!check_arg(call, i, "string", false)) {
      return lattice_.error();
    }
  }
  if (is_number_param(call->args[2])) return types_.u64();
  auto count = literal_argument(call, 2);
  if (!count || count->kind != Const::Int || count->negative) {
    report(DiagKind::StrncmpLength, call->range);
    return lattice_.error();
  }
  if (final_) call->args[2] = literal_of(*count, call->args[2]->range);
  return types_.u64();
}

TypeId Sema::call_strftime(Call* call, Expr*&) {
  if (!check_arity(call, 2, 2)) return lattice_.error();
  for (Expr*& arg : call->args) visit(arg);
  if (!check_arg(call, 0, "string", true) || !check_arg(call, 1, "int", false)) return lattice_.error();
  TypeId time = call->args[1]->type;
  if (lattice_.unknown(time)) return time;
  if (auto value = value_of(call->args[1]); value && value->negative) {
    report(DiagKind::StrftimeNegative, call->range);
    return lattice_.error();
  }
  call->variant = lattice_.clock_of(time);
  if (call->variant == kClockMonotonic) {
    report(DiagKind::StrftimeMonotonic, call->range);
    return lattice_.error();
  }
  if (final_) coerce(call->args[1], types_.u64(), false);
  return types_.simple(TypeKind::Timestamp);
}

}  // namespace btc::sema
