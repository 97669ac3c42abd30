// Words for what stands in a manifest: `btc inspect` and messages. Compiler side only (allocates, uses the schema's type table).
#pragma once

#include <string>

#include "manifest_generated.h"

namespace btc::abi {

inline std::string text_of(const flatbuffers::String* s) { return s == nullptr ? std::string() : s->str(); }

const char* event_kind_name(uint8_t kind);   // "printf", "?" if out of range
const char* fact_kind_name(uint8_t kind);
std::string type_text(const fb::Manifest& manifest, uint32_t type);  // "string[16]", "?" if out of range
std::string escape(const std::string& text); // \n \t \" \\ \xNN
std::string manifest_json(const fb::Manifest& manifest);

}  // namespace btc::abi
