// The lattice of type resolution (docs/types.md): join, compatibility and the
// two properties that only matter while types are being inferred.
//
// While bodies are inferred an integer type may carry
//   - flexible sign: it comes from a non-negative literal and adapts,
//   - an address space: it holds an address read from a probe's arguments
//     (records and arrays carry the space they lie in),
//   - a clock: it is a reading of nsecs(clock).
// They live in members of `Type` that finished integers do not use, so such
// types are interned like any other; `settle` takes them off.
#pragma once

#include <optional>
#include <unordered_map>

#include "frontend/types/types.h"

namespace btc::sema {

enum ClockMode : uint32_t { kClockBoot = 0, kClockMonotonic = 1, kClockTai = 2, kClockSwTai = 3 };

class Lattice {
 public:
  explicit Lattice(TypeTable& types);

  TypeId error() const { return error_; }            // silences follow-up messages
  bool unknown(TypeId type) const { return !type || type == error_; }

  TypeId literal(uint64_t value, bool negative);     // smallest signed type; flexible if not negative
  TypeId with_space(TypeId type, AddrSpace space);   // integers, pointers, records, arrays; others unchanged
  TypeId with_clock(TypeId type, uint32_t clock);
  AddrSpace space_of(TypeId type) const;
  uint32_t clock_of(TypeId type) const;
  bool is_flexible(TypeId type) const;

  TypeId settle(TypeId type);                        // without flexible signs, clocks and spaces of integers, at any depth
  bool same(TypeId a, TypeId b) { return settle(a) == settle(b); }

  // Least type that holds both; nothing if there is none. An unknown side gives the other one.
  std::optional<TypeId> join(TypeId current, TypeId added);
  bool compatible(TypeId a, TypeId b);
  bool fits(TypeId from, TypeId to);                 // without loss

  bool is_int(TypeId type) const;                    // Int or Enum
  bool is_signed(TypeId type) const;
  uint32_t int_bytes(TypeId type) const;
  bool is(TypeId type, TypeKind kind) const { return type && type != error_ && types_[type].kind == kind; }
  bool castable(TypeId type) const { return type && has_prop(types_[type], kTypeCastable); }
  bool aggregation(TypeId type) const { return type && has_prop(types_[type], kTypeAggregation); }
  TypeId castable_value(TypeId aggregation);         // int64 or uint64

 private:
  TypeId join_int(TypeId a, TypeId b);
  std::optional<TypeId> join_same_kind(TypeId a, TypeId b);

  TypeTable& types_;
  TypeId error_;
  std::unordered_map<uint32_t, TypeId> settled_;
};

}  // namespace btc::sema
