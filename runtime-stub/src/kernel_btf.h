// The running kernel's BTF, read only as far as attaching needs: functions,
// tracepoint typedefs and iterators by name, and names of a function's
// parameters. No types are built; one walk over the raw records indexes them.
#pragma once

#include <cstdint>
#include <linux/btf.h>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime-stub/src/elf_image.h"

namespace btc::rt {

class BtfFile {
 public:
  // `base`: vmlinux, for a module's split BTF.
  static std::unique_ptr<BtfFile> open(const char* path, const BtfFile* base);
  static std::unique_ptr<BtfFile> parse(std::vector<uint8_t> bytes, const BtfFile* base);

  uint32_t first_id() const { return first_; }
  uint32_t end_id() const { return first_ + static_cast<uint32_t>(types_.size()); }
  const btf_type* type(uint32_t id) const;                 // null if there is none
  std::string_view name(const btf_type& type) const { return string(type.name_off); }
  uint32_t find(std::string_view name, uint32_t kind) const;   // own types only; 0: none
  // Parameters of a FUNC: names; "" for unnamed ones.
  std::vector<std::string_view> parameters(uint32_t func_id) const;
  const btf_type* resolve(uint32_t id) const;              // without modifiers and typedefs
  std::string type_text(uint32_t id) const;                // "struct file *", for listings

  // fn(id, type, name) for the own types of a kind, until it returns false.
  template <typename Fn>
  void for_each(uint32_t kind, Fn&& fn) const {
    for (uint32_t id = first_; id < end_id(); ++id) {
      const btf_type* t = type(id);
      if (BTF_INFO_KIND(t->info) == kind && !fn(id, *t, name(*t))) return;
    }
  }

 private:
  bool index();
  std::string_view string(uint32_t offset) const;
  MappedFile mapped_;
  std::string read_;
  std::vector<uint8_t> owned_;
  Bytes bytes_;
  const BtfFile* base_ = nullptr;
  uint32_t first_ = 1, string_base_ = 0;
  Bytes strings_;
  std::vector<uint32_t> types_;                            // offset of each type's record
  // Functions by name, made when many are asked for.
  mutable std::vector<std::pair<std::string_view, uint32_t>> functions_;
  mutable uint32_t function_lookups_ = 0;
};

// The kernel's own; null if it has none. A module's ("ext4"); null if it has none or is not loaded.
const BtfFile* vmlinux_btf();
const BtfFile* module_btf(std::string_view module);
std::vector<std::string> btf_modules();

struct BtfPlace {
  uint32_t id = 0;
  std::string module;                                      // "vmlinux" or the module
  const BtfFile* btf = nullptr;
};
// Where a FUNC is: vmlinux first, then modules. "" if nowhere, else the module's name.
std::string find_btf_function(std::string_view name, BtfPlace* out);
// Descriptor of a module's BTF object, for attach_btf_obj_fd; 0 for vmlinux, -1 on failure. Stays open.
int btf_object_fd(std::string_view module);

}  // namespace btc::rt
