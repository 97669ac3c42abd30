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
void append_context(std::string& out, const fb::SourceFile& file, const fb::Location& place) {
  for (uint32_t line = place.line(); line <= place.end_line() && line < place.line() + 10; ++line) {
    std::string_view text = line_of(text_of(file.text()), line);
    std::string shown, mark;
    for (size_t i = 0; i < text.size(); ++i) {
      bool inside = i + 1 >= place.col() && i + 1 < place.end_col();
      size_t width = text[i] == '\t' ? 4 : 1;
      if (text[i] == '\t') shown.append(4, ' ');
      else shown.push_back(text[i]);
      if (i + 1 < place.end_col()) mark.append(width, inside ? '~' : ' ');
    }
    append(out, cat(shown, "\n"));
    if (place.line() == place.end_line()) append(out, cat(mark, "\n"));
  }
}

}  // namespace

Messages::Messages(const fb::Manifest* manifest, ColorMode color, int verbose) : manifest_(manifest), verbose_(verbose) {
  color_ = color == ColorMode::Always || (color == ColorMode::Auto && ::isatty(STDERR_FILENO));
}

std::string place_text(const fb::Manifest& manifest, int location) {
  if (location < 0 || static_cast<uint32_t>(location) >= count_of(manifest.locations())) return {};
  const fb::Location* place = manifest.locations()->Get(static_cast<uint32_t>(location));
  std::string text(text_of(manifest.sources()->Get(place->file())->name()));
  if (place->end_line() > place->line()) return cat(text, ":", place->line(), "-", place->end_line());
  return cat(text, ":", place->line(), ":", place->col(), "-", place->end_col());
}

static std::string coloured(Severity severity, std::string_view text, bool color) {
  const char* word = severity == Severity::Error ? "ERROR: " : severity == Severity::Warning ? "WARNING: "
                   : severity == Severity::Hint ? "HINT: " : "";
  if (!color || severity == Severity::Plain || severity == Severity::Hint) return cat(word, text, "\n");
  return cat(severity == Severity::Error ? "\033[31m" : "\033[33m", word, text, "\033[0m\n");
}

void Messages::say(Severity severity, std::string_view text) const { write_stderr(coloured(severity, text, color_)); }

void Messages::at(int location, Severity severity, std::string_view text, std::string_view hint) const {
  std::string out;
  std::string place = manifest_ != nullptr ? place_text(*manifest_, location) : std::string();
  if (place.empty()) {
    out = coloured(severity, text, color_);
  } else {
    const fb::Location* where = manifest_->locations()->Get(static_cast<uint32_t>(location));
    out = coloured(severity, text, color_);
    size_t at = color_ ? 5 : 0;                  // inside the colour
    out.insert(at, cat(place, ": "));
    append_context(out, *manifest_->sources()->Get(where->file()), *where);
  }
  if (!hint.empty()) append(out, cat("HINT: ", hint, "\n"));
  write_stderr(out);
}

}  // namespace btc::rt
