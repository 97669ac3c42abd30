// Messages with places; see messages.h.
#include "runtime-stub/src/output/messages.h"

#include "runtime-stub/src/output/append.h"

namespace btc::rt {

static constexpr int kMaxExpansions = 64;

const fb::Location* Messages::location(int32_t index) const {
  if (index < 0 || !manifest->locations() || static_cast<uint32_t>(index) >= manifest->locations()->size()) return nullptr;
  return manifest->locations()->Get(static_cast<uint32_t>(index));
}

static const fb::SourceFile* source(const fb::Manifest* manifest, const fb::Location& location) {
  if (!manifest->sources() || location.file() >= manifest->sources()->size()) return nullptr;
  return manifest->sources()->Get(location.file());
}

std::string_view Messages::file_name(const fb::Location& location) const {
  const fb::SourceFile* file = source(manifest, location);
  return file && file->name() ? std::string_view(file->name()->c_str(), file->name()->size()) : std::string_view();
}

void Messages::append_place(std::string& out, const fb::Location& location) const {
  out += file_name(location);
  out += ':';
  append_dec(out, location.line());
  if (location.line() != location.end_line()) {
    out += '-';
    append_dec(out, location.end_line());
    return;
  }
  out += ':';
  append_dec(out, location.col());
  out += '-';
  append_dec(out, location.end_col());
}

// Line `number` (from 1) of a text; false if there is none.
static bool find_line(std::string_view text, uint32_t number, std::string_view* line) {
  while (number > 1) {
    size_t newline = text.find('\n');
    if (newline == text.npos) return false;
    text.remove_prefix(newline + 1);
    number--;
  }
  *line = text.substr(0, text.find('\n'));
  return number == 1;
}

// One line is shown with tabs as four blanks and `~` under the place; several lines as they are.
void Messages::append_context(std::string& out, const fb::Location& location) const {
  const fb::SourceFile* file = source(manifest, location);
  if (!file || !file->text()) return;
  std::string_view text(file->text()->c_str(), file->text()->size()), line;
  if (location.line() != location.end_line()) {
    for (uint32_t number = location.line(); number <= location.end_line() && find_line(text, number, &line); number++) (out += line) += '\n';
    return;
  }
  if (!find_line(text, location.line(), &line)) return;
  for (char c : line) c == '\t' ? out += "    " : out += c;
  out += '\n';
  for (size_t i = 0; i < line.size() && i + 1 < location.end_col(); i++) out.append(line[i] == '\t' ? 4 : 1, i + 1 < location.col() ? ' ' : '~');
  out += '\n';
}

void Messages::append_line(std::string& out, Severity severity, const fb::Location* location, std::string_view text) const {
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  if (color) out += severity == Severity::Error ? "\033[31m" : "\033[33m";
  if (location) {
    append_place(out, *location);
    out += ": ";
  }
  out += severity == Severity::Error ? "ERROR: " : "WARNING: ";
  out += text;
  if (color) out += "\033[0m";
  out += '\n';
}

void Messages::append(std::string& out, Severity severity, std::string_view text) const { append_line(out, severity, nullptr, text); }

void Messages::append_at(std::string& out, Severity severity, std::string_view text, int32_t index, bool context) const {
  const fb::Location* place = location(index);
  append_line(out, severity, place, text);
  if (place && context) append_context(out, *place);
  for (int depth = 0; place && depth < kMaxExpansions; depth++) {
    place = location(place->parent());
    if (!place) break;
    append_line(out, severity, place, "expanded from");
    append_context(out, *place);
  }
}

}  // namespace btc::rt
