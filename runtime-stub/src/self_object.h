// The object that is attached to the running executable.
#pragma once

#include <string>

#include "runtime-stub/src/elf_image.h"

namespace btc::rt {

// Maps this executable and returns its section .btc.object; empty without `*error` if there is none (the plain stub).
// The memory lives as long as the process.
Bytes find_self_object(std::string* error);

}  // namespace btc::rt
