#include "frontend/cdefs/cdefs.h"

namespace btc {

bool has_c_definitions(const CDefinitionsInput& input, const CompileOptions& options) {
  return !options.includes.empty() || (input.definitions && !input.definitions->empty());
}

void read_c_definitions(const CDefinitionsInput&, const CompileOptions&, Profile*, TypeTable&, DiagEngine&, CDefinitions*) {}

}  // namespace btc
