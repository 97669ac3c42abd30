// Reading and checking the manifest's types; see types.h.
#include "runtime-stub/src/output/types.h"

namespace btc::rt {

static constexpr int kMaxNesting = 32;
static constexpr uint32_t kMaxSize = 1u << 24;

static std::string_view text(const flatbuffers::String* s) { return s ? std::string_view(s->c_str(), s->size()) : std::string_view(); }

// Bytes that a reader of the kind touches beyond what its members say.
static uint32_t smallest_size(const TypeInfo& type) {
  switch (type.kind) {
    case Kind::Bool: return 1;
    case Kind::Pointer: case Kind::KSym: case Kind::ProbeName: case Kind::Count: case Kind::Sum: case Kind::Min: case Kind::Max:
    case Kind::Avg: case Kind::Stats: return 8;
    case Kind::Inet: return 12;
    case Kind::USym: case Kind::Timestamp: case Kind::CgroupPath: return 16;
    case Kind::MacAddr: return 6;
    case Kind::Buffer: return 4;
    case Kind::KStack: return 8;
    case Kind::UStack: return 16;
    default: return 0;
  }
}

bool Types::load(const fb::Manifest& manifest, const char** error) {
  *error = "types";
  if (!manifest.types()) return true;
  for (const fb::Type* from : *manifest.types()) {
    TypeInfo& type = types_.emplace_back();
    type.kind = from->kind();
    type.is_signed = from->is_signed();
    type.stack_mode = from->stack_mode();
    type.size = from->size();
    type.elem = from->elem();
    type.count = from->count();
    type.p0 = from->p0(), type.p1 = from->p1(), type.p2 = from->p2();
    if (from->enum_index() >= 0) {
      if (!manifest.enums() || static_cast<uint32_t>(from->enum_index()) >= manifest.enums()->size()) return false;
      type.enum_def = manifest.enums()->Get(static_cast<uint32_t>(from->enum_index()));
    }
    if (from->fields())
      for (const fb::TypeField* field : *from->fields())
        type.members.push_back({text(field->name()), field->type(), field->offset(), field->bit_offset(), field->bit_size()});
  }
  heights_.assign(size(), 0);
  for (uint32_t i = 0; i < size(); i++)
    if (height(i) == 0) return false;
  return true;
}

// Whether the type alone is sound; its members are not looked at.
static bool sound(const TypeInfo& type) {
  if (type.kind > Kind::MAX || type.size > kMaxSize || type.size < smallest_size(type)) return false;
  switch (type.kind) {
    case Kind::Int: case Kind::Enum: case Kind::Username: return type.size == 1 || type.size == 2 || type.size == 4 || type.size == 8;
    case Kind::Hist: return type.p0 >= 0 && type.p0 <= 5;
    case Kind::LHist: return type.p2 > 0 && type.p1 >= type.p0 && static_cast<uint64_t>(type.p1 - type.p0) / static_cast<uint64_t>(type.p2) < (1 << 20);
    case Kind::TSeries: return type.p0 > 0 && type.p1 > 0 && type.p1 < (1 << 20);
    case Kind::Tuple: case Kind::AnonRecord: case Kind::Struct: return true;
    default: return type.members.empty();
  }
}

// Levels of nesting below and with the type; 0 if it is damaged.
int Types::height(uint32_t index) {
  if (index >= size() || heights_[index] < 0) return 0;
  if (heights_[index] > 0) return heights_[index];
  heights_[index] = -1;
  const TypeInfo& type = types_[index];
  if (!sound(type)) return 0;
  int highest = 0;
  auto include = [&](uint32_t inner) {
    int h = height(inner);
    highest = h > highest ? h : highest;
    return h > 0 && h < kMaxNesting;
  };
  if (type.kind == Kind::Array && (!include(type.elem) || uint64_t{types_[type.elem].size} * type.count > type.size)) return 0;
  for (const Member& member : type.members) {
    if (!include(member.type) || member.bit_size > 64) return 0;
    uint64_t bytes = member.bit_size ? (member.bit_offset + member.bit_size + 7u) / 8 : types_[member.type].size;
    if (member.offset + bytes > type.size) return 0;
  }
  return heights_[index] = highest + 1;
}

uint64_t read_int(const uint8_t* data, uint32_t size, bool is_signed) {
  switch (size) {
    case 1: return is_signed ? static_cast<uint64_t>(int64_t{read_as<int8_t>(data)}) : read_as<uint8_t>(data);
    case 2: return is_signed ? static_cast<uint64_t>(int64_t{read_as<int16_t>(data)}) : read_as<uint16_t>(data);
    case 4: return is_signed ? static_cast<uint64_t>(int64_t{read_as<int32_t>(data)}) : read_as<uint32_t>(data);
    case 8: return read_as<uint64_t>(data);
  }
  return 0;
}

uint64_t read_bits(const uint8_t* record, const Member& member, const TypeInfo& type) {
  uint64_t value = 0;
  for (uint32_t i = 0; i < member.bit_size; i++) {
    uint32_t bit = member.offset * 8 + member.bit_offset + i;
    value |= static_cast<uint64_t>(record[bit / 8] >> (bit % 8) & 1) << i;
  }
  if (type.is_signed && member.bit_size < 64 && (value >> (member.bit_size - 1) & 1)) value |= ~0ull << member.bit_size;
  return value;
}

}  // namespace btc::rt
