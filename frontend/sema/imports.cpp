// Root imports and the C preamble: what comes from other files.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "frontend/sema/sema.h"

namespace btc::sema {

void Sema::collect_imports() {}

void Sema::import_script(const std::string& path, SourceRange range, const std::string& text) {
  (void)path; (void)range; (void)text;
}

void Sema::collect_c_definitions() {
  for (const CDefinitions::Macro& macro : cdefs_.macros) c_macros_[macro.name] = &macro;
  for (const auto& [name, constant] : cdefs_.enum_constants) c_constants_[name] = constant;
  for (const auto& [name, type] : cdefs_.typedefs) c_typedefs_[name] = type;
}

}  // namespace btc::sema
