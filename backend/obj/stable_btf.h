#pragma once

#include <string>

namespace btc::backend {

// Brings what LLVM writes into .BTF in no fixed order into one: the same input gives the same bytes. Only little-endian objects.
void order_btf(std::string* object);

}  // namespace btc::backend
