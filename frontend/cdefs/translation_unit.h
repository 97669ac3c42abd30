// libclang for one parse of "definitions.h": virtual files in, diagnostics and
// cursors out.
#pragma once

#include <clang-c/Index.h>

#include <string>
#include <utility>
#include <vector>

namespace btc {

struct ClangDiagnostic {
  std::string file;        // where the text was expanded; "" = the command line
  unsigned line = 0, col = 0;
  bool error = false;
  std::string message;
  std::string severity;    // "error", "fatal error"
};

class TranslationUnit {
 public:
  TranslationUnit() = default;
  ~TranslationUnit();
  TranslationUnit(const TranslationUnit&) = delete;
  TranslationUnit& operator=(const TranslationUnit&) = delete;

  // `files`: path and content of virtual files, "definitions.h" among them. False only if libclang itself fails.
  bool parse(const std::vector<std::string>& args, const std::vector<std::pair<std::string, std::string>>& files);
  std::vector<ClangDiagnostic> diagnostics() const;
  // Files of the machine that were read.
  std::vector<std::string> files_read() const;
  CXCursor root() const { return clang_getTranslationUnitCursor(unit_); }

 private:
  CXIndex index_ = nullptr;
  CXTranslationUnit unit_ = nullptr;
};

// Takes and frees a CXString.
std::string take(CXString text);

template <typename Fn>
void visit_children(CXCursor cursor, Fn fn) {
  clang_visitChildren(
      cursor,
      [](CXCursor child, CXCursor, CXClientData data) {
        (*static_cast<Fn*>(data))(child);
        return CXChildVisit_Continue;
      },
      &fn);
}

}  // namespace btc
