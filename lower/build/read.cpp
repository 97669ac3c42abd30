// Reading what a place names: direct loads, guarded reads, strings.
#include <algorithm>

#include "lower/build/body.h"

namespace btc::lower {

namespace {

bool is_signed_type(const TypeTable& types, TypeId id) {
  const Type& type = types[id];
  if (type.kind == TypeKind::Enum) return types.enum_def(type.record).is_signed;
  return type.kind == TypeKind::Int && type.is_signed;
}

}  // namespace

template <typename F>
void Body::by_space(ValueId address, AddrSpace space, F&& read) {
  if (space != AddrSpace::None) return read(space == AddrSpace::User);
  // Kernel addresses have the top bit set on every 64-bit architecture that matters.
  ValueId top = b.binary(Op::ShrU, b.ptr_to_int(address), b.constant(63), "top");
  b.if_else(b.is_nonzero(top), "kernel", [&] { read(false); }, [&] { read(true); });
}

void Body::read(Memory to, ValueId from, AddrSpace space, uint32_t bytes, const char* what) {
  if (bytes == 0) return;
  by_space(from, space, [&](bool user) {
    ValueId pointer = pointer_to(to);
    ValueId ret = b.emit(user ? Op::ReadUser : Op::ReadKernel, {ir::Builder::val(pointer), ir::Builder::val(from), ir::Builder::imm(bytes)}, kI64, what);
    check_helper(ret, user ? "probe_read_user" : "probe_read_kernel");
  });
}

void Body::read_bytes(Memory to, ValueId from, AddrSpace space, ValueId size, uint32_t limit) {
  by_space(from, space, [&](bool user) {
    ValueId pointer = pointer_to(to);
    ValueId ret = b.emit(user ? Op::ReadUserN : Op::ReadKernelN, {ir::Builder::val(pointer), ir::Builder::val(from), ir::Builder::val(size), ir::Builder::imm(limit)}, kI64, "ret");
    check_helper(ret, user ? "probe_read_user" : "probe_read_kernel");
  });
}

// The length with NUL, or -errno.
ValueId Body::read_string(Memory to, ValueId from, AddrSpace space, ValueId size, uint32_t limit) {
  ValueId result = kNoValue;
  Memory both = space == AddrSpace::None ? temp(8, 8, "length") : Memory{};
  by_space(from, space, [&](bool user) {
    ValueId pointer = pointer_to(to);
    result = b.emit(user ? Op::ReadStrUser : Op::ReadStrKernel, {ir::Builder::val(pointer), ir::Builder::val(from), ir::Builder::val(size), ir::Builder::imm(limit)}, kI64, "length");
    check_helper(result, user ? "probe_read_user_str" : "probe_read_kernel_str");
    if (space == AddrSpace::None) b.store(both.pointer, both.offset, result);
  });
  return space == AddrSpace::None ? b.load(both.pointer, both.offset, kI64, "length") : result;
}

// On the target a number may have another width, or be a bitfield (task_struct.on_cpu since 7.2): then its bits are moved to where they belong.
// Where it is as the profile says, a plain read will do; the verifier knows which it is and drops the other.
ValueId Body::load_number(const Place& place) {
  uint32_t size = types.size_of(place.type);
  bool is_signed = is_signed_type(types, place.type);
  ir::Operand chain = ir::Builder::chain_ref({module.core().record(place.record), place.path});
  Memory number = temp(8, 8, "number");
  ValueId shift = b.emit(Op::CoreShift, {chain}, kI64, "shift");
  b.if_else(b.binary(Op::Eq, shift, b.constant(64 - 8 * static_cast<int64_t>(size)), "as_here"), "plain", [&] {
    Memory value = temp(size, size >= 8 ? 8 : 4, "value");
    read(value, address(place), AddrSpace::Kernel, size);
    b.store(number.pointer, number.offset, b.bool_value(load_scalar(place.type, value, "value")));
  }, [&] {
    b.store(number.pointer, number.offset, b.emit(Op::CoreBitfield, {ir::Builder::val(place.base), chain, ir::Builder::imm(is_signed ? 1 : 0)}, kI64, "field"));
  });
  return b.load(number.pointer, number.offset, kI64, "number");
}

ValueId Body::load(const Place& place) {
  uint32_t size = types.size_of(place.type);
  bool is_signed = is_signed_type(types, place.type);
  if (place.bit_size != 0 && place.kind != Place::Core && place.kind != Place::Record) {
    // The bytes that hold it, shifted up and down. In packed records 64 bits and less may lie in nine.
    uint32_t bytes = (place.bit_offset + place.bit_size + 7) / 8;
    Memory bits = temp(bytes > 8 ? 16 : 8, 8, "bits");
    b.store(bits.pointer, bits.offset, b.constant(0));
    Place whole = place;
    whole.bit_size = 0;
    if (place.kind == Place::Direct) b.mem_copy(pointer_to(bits), address(whole), bytes);
    else read(bits, address(whole), place.space, bytes);
    ValueId value = b.load(bits.pointer, bits.offset, kI64, "bits");
    uint32_t above = 64 - place.bit_size;         // bits of other members above it
    if (bytes > 8) {
      ValueId last = b.resize(b.load(bits.pointer, bits.offset + 8, ir::int_of(1), "last"), kI64, false, "last");
      value = b.binary(Op::Or, b.binary(Op::ShrU, value, b.constant(place.bit_offset), "low"), b.binary(Op::Shl, last, b.constant(64 - place.bit_offset), "high"), "bits");
    } else {
      above -= place.bit_offset;
    }
    value = b.binary(Op::Shl, value, b.constant(above), "high");
    return b.binary(is_signed ? Op::ShrS : Op::ShrU, value, b.constant(64 - static_cast<int64_t>(place.bit_size)), "field");
  }
  switch (place.kind) {
    case Place::Direct: return load_scalar(place.type, {place.base, place.offset}, "value");
    case Place::Context:
      // An iterator's pointers may be null, and the kernel lets nobody compute with those: as a plain number it may.
      if (types[place.type].kind == TypeKind::Pointer && probe && probe->attach->parsed.kind == abi::ProbeKind::Iter) break;
      return b.resize(b.ctx_load(place.offset, ir::int_of(size), "value"), kI64, is_signed, "value");
    case Place::Record: {
      if (place.data_loc) return b.ptr_to_int(address(place));
      if (place.path.size() != 1) break;  // a member of a member: read like memory
      return b.emit(Op::RecordLoad, {ir::Builder::chain_ref({module.core().record(place.record), place.path}), ir::Builder::imm(is_signed ? 1 : 0)}, kI64, "field");
    }
    case Place::Core:
      if (place.is_indirect()) return load_followed(place);
      if (place.bit_size != 0) {
        return b.emit(Op::CoreBitfield, {ir::Builder::val(place.base), ir::Builder::chain_ref({module.core().record(place.record), place.path}), ir::Builder::imm(is_signed ? 1 : 0)}, kI64, "field");
      }
      // A trusted pointer needs no helper. Pointers come guarded all the same: they would be typed, too, and not be numbers.
      if (b.type(place.base).space == PtrSpace::Btf && types[place.type].kind != TypeKind::Pointer) {
        ValueId value = b.emit(Op::CoreLoad, {ir::Builder::val(place.base), ir::Builder::chain_ref({module.core().record(place.record), place.path})}, ir::int_of(size), "field");
        return b.resize(value, kI64, is_signed, "field");
      }
      if (types[place.type].kind != TypeKind::Pointer && !place.path.empty()) return load_number(place);
      break;
    default: break;
  }
  Memory value = temp(size, size >= 8 ? 8 : 4, "value");
  AddrSpace space = place.kind == Place::Remote ? place.space : AddrSpace::Kernel;
  if (space == AddrSpace::Btf) space = AddrSpace::Kernel;
  read(value, address(place), space, size);
  return load_scalar(place.type, value, "value");
}

void Body::copy(const Place& place, Memory to) {
  if (place.is_indirect()) return copy(followed(place), to);
  if (place.kind == Place::Record && place.path.empty()) return copy_trace_record(place, to);
  if (place.kind == Place::Core && has_core_name(types.record(place.record)) && relocated_record(place.type)) return copy_record(place, to);
  uint32_t size = types.size_of(place.type);
  if (place.kind == Place::Record && !place.movable.empty()) {
    // Behind the record a text ends with its NUL, and what follows is something else.
    return by_form(place, [&](ValueId address, bool moved) {
      if (!moved) return read(to, address, AddrSpace::Kernel, size);
      zero(to, size);
      read_string(to, address, AddrSpace::Kernel, b.constant(size), size);
    });
  }
  switch (place.kind) {
    case Place::Direct: return b.mem_copy(pointer_to(to), address(place), size);
    case Place::Remote: return read(to, address(place), place.space == AddrSpace::Btf ? AddrSpace::Kernel : place.space, size);
    default: return read(to, address(place), AddrSpace::Kernel, size);
  }
}

}  // namespace btc::lower
