// What all profiles share: names answered from a BtfSet. Where BTF and records
// come from is left to file_profile.cpp and host_profile.cpp.
#pragma once

#include <map>

#include "frontend/profile/btf_set.h"
#include "frontend/profile/btf_source.h"
#include "frontend/profile/profile.h"

namespace btc {

class BtfProfile : public Profile, protected BtfProvider {
 public:
  BtfProfile() : set_(*this), converter_(set_) {}

  std::optional<TypeId> find_struct(TypeTable& types, std::string_view name, bool is_union) override;
  std::optional<TypeId> find_typedef(TypeTable& types, std::string_view name) override;
  std::optional<TypeId> find_enum(TypeTable& types, std::string_view name) override;
  std::optional<TypeId> find_c_type(TypeTable& types, std::string_view text, AddrSpace space) override;
  std::optional<TypeId> find_variable(TypeTable& types, std::string_view name) override;
  std::optional<std::pair<TypeId, int64_t>> find_enum_constant(TypeTable& types, std::string_view name) override;
  void complete(TypeTable& types, uint32_t record) override;

  // functions.cpp
  std::optional<FunctionProto> find_function(TypeTable& types, std::string_view name, std::string_view module) override;
  std::vector<std::string> match_functions(std::string_view pattern) override;
  std::optional<FunctionProto> find_raw_tracepoint(TypeTable& types, std::string_view event) override;
  std::optional<TypeId> find_iter_context(TypeTable& types, std::string_view object) override;

  std::vector<const TracepointRecord*> match_tracepoints(std::string_view category, std::string_view event) override;
  std::vector<std::string> names(std::string_view kind) override;
  std::string_view vmlinux_btf() override;

 protected:
  // "category:event" of all records, sorted; and one of them by its position.
  virtual const std::vector<std::string>& record_names() = 0;
  virtual bool read_record(size_t index, TracepointRecord* out) = 0;

  BtfSet set_;

 private:
  std::optional<FunctionProto> proto(TypeTable& types, BtfRef function, std::string record_name, std::string module, bool skip_first);

  BtfTypes converter_;
  std::map<size_t, TracepointRecord> records_;
};

}  // namespace btc
