#include "frontend/sema/program.h"
namespace btc { std::unique_ptr<Program> analyse(ast::Arena&, ast::Script&, Profile*, const CompileOptions&, SourceManager&, DiagEngine&) { return nullptr; } }
