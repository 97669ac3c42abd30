// Demangling: C++ through the C++ runtime's own function (C code, no exceptions), Rust's old scheme on top of it.
#include "runtime-stub/src/output/demangle.h"

#include <cstdlib>
#include <cxxabi.h>

namespace btc::rt {

// Rust's old scheme is C++'s with a hash as last part ("::h" and 16 hex digits) and words for what C++ names cannot hold.
struct LegacyRow { std::string_view code; char text; };
static constexpr LegacyRow kLegacy[] = {{"$SP$", '@'}, {"$BP$", '*'}, {"$RF$", '&'}, {"$LT$", '<'}, {"$GT$", '>'}, {"$LP$", '('}, {"$RP$", ')'}, {"$C$", ','}};

static bool is_rust_legacy(std::string_view name) {
  if (name.size() < 20 || name.substr(name.size() - 19, 3) != "::h") return false;
  for (char c : name.substr(name.size() - 16))
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  return true;
}

static void append_rust_legacy(std::string& out, std::string_view name) {
  name.remove_suffix(19);
  while (!name.empty()) {
    const LegacyRow* match = nullptr;
    for (const LegacyRow& row : kLegacy)
      if (name.substr(0, row.code.size()) == row.code) match = &row;
    size_t used = match ? match->code.size() : 1;
    if (match) {
      out += match->text;
    } else if (name.substr(0, 2) == "..") {
      out += "::";
      used = 2;
    } else if (name.substr(0, 2) == "$u" && name.size() >= 5 && name[4] == '$') {
      char hex[] = {name[2], name[3], 0};
      out += static_cast<char>(strtoul(hex, nullptr, 16));
      used = 5;
    } else if (name[0] == '_' && name.size() > 1 && name[1] == '$' && (out.empty() || out.back() == ':')) {
      // An underscore keeps a part from starting with '$'.
    } else {
      out += name[0];
    }
    name.remove_prefix(used);
  }
}

void append_demangled(std::string& out, std::string_view symbol) {
  if (symbol.substr(0, 2) == "_R" && append_rust_v0(out, symbol)) return;
  if (symbol.substr(0, 2) != "_Z") {
    out += symbol;
    return;
  }
  int status = 0;
  char* text = abi::__cxa_demangle(std::string(symbol).c_str(), nullptr, nullptr, &status);
  std::string_view name = text ? std::string_view(text) : symbol;
  if (text && is_rust_legacy(name))
    append_rust_legacy(out, name);
  else
    out += name;
  free(text);
}

}  // namespace btc::rt
