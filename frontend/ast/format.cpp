// format
#include "frontend/ast/format.h"

namespace btc {

std::string format_script(const SourceManager& sources, uint32_t file, const ast::Script&) { return sources.file(file).text; }

}  // namespace btc
