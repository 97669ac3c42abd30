#pragma once

#include <string>
#include <vector>

#include "lower/ir/ir.h"

namespace btc::backend {

// The texts of the script's lines, put into the .BTF and .BTF.ext of an object that LLVM made. False if they are not as LLVM writes them.
bool add_line_texts(std::string* object, const std::vector<ir::SourceText>& sources);

}  // namespace btc::backend
