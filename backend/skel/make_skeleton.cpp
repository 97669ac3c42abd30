#include "backend/backend.h"

namespace btc::backend {

std::string make_skeleton(const ir::Module& module, std::string_view object, std::string_view name) { return ""; }

}  // namespace btc::backend
