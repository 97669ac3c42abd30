// Typed tree -> BIR: the entry. The work is done by ModuleBuilder (module-wide parts) and Body (one function each).
#include "lower/lower.h"

#include "lower/build/module_builder.h"

namespace btc::lower {

std::unique_ptr<ir::Module> lower(const Program& program, const SourceManager& sources, DiagEngine& diags) {
  return ModuleBuilder(program, sources, diags).run();
}

}  // namespace btc::lower
