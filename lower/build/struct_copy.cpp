// Copies of kernel structures: `$s = *$task`, `print(*$fs)`.
//
// What uses a copy - members of a variable, printing, comparing - knows the profile's layout, so that is the copy's. In the kernel's
// memory the members lie where the target has them. So a structure is not copied as a block of bytes: each member is read from where
// it lies on the target to where the profile has it. Members that the script names must be there; of a structure that is used as a
// whole, those that the target lacks are 0.
//
// What stays a block: unions used as a whole, since nobody knows which member counts, and what has no members.
#include <algorithm>

#include "lower/build/body.h"

namespace btc::lower {

namespace {

constexpr uint32_t kMostReads = 3000;   // of one copy: some 20,000 instructions; the kernel looks at a million (5.2)

// The smallest word that holds a bitfield, as far as one does.
struct Word { uint32_t at, bytes; };
Word word_of(const Field& field) {
  uint32_t last = field.bit_offset + field.bit_size - 1;
  for (uint32_t bytes : {1u, 2u, 4u}) {
    if (field.bit_offset / (8 * bytes) == last / (8 * bytes)) return {field.bit_offset / (8 * bytes) * bytes, bytes};
  }
  return {field.bit_offset / 64 * 8, 8};
}

}  // namespace

// An array's element, or the type itself, if that is a structure whose layout is the target's.
const Record* Body::relocated_record(TypeId type) const {
  while (types[type].kind == TypeKind::Array) type = types[type].elem;
  if (types[type].kind != TypeKind::Struct) return nullptr;
  const Record& record = types.record(types[type].record);
  return record.origin == RecordOrigin::Kernel && !record.fields.empty() ? &record : nullptr;
}

// Of a member that is no structure: one. `limit` ends the count early.
uint32_t Body::count_reads(TypeId type, bool whole, uint32_t limit) const {
  const Type& t = types[type];
  const Record* record = relocated_record(type);
  if (!record || (whole && record->is_union)) return 1;
  if (t.kind == TypeKind::Array) return static_cast<uint32_t>(std::min<uint64_t>(limit, uint64_t{t.count} * count_reads(t.elem, whole, limit)));
  uint32_t count = 0;
  for (uint32_t i = 0; i < record->fields.size() && count < limit; ++i) {
    if (whole || module.uses().whole(t.record) || module.uses().names(t.record, i)) count += count_reads(record->fields[i].type, whole || module.uses().whole(t.record), limit - count);
  }
  return std::min(count, limit);
}

void Body::copy_record(const Place& from, Memory to) {
  if (count_reads(from.type, false, kMostReads) >= kMostReads) {
    module.diags.report(DiagKind::StructTooLarge, b.place(), types.print_user(from.type)).hint(DiagKind::StructTooLargeHint);
    return;
  }
  zero(to, types.size_of(from.type));
  Memory result = temp(8, 8, "copied");
  b.store(result.pointer, result.offset, b.constant(0));
  copy_member(from, to, false, result);
  check_helper(b.load(result.pointer, result.offset, kI64, "copied"), "probe_read_kernel");
}

// `result` collects what the reads return: negative if one has failed.
void Body::copy_member(const Place& from, Memory to, bool whole, Memory result) {
  const Type type = types[from.type];
  const Record* record = relocated_record(from.type);
  whole |= type.kind == TypeKind::Struct && module.uses().whole(type.record);
  if (record && type.kind == TypeKind::Array) {
    for (uint32_t i = 0; i < type.count; ++i) {
      Place element = from;
      element.type = type.elem;
      element.path.push_back(i);
      copy_member(element, to.at(int64_t{i} * types.size_of(type.elem)), whole, result);
    }
    return;
  }
  if (record && !(whole && record->is_union)) {
    for (uint32_t i = 0; i < record->fields.size(); ++i) {
      if (!whole && !module.uses().names(type.record, i)) continue;
      const Field field = record->fields[i];
      Place member = this->field(from, type.record, {i});
      if (field.bit_size != 0) copy_bitfield(member, field, to, whole);
      else copy_member(member, to.at(field.bit_offset / 8), whole, result);
    }
    return;
  }
  uint32_t size = types.size_of(from.type);
  if (size == 0) return;
  // The target's number may have fewer bytes, or more (task_struct.on_cpu is a byte since 7.2).
  bool is_number = has_prop(type, kTypeScalar) && type.kind != TypeKind::Pointer && !from.path.empty();
  auto read_number = [&] {
    bool is_signed = type.kind == TypeKind::Enum ? types.enum_def(type.record).is_signed : type.is_signed;
    ValueId value = b.emit(Op::CoreBitfield, {ir::Builder::val(from.base), ir::Builder::chain_ref({module.core().record(from.record), from.path}), ir::Builder::imm(is_signed ? 1 : 0)}, kI64, "number");
    store_scalar(value, from.type, to);
  };
  auto read = [&] {
    if (is_number) return read_number();
    ValueId pointer = pointer_to(to);
    ValueId ret = b.emit(Op::ReadKernel, {ir::Builder::val(pointer), ir::Builder::val(address(from)), ir::Builder::imm(size)}, kI64, "ret");
    b.store(result.pointer, result.offset, b.binary(Op::Or, b.load(result.pointer, result.offset, kI64, "so_far"), ret, "so_far"));
  };
  if (whole) if_exists(from, read);
  else read();
}

// `$record = args` of a tracepoint: what the script names, from where the target's record has it.
void Body::copy_trace_record(const Place& from, Memory to) {
  uint32_t index = types[from.type].record;
  zero(to, types.size_of(from.type));
  for (uint32_t i = 0; i < types.record(index).fields.size(); ++i) {
    const Field field = types.record(index).fields[i];
    if (field.data_loc || (!module.uses().whole(index) && !module.uses().names(index, i))) continue;
    Place member = this->field(from, index, {i});
    if (has_prop(types[field.type], kTypeScalar)) store_scalar(load(member), field.type, to.at(field.bit_offset / 8));
    else copy(member, to.at(field.bit_offset / 8));
  }
}

void Body::copy_bitfield(const Place& from, const Field& field, Memory record, bool whole) {
  Word word = word_of(field);
  auto read = [&] {
    ValueId mask = b.constant(static_cast<int64_t>(field.bit_size >= 64 ? ~0ull : (1ull << field.bit_size) - 1));
    ValueId bits = b.binary(Op::Shl, b.binary(Op::And, load(from), mask, "bits"), b.constant(field.bit_offset - 8 * word.at), "bits");
    ValueId old = b.resize(b.load(record.pointer, record.offset + word.at, ir::int_of(word.bytes), "word"), kI64, false, "word");
    b.store(record.pointer, record.offset + word.at, b.resize(b.binary(Op::Or, old, bits, "word"), ir::int_of(word.bytes), false, "word"));
  };
  if (whole) if_exists(from, read);
  else read();
}

void Body::if_exists(const Place& member, const std::function<void()>& then) {
  if (member.path.empty()) return then();
  b.if_then(b.emit(Op::CoreFieldExists, {ir::Builder::chain_ref({module.core().record(member.record), member.path})}, kI1, "exists"), "exists", then);
}

}  // namespace btc::lower
