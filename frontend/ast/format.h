// `btc fmt`: a script in the one layout.
#pragma once

#include <string>

#include "frontend/ast/ast.h"

namespace btc {

// Prints the script that was parsed from `file`. Comments stay, at most one blank line stays between lines; formatting the
// result again changes nothing.
std::string format_script(const SourceManager& sources, uint32_t file, const ast::Script& script);

}  // namespace btc
