// Walks raw BTF; see kernel_btf.h.
#include "runtime-stub/src/kernel_btf.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "runtime-stub/src/sys.h"

namespace btc::rt {
namespace {

// Bytes after struct btf_type, by kind (BTF_KIND_MAX is 19: ENUM64, 6.0). -1: unknown kind.
int tail_bytes(uint32_t info) {
  uint32_t count = BTF_INFO_VLEN(info);
  switch (BTF_INFO_KIND(info)) {
    case BTF_KIND_INT: case BTF_KIND_VAR: case BTF_KIND_DECL_TAG: return 4;
    case BTF_KIND_ARRAY: return 12;
    case BTF_KIND_STRUCT: case BTF_KIND_UNION: case BTF_KIND_DATASEC: case BTF_KIND_ENUM64: return static_cast<int>(count * 12);
    case BTF_KIND_ENUM: case BTF_KIND_FUNC_PROTO: return static_cast<int>(count * 8);
    case BTF_KIND_PTR: case BTF_KIND_FWD: case BTF_KIND_TYPEDEF: case BTF_KIND_VOLATILE: case BTF_KIND_CONST:
    case BTF_KIND_RESTRICT: case BTF_KIND_FUNC: case BTF_KIND_FLOAT: case BTF_KIND_TYPE_TAG: return 0;
    default: return -1;
  }
}

}  // namespace

std::unique_ptr<BtfFile> BtfFile::open(const char* path, const BtfFile* base) {
  std::unique_ptr<BtfFile> file(new BtfFile);
  file->base_ = base;
  if (file->mapped_.open(path)) {                           // sysfs BTF can be mapped from 6.16 on
    file->bytes_ = file->mapped_.bytes();
  } else {
    if (!read_whole_file(path, &file->read_)) return nullptr;
    file->bytes_ = {reinterpret_cast<const uint8_t*>(file->read_.data()), file->read_.size()};
  }
  return file->index() ? std::move(file) : nullptr;
}

std::unique_ptr<BtfFile> BtfFile::parse(std::vector<uint8_t> bytes, const BtfFile* base) {
  std::unique_ptr<BtfFile> file(new BtfFile);
  file->base_ = base;
  file->owned_ = std::move(bytes);
  file->bytes_ = Bytes(file->owned_);
  return file->index() ? std::move(file) : nullptr;
}

bool BtfFile::index() {
  btf_header header;
  if (bytes_.size() < sizeof header) return false;
  memcpy(&header, bytes_.data(), sizeof header);
  uint64_t types = uint64_t{header.hdr_len} + header.type_off, strings = uint64_t{header.hdr_len} + header.str_off;
  if (header.magic != BTF_MAGIC || types + header.type_len > bytes_.size() || strings + header.str_len > bytes_.size()) return false;
  strings_ = bytes_.subspan(strings, header.str_len);
  if (base_ != nullptr) {
    first_ = base_->end_id();
    string_base_ = static_cast<uint32_t>(base_->strings_.size());
  }
  uint64_t at = types, end = types + header.type_len;
  while (at + sizeof(btf_type) <= end) {
    auto* type = reinterpret_cast<const btf_type*>(bytes_.data() + at);
    int tail = tail_bytes(type->info);
    if (tail < 0) return false;
    types_.push_back(static_cast<uint32_t>(at));
    at += sizeof(btf_type) + static_cast<uint32_t>(tail);
    if (at > end) return false;
  }
  return true;
}

const btf_type* BtfFile::type(uint32_t id) const {
  if (id < first_) return base_ != nullptr ? base_->type(id) : nullptr;
  if (id - first_ >= types_.size()) return nullptr;
  return reinterpret_cast<const btf_type*>(bytes_.data() + types_[id - first_]);
}

std::string_view BtfFile::string(uint32_t offset) const {
  if (offset < string_base_) return base_->string(offset);
  return ElfImage::string_at(strings_, offset - string_base_);
}

uint32_t BtfFile::find(std::string_view wanted, uint32_t kind) const {
  uint32_t found = 0;
  constexpr uint32_t kFewLookups = 4;
  if (kind == BTF_KIND_FUNC && ++function_lookups_ > kFewLookups) {
    if (functions_.empty()) {
      for_each(kind, [&](uint32_t id, const btf_type&, std::string_view name) {
        functions_.emplace_back(name, id);
        return true;
      });
      std::sort(functions_.begin(), functions_.end());
    }
    auto at = std::lower_bound(functions_.begin(), functions_.end(), std::pair<std::string_view, uint32_t>(wanted, 0));
    return at != functions_.end() && at->first == wanted ? at->second : 0;
  }
  for_each(kind, [&](uint32_t id, const btf_type&, std::string_view name) {
    if (name != wanted) return true;
    found = id;
    return false;
  });
  return found;
}

const btf_type* BtfFile::resolve(uint32_t id) const {
  for (int depth = 0; depth < 32; ++depth) {
    const btf_type* t = type(id);
    if (t == nullptr) return nullptr;
    switch (BTF_INFO_KIND(t->info)) {
      case BTF_KIND_TYPEDEF: case BTF_KIND_VOLATILE: case BTF_KIND_CONST: case BTF_KIND_RESTRICT: case BTF_KIND_TYPE_TAG: id = t->type; break;
      default: return t;
    }
  }
  return nullptr;
}

std::vector<std::string_view> BtfFile::parameters(uint32_t func_id) const {
  std::vector<std::string_view> names;
  const btf_type* func = type(func_id);
  const btf_type* proto = func != nullptr ? resolve(func->type) : nullptr;
  if (proto != nullptr && BTF_INFO_KIND(proto->info) == BTF_KIND_PTR) proto = resolve(proto->type);
  if (proto == nullptr || BTF_INFO_KIND(proto->info) != BTF_KIND_FUNC_PROTO) return names;
  auto* params = reinterpret_cast<const btf_param*>(proto + 1);
  for (uint32_t i = 0; i < BTF_INFO_VLEN(proto->info); ++i) names.push_back(string(params[i].name_off));
  return names;
}

std::string BtfFile::type_text(uint32_t id) const {
  if (id == 0) return "void";
  const btf_type* t = type(id);
  if (t == nullptr) return "?";
  switch (BTF_INFO_KIND(t->info)) {
    case BTF_KIND_PTR: {
      std::string inner = type_text(t->type);
      return cat(inner, inner.ends_with('*') ? "*" : " *");
    }
    case BTF_KIND_CONST: return cat("const ", type_text(t->type));
    case BTF_KIND_VOLATILE: case BTF_KIND_RESTRICT: case BTF_KIND_TYPE_TAG: return type_text(t->type);
    case BTF_KIND_STRUCT: return cat("struct ", name(*t));
    case BTF_KIND_UNION: return cat("union ", name(*t));
    case BTF_KIND_ENUM: case BTF_KIND_ENUM64: return cat("enum ", name(*t));
    case BTF_KIND_FWD: return cat(BTF_INFO_KFLAG(t->info) ? "union " : "struct ", name(*t));
    case BTF_KIND_ARRAY: {
      auto* array = reinterpret_cast<const btf_array*>(t + 1);
      return cat(type_text(array->type), "[", array->nelems, "]");
    }
    case BTF_KIND_FUNC_PROTO: return "void (*)()";
    default: return std::string(name(*t));
  }
}

const BtfFile* vmlinux_btf() {
  static const std::unique_ptr<BtfFile> btf = [] {
    const char* given = ::getenv("BPFTRACE_BTF");
    return BtfFile::open(given != nullptr ? given : "/sys/kernel/btf/vmlinux", nullptr);
  }();
  return btf.get();
}

const BtfFile* module_btf(std::string_view module) {
  static std::vector<std::pair<std::string, std::unique_ptr<BtfFile>>> open_ones;
  if (module.empty() || module == "vmlinux") return vmlinux_btf();
  for (const auto& [name, btf] : open_ones)
    if (name == module) return btf.get();
  std::unique_ptr<BtfFile> btf;
  if (vmlinux_btf() != nullptr) btf = BtfFile::open(cat("/sys/kernel/btf/", module).c_str(), vmlinux_btf());
  open_ones.emplace_back(module, std::move(btf));
  return open_ones.back().second.get();
}

std::vector<std::string> btf_modules() {
  std::vector<std::string> names = list_folder("/sys/kernel/btf");
  std::erase(names, "vmlinux");
  return names;
}

std::string find_btf_function(std::string_view name, BtfPlace* out) {
  auto look_in = [&](const std::string& module) {
    const BtfFile* btf = module_btf(module);
    uint32_t id = btf != nullptr ? btf->find(name, BTF_KIND_FUNC) : 0;
    if (id != 0 && out != nullptr) *out = {id, module, btf};
    return id != 0;
  };
  if (look_in("vmlinux")) return "vmlinux";
  for (const std::string& module : btf_modules())
    if (look_in(module)) return module;
  return {};
}

int btf_object_fd(std::string_view module) {
  if (module.empty() || module == "vmlinux") return 0;
  static std::vector<std::pair<std::string, int>> known;
  for (const auto& [name, fd] : known)
    if (name == module) return fd;
  uint32_t id = 0;
  while (sys::next_id(BPF_BTF_GET_NEXT_ID, id, &id) >= 0) {
    int fd = sys::btf_get_fd(id);
    if (fd < 0) continue;
    char name[64] = {};
    bpf_btf_info info;
    memset(&info, 0, sizeof info);
    info.name = reinterpret_cast<uint64_t>(name);
    info.name_len = sizeof name;
    if (sys::info(fd, &info, sizeof info) >= 0 && info.kernel_btf && module == name) {
      known.emplace_back(module, fd);
      return fd;
    }
    Fd closing(fd);
  }
  return -1;
}

}  // namespace btc::rt
