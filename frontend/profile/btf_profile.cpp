#include "frontend/profile/btf_profile.h"

#include <algorithm>
#include <set>

#include "runtime-stub/abi/attach_point.h"

namespace btc {
namespace {

std::optional<TypeId> if_typed(TypeId id) { return id ? std::optional(id) : std::nullopt; }

}  // namespace

std::optional<TypeId> BtfProfile::find_struct(TypeTable& types, std::string_view name, bool is_union) {
  return converter_.record(types, name, is_union);
}

std::optional<TypeId> BtfProfile::find_typedef(TypeTable& types, std::string_view name) {
  // Plain integers (`char`, `long unsigned int`) are found the same way.
  for (uint32_t kind : {BTF_KIND_TYPEDEF, BTF_KIND_INT})
    if (BtfRef ref = set_.find(name, kind)) return if_typed(converter_.convert(types, ref));
  return std::nullopt;
}

std::optional<TypeId> BtfProfile::find_enum(TypeTable& types, std::string_view name) {
  BtfRef ref = set_.find(name, BTF_KIND_ENUM);
  return ref ? if_typed(converter_.convert(types, ref)) : std::nullopt;
}

std::optional<TypeId> BtfProfile::find_c_type(TypeTable& types, std::string_view text, AddrSpace space) {
  return converter_.parse_c(types, text, space);
}

std::optional<TypeId> BtfProfile::find_variable(TypeTable& types, std::string_view name) {
  BtfRef ref = set_.find(name, BTF_KIND_VAR);
  return ref ? if_typed(converter_.convert(types, ref)) : std::nullopt;
}

std::optional<std::pair<TypeId, int64_t>> BtfProfile::find_enum_constant(TypeTable& types, std::string_view name) {
  auto found = set_.find_enum_constant(name);
  if (!found) return std::nullopt;
  TypeId type = converter_.convert(types, found->first);
  if (!type) return std::nullopt;
  if (types[type].kind != TypeKind::Enum) type = converter_.nameless_enum(types, found->first, btf_enum_values(found->first)[0].name);
  return std::pair{type, found->second};
}

std::string_view BtfProfile::vmlinux_btf() {
  std::string_view raw;
  return load("vmlinux", &raw) ? raw : std::string_view();
}

void BtfProfile::complete(TypeTable& types, uint32_t record) { converter_.complete(types, record); }

std::vector<const TracepointRecord*> BtfProfile::match_tracepoints(std::string_view category, std::string_view event) {
  std::vector<const TracepointRecord*> out;
  const std::vector<std::string>& names = record_names();
  size_t begin = 0, end = names.size();
  bool exact = category.find('*') == std::string_view::npos && event.find('*') == std::string_view::npos;
  if (exact) {
    std::string key = std::string(category) + ":" + std::string(event);
    begin = static_cast<size_t>(std::lower_bound(names.begin(), names.end(), key) - names.begin());
    end = begin < names.size() && names[begin] == key ? begin + 1 : begin;
  }
  for (size_t i = begin; i < end; ++i) {
    std::string_view name = names[i];
    size_t colon = name.find(':');
    if (colon == std::string_view::npos) continue;
    if (!exact && (!abi::wildcard_match(category, name.substr(0, colon)) || !abi::wildcard_match(event, name.substr(colon + 1)))) continue;
    auto it = records_.find(i);
    if (it == records_.end()) {
      TracepointRecord record;
      if (!read_record(i, &record)) continue;
      it = records_.emplace(i, std::move(record)).first;
    }
    out.push_back(&it->second);
  }
  return out;
}

std::vector<std::string> BtfProfile::names(std::string_view kind) {
  if (kind == "tracepoint") return record_names();
  struct Row { std::string_view kind; uint32_t btf_kinds[2]; std::string_view prefix; };
  static constexpr Row kRows[] = {
      {"struct", {BTF_KIND_STRUCT, BTF_KIND_UNION}, ""}, {"enum", {BTF_KIND_ENUM, BTF_KIND_ENUM64}, ""},
      {"typedef", {BTF_KIND_TYPEDEF, BTF_KIND_TYPEDEF}, ""}, {"function", {BTF_KIND_FUNC, BTF_KIND_FUNC}, ""},
      {"rawtracepoint", {BTF_KIND_TYPEDEF, BTF_KIND_TYPEDEF}, "btf_trace_"}, {"iter", {BTF_KIND_STRUCT, BTF_KIND_STRUCT}, "bpf_iter__"}};
  std::set<std::string> out;
  for (const Row& row : kRows) {
    if (row.kind != kind) continue;
    set_.each([&](BtfRef ref, const btf_type* type, const std::string&) {
      if (type->name_off == 0 || (btf_kind(type) != row.btf_kinds[0] && btf_kind(type) != row.btf_kinds[1])) return;
      std::string_view name = btf_name(ref, type->name_off);
      if (name.starts_with(row.prefix) && !name.ends_with("__safe_trusted")) out.emplace(name.substr(row.prefix.size()));
    });
  }
  return {out.begin(), out.end()};
}

}  // namespace btc
