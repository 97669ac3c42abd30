// "app.apk!/lib/libfoo.so": a library that a dynamic linker maps straight from a ZIP archive, where it is stored uncompressed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime-stub/src/elf_image.h"

namespace btc::rt {

// The file that the kernel opens for a path: the archive, or the path itself.
std::string archive_of(std::string_view path);
// Name behind "!/"; "" if the path names no member.
std::string_view member_of(std::string_view path);
// The member's bytes and where they begin. False if there is none, or it is compressed.
bool find_stored_member(Bytes archive, std::string_view member, Bytes* out, uint64_t* offset);

}  // namespace btc::rt
