// The parser: text to syntax tree.
//
// All of the language of bpftrace 0.27, and what its documentation promises but
// its parser refuses (docs/differences.md). Several mistakes per run are
// reported: after one, parsing goes on behind the next `;` or `}`.
#pragma once

#include "frontend/ast/ast.h"
#include "frontend/ast/format.h"
#include "frontend/support/diag.h"

namespace btc {

// Parses file `file` of `sources` into *out. False if there was an error; *out then holds what could be read.
bool parse_script(ast::Arena& arena, SourceManager& sources, uint32_t file, DiagEngine& diags, ast::Script* out);

// Parses a whole file as one expression (the body of a `#define`). nullptr if it is none; errors go to `diags`.
ast::Expr* parse_expression_text(ast::Arena& arena, SourceManager& sources, uint32_t file, DiagEngine& diags);

// Parses and checks the attach point again, e.g. after parameters were substituted in its text. Errors go to `diags`.
void check_attach_point(ast::AttachPoint& point, DiagEngine& diags, std::string_view hint = {});

}  // namespace btc
