// Diagnostics for programs: one JSON object a line, in source order.
//
//   {"severity":"error","number":2104,"slug":"undefined-map","message":"...","file":"x.bt","line":3,"col":9,
//    "end_line":3,"end_col":15,"notes":[...],"fixes":[...],"expanded_from":[...]}
//
// Members of empty lists and unknown places are left out.
#include "frontend/support/diag.h"

namespace btc {
namespace {

const char* severity_name(Severity severity) {
  switch (severity) {
    case Severity::Error: return "error";
    case Severity::Warning: return "warning";
    case Severity::Note: return "note";
    case Severity::Hint: return "hint";
  }
  return "";
}

// Length of the well-formed UTF-8 sequence at `text[i]`, 0 if there is none.
size_t utf8_length(std::string_view text, size_t i) {
  auto byte = [&](size_t k) { return k < text.size() ? static_cast<unsigned char>(text[k]) : 0u; };
  unsigned lead = byte(i);
  size_t length = lead < 0x80 ? 1 : lead >= 0xc2 && lead < 0xe0 ? 2 : (lead & 0xf0) == 0xe0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
  for (size_t k = 1; k < length; k++) {
    if ((byte(i + k) & 0xc0) != 0x80) return 0;
  }
  if (lead == 0xe0 && byte(i + 1) < 0xa0) return 0;  // overlong
  if (lead == 0xed && byte(i + 1) >= 0xa0) return 0;  // surrogate
  if (lead == 0xf0 && byte(i + 1) < 0x90) return 0;
  if (lead == 0xf4 && byte(i + 1) >= 0x90) return 0;
  return length;
}

// A script may hold any bytes; JSON may not.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (size_t i = 0; i < text.size();) {
    size_t length = utf8_length(text, i);
    char c = text[i];
    if (length == 0) {
      out += "\\ufffd";
      length = 1;
    } else if (length > 1) {
      out += text.substr(i, length);
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
    i += length;
  }
  return out + "\"";
}

std::string place(const SourceManager& sources, SourceRange range) {
  const SourceFile* file = range.valid() ? sources.file_at(range.begin) : nullptr;
  if (!file) return "";
  LineCol begin = sources.line_col(range.begin);
  LineCol end = sources.line_col(range.end);
  return fmt::format(",\"file\":{},\"line\":{},\"col\":{},\"end_line\":{},\"end_col\":{}", quoted(file->name), begin.line,
                     begin.col, end.line, end.col);
}

template <typename List, typename Print>
void append_list(std::string& out, const char* name, const List& list, Print print) {
  if (list.empty()) return;
  out += fmt::format(",\"{}\":[", name);
  bool first = true;
  for (const auto& item : list) {
    if (!first) out += ',';
    first = false;
    out += print(item);
  }
  out += ']';
}

}  // namespace

std::string DiagEngine::render_json() const {
  std::string out;
  for (const Diagnostic* diagnostic : in_source_order()) {
    const DiagInfo& info = diag_info(diagnostic->kind);
    out += fmt::format("{{\"severity\":\"{}\",\"number\":{},\"slug\":{},\"message\":{}{}", severity_name(diagnostic->severity),
                       info.number, quoted(info.slug), quoted(diagnostic->message), place(sources_, diagnostic->range));
    append_list(out, "notes", diagnostic->attached, [&](const Diagnostic::Attached& attached) {
      return fmt::format("{{\"severity\":\"{}\",\"message\":{}{}}}", severity_name(attached.severity), quoted(attached.message),
                         place(sources_, attached.range));
    });
    append_list(out, "fixes", diagnostic->fixes, [&](const FixIt& fix) {
      return fmt::format("{{\"replacement\":{}{}}}", quoted(fix.replacement), place(sources_, fix.range));
    });
    append_list(out, "expanded_from", diagnostic->expanded_from, [&](SourceRange call_site) {
      std::string text = place(sources_, call_site);
      return "{" + (text.empty() ? text : text.substr(1)) + "}";
    });
    out += "}\n";
  }
  return out;
}

}  // namespace btc
