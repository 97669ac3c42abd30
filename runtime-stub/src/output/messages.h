// Messages for people on stderr, with places in the script.
//
//   script.bt:3:5-12: WARNING: text
//     $x = @m[1];
//       ~~~~~~~
#pragma once

#include <string>
#include <string_view>

#include "manifest_generated.h"

namespace btc::rt {

namespace fb = btc::abi::fb;

enum class Severity : uint8_t { Warning, Error };

struct Messages {
  const fb::Manifest* manifest = nullptr;
  bool color = false;

  // Null for an index that does not exist.
  const fb::Location* location(int32_t index) const;
  std::string_view file_name(const fb::Location& location) const;

  // "WARNING: text\n"
  void append(std::string& out, Severity severity, std::string_view text) const;
  // The same at a place; `context` adds the source line. Places of macro expansions follow with "expanded from".
  void append_at(std::string& out, Severity severity, std::string_view text, int32_t location, bool context) const;

 private:
  void append_place(std::string& out, const fb::Location& location) const;
  void append_context(std::string& out, const fb::Location& location) const;
  void append_line(std::string& out, Severity severity, const fb::Location* location, std::string_view text) const;
};

}  // namespace btc::rt
