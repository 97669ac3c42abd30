// The BTF of one kernel: vmlinux and its modules, opened when a name asks for
// them, with an index of names over each.
//
// Where the bytes come from (a profile's parts, /sys/kernel/btf) is the
// BtfProvider's business.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/profile/btf.h"

namespace btc {

class BtfProvider {
 public:
  virtual ~BtfProvider() = default;
  // Raw BTF of "vmlinux" or a module; false if it cannot be had.
  virtual bool load(std::string_view module, std::string_view* out) = 0;
  virtual std::vector<std::string> modules() = 0;      // sorted, without vmlinux
  // Whether the module's own BTF may define the name. True when not known.
  virtual bool may_define(std::string_view module, std::string_view name) = 0;
};

// A type in one of the set's BTFs.
struct BtfRef {
  const Btf* btf = nullptr;
  uint32_t id = 0;
  explicit operator bool() const { return btf != nullptr; }
  friend bool operator==(const BtfRef&, const BtfRef&) = default;
};

class BtfSet {
 public:
  explicit BtfSet(BtfProvider& provider) : provider_(provider) {}
  BtfSet(const BtfSet&) = delete;
  BtfSet& operator=(const BtfSet&) = delete;

  // The `nth` type of this kind and name: vmlinux first, then the modules in order. `module` filters, "" = any.
  // `found_in` gets the module's name, "" for vmlinux.
  BtfRef find(std::string_view name, uint32_t kind, std::string_view module = "", std::string* found_in = nullptr, uint32_t nth = 0);
  // Position of a type among those of its kind and name in its own BTF: 0 for nearly all.
  uint32_t ordinal(BtfRef ref);

  const Btf* vmlinux();
  // Calls fn for every type of vmlinux and all modules (`module` is "" for vmlinux).
  void each(const std::function<void(BtfRef, const btf_type*, const std::string& module)>& fn);
  // The constant of any enum: the enum and the value.
  std::optional<std::pair<BtfRef, int64_t>> find_enum_constant(std::string_view name);

 private:
  // Open addressing over (name hash); entries are type ids, 0 = free.
  struct Unit { std::unique_ptr<Btf> btf; std::vector<uint32_t> slots; };
  Unit* unit(const std::string& module);
  void build_index(Unit& unit);
  BtfRef find_in(Unit& unit, std::string_view name, uint32_t kind, uint32_t* nth);

  BtfProvider& provider_;
  std::map<std::string, Unit, std::less<>> units_;     // key "" = vmlinux
};

// The type behind an id, or null; names never null.
const btf_type* btf_at(BtfRef ref);
std::string_view btf_name(BtfRef ref, uint32_t name_off);
std::string_view btf_type_name(BtfRef ref);
// One value of an enum or enum64.
struct BtfEnumValue { std::string_view name; int64_t value; };
std::vector<BtfEnumValue> btf_enum_values(BtfRef ref);

// The "modules" part of a profile: per module the sorted 16-bit hashes of all names its BTF defines
// (a wrong hit only unpacks a module in vain).
uint32_t name_hash(std::string_view name);
std::string write_module_index(BtfSet& set);
class ModuleIndex {
 public:
  bool open(std::string_view part);
  bool may_define(std::string_view module, std::string_view name) const;
 private:
  std::map<std::string_view, std::string_view, std::less<>> hashes_;
};

}  // namespace btc
