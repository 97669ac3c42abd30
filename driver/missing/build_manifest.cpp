#include "lower/lower.h"
namespace btc::lower { std::string build_manifest(const ir::Module&, const BackendFacts&) { return ""; } }
