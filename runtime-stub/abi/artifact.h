// Reading artifacts: an executable holds the object in a section, the object
// holds the manifest in a section. Input is hostile: every offset, count and
// string is checked before it is used; what is wrong is said in words.
// No exceptions, no allocation beyond the error text: linked into artifacts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "manifest_generated.h"

namespace btc::abi {

struct Bytes {
  const uint8_t* data = nullptr;
  size_t size = 0;
  explicit operator bool() const { return data != nullptr; }
};

// Contents of a named section of a 64-bit little-endian ELF file. Empty if there is none; `*error` (may be null) says why
// when the file itself is damaged.
Bytes find_section(Bytes file, const char* name, std::string* error);

struct ArtifactView {
  Bytes object;                          // the BPF object
  const fb::Manifest* manifest = nullptr;
};

// `file` is an executable or an object. False with `*error` set: not an artifact, damaged, or of another version.
bool open_artifact(Bytes file, ArtifactView* out, std::string* error);

}  // namespace btc::abi
