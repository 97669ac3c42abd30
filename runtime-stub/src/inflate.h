// Decompression of gzip files (RFC 1951, 1952): the kernel's configuration is
// one. zlib would be 40 KB; this reads whole files in memory and checks no CRC.
#pragma once

#include <string>

#include "runtime-stub/src/elf_image.h"

namespace btc::rt {

bool is_gzip(Bytes bytes);
// False if the bytes are damaged, or hold more than `limit`.
bool gunzip(Bytes bytes, size_t limit, std::string* out);

}  // namespace btc::rt
