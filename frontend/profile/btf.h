// One BTF blob, read in place: type ids to records, string offsets to names.
//
// libbpf's reader copies the blob, and the one of Debian 12 cannot open a
// module's BTF from memory; this one checks the same things (every record and
// string lies inside its section) and costs a walk. Only the kernel's byte
// order. The inline helpers of <bpf/btf.h> (btf_kind, btf_members ...) work on
// its records.
#pragma once

#include <bpf/btf.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace btc {

class Btf {
 public:
  // Null if `raw` is damaged. Module BTF continues `base`, which must outlive it; so must `raw`.
  static std::unique_ptr<Btf> open(std::string_view raw, const Btf* base);

  const Btf* base() const { return base_; }
  uint32_t first_id() const { return first_id_; }   // 1, or what follows the base's types
  uint32_t end_id() const { return first_id_ + static_cast<uint32_t>(offsets_.size()); }
  // Null for 0 (void) and unknown ids.
  const btf_type* type(uint32_t id) const;
  std::string_view name(uint32_t offset) const;

 private:
  std::string_view types_, strings_;
  const Btf* base_ = nullptr;
  uint32_t first_id_ = 1, first_string_ = 0;
  std::vector<uint32_t> offsets_;
};

}  // namespace btc
