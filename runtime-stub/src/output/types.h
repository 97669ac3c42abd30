// The manifest's types, checked once and kept in a form that is cheap to walk.
//
// `load` verifies everything that readers of values rely on: every index is in
// range, every member lies inside its parent, nesting is bounded. So a `Value`
// with at least `size` bytes can be read without further checks.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "manifest_generated.h"

namespace btc::rt {

namespace fb = btc::abi::fb;
using Kind = fb::TypeKind;

struct Member {
  std::string_view name;
  uint32_t type = 0;
  uint32_t offset = 0;
  uint16_t bit_offset = 0, bit_size = 0;
};

struct TypeInfo {
  Kind kind{};
  bool is_signed = false;
  uint8_t stack_mode = 0;      // StackMode
  uint32_t size = 0;
  uint32_t elem = 0;
  uint32_t count = 0;
  std::vector<Member> members;
  const fb::Enum* enum_def = nullptr;
  int64_t p0 = 0, p1 = 0, p2 = 0;
};

enum class StackMode : uint8_t { Bpftrace, Perf, Raw, BuildId };

class Types {
 public:
  // False: the manifest is damaged; `error` says where.
  bool load(const fb::Manifest& manifest, const char** error);
  const TypeInfo& operator[](uint32_t index) const { return types_[index]; }
  uint32_t size() const { return static_cast<uint32_t>(types_.size()); }

 private:
  int height(uint32_t index);
  std::vector<TypeInfo> types_;
  std::vector<int> heights_;   // 0: not looked at yet; -1: being looked at; else levels of nesting
};

// A value in memory: at least `type->size` bytes at `data`.
struct Value {
  const TypeInfo* type = nullptr;
  const uint8_t* data = nullptr;
};

template <typename T>
T read_as(const uint8_t* data) {
  T value;
  std::memcpy(&value, data, sizeof value);
  return value;
}
// An integer of 1, 2, 4 or 8 bytes, extended to 64 bits by its sign.
uint64_t read_int(const uint8_t* data, uint32_t size, bool is_signed);
// A bitfield, extended likewise.
uint64_t read_bits(const uint8_t* record, const Member& member, const TypeInfo& type);

inline bool is_aggregation(Kind kind) { return kind >= Kind::Count; }
inline bool is_multi_row(Kind kind) { return kind == Kind::Hist || kind == Kind::LHist || kind == Kind::TSeries; }

}  // namespace btc::rt
