// Prints messages with places; see messages.h.
#include "runtime-stub/src/messages.h"

#include <unistd.h>

#include "runtime-stub/src/output/sink.h"

namespace btc::rt {
namespace {

std::string_view line_of(std::string_view text, uint32_t line) {
  for (uint32_t n = 1; n < line; ++n) {
    size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

// Source line(s) and the mark; tabs become four blanks in both.
void append_context(std::string& out, std::string_view source, uint32_t first, uint32_t column, uint32_t last, uint32_t end_column) {
  for (uint32_t line = first; line <= last && line < first + 10; ++line) {
    std::string_view text = line_of(source, line);
    std::string shown, mark;
    for (size_t i = 0; i < text.size(); ++i) {
      bool inside = i + 1 >= column && i + 1 < end_column;
      size_t width = text[i] == '\t' ? 4 : 1;
      if (text[i] == '\t') shown.append(4, ' ');
      else shown.push_back(text[i]);
      if (i + 1 < end_column) mark.append(width, inside ? '~' : ' ');
    }
    append(out, cat(shown, "\n"));
    if (first == last) append(out, cat(mark, "\n"));
  }
}

std::string place_name(std::string_view file, uint32_t line, uint32_t column, uint32_t end_line, uint32_t end_column) {
  if (end_line > line) return cat(file, ":", line, "-", end_line);
  return cat(file, ":", line, ":", column, "-", end_column);
}

bool is_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' || c == '@'; }

// Behind the name that begins at `begin`, and behind its parentheses if it is called.
size_t end_of_call(std::string_view text, size_t begin) {
  size_t end = begin;
  while (end < text.size() && is_name(text[end])) ++end;
  if (end == text.size() || text[end] != '(') return std::max(end, begin + 1);
  int depth = 0;
  for (size_t i = end; i < text.size(); ++i) {
    depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
    if (depth == 0) return i + 1;
  }
  return end;
}

}  // namespace

Messages::Messages(const fb::Manifest* manifest, ColorMode color, int verbose) : manifest_(manifest), verbose_(verbose) {
  color_ = color == ColorMode::Always || (color == ColorMode::Auto && ::isatty(STDERR_FILENO));
}

std::string place_text(const fb::Manifest& manifest, int location) {
  if (location < 0 || static_cast<uint32_t>(location) >= count_of(manifest.locations())) return {};
  const fb::Location* place = manifest.locations()->Get(static_cast<uint32_t>(location));
  return place_name(text_of(manifest.sources()->Get(place->file())->name()), place->line(), place->col(), place->end_line(), place->end_col());
}

static std::string coloured(Severity severity, std::string_view text, bool color) {
  const char* word = severity == Severity::Error ? "ERROR: " : severity == Severity::Warning ? "WARNING: "
                   : severity == Severity::Hint ? "HINT: " : "";
  if (!color || severity == Severity::Plain || severity == Severity::Hint) return cat(word, text, "\n");
  return cat(severity == Severity::Error ? "\033[31m" : "\033[33m", word, text, "\033[0m\n");
}

void Messages::say(Severity severity, std::string_view text) const { write_stderr(coloured(severity, text, color_)); }

void Messages::print(const Place* place, Severity severity, std::string_view text, std::string_view hint) const {
  std::string out = coloured(severity, text, color_);
  if (place != nullptr) {
    size_t at = color_ ? 5 : 0;                  // inside the colour
    out.insert(at, cat(place_name(text_of(place->file->name()), place->line, place->column, place->end_line, place->end_column), ": "));
    append_context(out, text_of(place->file->text()), place->line, place->column, place->end_line, place->end_column);
  }
  if (!hint.empty()) append(out, cat("HINT: ", hint, "\n"));
  write_stderr(out);
}

void Messages::at(int location, Severity severity, std::string_view text, std::string_view hint) const {
  if (manifest_ == nullptr || location < 0 || static_cast<uint32_t>(location) >= count_of(manifest_->locations())) return print(nullptr, severity, text, hint);
  const fb::Location* where = manifest_->locations()->Get(static_cast<uint32_t>(location));
  Place place{manifest_->sources()->Get(where->file()), where->line(), where->col(), where->end_line(), where->end_col()};
  print(&place, severity, text, hint);
}

bool Messages::at_source(std::string_view file, uint32_t line, uint32_t column, Severity severity, std::string_view text, std::string_view hint) const {
  for (uint32_t i = 0; manifest_ != nullptr && i < count_of(manifest_->sources()); ++i) {
    const fb::SourceFile* source = manifest_->sources()->Get(i);
    std::string_view whole = line_of(text_of(source->text()), line);
    if (text_of(source->name()) != file || column == 0 || column > whole.size()) continue;
    Place place{source, line, column, line, static_cast<uint32_t>(end_of_call(whole, column - 1)) + 1};
    print(&place, severity, text, hint);
    return true;
  }
  return false;
}

}  // namespace btc::rt
