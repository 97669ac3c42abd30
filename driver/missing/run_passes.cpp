#include "lower/lower.h"
namespace btc::lower { bool run_passes(ir::Module& m, const PassOptions&, DiagEngine&) { m.stage = "canonical"; return true; } }
