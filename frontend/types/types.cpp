// Type interning and layout.
#include "frontend/types/types.h"

#include <algorithm>
#include <functional>

#include "runtime-stub/abi/aggregates.h"

namespace btc {
namespace {

struct KindInfo {
  const char* name;
  uint32_t props;
};
constexpr KindInfo kKinds[] = {
#define BTC_TYPE(Kind, Name, Props) {Name, static_cast<uint32_t>(Props)},
#include "frontend/defs/types.def"
#undef BTC_TYPE
};

constexpr uint64_t kMaxSize = UINT32_MAX & ~7u;
constexpr uint32_t kBuildIdFrame = 32;  // struct bpf_stack_build_id

uint32_t clamp_size(uint64_t size) { return static_cast<uint32_t>(std::min(size, kMaxSize)); }
uint64_t align_up(uint64_t value, uint64_t align) { return (value + align - 1) / align * align; }

bool sign_matters(TypeKind kind) {
  switch (kind) {
    case TypeKind::Int:
    case TypeKind::Sum:
    case TypeKind::Min:
    case TypeKind::Max:
    case TypeKind::Avg:
    case TypeKind::Stats:
    case TypeKind::TSeries: return true;
    default: return false;
  }
}

size_t hash_of(const Type& type) {
  size_t hash = static_cast<size_t>(type.kind);
  auto mix = [&hash](uint64_t value) { hash = hash * 0x9e3779b97f4a7c15ull + value + (hash >> 29); };
  mix(type.is_signed);
  mix(type.size);
  mix(static_cast<uint64_t>(type.space));
  mix(type.elem.index);
  mix(type.count);
  mix(type.record);
  mix(static_cast<uint64_t>(type.p0));
  mix(static_cast<uint64_t>(type.p1));
  mix(static_cast<uint64_t>(type.p2));
  mix(static_cast<uint64_t>(type.mode));
  for (const auto& [name, member] : type.members) {
    mix(std::hash<std::string>()(name));
    mix(member.index);
  }
  return hash;
}

Type of_kind(TypeKind kind) {
  Type type;
  type.kind = kind;
  return type;
}

}  // namespace

const char* type_kind_name(TypeKind kind) { return kKinds[static_cast<size_t>(kind)].name; }
uint32_t type_props(TypeKind kind) { return kKinds[static_cast<size_t>(kind)].props; }

TypeTable::TypeTable() {
  types_.push_back(of_kind(TypeKind::Untyped));  // index 0 = "not typed yet"
  void_ = intern(of_kind(TypeKind::Void));
  bool_ = intern(of_kind(TypeKind::Bool));
}

TypeId TypeTable::intern(const Type& wanted) {
  if (wanted.kind == TypeKind::Untyped) return {};
  Type type = wanted;
  if (!sign_matters(type.kind)) type.is_signed = false;
  size_t hash = hash_of(type);
  auto [first, last] = index_.equal_range(hash);
  for (auto it = first; it != last; ++it) {
    if (types_[it->second] == type) return {it->second};
  }
  auto index = static_cast<uint32_t>(types_.size());
  types_.push_back(std::move(type));
  index_.emplace(hash, index);
  return {index};
}

TypeId TypeTable::int_type(uint32_t bytes, bool is_signed) {
  Type type = of_kind(TypeKind::Int);
  type.size = bytes;
  type.is_signed = is_signed;
  return intern(type);
}

TypeId TypeTable::simple(TypeKind kind) { return intern(of_kind(kind)); }

TypeId TypeTable::pointer(TypeId elem, AddrSpace space) {
  Type type = of_kind(TypeKind::Pointer);
  type.elem = elem;
  type.space = space;
  return intern(type);
}

TypeId TypeTable::string(uint32_t bytes) {
  Type type = of_kind(TypeKind::String);
  type.size = bytes;
  return intern(type);
}

TypeId TypeTable::buffer(uint32_t bytes) {
  Type type = of_kind(TypeKind::Buffer);
  type.size = bytes;
  return intern(type);
}

TypeId TypeTable::array(TypeId elem, uint32_t count) {
  Type type = of_kind(TypeKind::Array);
  type.elem = elem;
  type.count = count;
  return intern(type);
}

TypeId TypeTable::tuple(std::vector<TypeId> members) {
  Type type = of_kind(TypeKind::Tuple);
  for (TypeId member : members) type.members.emplace_back("", member);
  return intern(type);
}

TypeId TypeTable::anon_record(std::vector<std::pair<std::string, TypeId>> members) {
  Type type = of_kind(TypeKind::AnonRecord);
  type.members = std::move(members);
  return intern(type);
}

TypeId TypeTable::struct_type(uint32_t record) {
  Type type = of_kind(TypeKind::Struct);
  type.record = record;
  return intern(type);
}

TypeId TypeTable::enum_type(uint32_t index) {
  Type type = of_kind(TypeKind::Enum);
  type.record = index;
  return intern(type);
}

uint32_t TypeTable::add_record(Record record) {
  records_.push_back(std::move(record));
  auto index = static_cast<uint32_t>(records_.size() - 1);
  record_names_.emplace(records_[index].name, index);
  return index;
}

std::optional<uint32_t> TypeTable::find_record(std::string_view name, bool is_union, RecordOrigin origin) const {
  std::optional<uint32_t> found;
  auto [first, last] = record_names_.equal_range(std::string(name));
  for (auto it = first; it != last; ++it) {
    const Record& record = records_[it->second];
    if (record.is_union != is_union || record.origin != origin) continue;
    if (!found || it->second < *found) found = it->second;
  }
  return found;
}

uint32_t TypeTable::add_enum(EnumDef def) {
  enums_.push_back(std::move(def));
  return static_cast<uint32_t>(enums_.size() - 1);
}

Layout TypeTable::layout(TypeId id) const {
  const Type& type = get(id);
  auto plain = [](uint64_t size, uint32_t align) { return Layout{clamp_size(size), align, {}}; };
  auto frames = [&type](uint64_t header) {
    uint64_t frame = type.mode == StackMode::BuildId ? kBuildIdFrame : 8;
    return clamp_size(header + frame * static_cast<uint64_t>(std::max<int64_t>(type.p0, 0)));
  };
  switch (type.kind) {
    case TypeKind::Untyped:
    case TypeKind::Void: return plain(0, 1);
    case TypeKind::Bool: return plain(1, 1);
    case TypeKind::Int: return plain(type.size, std::clamp<uint32_t>(type.size, 1, 8));
    case TypeKind::Enum: {
      uint32_t size = enums_[type.record].size;
      return plain(size, std::clamp<uint32_t>(size, 1, 8));
    }
    case TypeKind::String: return plain(type.size, 1);
    case TypeKind::Buffer: return plain(4ull + type.size, 4);
    case TypeKind::Array: {
      Layout elem = layout(type.elem);
      return plain(uint64_t{elem.size} * type.count, elem.align);
    }
    case TypeKind::Struct: {
      const Record& record = records_[type.record];
      return plain(record.size, std::max<uint32_t>(record.align, 1));
    }
    case TypeKind::Tuple:
    case TypeKind::AnonRecord: {
      Layout out;
      uint64_t offset = 0;
      for (const auto& [name, member] : type.members) {
        Layout inner = layout(member);
        uint32_t align = has_prop(get(member), kTypeBytes) ? 1 : inner.align;
        offset = align_up(offset, align);
        out.offsets.push_back(clamp_size(offset));
        offset += inner.size;
        out.align = std::max(out.align, align);
      }
      out.size = clamp_size(align_up(offset, out.align));
      return out;
    }
    case TypeKind::KStack: return plain(frames(8), 8);
    case TypeKind::UStack: return plain(frames(16), 8);
    case TypeKind::Pointer:
    case TypeKind::KSym:
    case TypeKind::Username:
    case TypeKind::ProbeName: return plain(8, 8);
    case TypeKind::USym:
    case TypeKind::Timestamp:
    case TypeKind::CgroupPath: return plain(16, 8);
    case TypeKind::Inet: return plain(8ull + type.size, 8);
    case TypeKind::MacAddr: return plain(6, 1);
    case TypeKind::Count:
    case TypeKind::Sum: return plain(8, 8);
    case TypeKind::Min:
    case TypeKind::Max: return plain(sizeof(abi::MinMaxValue), 8);
    case TypeKind::Avg:
    case TypeKind::Stats: return plain(sizeof(abi::AvgValue), 8);
    case TypeKind::Hist: return plain(8ull * abi::hist_buckets(static_cast<uint32_t>(std::clamp<int64_t>(type.p0, 0, 5))), 8);
    case TypeKind::LHist: {
      if (type.p2 <= 0 || type.p1 < type.p0) return plain(16, 8);
      // Unsigned: the span of two int64 may not fit an int64.
      uint64_t steps = (static_cast<uint64_t>(type.p1) - static_cast<uint64_t>(type.p0)) / static_cast<uint64_t>(type.p2);
      return plain(steps > kMaxSize / 16 ? kMaxSize : 8 * (steps + 2), 8);
    }
    case TypeKind::TSeries: {
      uint64_t slots = static_cast<uint64_t>(std::clamp<int64_t>(type.p1, 0, 1 << 24));
      return plain(sizeof(abi::TSeriesSlot) * slots, 8);
    }
  }
  return {};
}

}  // namespace btc
