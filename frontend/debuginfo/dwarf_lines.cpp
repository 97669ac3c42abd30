#include "frontend/debuginfo/dwarf_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

namespace btc {
namespace {

// "src/a.c" is the end of "/home/x/src/a.c", but "a.c" not of "data.c".
bool path_ends_with(const std::filesystem::path& path, const std::filesystem::path& end) {
  auto have = path.end(), want = end.end();
  while (want != end.begin()) {
    if (have == path.begin()) return false;
    if (*--have != *--want) return false;
  }
  return true;
}

std::string plain(const std::string& path) { return std::filesystem::path(path).lexically_normal().string(); }

}  // namespace

std::optional<uint64_t> find_line(llvm::DWARFContext& context, std::string_view file, uint32_t line, uint32_t column, std::string* error) {
  using Kind = llvm::DILineInfoSpecifier::FileLineInfoKind;
  std::string wanted = plain(std::string(file)), source;
  std::optional<uint64_t> found;
  for (const auto& unit : context.compile_units()) {
    const llvm::DWARFDebugLine::LineTable* table = context.getLineTableForUnit(unit.get());
    if (table == nullptr) continue;
    std::set<uint64_t> numbers;
    const char* folder = unit->getCompilationDir();
    size_t count = table->Prologue.FileNames.size() + 1;
    for (size_t i = 0; i <= count; ++i) {
      std::string name;
      if (!table->getFileNameByIndex(i, folder != nullptr ? folder : "", Kind::AbsoluteFilePath, name)) continue;
      name = plain(name);
      if (!path_ends_with(name, wanted)) continue;
      if (!source.empty() && source != name) {
        *error = fmt::format("Ambiguous source path, matches multiple files: {}, {}", source, name);
        return std::nullopt;
      }
      source = name;
      numbers.insert(i);
    }
    // A line may belong to several statements; the one at the lowest address is where it begins.
    for (const auto& row : table->Rows)
      if (!row.EndSequence && row.Line == line && (column == 0 || row.Column == column) && numbers.contains(row.File))
        found = std::min(found.value_or(UINT64_MAX), row.Address.Address);
  }
  if (found) return found;
  std::string suffix = column > 0 ? fmt::format(":{}", column) : "";
  *error = source.empty() ? fmt::format("No compilation unit matches {}", file)
                          : fmt::format("Unable to map '{}:{}{}' to address", file, line, suffix);
  return std::nullopt;
}

}  // namespace btc
