// printf in the kernel's words: bpf_seq_printf (5.9) formats the lines of
// iterators, and knows fewer forms than we do.
#pragma once

#include <string>

#include "frontend/ast/ast.h"
#include "frontend/types/types.h"

namespace btc::sema {

// The format of a typed printf() call for bpf_seq_printf; "" if the kernel cannot do it. Strings are passed as addresses,
// everything else as 64-bit numbers.
std::string kernel_format(const TypeTable& types, const ast::Call& call);

}  // namespace btc::sema
