#pragma once

namespace btc::sema {

extern const char kPrelude[];
extern const char* const kPreludeNames[];  // ends with nullptr

}  // namespace btc::sema
