#include "frontend/profile/btf_set.h"

#include <algorithm>
#include <set>

#include "frontend/profile/container.h"

namespace btc {
namespace {

// Kinds that are looked up by name.
bool is_named_kind(uint32_t kind) {
  switch (kind) {
    case BTF_KIND_STRUCT: case BTF_KIND_UNION: case BTF_KIND_ENUM: case BTF_KIND_ENUM64:
    case BTF_KIND_TYPEDEF: case BTF_KIND_FUNC: case BTF_KIND_INT: case BTF_KIND_VAR: return true;
    default: return false;
  }
}

// enum and enum64 answer to one question.
uint32_t lookup_kind(uint32_t kind) { return kind == BTF_KIND_ENUM64 ? uint32_t{BTF_KIND_ENUM} : kind; }

}  // namespace

const btf_type* btf_at(BtfRef ref) { return ref.btf ? ref.btf->type(ref.id) : nullptr; }

std::string_view btf_name(BtfRef ref, uint32_t name_off) {
  return ref.btf->name(name_off);
}
std::string_view btf_type_name(BtfRef ref) {
  const btf_type* type = btf_at(ref);
  return type ? btf_name(ref, type->name_off) : "";
}

std::vector<BtfEnumValue> btf_enum_values(BtfRef ref) {
  std::vector<BtfEnumValue> out;
  const btf_type* type = btf_at(ref);
  if (!type) return out;
  if (btf_is_enum(type)) {
    const struct btf_enum* value = btf_enum(type);
    bool is_signed = btf_kflag(type);  // not recorded before 6.0: unsigned
    for (int i = 0; i < btf_vlen(type); ++i, ++value) out.push_back({btf_name(ref, value->name_off), is_signed ? int64_t{value->val} : int64_t{static_cast<uint32_t>(value->val)}});
  } else if (btf_is_enum64(type)) {
    const struct btf_enum64* value = btf_enum64(type);
    for (int i = 0; i < btf_vlen(type); ++i, ++value)
      out.push_back({btf_name(ref, value->name_off), static_cast<int64_t>(btf_enum64_value(value))});
  }
  return out;
}

uint32_t name_hash(std::string_view name) {
  uint32_t hash = 2166136261u;
  for (char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619u;
  return hash ^ (hash >> 15);
}

BtfSet::Unit* BtfSet::unit(const std::string& module) {
  auto it = units_.find(module);
  if (it == units_.end()) {
    it = units_.emplace(module, Unit{}).first;
    Unit& unit = it->second;
    std::string_view raw;
    if (module.empty()) {
      if (provider_.load("vmlinux", &raw)) unit.btf = Btf::open(raw, nullptr);
    } else if (Unit* base = this->unit(""); base && provider_.load(module, &raw)) {
      unit.btf = Btf::open(raw, base->btf.get());
    }
    if (unit.btf) build_index(unit);
  }
  return it->second.btf ? &it->second : nullptr;
}

void BtfSet::build_index(Unit& unit) {
  uint32_t first = unit.btf->first_id(), end = unit.btf->end_id(), size = 64;
  while (size < 2 * (end - first)) size *= 2;
  unit.slots.assign(size, 0);
  for (uint32_t id = first; id < end; ++id) {
    const btf_type* type = unit.btf->type(id);
    if (type->name_off == 0 || !is_named_kind(btf_kind(type))) continue;
    uint32_t slot = name_hash(unit.btf->name(type->name_off)) & (size - 1);
    while (unit.slots[slot] != 0) slot = (slot + 1) & (size - 1);
    unit.slots[slot] = id;
  }
}

// Ids were inserted in ascending order, so equal names are met in that order too.
BtfRef BtfSet::find_in(Unit& unit, std::string_view name, uint32_t kind, uint32_t* nth) {
  uint32_t mask = static_cast<uint32_t>(unit.slots.size()) - 1;
  for (uint32_t slot = name_hash(name) & mask; unit.slots[slot] != 0; slot = (slot + 1) & mask) {
    BtfRef ref{unit.btf.get(), unit.slots[slot]};
    const btf_type* type = btf_at(ref);
    if (lookup_kind(btf_kind(type)) != lookup_kind(kind) || btf_name(ref, type->name_off) != name) continue;
    if ((*nth)-- == 0) return ref;
  }
  return {};
}

BtfRef BtfSet::find(std::string_view name, uint32_t kind, std::string_view module, std::string* found_in, uint32_t nth) {
  if (name.empty()) return {};
  bool want_vmlinux = module.empty() || module == "vmlinux";
  if (want_vmlinux) {
    if (Unit* u = unit("")) {
      if (BtfRef ref = find_in(*u, name, kind, &nth)) {
        if (found_in) found_in->clear();
        return ref;
      }
    }
    if (module == "vmlinux") return {};
  }
  for (const std::string& candidate : provider_.modules()) {
    if ((!module.empty() && module != candidate) || !provider_.may_define(candidate, name)) continue;
    Unit* u = unit(candidate);
    if (!u) continue;
    if (BtfRef ref = find_in(*u, name, kind, &nth)) {
      if (found_in) *found_in = candidate;
      return ref;
    }
  }
  return {};
}

uint32_t BtfSet::ordinal(BtfRef ref) {
  const btf_type* type = btf_at(ref);
  if (!type || type->name_off == 0) return 0;
  for (auto& [module, unit] : units_) {
    if (unit.btf.get() != ref.btf) continue;
    uint32_t mask = static_cast<uint32_t>(unit.slots.size()) - 1, before = 0;
    std::string_view name = btf_name(ref, type->name_off);
    for (uint32_t slot = name_hash(name) & mask; unit.slots[slot] != 0; slot = (slot + 1) & mask) {
      if (unit.slots[slot] == ref.id) return before;
      BtfRef other{unit.btf.get(), unit.slots[slot]};
      const btf_type* other_type = btf_at(other);
      if (btf_kind(other_type) == btf_kind(type) && btf_name(other, other_type->name_off) == name) ++before;
    }
  }
  return 0;
}

const Btf* BtfSet::vmlinux() {
  Unit* u = unit("");
  return u ? u->btf.get() : nullptr;
}

void BtfSet::each(const std::function<void(BtfRef, const btf_type*, const std::string&)>& fn) {
  auto walk = [&](const std::string& module) {
    Unit* u = unit(module);
    if (!u) return;
    for (uint32_t id = u->btf->first_id(), end = u->btf->end_id(); id < end; ++id) fn({u->btf.get(), id}, u->btf->type(id), module);
  };
  walk("");
  for (const std::string& module : provider_.modules()) walk(module);
}

std::optional<std::pair<BtfRef, int64_t>> BtfSet::find_enum_constant(std::string_view name) {
  auto search = [&](Unit* u) -> std::optional<std::pair<BtfRef, int64_t>> {
    if (!u) return std::nullopt;
    for (uint32_t id = u->btf->first_id(), end = u->btf->end_id(); id < end; ++id) {
      BtfRef ref{u->btf.get(), id};
      if (!btf_is_any_enum(btf_at(ref))) continue;
      for (const BtfEnumValue& value : btf_enum_values(ref))
        if (value.name == name) return std::pair{ref, value.value};
    }
    return std::nullopt;
  };
  if (auto found = search(unit(""))) return found;
  for (const std::string& module : provider_.modules())
    if (provider_.may_define(module, name))
      if (auto found = search(unit(module))) return found;
  return std::nullopt;
}

// Layout: u32 module count; per module u32 name length, name, u32 hash count, hashes.
std::string write_module_index(BtfSet& set) {
  std::map<std::string, std::set<uint16_t>> hashes;
  set.each([&](BtfRef ref, const btf_type* type, const std::string& module) {
    if (module.empty()) return;
    std::set<uint16_t>& of_module = hashes[module];
    if (type->name_off != 0 && is_named_kind(btf_kind(type))) of_module.insert(static_cast<uint16_t>(name_hash(btf_name(ref, type->name_off))));
    for (const BtfEnumValue& value : btf_enum_values(ref)) of_module.insert(static_cast<uint16_t>(name_hash(value.name)));
  });
  std::string out;
  put_u32(out, static_cast<uint32_t>(hashes.size()));
  for (const auto& [module, of_module] : hashes) {
    put_u32(out, static_cast<uint32_t>(module.size()));
    out += module;
    put_u32(out, static_cast<uint32_t>(of_module.size()));
    for (uint16_t hash : of_module) {
      out += static_cast<char>(hash);
      out += static_cast<char>(hash >> 8);
    }
  }
  return out;
}

bool ModuleIndex::open(std::string_view part) {
  if (part.size() < 4) return false;
  uint32_t count = get_u32(part.data());
  part.remove_prefix(4);
  for (uint32_t i = 0; i < count; ++i) {
    if (part.size() < 4) return false;
    uint32_t length = get_u32(part.data());
    if (length > part.size() - 4 || part.size() - 4 - length < 4) return false;
    std::string_view name = part.substr(4, length);
    part.remove_prefix(4 + length);
    uint64_t bytes = uint64_t{get_u32(part.data())} * 2;
    if (bytes > part.size() - 4) return false;
    hashes_[name] = part.substr(4, bytes);
    part.remove_prefix(4 + bytes);
  }
  return true;
}

bool ModuleIndex::may_define(std::string_view module, std::string_view name) const {
  auto it = hashes_.find(module);
  if (it == hashes_.end()) return true;
  auto want = static_cast<uint16_t>(name_hash(name));
  size_t low = 0, high = it->second.size() / 2;
  while (low < high) {
    size_t middle = (low + high) / 2;
    auto hash = static_cast<uint16_t>(static_cast<uint8_t>(it->second[middle * 2]) | static_cast<uint8_t>(it->second[middle * 2 + 1]) << 8);
    if (hash == want) return true;
    if (hash < want) low = middle + 1; else high = middle;
  }
  return false;
}

}  // namespace btc
