#include "frontend/profile/container.h"

#include <fmt/format.h>
#include <zstd.h>

#include <cstring>

namespace btc {
namespace {

constexpr std::string_view kMagic = "BTCPROF\n";
constexpr size_t kHeaderSize = 24, kNameSize = 48, kEntrySize = kNameSize + 24;
constexpr uint32_t kMaxParts = 10000;
constexpr uint64_t kMaxPartSize = uint64_t{256} << 20;  // vmlinux BTF is 6 to 12 MB today

}  // namespace

void put_u32(std::string& out, uint32_t value) {
  for (int i = 0; i < 4; ++i) out += static_cast<char>(value >> (8 * i));
}
void put_u64(std::string& out, uint64_t value) {
  for (int i = 0; i < 8; ++i) out += static_cast<char>(value >> (8 * i));
}
uint32_t get_u32(const char* bytes) {
  uint32_t value = 0;
  for (int i = 3; i >= 0; --i) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}
uint64_t get_u64(const char* bytes) { return uint64_t{get_u32(bytes + 4)} << 32 | get_u32(bytes); }

void ContainerWriter::add(std::string name, std::string_view content) {
  // Level 19, one thread: the same bytes from every run of the same zstd.
  std::string packed(ZSTD_compressBound(content.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), content.data(), content.size(), 19));
  parts_.push_back({std::move(name), std::move(packed), content.size()});
}

std::string ContainerWriter::finish() const {
  std::string out(kMagic);
  uint64_t offset = kHeaderSize + parts_.size() * kEntrySize, size = offset;
  for (const Part& part : parts_) size += part.packed.size();
  put_u32(out, kProfileVersion);
  put_u32(out, static_cast<uint32_t>(parts_.size()));
  put_u64(out, size);
  for (const Part& part : parts_) {
    std::string name = part.name.substr(0, kNameSize - 1);
    name.resize(kNameSize, '\0');
    out += name;
    put_u64(out, offset);
    put_u64(out, part.packed.size());
    put_u64(out, part.unpacked_size);
    offset += part.packed.size();
  }
  for (const Part& part : parts_) out += part.packed;
  return out;
}

bool Container::open(std::string_view file, std::string* error) {
  if (file.size() < kHeaderSize || file.substr(0, kMagic.size()) != kMagic) {
    *error = "not a btc kernel profile";
    return false;
  }
  uint32_t version = get_u32(file.data() + 8), count = get_u32(file.data() + 12);
  if (version != kProfileVersion) {
    *error = fmt::format("kernel profile of version {}, this btc reads version {}", version, kProfileVersion);
    return false;
  }
  if (get_u64(file.data() + 16) != file.size() || count > kMaxParts || kHeaderSize + count * kEntrySize > file.size()) {
    *error = "kernel profile is cut off or damaged";
    return false;
  }
  for (uint32_t i = 0; i < count; ++i) {
    const char* entry = file.data() + kHeaderSize + i * kEntrySize;
    uint64_t offset = get_u64(entry + kNameSize), packed = get_u64(entry + kNameSize + 8), unpacked = get_u64(entry + kNameSize + 16);
    std::string_view name(entry, strnlen(entry, kNameSize));
    if (name.empty() || offset > file.size() || packed > file.size() - offset || unpacked > kMaxPartSize) {
      *error = "kernel profile is damaged: its part table does not fit the file";
      return false;
    }
    Part& part = parts_[name];
    part.packed = file.substr(offset, packed);
    part.unpacked_size = unpacked;
  }
  return true;
}

std::vector<std::string_view> Container::names() const {
  std::vector<std::string_view> out;
  for (const auto& [name, part] : parts_) out.push_back(name);
  return out;
}

bool Container::part(std::string_view name, std::string_view* out, std::string* error) {
  auto it = parts_.find(name);
  if (it == parts_.end()) {
    *error = fmt::format("kernel profile has no part '{}'", name);
    return false;
  }
  Part& part = it->second;
  if (!part.unpacked) {
    std::string content(part.unpacked_size, '\0');
    size_t got = ZSTD_decompress(content.data(), content.size(), part.packed.data(), part.packed.size());
    if (ZSTD_isError(got) || got != part.unpacked_size) {
      *error = fmt::format("kernel profile is damaged: part '{}' does not unpack", name);
      return false;
    }
    part.content = std::move(content);
    part.unpacked = true;
  }
  *out = part.content;
  return true;
}

}  // namespace btc
