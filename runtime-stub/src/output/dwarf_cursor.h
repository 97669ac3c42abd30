// Reading of DWARF bytes without trusting them: what lies outside reads as 0 and
// marks the cursor as bad.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace btc::rt {

using DwarfBytes = std::span<const uint8_t>;

class DwarfCursor {
 public:
  DwarfCursor(DwarfBytes bytes, uint64_t offset) : bytes_(bytes), at_(offset), bad_(offset > bytes.size()) {}

  bool good() const { return !bad_; }
  bool at_end() const { return bad_ || at_ >= bytes_.size(); }
  uint64_t offset() const { return at_; }
  void skip(uint64_t count) {
    if (bad_ || count > bytes_.size() - at_) bad_ = true;
    else at_ += count;
  }
  uint64_t fixed(unsigned size) {               // 1 to 8 bytes, little endian
    uint64_t value = 0;
    if (bad_ || size > 8 || size > bytes_.size() - at_) return bad_ = true, 0;
    std::memcpy(&value, bytes_.data() + at_, size);
    at_ += size;
    return value;
  }
  uint8_t u8() { return static_cast<uint8_t>(fixed(1)); }
  uint64_t uleb() {
    uint64_t value = 0;
    for (unsigned shift = 0; !bad_; shift += 7) {
      uint8_t byte = u8();
      if (shift < 64) value |= uint64_t{byte & 0x7fu} << shift;
      if ((byte & 0x80) == 0) break;
    }
    return value;
  }
  int64_t sleb() {
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t byte = 0;
    do {
      byte = u8();
      if (shift < 64) value |= uint64_t{byte & 0x7fu} << shift;
      shift += 7;
    } while ((byte & 0x80) != 0 && !bad_);
    if (shift < 64 && (byte & 0x40) != 0) value |= ~uint64_t{0} << shift;
    return static_cast<int64_t>(value);
  }
  std::string_view text() {
    if (at_end()) return bad_ = true, std::string_view();
    const char* start = reinterpret_cast<const char*>(bytes_.data()) + at_;
    size_t size = strnlen(start, bytes_.size() - at_);
    if (size == bytes_.size() - at_) return bad_ = true, std::string_view();
    at_ += size + 1;
    return {start, size};
  }

 private:
  DwarfBytes bytes_;
  uint64_t at_;
  bool bad_;
};

inline std::string_view dwarf_text_at(DwarfBytes bytes, uint64_t offset) { return DwarfCursor(bytes, offset).text(); }

}  // namespace btc::rt
