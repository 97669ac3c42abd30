#include "frontend/cdefs/prelude.h"

#include <fmt/format.h>

#include "frontend/cdefs/virtual_files.h"

namespace btc {
namespace {

// The text between quotes after `before`: "unknown type name 'x'; did you mean 'y'?" → x.
std::string_view quoted_after(std::string_view message, std::string_view before) {
  size_t at = message.find(before);
  if (at == std::string_view::npos) return {};
  message.remove_prefix(at + before.size());
  return message.substr(0, message.find('\''));
}

}  // namespace

bool Prelude::declare(std::string key, std::string text, std::optional<TypeId> type) {
  return entries_.try_emplace(std::move(key), Entry{std::move(text), type}).second;
}

bool Prelude::supply(std::string_view message) {
  if (std::string_view name = quoted_after(message, "unknown type name '"); !name.empty()) return supply_identifier(name, true);
  if (std::string_view name = quoted_after(message, "use of undeclared identifier '"); !name.empty()) return supply_identifier(name, false);
  if (message.find("incomplete") != std::string_view::npos) {
    for (std::string_view keyword : {"struct", "union", "enum"})
      if (std::string_view name = quoted_after(message, fmt::format("'{} ", keyword)); !name.empty()) return supply_tag(keyword, name);
  }
  return false;
}

bool Prelude::supply_tag(std::string_view keyword, std::string_view name) {
  if (!profile_) return false;
  while (name.ends_with("]") || name.ends_with(" ")) name = name.substr(0, name.find_last_not_of("[]0123456789 ") + 1);  // an array of them
  std::string key = fmt::format("{} {}", keyword, name);
  if (keyword == "enum") {
    auto type = profile_->find_enum(types_, name);
    if (!type) return false;
    uint32_t size = types_.size_of(*type);
    return declare(key, fmt::format("enum {0} {{ __btc_k_{0}{1} }}{2};\n", name, size == 8 ? " = 0x100000000" : "", size == 1 ? " __attribute__((packed))" : ""),
                   type);
  }
  auto type = profile_->find_struct(types_, name, keyword == "union");
  if (!type) return false;
  const Record& record = types_.record(types_.get(*type).record);
  return declare(key, fmt::format("{} {{ char __btc_opaque[{}]; }} __attribute__((aligned({})));\n", key, record.size, record.align), type);
}

bool Prelude::supply_identifier(std::string_view name, bool is_type) {
  if (is_type && profile_) {
    if (auto type = profile_->find_typedef(types_, name)) {
      std::string key(name);
      const Type& t = types_.get(*type);
      uint32_t size = t.kind == TypeKind::Void ? 1 : types_.size_of(*type);
      if (t.kind == TypeKind::Int || t.kind == TypeKind::Bool || t.kind == TypeKind::Enum)
        return declare(key, fmt::format("typedef {} {};\n", integer(*type), name), t.kind == TypeKind::Enum ? type : std::nullopt);
      if (t.kind == TypeKind::Pointer) return declare(key, fmt::format("typedef void *{};\n", name), type);
      uint32_t align = t.kind == TypeKind::Struct ? types_.record(t.record).align : 1;
      return declare(key, fmt::format("typedef struct __btc_k_{0} {{ char __btc_opaque[{1}]; }} __attribute__((aligned({2}))) {0};\n", name, size, align),
                     type);
    }
  }
  if (!is_type && profile_)
    if (auto constant = profile_->find_enum_constant(types_, name))
      return declare(fmt::format("#{}", name), fmt::format("enum {{ {} = {} }};\n", name, constant->second), std::nullopt);
  // A macro of a kernel header, as type (`__aligned_u64`) or as number (`TASK_COMM_LEN`).
  if (!kernel_macros_ && kernel_macros().find(fmt::format("#define {} ", name)) != std::string_view::npos) return kernel_macros_ = true;
  return false;
}

std::string Prelude::integer(TypeId type) const {
  const Type& t = types_.get(type);
  if (t.kind == TypeKind::Bool) return "_Bool";
  bool is_signed = t.kind == TypeKind::Enum ? types_.enum_def(t.record).is_signed : t.is_signed;
  uint32_t size = types_.size_of(type);
  const char* name = size == 1 ? "char" : size == 2 ? "short" : size == 4 ? "int" : "long";
  return fmt::format("{} {}", is_signed ? "signed" : "unsigned", name);
}

std::string Prelude::text() const {
  std::string out;
  for (const auto& [key, entry] : entries_) out += entry.text;
  if (kernel_macros_) out += fmt::format("#include \"{}/macros.h\"\n", kKernelDir);
  return out;
}

std::optional<TypeId> Prelude::type_of(std::string_view c_name) const {
  auto it = entries_.find(std::string(c_name));
  return it == entries_.end() ? std::nullopt : it->second.type;
}

}  // namespace btc
