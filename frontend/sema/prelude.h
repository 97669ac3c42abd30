#pragma once

#include <string>

namespace btc::sema {

std::string prelude_text();
extern const char* const kPreludeNames[];  // ends with nullptr

}  // namespace btc::sema
