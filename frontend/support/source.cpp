// Source text and positions: offsets to files, lines and columns.
//
// Files lie behind each other in one offset space with a gap of one, so the
// place behind a file's last byte (where "unexpected end of file" points) still
// belongs to that file.
#include "frontend/support/source.h"

#include <algorithm>

namespace btc {

uint32_t SourceManager::add(std::string name, std::string text) {
  SourceFile file;
  file.base = files_.empty() ? 1 : files_.back().base + static_cast<uint32_t>(files_.back().text.size()) + 1;
  file.name = std::move(name);
  file.text = std::move(text);
  file.line_starts.push_back(0);
  for (uint32_t i = 0; i < file.text.size(); i++) {
    if (file.text[i] == '\n') file.line_starts.push_back(i + 1);
  }
  files_.push_back(std::move(file));
  return static_cast<uint32_t>(files_.size() - 1);
}

const SourceFile* SourceManager::file_at(uint32_t offset) const {
  if (offset == 0 || files_.empty()) return nullptr;
  auto after = std::upper_bound(files_.begin(), files_.end(), offset,
                                [](uint32_t value, const SourceFile& file) { return value < file.base; });
  if (after == files_.begin()) return nullptr;
  const SourceFile& file = *(after - 1);
  return offset <= file.base + file.text.size() ? &file : nullptr;
}

LineCol SourceManager::line_col(uint32_t offset) const {
  const SourceFile* file = file_at(offset);
  if (!file) return {};
  uint32_t local = offset - file->base;
  auto after = std::upper_bound(file->line_starts.begin(), file->line_starts.end(), local);
  auto line = static_cast<uint32_t>(after - file->line_starts.begin());
  return {line, local - file->line_starts[line - 1] + 1};
}

std::string_view SourceManager::line_text(const SourceFile& file, uint32_t line) const {
  if (line == 0 || line > file.line_starts.size()) return {};
  uint32_t begin = file.line_starts[line - 1];
  size_t end = line < file.line_starts.size() ? file.line_starts[line] - 1 : file.text.size();
  return std::string_view(file.text).substr(begin, end - begin);
}

std::string_view SourceManager::text(SourceRange range) const {
  const SourceFile* file = range.valid() ? file_at(range.begin) : nullptr;
  if (!file || range.end < range.begin) return {};
  return std::string_view(file->text).substr(range.begin - file->base, range.end - range.begin);
}

}  // namespace btc
