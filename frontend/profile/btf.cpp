#include "frontend/profile/btf.h"

#include <cstring>

namespace btc {
namespace {

constexpr uint16_t kBtfMagic = 0xeb9f;

// What follows the 12 bytes common to all types; false for an unknown kind.
bool tail_size(const btf_type* type, uint64_t* size) {
  uint64_t n = btf_vlen(type);
  switch (btf_kind(type)) {
    case BTF_KIND_INT: *size = 4; return true;
    case BTF_KIND_ARRAY: *size = sizeof(struct btf_array); return true;
    case BTF_KIND_STRUCT: case BTF_KIND_UNION: *size = n * sizeof(struct btf_member); return true;
    case BTF_KIND_ENUM: *size = n * sizeof(struct btf_enum); return true;
    case BTF_KIND_ENUM64: *size = n * sizeof(struct btf_enum64); return true;
    case BTF_KIND_FUNC_PROTO: *size = n * sizeof(struct btf_param); return true;
    case BTF_KIND_DATASEC: *size = n * sizeof(struct btf_var_secinfo); return true;
    case BTF_KIND_VAR: *size = sizeof(struct btf_var); return true;
    case BTF_KIND_DECL_TAG: *size = sizeof(struct btf_decl_tag); return true;
    case BTF_KIND_PTR: case BTF_KIND_FWD: case BTF_KIND_TYPEDEF: case BTF_KIND_VOLATILE: case BTF_KIND_CONST: case BTF_KIND_RESTRICT:
    case BTF_KIND_FUNC: case BTF_KIND_FLOAT: case BTF_KIND_TYPE_TAG: *size = 0; return true;
    default: return false;
  }
}

}  // namespace

std::unique_ptr<Btf> Btf::open(std::string_view raw, const Btf* base) {
  btf_header header;
  if (raw.size() < sizeof(header)) return nullptr;
  std::memcpy(&header, raw.data(), sizeof(header));
  if (header.magic != kBtfMagic || header.version != 1 || header.hdr_len < sizeof(header) || header.hdr_len > raw.size()) return nullptr;
  uint64_t room = raw.size() - header.hdr_len;
  if (header.type_off % 4 != 0 || header.hdr_len % 4 != 0 || uint64_t{header.type_off} + header.type_len > room ||
      uint64_t{header.str_off} + header.str_len > room)
    return nullptr;
  auto btf = std::make_unique<Btf>();
  btf->types_ = raw.substr(header.hdr_len + header.type_off, header.type_len);
  btf->strings_ = raw.substr(header.hdr_len + header.str_off, header.str_len);
  if (!btf->strings_.empty() && btf->strings_.back() != '\0') return nullptr;
  if (base) {
    btf->base_ = base;
    btf->first_id_ = base->end_id();
    btf->first_string_ = base->first_string_ + static_cast<uint32_t>(base->strings_.size());
  }
  btf->offsets_.reserve(btf->types_.size() / 36);
  for (uint64_t at = 0; at < btf->types_.size();) {
    uint64_t left = btf->types_.size() - at, tail = 0;
    const auto* type = reinterpret_cast<const btf_type*>(btf->types_.data() + at);
    if (left < sizeof(btf_type) || !tail_size(type, &tail) || tail > left - sizeof(btf_type)) return nullptr;
    btf->offsets_.push_back(static_cast<uint32_t>(at));
    at += sizeof(btf_type) + tail;
  }
  return btf;
}

const btf_type* Btf::type(uint32_t id) const {
  if (id < first_id_) return base_ ? base_->type(id) : nullptr;
  id -= first_id_;
  return id < offsets_.size() ? reinterpret_cast<const btf_type*>(types_.data() + offsets_[id]) : nullptr;
}

std::string_view Btf::name(uint32_t offset) const {
  if (offset < first_string_) return base_ ? base_->name(offset) : std::string_view();
  offset -= first_string_;
  return offset < strings_.size() ? std::string_view(strings_.data() + offset) : std::string_view();
}

}  // namespace btc
