// The profile file: named parts, each compressed by zstd on its own, found
// through a table at the front. A part is unpacked when it is first asked for.
//
//   "BTCPROF\n"  u32 version  u32 part count  u64 file size     (little endian)
//   part table:  char name[48]  u64 offset  u64 packed size  u64 unpacked size
//   the parts, in table order
//
// Parts of version 1 (contents: capture.cpp writes them, file_profile.cpp reads):
//   meta          "release=...\narch=...\n"
//   modules       which names each module's BTF defines (btf_set.h)
//   records       tracepoint records with a name index (records.h)
//   btf/vmlinux   raw BTF
//   btf/MODULE    raw split BTF on top of vmlinux's
//
// A profile may come from anywhere, so every offset, count and size is checked
// before it is used, and unpacked sizes are capped.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace btc {

inline constexpr uint32_t kProfileVersion = 1;

class ContainerWriter {
 public:
  void add(std::string name, std::string_view content);
  std::string finish() const;

 private:
  struct Part { std::string name, packed; uint64_t unpacked_size; };
  std::vector<Part> parts_;
};

class Container {
 public:
  // `file` must outlive the container. False with `error` set if it is not a whole profile of a known version.
  bool open(std::string_view file, std::string* error);
  std::vector<std::string_view> names() const;
  bool has(std::string_view name) const { return parts_.count(name) != 0; }
  // Unpacks; the view stays valid as long as the container. False with `error` set if absent or damaged.
  bool part(std::string_view name, std::string_view* out, std::string* error);

 private:
  struct Part { std::string_view packed; uint64_t unpacked_size = 0; std::string content; bool unpacked = false; };
  std::map<std::string_view, Part, std::less<>> parts_;
};

// Little-endian fields of the binary parts.
void put_u32(std::string& out, uint32_t value);
void put_u64(std::string& out, uint64_t value);
uint32_t get_u32(const char* bytes);
uint64_t get_u64(const char* bytes);

}  // namespace btc
