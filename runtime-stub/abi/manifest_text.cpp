#include "runtime-stub/abi/manifest_text.h"

#include <flatbuffers/minireflect.h>

#include <cstdio>

namespace btc::abi {
namespace {

constexpr const char* kEventNames[] = {
#define BTC_EVENT(Kind, Text, ...) Text,
#include "runtime-stub/abi/events.def"
#undef BTC_EVENT
};
constexpr const char* kFactNames[] = {
#define BTC_FACT(Kind, ...) #Kind,
#include "runtime-stub/abi/facts.def"
#undef BTC_FACT
};

}  // namespace

const char* event_kind_name(uint8_t kind) { return kind < std::size(kEventNames) ? kEventNames[kind] : "?"; }
const char* fact_kind_name(uint8_t kind) { return kind < std::size(kFactNames) ? kFactNames[kind] : "?"; }

std::string type_text(const fb::Manifest& manifest, uint32_t type) {
  if (manifest.types() == nullptr || type >= manifest.types()->size()) return "?";
  return text_of(manifest.types()->Get(type)->text());
}

std::string escape(const std::string& text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '\n': out += "\\n"; break;
      case '\t': out += "\\t"; break;
      case '\r': out += "\\r"; break;
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          char hex[8];
          snprintf(hex, sizeof hex, "\\x%02x", static_cast<unsigned char>(c));
          out += hex;
        } else {
          out += c;
        }
    }
  }
  return out;
}

std::string manifest_json(const fb::Manifest& manifest) {
  flatbuffers::ToStringVisitor visitor("\n", true, "  ", true);
  flatbuffers::IterateObject(reinterpret_cast<const uint8_t*>(&manifest), fb::ManifestTypeTable(), &visitor);
  return visitor.s;
}

}  // namespace btc::abi
