#include "frontend/cdefs/translation_unit.h"

#include <algorithm>
#include <cstdlib>

#include "frontend/cdefs/virtual_files.h"

namespace btc {

std::string take(CXString text) {
  const char* chars = clang_getCString(text);
  std::string out = chars ? chars : "";
  clang_disposeString(text);
  return out;
}

TranslationUnit::~TranslationUnit() {
  if (unit_) clang_disposeTranslationUnit(unit_);
  if (index_) clang_disposeIndex(index_);
}

bool TranslationUnit::parse(const std::vector<std::string>& args, const std::vector<std::pair<std::string, std::string>>& files) {
  if (unit_) clang_disposeTranslationUnit(unit_);
  unit_ = nullptr;
  if (!index_) index_ = clang_createIndex(0, 0);
  std::vector<const char*> arg_pointers;
  for (const std::string& arg : args) arg_pointers.push_back(arg.c_str());
  std::vector<CXUnsavedFile> unsaved;
  for (const auto& [path, content] : files) unsaved.push_back({path.c_str(), content.data(), content.size()});
  for (const auto& [path, content] : resource_headers()) unsaved.push_back({path.c_str(), content.data(), content.size()});
  // KeepGoing: one parse finds all missing headers, and the rest is usable whatever is wrong.
  return clang_parseTranslationUnit2(index_, "definitions.h", arg_pointers.data(), static_cast<int>(arg_pointers.size()), unsaved.data(),
                                     static_cast<unsigned>(unsaved.size()), CXTranslationUnit_KeepGoing | CXTranslationUnit_SkipFunctionBodies,
                                     &unit_) == CXError_Success;
}

std::vector<ClangDiagnostic> TranslationUnit::diagnostics() const {
  std::vector<ClangDiagnostic> out;
  for (unsigned i = 0, n = clang_getNumDiagnostics(unit_); i < n; ++i) {
    CXDiagnostic diagnostic = clang_getDiagnostic(unit_, i);
    CXDiagnosticSeverity severity = clang_getDiagnosticSeverity(diagnostic);
    ClangDiagnostic entry;
    CXFile file = nullptr;
    clang_getExpansionLocation(clang_getDiagnosticLocation(diagnostic), &file, &entry.line, &entry.col, nullptr);
    if (file) entry.file = take(clang_getFileName(file));
    entry.error = severity >= CXDiagnostic_Error;
    entry.message = take(clang_getDiagnosticSpelling(diagnostic));
    // KeepGoing lowers these to errors; users know them as fatal.
    bool fatal = severity == CXDiagnostic_Fatal || entry.message.ends_with("file not found");
    entry.severity = fatal ? "fatal error" : "error";
    out.push_back(std::move(entry));
    clang_disposeDiagnostic(diagnostic);
  }
  return out;
}

std::vector<std::string> TranslationUnit::files_read() const {
  std::vector<std::string> out;
  clang_getInclusions(
      unit_,
      [](CXFile file, CXSourceLocation*, unsigned, CXClientData data) {
        std::string name = take(clang_getFileName(file));
        if (name == "definitions.h" || name.starts_with(kResourceDir) || name.starts_with(kKernelDir)) return;
        if (char* real = realpath(name.c_str(), nullptr)) {
          static_cast<std::vector<std::string>*>(data)->emplace_back(real);
          free(real);
        }
      },
      &out);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace btc
