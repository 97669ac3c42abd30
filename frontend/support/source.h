// Source text and positions.
//
// Every file that takes part in a compile is registered once; a position is an
// offset into the concatenation of all of them, so it fits 32 bits and two
// positions compare by `<` in the order the files were read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace btc {

// Half-open range [begin, end) of global offsets. {0, 0} means "no place".
struct SourceRange {
  uint32_t begin = 0;
  uint32_t end = 0;
  bool valid() const { return begin != 0 || end != 0; }
  friend bool operator==(const SourceRange&, const SourceRange&) = default;
};

// From the first to the last of two ranges.
inline SourceRange join(SourceRange a, SourceRange b) {
  if (!a.valid()) return b;
  if (!b.valid()) return a;
  return {a.begin < b.begin ? a.begin : b.begin, a.end > b.end ? a.end : b.end};
}

// 1-based line and byte column, as printed in messages.
struct LineCol {
  uint32_t line = 0;
  uint32_t col = 0;
};

struct SourceFile {
  std::string name;     // as shown to the user: "opensnoop.bt", "stdin"
  std::string text;
  uint32_t base = 0;    // global offset of text[0]; the first file starts at 1
  std::vector<uint32_t> line_starts;  // local offsets
};

class SourceManager {
 public:
  // Registers a file and returns its index. `text` is copied.
  uint32_t add(std::string name, std::string text);

  const SourceFile& file(uint32_t index) const { return files_[index]; }
  uint32_t file_count() const { return static_cast<uint32_t>(files_.size()); }

  // The file that holds a global offset; nullptr for offset 0.
  const SourceFile* file_at(uint32_t offset) const;
  LineCol line_col(uint32_t offset) const;
  // Text of the (1-based) line without its newline.
  std::string_view line_text(const SourceFile& file, uint32_t line) const;
  std::string_view text(SourceRange range) const;

 private:
  std::vector<SourceFile> files_;
};

}  // namespace btc
