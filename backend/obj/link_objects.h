#pragma once

#include <string>

#include "lower/ir/ir.h"

namespace btc::backend {

// Joins the script's object with those that it imports; nothing happens if there are none. The script's code stays at the beginning of
// each section. False with `error` set.
bool link_objects(const ir::Module& module, std::string* object, std::string* error);

}  // namespace btc::backend
