// Messages for people, on stderr, in bpftrace's form: plain ("ERROR: text")
// or at a place of the script, with the source line and a mark under it:
//
//   opens.bt:1:1-20: ERROR: No matches for kprobe nope.
//   kprobe:nope { }
//   ~~~~~~~~~~~
#pragma once

#include <string_view>

#include "runtime-stub/src/manifest_reader.h"
#include "runtime-stub/src/output/output.h"

namespace btc::rt {

enum class Severity : uint8_t { Error, Warning, Hint, Plain };

class Messages {
 public:
  Messages() = default;
  Messages(const fb::Manifest* manifest, ColorMode color, int verbose);

  void say(Severity severity, std::string_view text) const;
  void error(std::string_view text) const { say(Severity::Error, text); }
  void warning(std::string_view text) const { say(Severity::Warning, text); }
  // `location`: index into Manifest.locations; -1: no place.
  void at(int location, Severity severity, std::string_view text, std::string_view hint = {}) const;
  // At an expression that begins there (columns from 1): a name, or a call with its arguments. False if the manifest has no such line.
  bool at_source(std::string_view file, uint32_t line, uint32_t column, Severity severity, std::string_view text, std::string_view hint = {}) const;
  void verbose(std::string_view text) const { if (verbose_ > 0) say(Severity::Plain, text); }
  int verbosity() const { return verbose_; }

 private:
  struct Place { const fb::SourceFile* file; uint32_t line, column, end_line, end_column; };
  void print(const Place* place, Severity severity, std::string_view text, std::string_view hint) const;
  const fb::Manifest* manifest_ = nullptr;
  bool color_ = false;
  int verbose_ = 0;
};

// "" unless the text is several lines: the place "file:line:col-col", or "file:line-line".
std::string place_text(const fb::Manifest& manifest, int location);

}  // namespace btc::rt
