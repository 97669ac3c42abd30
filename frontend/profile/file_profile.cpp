#include "frontend/profile/file_profile.h"

#include "frontend/profile/container.h"
#include "frontend/profile/records.h"
#include "frontend/support/sha256.h"

namespace btc {
namespace {

class FileProfile : public BtfProfile {
 public:
  bool open(std::string owned, std::string_view bytes, std::string hash, std::string* error) {
    owned_ = std::move(owned);
    bytes_ = owned_.empty() ? bytes : std::string_view(owned_);
    hash_ = std::move(hash);
    std::string_view meta;
    if (!container_.open(bytes_, error) || !container_.part("meta", &meta, error)) return false;
    release_ = value_of(meta, "release=");
    arch_ = value_of(meta, "arch=");
    for (std::string_view name : container_.names())
      if (name.starts_with("btf/") && name != "btf/vmlinux") modules_.emplace_back(name.substr(4));
    return true;
  }

  std::string release() const override { return release_; }
  std::string arch() const override { return arch_; }
  bool has_types() override { return container_.has("btf/vmlinux"); }
  std::string hash() const override {
    if (hash_.empty()) hash_ = sha256_hex(bytes_);
    return hash_;
  }

 protected:
  bool load(std::string_view module, std::string_view* out) override {
    std::string error;
    return container_.part("btf/" + std::string(module), out, &error);
  }
  std::vector<std::string> modules() override { return modules_; }
  bool may_define(std::string_view module, std::string_view name) override {
    if (!module_index_open_) {
      module_index_open_ = true;
      std::string error;
      std::string_view part;
      if (container_.part("modules", &part, &error)) module_index_.open(part);
    }
    return module_index_.may_define(module, name);
  }

  const std::vector<std::string>& record_names() override {
    if (!records_open_) {
      records_open_ = true;
      std::string error;
      std::string_view part;
      if (container_.part("records", &part, &error) && records_.open(part))
        for (size_t i = 0; i < records_.size(); ++i) record_names_.emplace_back(records_.name(i));
    }
    return record_names_;
  }
  bool read_record(size_t index, TracepointRecord* out) override { return records_.read(index, out); }

 private:
  static std::string value_of(std::string_view meta, std::string_view key) {
    size_t at = meta.find(key);
    if (at == std::string_view::npos) return "";
    meta.remove_prefix(at + key.size());
    return std::string(meta.substr(0, meta.find('\n')));
  }

  std::string owned_;
  std::string_view bytes_;
  Container container_;
  std::string release_, arch_;
  mutable std::string hash_;
  std::vector<std::string> modules_, record_names_;
  ModuleIndex module_index_;
  RecordIndex records_;
  bool module_index_open_ = false, records_open_ = false;
};

}  // namespace

std::unique_ptr<Profile> open_profile_bytes(std::string owned, std::string_view bytes, std::string hash, std::string* error) {
  auto profile = std::make_unique<FileProfile>();
  if (!profile->open(std::move(owned), bytes, std::move(hash), error)) return nullptr;
  return profile;
}

}  // namespace btc
