// LLVM 19 declares the structures that are only pointed to in the order of their
// addresses in memory; scripts have few of those, C with the kernel's types
// hundreds. Runs of such declarations are sorted by name here, references follow,
// and the strings come in the order in which types and .BTF.ext mention them. All
// sizes stay as they are.
#include "backend/obj/stable_btf.h"

#include <bpf/btf.h>
#include <elf.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <unordered_map>
#include <vector>

namespace btc::backend {

namespace {

struct Bytes {
  char* data = nullptr;
  size_t size = 0;
  template <typename T>
  T* at(uint64_t offset) const {
    return offset <= size && size - offset >= sizeof(T) ? reinterpret_cast<T*>(data + offset) : nullptr;
  }
};

Bytes find_section(std::string& object, const char* wanted) {
  Bytes file{object.data(), object.size()};
  auto* header = file.at<Elf64_Ehdr>(0);
  if (header == nullptr) return {};
  auto* names = file.at<Elf64_Shdr>(header->e_shoff + uint64_t{header->e_shstrndx} * sizeof(Elf64_Shdr));
  for (uint32_t i = 0; names != nullptr && i < header->e_shnum; ++i) {
    auto* section = file.at<Elf64_Shdr>(header->e_shoff + uint64_t{i} * sizeof(Elf64_Shdr));
    if (section == nullptr || section->sh_offset + section->sh_size > object.size()) return {};
    if (std::strcmp(object.c_str() + names->sh_offset + section->sh_name, wanted) == 0) return {object.data() + section->sh_offset, section->sh_size};
  }
  return {};
}

size_t size_of(const btf_type* type) {
  size_t n = btf_vlen(type);
  switch (btf_kind(type)) {
    case BTF_KIND_INT: case BTF_KIND_VAR: case BTF_KIND_DECL_TAG: return sizeof(btf_type) + 4;
    case BTF_KIND_ARRAY: return sizeof(btf_type) + sizeof(struct btf_array);
    case BTF_KIND_STRUCT: case BTF_KIND_UNION: return sizeof(btf_type) + n * sizeof(struct btf_member);
    case BTF_KIND_ENUM: return sizeof(btf_type) + n * sizeof(struct btf_enum);
    case BTF_KIND_ENUM64: return sizeof(btf_type) + n * sizeof(struct btf_enum64);
    case BTF_KIND_FUNC_PROTO: return sizeof(btf_type) + n * sizeof(struct btf_param);
    case BTF_KIND_DATASEC: return sizeof(btf_type) + n * sizeof(struct btf_var_secinfo);
    default: return sizeof(btf_type);
  }
}

using Visit = std::function<void(uint32_t&)>;

void each_reference(btf_type* type, const Visit& visit) {
  uint32_t n = btf_vlen(type);
  switch (btf_kind(type)) {
    case BTF_KIND_PTR: case BTF_KIND_TYPEDEF: case BTF_KIND_VOLATILE: case BTF_KIND_CONST: case BTF_KIND_RESTRICT: case BTF_KIND_FUNC:
    case BTF_KIND_VAR: case BTF_KIND_DECL_TAG: case BTF_KIND_TYPE_TAG: return visit(type->type);
    case BTF_KIND_ARRAY: return visit(btf_array(type)->type), visit(btf_array(type)->index_type);
    case BTF_KIND_STRUCT: case BTF_KIND_UNION:
      for (uint32_t i = 0; i < n; ++i) visit(btf_members(type)[i].type);
      return;
    case BTF_KIND_FUNC_PROTO:
      visit(type->type);
      for (uint32_t i = 0; i < n; ++i) visit(btf_params(type)[i].type);
      return;
    case BTF_KIND_DATASEC:
      for (uint32_t i = 0; i < n; ++i) visit(btf_var_secinfos(type)[i].type);
      return;
    default: return;
  }
}

void each_name(btf_type* type, const Visit& visit) {
  visit(type->name_off);
  uint32_t n = btf_vlen(type);
  switch (btf_kind(type)) {
    case BTF_KIND_STRUCT: case BTF_KIND_UNION:
      for (uint32_t i = 0; i < n; ++i) visit(btf_members(type)[i].name_off);
      return;
    case BTF_KIND_ENUM:
      for (uint32_t i = 0; i < n; ++i) visit(btf_enum(type)[i].name_off);
      return;
    case BTF_KIND_ENUM64:
      for (uint32_t i = 0; i < n; ++i) visit(btf_enum64(type)[i].name_off);
      return;
    case BTF_KIND_FUNC_PROTO:
      for (uint32_t i = 0; i < n; ++i) visit(btf_params(type)[i].name_off);
      return;
    default: return;
  }
}

// The tables of .BTF.ext: { u32 record size, then per section { u32 name, u32 count, records } }.
// `words`: which words of a record are strings (S) or types (T).
bool each_ext(Bytes ext, uint32_t where, const char* words, const Visit& name, const Visit& type) {
  auto* header = ext.at<uint32_t>(4);
  auto* start = ext.at<uint32_t>(where);
  auto* length = ext.at<uint32_t>(where + 4);
  if (header == nullptr || start == nullptr || length == nullptr || *header < where + 8) return true;   // no such table
  uint64_t at = uint64_t{*header} + *start, end = at + *length;
  auto* record = ext.at<uint32_t>(at);
  if (*length == 0) return true;
  if (end > ext.size || record == nullptr || *record < std::strlen(words) * 4) return false;
  for (at += 4; at + 8 <= end;) {
    name(*ext.at<uint32_t>(at));
    uint32_t count = *ext.at<uint32_t>(at + 4);
    at += 8;
    for (uint32_t i = 0; i < count; ++i, at += *record) {
      if (at + *record > end) return false;
      for (uint32_t w = 0; words[w] != 0; ++w) {
        if (words[w] == 'S') name(*ext.at<uint32_t>(at + w * 4));
        if (words[w] == 'T') type(*ext.at<uint32_t>(at + w * 4));
      }
    }
  }
  return true;
}

constexpr uint32_t kFunctions = 8, kLines = 16, kRelocations = 24;   // where .BTF.ext's header has its tables

}  // namespace

void order_btf(std::string* object) {
  Bytes btf = find_section(*object, ".BTF"), ext = find_section(*object, ".BTF.ext");
  auto* header = btf.at<btf_header>(0);
  if (header == nullptr || uint64_t{header->hdr_len} + header->str_off + header->str_len > btf.size ||
      uint64_t{header->hdr_len} + header->type_off + header->type_len > btf.size)
    return;
  char* strings = btf.data + header->hdr_len + header->str_off;
  std::vector<btf_type*> types{nullptr};
  for (size_t at = header->hdr_len + header->type_off, end = at + header->type_len; at + sizeof(btf_type) <= end;) {
    types.push_back(reinterpret_cast<btf_type*>(btf.data + at));
    at += size_of(types.back());
  }
  // Where a declaration is first mentioned tells those of one name apart.
  std::vector<uint32_t> first(types.size(), UINT32_MAX), moved(types.size());
  uint32_t mentions = 0;
  for (size_t id = 1; id < types.size(); ++id)
    each_reference(types[id], [&](uint32_t& to) {
      if (to < first.size()) first[to] = std::min(first[to], mentions++);
    });
  for (size_t id = 0; id < types.size(); ++id) moved[id] = static_cast<uint32_t>(id);
  for (size_t id = 1; id < types.size();) {
    size_t end = id;
    while (end < types.size() && btf_is_fwd(types[end])) ++end;
    std::vector<std::pair<uint32_t, btf_type>> run;
    for (size_t i = id; i < end; ++i) run.emplace_back(i, *types[i]);
    std::sort(run.begin(), run.end(), [&](const auto& a, const auto& b) {
      int order = std::strcmp(strings + a.second.name_off, strings + b.second.name_off);
      return order != 0 ? order < 0 : first[a.first] < first[b.first];
    });
    for (size_t i = 0; i < run.size(); ++i) {
      moved[run[i].first] = static_cast<uint32_t>(id + i);
      *types[id + i] = run[i].second;
    }
    id = std::max(end, id + 1);
  }
  Visit move = [&](uint32_t& id) {
    if (id < moved.size()) id = moved[id];
  };
  for (size_t id = 1; id < types.size(); ++id) each_reference(types[id], move);

  std::string table(1, '\0');
  std::unordered_map<std::string_view, uint32_t> known{{"", 0}};
  Visit intern = [&](uint32_t& name) {
    if (name >= header->str_len) return;
    std::string_view text(strings + name);
    auto [place, fresh] = known.try_emplace(text, static_cast<uint32_t>(table.size()));
    if (fresh) table.append(text).push_back('\0');
    name = place->second;
  };
  for (size_t id = 1; id < types.size(); ++id) each_name(types[id], intern);
  each_ext(ext, kFunctions, ".T", intern, move);
  each_ext(ext, kLines, ".SS.", intern, move);
  each_ext(ext, kRelocations, ".TS.", intern, move);
  table.resize(header->str_len, '\0');   // it cannot have grown: each text is there once
  std::memcpy(strings, table.data(), table.size());
}

}  // namespace btc::backend
