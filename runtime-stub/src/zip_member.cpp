// The central directory of a ZIP archive, read as far as finding one stored member needs; see zip_member.h. Every offset comes from the file
// and is checked. Left out: ZIP64 (archives beyond 4 GiB), encryption.
#include "runtime-stub/src/zip_member.h"

#include <cstring>

namespace btc::rt {
namespace {

constexpr std::string_view kMark = "!/";
constexpr uint32_t kEnd = 0x06054b50, kEntry = 0x02014b50, kLocal = 0x04034b50;
constexpr size_t kEndSize = 22, kEntrySize = 46, kLocalSize = 30, kLongestComment = 65535;

template <typename T>
T number_at(Bytes bytes, size_t at) {
  T value;
  memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

bool fits(Bytes bytes, uint64_t at, uint64_t size) { return at <= bytes.size() && size <= bytes.size() - at; }

// The end record is the last thing but for a comment of unknown length.
bool find_directory(Bytes archive, uint64_t* at, uint32_t* count) {
  for (size_t back = kEndSize; back <= archive.size() && back <= kEndSize + kLongestComment; ++back) {
    size_t end = archive.size() - back;
    if (number_at<uint32_t>(archive, end) != kEnd) continue;
    *count = number_at<uint16_t>(archive, end + 10);
    *at = number_at<uint32_t>(archive, end + 16);
    return true;
  }
  return false;
}

}  // namespace

std::string archive_of(std::string_view path) { return std::string(path.substr(0, path.find(kMark))); }

std::string_view member_of(std::string_view path) {
  size_t mark = path.find(kMark);
  return mark == std::string_view::npos ? std::string_view() : path.substr(mark + kMark.size());
}

bool find_stored_member(Bytes archive, std::string_view member, Bytes* out, uint64_t* offset) {
  uint64_t at;
  uint32_t count;
  if (!find_directory(archive, &at, &count)) return false;
  for (; count > 0 && fits(archive, at, kEntrySize) && number_at<uint32_t>(archive, at) == kEntry; --count) {
    uint64_t name = number_at<uint16_t>(archive, at + 28), rest = number_at<uint16_t>(archive, at + 30) + number_at<uint16_t>(archive, at + 32);
    if (!fits(archive, at + kEntrySize, name)) return false;
    bool stored = number_at<uint16_t>(archive, at + 10) == 0;
    if (stored && member == std::string_view(reinterpret_cast<const char*>(archive.data()) + at + kEntrySize, name)) {
      uint64_t local = number_at<uint32_t>(archive, at + 42), size = number_at<uint32_t>(archive, at + 20);
      if (!fits(archive, local, kLocalSize) || number_at<uint32_t>(archive, local) != kLocal) return false;
      *offset = local + kLocalSize + number_at<uint16_t>(archive, local + 26) + number_at<uint16_t>(archive, local + 28);
      if (!fits(archive, *offset, size)) return false;
      *out = archive.subspan(*offset, size);
      return true;
    }
    at += kEntrySize + name + rest;
  }
  return false;
}

}  // namespace btc::rt
