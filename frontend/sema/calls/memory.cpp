// Functions that read or name memory and addresses.
#include <arpa/inet.h>

#include "frontend/sema/sema.h"

namespace btc::sema {

// buf(array), buf(pointer, length), buf(string, length)
TypeId Sema::call_buf(Call* call, Expr*&) {
  if (!check_arity(call, 1, 2)) return lattice_.error();
  for (Expr*& arg : call->args) visit_bytes(arg);
  TypeId type = call->args[0]->type;
  if (lattice_.unknown(type)) return type;
  const Type t = types_[type];
  bool good = lattice_.is_int(type) || t.kind == TypeKind::String || t.kind == TypeKind::Pointer || t.kind == TypeKind::Array;
  if (!good) {
    report(DiagKind::BufArgument, call->range, call->name, base_name(type));
    return lattice_.error();
  }
  uint32_t most = max_strlen_ > 5 ? static_cast<uint32_t>(max_strlen_ - 4) : 1, bytes = most;
  if (call->args.size() == 1) {
    if (t.kind != TypeKind::Array) {
      report(DiagKind::BufLength, call->range, call->name, base_name(type));
      return lattice_.error();
    }
    bytes = types_.size_of(lattice_.settle(type));
  } else {
    if (!check_arg(call, 1, "int", false)) return lattice_.error();
    if (auto length = value_of(call->args[1])) {
      if (length->negative) {
        report(DiagKind::NegativeLength, call->range, call->name, static_cast<int64_t>(length->bits));
        return lattice_.error();
      }
      bytes = static_cast<uint32_t>(std::min<uint64_t>(length->bits, most));
    }
    if (final_) coerce(call->args[1], types_.u64(), false);
  }
  if (lattice_.is_int(type)) to_pointer(call->args[0], types_.int_type(1, true), AddrSpace::None);
  return types_.buffer(std::max(1u, std::min(bytes, most)));
}

TypeId Sema::call_join(Call* call, Expr*&) {
  if (!check_arity(call, 1, 2)) return types_.void_type();
  for (Expr*& arg : call->args) visit(arg);
  TypeId type = call->args[0]->type;
  if (call->args.size() == 2 && !check_arg(call, 1, "string", true)) return types_.void_type();
  if (lattice_.unknown(type)) return types_.void_type();
  if (!lattice_.is_int(type) && !lattice_.is(type, TypeKind::Pointer)) {
    report(DiagKind::JoinArgument, call->range, base_name(type));
    return types_.void_type();
  }
  to_pointer(call->args[0], types_.pointer(types_.int_type(1, true), lattice_.space_of(type)), AddrSpace::None);
  if (final_ && call->args.size() == 1) call->args.push_back(make_string(call->range, " "));
  return types_.void_type();
}

// kptr(x), uptr(x): the same value in another address space.
TypeId Sema::call_kptr(Call* call, Expr*& slot) {
  if (!check_arity(call, 1, 1)) return lattice_.error();
  TypeId type = visit(call->args[0]);
  if (lattice_.unknown(type)) return type;
  if (!lattice_.is_int(type) && !lattice_.is(type, TypeKind::Pointer)) {
    report(DiagKind::KptrArgument, call->range, call->name, base_name(type));
    return lattice_.error();
  }
  AddrSpace space = *call->function == Function::Kptr ? AddrSpace::Kernel : AddrSpace::User;
  TypeId result = lattice_.is(type, TypeKind::Enum) ? types_.u64() : type;
  result = lattice_.with_space(result, space);
  bool literal = value_of(call->args[0]).has_value();   // an address from here on: str(kptr(0)) reads there, str(0) is "0"
  if (final_) slot = literal || lattice_.is(type, TypeKind::Pointer) ? implicit_cast(call->args[0], result) : call->args[0];
  return result;
}

TypeId Sema::call_symbol(Call* call, Expr*&) {
  if (!check_arity(call, 1, 1)) return lattice_.error();
  TypeId type = visit(call->args[0]);
  TypeId result = types_.simple(*call->function == Function::Ksym ? TypeKind::KSym : TypeKind::USym);
  if (lattice_.unknown(type)) return result;
  bool symbol = lattice_.is(type, TypeKind::KSym) || lattice_.is(type, TypeKind::USym);
  if (!lattice_.is_int(type) && !lattice_.is(type, TypeKind::Pointer) && !lattice_.castable(type) && !symbol) {
    report(DiagKind::SymbolArgument, call->range, call->name);
    return lattice_.error();
  }
  if (final_) {
    read_aggregation(call->args[0]);
    if (!coerce(call->args[0], types_.u64(), false)) call->args[0] = implicit_cast(call->args[0], types_.u64());
  }
  return result;
}

TypeId Sema::call_macaddr(Call* call, Expr*&) {
  if (!check_arity(call, 1, 1)) return lattice_.error();
  TypeId type = visit_bytes(call->args[0]);
  if (lattice_.unknown(type)) return type;
  const Type t = types_[type];
  if (call->args[0]->kind == NodeKind::String) {
    report(DiagKind::MacaddrLiteral, call->range);
    return lattice_.error();
  }
  bool bytes = t.kind == TypeKind::Array || t.kind == TypeKind::String || t.kind == TypeKind::Buffer;
  if (!bytes && !lattice_.is_int(type) && t.kind != TypeKind::Pointer) {
    report(DiagKind::MacaddrArgument, call->range, base_name(type));
    return lattice_.error();
  }
  if (bytes && types_.size_of(lattice_.settle(type)) < 6) {
    report(DiagKind::MacaddrSize, call->range);
    return lattice_.error();
  }
  if (lattice_.is_int(type)) to_pointer(call->args[0], types_.int_type(1, true), AddrSpace::None);
  return types_.simple(TypeKind::MacAddr);
}

TypeId Sema::call_memcmp(Call* call, Expr*&) {
  if (!check_arity(call, 3, 3)) return lattice_.error();
  for (Expr*& arg : call->args) visit_bytes(arg);
  auto count = literal_argument(call, 2);
  if (!lattice_.unknown(call->args[2]->type) && (!count || count->kind != Const::Int || count->negative)) {
    report(DiagKind::ArgLiteral, call->range, call->name, "int", base_name(call->args[2]->type));
    return lattice_.error();
  }
  if (final_ && count) call->args[2] = literal_of(*count, call->args[2]->range);
  return types_.int_type(4, true);
}

TypeId Sema::call_ntop(Call* call, Expr*&) {
  if (!check_arity(call, 1, 2)) return lattice_.error();
  for (Expr*& arg : call->args) visit_bytes(arg);
  if (call->args.size() == 2 && !check_arg(call, 0, "int", false)) return lattice_.error();
  Expr*& address = call->args.back();
  TypeId type = address->type;
  if (!lattice_.unknown(type)) {
    const Type t = types_[type];
    bool bytes = t.kind == TypeKind::Array || t.kind == TypeKind::String;
    if (!bytes && !lattice_.is_int(type)) {
      report(DiagKind::NtopArgument, call->range, base_name(type));
      return lattice_.error();
    }
    uint32_t size = types_.size_of(lattice_.settle(type));
    if (bytes && size != 4 && size != 16) {
      report(DiagKind::NtopSize, call->range);
      return lattice_.error();
    }
  }
  Type inet;
  inet.kind = TypeKind::Inet;
  inet.size = 16;
  return types_.intern(inet);
}

TypeId Sema::call_pton(Call* call, Expr*&) {
  if (!check_arity(call, 1, 1)) return lattice_.error();
  visit(call->args[0]);
  auto text = value_of(call->args[0]);
  if (!text || text->kind != Const::Str) {
    report(DiagKind::PtonLiteral, call->range);
    return lattice_.error();
  }
  unsigned char bytes[16];
  bool v6 = text->text.find(':') != std::string::npos, v4 = !v6 && text->text.find('.') != std::string::npos;
  if (!v4 && !v6) {
    report(DiagKind::PtonAddress, call->range, "an string argument of an IPv4/IPv6 address", text->text);
    return lattice_.error();
  }
  if (inet_pton(v4 ? AF_INET : AF_INET6, text->text.c_str(), bytes) != 1) {
    report(DiagKind::PtonAddress, call->range, "a valid IPv4/IPv6 address", text->text);
    return lattice_.error();
  }
  if (final_) call->args[0] = literal_of(*text, call->args[0]->range);
  return types_.array(types_.int_type(1, false), v4 ? 4 : 16);
}

TypeId Sema::call_path(Call* call, Expr*&) {
  if (!check_arity(call, 1, 2)) return lattice_.error();
  for (Expr*& arg : call->args) visit(arg);
  TypeId type = call->args[0]->type;
  uint64_t size = max_strlen_;
  if (call->args.size() == 2) {
    auto value = literal_argument(call, 1);
    if (!value || value->kind != Const::Int || value->negative) {
      report(DiagKind::PathSize, call->range);
      return lattice_.error();
    }
    size = value->bits;
    if (final_) call->args[1] = literal_of(*value, call->args[1]->range);
  }
  if (!lattice_.unknown(type) && !lattice_.is(type, TypeKind::Struct) && !lattice_.is(type, TypeKind::Pointer)) {
    report(DiagKind::PathArgument, call->range, base_name(type));
    return lattice_.error();
  }
  return types_.string(static_cast<uint32_t>(size));
}

// The shape of a kernel variable's type, for the loader's comparison with the target's: an octal digit a level, outermost first,
// 1 integer, 2 struct, 3 union, 4 pointer, 5 array, 6 void. 0: a shape that cannot be said.
static uint32_t shape_of(const TypeTable& types, TypeId id, int depth = 0) {
  constexpr uint32_t kInt = 1, kStruct = 2, kUnion = 3, kPointer = 4, kArray = 5, kVoid = 6;
  const Type& type = types[id];
  auto around = [&](uint32_t outer, uint32_t inner) { return inner == 0 || depth > 6 ? 0 : outer | inner << 3; };
  switch (type.kind) {
    case TypeKind::Int: case TypeKind::Bool: return kInt;
    case TypeKind::Struct: return types.record(type.record).is_union ? kUnion : kStruct;
    case TypeKind::Pointer: return around(kPointer, shape_of(types, type.elem, depth + 1));
    case TypeKind::Array: return around(kArray, shape_of(types, type.elem, depth + 1));
    case TypeKind::String: return around(kArray, kInt);
    case TypeKind::Void: case TypeKind::Untyped: return kVoid;
    default: return 0;
  }
}

TypeId Sema::call_percpu_kaddr(Call* call, Expr*&) {
  if (!check_arity(call, 1, 2)) return lattice_.error();
  for (Expr*& arg : call->args) visit(arg);
  if (!check_arg(call, 0, "string", true)) return lattice_.error();
  auto name = value_of(call->args[0]);
  if (auto type = final_ && name ? profile_->find_variable(types_, name->text) : std::nullopt) call->variant = shape_of(types_, *type);
  if (call->args.size() == 2) {
    if (!check_arg(call, 1, "int", false)) return lattice_.error();
    if (final_) coerce(call->args[1], types_.int_type(4, false), false);
  }
  return lattice_.with_space(types_.u64(), AddrSpace::Kernel);
}

TypeId Sema::call_uaddr(Call* call, Expr*&) {
  if (!check_arity(call, 1, 1)) return lattice_.error();
  visit(call->args[0]);
  auto name = value_of(call->args[0]);
  if (!name || name->kind != Const::Str) {
    report(DiagKind::SymbolLiteral, call->range, call->name);
    return lattice_.error();
  }
  if (final_) call->args[0] = literal_of(*name, call->args[0]->range);
  return types_.pointer(types_.i64(), AddrSpace::User);
}

TypeId Sema::call_skboutput(Call* call, Expr*&) {
  if (!check_arity(call, 4, 4)) return lattice_.error();
  for (Expr*& arg : call->args) visit(arg);
  bool good = check_arg(call, 0, "string", true);
  good = check_arg(call, 1, "ptr", false) && good;
  // The packet's bytes are found by a member: the structure is needed whole.
  if (TypeId packet = call->args[1]->type; good && !lattice_.unknown(packet)) {
    const Type skb = types_[types_[packet].elem];
    if (skb.kind != TypeKind::Struct || !find_field(skb.record, "data")) {
      report(DiagKind::ArgType, call->range, call->name, "struct sk_buff pointer", show(packet));
      return lattice_.error();
    }
  }
  for (size_t i = 2; i < 4; ++i) {
    good = check_arg(call, i, "int", false) && good;
    if (final_ && good) coerce(call->args[i], types_.u64(), false);
  }
  return good ? types_.int_type(4, false) : lattice_.error();
}

TypeId Sema::call_socket_cookie(Call* call, Expr*&) {
  if (!check_arity(call, 1, 1)) return lattice_.error();
  TypeId type = visit(call->args[0]);
  if (lattice_.unknown(type)) return types_.u64();
  const Type t = types_[type];
  if (t.kind != TypeKind::Pointer) {
    report(DiagKind::ArgType, call->range, call->name, "pointer", base_name(type));
    return lattice_.error();
  }
  if (types_[t.elem].kind != TypeKind::Struct) {
    report(DiagKind::SocketCookie, call->range, base_name(type));
    return lattice_.error();
  }
  const std::string& name = types_.record(types_[t.elem].record).name;
  if (name != "sock") {
    report(DiagKind::SocketCookie, call->range, "'" + show(type) + "'");
    return lattice_.error();
  }
  return types_.u64();
}

TypeId Sema::call_write_user(Call* call, Expr*&) {
  if (!check_arity(call, 3, 3)) return lattice_.error();
  for (Expr*& arg : call->args) visit(arg);
  for (size_t i = 0; i < 2; ++i)
    if (i == 1 && lattice_.is(call->args[1]->type, TypeKind::String)) {
      if (final_) call->args[1] = implicit_cast(call->args[1], types_.pointer(types_.int_type(1, true), AddrSpace::Kernel));
    } else if (!to_pointer(call->args[i], types_.void_type(), i == 0 ? AddrSpace::User : AddrSpace::Kernel)) {
      report(DiagKind::ArgType, call->range, call->name, "pointer", base_name(call->args[i]->type));
      return lattice_.error();
    }
  if (!check_arg(call, 2, "int", false)) return lattice_.error();
  if (final_) coerce(call->args[2], types_.int_type(4, false), false);
  return types_.bool_type();
}

}  // namespace btc::sema
