// Source lines to addresses.
#pragma once

#include <llvm/DebugInfo/DWARF/DWARFContext.h>

#include <optional>
#include <string>
#include <string_view>

namespace btc {

std::optional<uint64_t> find_line(llvm::DWARFContext& context, std::string_view file, uint32_t line, uint32_t column, std::string* error);

}  // namespace btc
