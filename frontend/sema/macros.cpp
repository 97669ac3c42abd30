// Hygienic macro expansion. (Pending parts land separately.)
#include "frontend/sema/sema.h"

namespace btc::sema {

void Sema::register_macros() {}
void Sema::expand_body(Block*) {}

}  // namespace btc::sema
