// Diagnostics for people, in bpftrace's form:
//
//   opensnoop.bt:3:9-15: ERROR: Undefined map: @strat
//     @strat[tid] = 1;
//     ~~~~~~
//   HINT: did you mean '@start'?
//
// Columns count bytes from 1; the second one is the column behind the place. A
// place of several lines is `FILE:L1-L2` followed by those lines. Tabs are shown
// as four spaces when one line is marked. Below the hints btc adds its own:
// fixes, and the number for `btc explain`, once per kind.
#include <algorithm>
#include <set>

#include "frontend/support/diag.h"

namespace btc {
namespace {

constexpr size_t kMaxErrorsShown = 20;
constexpr uint32_t kMaxContextLines = 20;

const char* severity_label(Severity severity) {
  switch (severity) {
    case Severity::Error: return "ERROR: ";
    case Severity::Warning: return "WARNING: ";
    case Severity::Note: return "NOTE: ";
    case Severity::Hint: return "HINT: ";
  }
  return "";
}

const char* colour_of(Severity severity) {
  switch (severity) {
    case Severity::Error: return "\033[31m";
    case Severity::Warning: return "\033[33m";
    default: return "";
  }
}

// Control characters of a source would steer the terminal.
std::string visible(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f) c = '?';
  return out;
}

class TextRenderer {
 public:
  TextRenderer(const SourceManager& sources, bool colour) : sources_(sources), colour_(colour) {}

  void diagnostic(const Diagnostic& diagnostic) {
    entry(diagnostic.severity, diagnostic.range, diagnostic.message);
    for (const Diagnostic::Attached& attached : diagnostic.attached) {
      entry(attached.severity, attached.range, attached.message);
    }
    for (SourceRange call_site : diagnostic.expanded_from) entry(diagnostic.severity, call_site, "expanded from");
    for (const FixIt& fix : diagnostic.fixes) this->fix(fix);
    if (explained_.insert(diagnostic.kind).second) {
      out_ += fmt::format("SEE: btc explain {}\n", diag_info(diagnostic.kind).number);
    }
  }

  void line(std::string_view text) { out_.append(text).push_back('\n'); }
  std::string take() { return std::move(out_); }

 private:
  void entry(Severity severity, SourceRange range, std::string_view message) {
    while (!message.empty() && message.back() == '\n') message.remove_suffix(1);
    const char* colour = colour_ ? colour_of(severity) : "";
    out_ += colour;
    const SourceFile* file = range.valid() ? sources_.file_at(range.begin) : nullptr;
    if (file) out_ += location(*file, range) + ": ";
    out_ += severity_label(severity);
    out_ += message;
    if (*colour) out_ += "\033[0m";
    out_ += '\n';
    if (file) context(*file, range);
  }

  std::string location(const SourceFile& file, SourceRange range) const {
    LineCol begin = sources_.line_col(range.begin);
    LineCol end = sources_.line_col(range.end);
    if (begin.line != end.line) return fmt::format("{}:{}-{}", file.name, begin.line, end.line);
    return fmt::format("{}:{}:{}-{}", file.name, begin.line, begin.col, end.col);
  }

  void context(const SourceFile& file, SourceRange range) {
    if (file.text.empty()) return;
    LineCol begin = sources_.line_col(range.begin);
    LineCol end = sources_.line_col(range.end);
    if (begin.line != end.line) {
      uint32_t last = std::min(end.line, begin.line + kMaxContextLines);
      for (uint32_t n = begin.line; n <= last; n++) line(visible(sources_.line_text(file, n)));
      if (last != end.line) line("...");
      return;
    }
    std::string shown, marks;
    std::string_view text = sources_.line_text(file, begin.line);
    for (size_t i = 0; i < text.size(); i++) {
      bool tab = text[i] == '\t';
      shown += tab ? "    " : visible(text.substr(i, 1));
      if (i + 1 < end.col) marks.append(tab ? 4 : 1, i + 1 < begin.col ? ' ' : '~');
    }
    line(shown);
    line(marks);
  }

  void fix(const FixIt& fix) {
    LineCol at = sources_.line_col(fix.range.begin);
    std::string_view old = sources_.text(fix.range);
    if (old.empty()) {
      out_ += fmt::format("FIX: insert '{}' at {}:{}\n", fix.replacement, at.line, at.col);
    } else if (fix.replacement.empty()) {
      out_ += fmt::format("FIX: remove '{}' at {}:{}\n", old, at.line, at.col);
    } else {
      out_ += fmt::format("FIX: replace '{}' with '{}' at {}:{}\n", old, fix.replacement, at.line, at.col);
    }
  }

  const SourceManager& sources_;
  bool colour_;
  std::string out_;
  std::set<DiagKind> explained_;
};

}  // namespace

std::string DiagEngine::render_text(bool colour) const {
  TextRenderer renderer(sources_, colour);
  size_t errors = 0;
  for (const Diagnostic* diagnostic : in_source_order()) {
    if (diagnostic->severity == Severity::Error && ++errors > kMaxErrorsShown) continue;
    renderer.diagnostic(*diagnostic);
  }
  if (errors > kMaxErrorsShown) {
    renderer.line(fmt::format("ERROR: {} more errors are not shown", errors - kMaxErrorsShown));
  }
  return renderer.take();
}

}  // namespace btc
