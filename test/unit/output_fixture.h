// An Output on a manifest made by hand, with maps and events fed from memory: what it prints is compared byte for byte.
#pragma once

#include <cstring>
#include <fstream>
#include <initializer_list>
#include <map>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "manifest_generated.h"
#include "runtime-stub/abi/abi.h"
#include "runtime-stub/src/output/output.h"

namespace btc::rt::test {

namespace fb = btc::abi::fb;
using Bytes = std::vector<uint8_t>;

template <typename T>
void put(Bytes& to, size_t at, T value) {
  if (to.size() < at + sizeof value) to.resize(at + sizeof value);
  std::memcpy(to.data() + at, &value, sizeof value);
}
template <typename T>
Bytes bytes_of(T value) {
  Bytes out;
  put(out, 0, value);
  return out;
}
inline Bytes string_bytes(std::string_view text, size_t size) {
  Bytes out(size);
  std::memcpy(out.data(), text.data(), std::min(size, text.size()));
  return out;
}
inline Bytes concat(std::initializer_list<Bytes> parts) {
  Bytes out;
  for (const Bytes& part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

struct Field { uint32_t type, offset; std::string name = ""; uint16_t bit_offset = 0, bit_size = 0; };

class Fixture : public Target {
 public:
  struct MapData { uint32_t key_size = 0, value_size = 0, cpus = 1; std::vector<std::pair<Bytes, Bytes>> entries; };

  Fixture() { types_.push_back(fb::CreateType(b_, fb::TypeKind::Untyped)); }

  uint32_t type(fb::TypeKind kind, uint32_t size, bool is_signed = false, int64_t p0 = 0, int64_t p1 = 0, int64_t p2 = 0) {
    sizes_[static_cast<uint32_t>(types_.size())] = size;
    types_.push_back(fb::CreateType(b_, kind, 0, size, is_signed, 0, 0, 0, -1, p0, p1, p2));
    return static_cast<uint32_t>(types_.size() - 1);
  }
  uint32_t integer(uint32_t size, bool is_signed) { return type(fb::TypeKind::Int, size, is_signed); }
  uint32_t string(uint32_t size) { return type(fb::TypeKind::String, size); }
  uint32_t stack(fb::TypeKind kind, uint32_t size, uint8_t mode) {
    types_.push_back(fb::CreateType(b_, kind, 0, size, false, 0, 0, 0, -1, 0, 0, 0, mode));
    return static_cast<uint32_t>(types_.size() - 1);
  }
  uint32_t array(uint32_t elem, uint32_t count) {
    types_.push_back(fb::CreateType(b_, fb::TypeKind::Array, 0, sizes_[elem] * count, false, elem, count));
    return static_cast<uint32_t>(types_.size() - 1);
  }
  uint32_t record(fb::TypeKind kind, uint32_t size, const std::vector<Field>& fields) {
    std::vector<flatbuffers::Offset<fb::TypeField>> made;
    for (const Field& field : fields)
      made.push_back(fb::CreateTypeField(b_, b_.CreateString(field.name), field.type, field.offset, field.bit_offset, field.bit_size));
    auto vector = b_.CreateVector(made);
    sizes_[static_cast<uint32_t>(types_.size())] = size;
    types_.push_back(fb::CreateType(b_, kind, 0, size, false, 0, 0, vector));
    return static_cast<uint32_t>(types_.size() - 1);
  }
  uint32_t tuple(uint32_t size, const std::vector<Field>& fields) { return record(fb::TypeKind::Tuple, size, fields); }
  uint32_t enumeration(uint32_t size, const std::vector<std::pair<std::string, int64_t>>& variants) {
    std::vector<flatbuffers::Offset<fb::EnumVariant>> made;
    for (auto& [name, value] : variants) made.push_back(fb::CreateEnumVariant(b_, b_.CreateString(name), value));
    enums_.push_back(fb::CreateEnum(b_, b_.CreateString("e"), b_.CreateVector(made)));
    types_.push_back(fb::CreateType(b_, fb::TypeKind::Enum, 0, size, false, 0, 0, 0, static_cast<int>(enums_.size() - 1)));
    return static_cast<uint32_t>(types_.size() - 1);
  }
  uint32_t map(const std::string& name, int key, uint32_t value, MapData data, fb::MapKind kind = fb::MapKind::PercpuHash) {
    maps_.push_back(fb::CreateMap(b_, b_.CreateString("@" + name), b_.CreateString("AT_" + name), kind, key, value, 10));
    data_.push_back(std::move(data));
    return static_cast<uint32_t>(maps_.size() - 1);
  }
  uint32_t event(abi::EventKind kind, uint32_t payload, const std::string& format = "", int map = -1, int location = -1, uint8_t error = 0,
                 const std::string& helper = "") {
    events_.push_back(fb::CreateEvent(b_, static_cast<uint8_t>(kind), payload, b_.CreateString(format), map, location, error, b_.CreateString(helper)));
    return static_cast<uint32_t>(events_.size() - 1);
  }
  int location(uint32_t line, uint32_t col, uint32_t end_line, uint32_t end_col, int parent = -1) {
    locations_.push_back(fb::CreateLocation(b_, 0, line, col, end_line, end_col, parent));
    return static_cast<int>(locations_.size() - 1);
  }
  void source(const std::string& name, const std::string& text) { sources_.push_back(fb::CreateSourceFile(b_, b_.CreateString(name), b_.CreateString(text))); }
  uint32_t constant(const std::string& text) {
    strings_.push_back(b_.CreateString(text));
    return static_cast<uint32_t>(strings_.size() - 1);
  }

  // Opens the output; what it prints is returned by `printed`.
  Output& open(OutputOptions options = {}) {
    auto types = b_.CreateVector(types_);
    auto enums = b_.CreateVector(enums_);
    auto maps = b_.CreateVector(maps_);
    auto events = b_.CreateVector(events_);
    auto locations = b_.CreateVector(locations_);
    auto sources = b_.CreateVector(sources_);
    auto strings = b_.CreateVector(strings_);
    fb::ManifestBuilder manifest(b_);
    manifest.add_types(types), manifest.add_enums(enums), manifest.add_maps(maps), manifest.add_events(events);
    manifest.add_locations(locations), manifest.add_sources(sources), manifest.add_strings(strings);
    b_.Finish(manifest.Finish());
    char name[] = "/tmp/btc-output-XXXXXX";
    ::close(mkstemp(name));
    file_ = name;
    options.file = name;
    options.color = ColorMode::Never;
    std::string error;
    output_ = Output::open(fb::GetManifest(b_.GetBufferPointer()), this, options, &error);
    EXPECT_TRUE(output_) << error;
    return *output_;
  }
  void send(uint32_t event, const Bytes& payload = {}) { last_ = output_->handle_event({event, static_cast<uint32_t>(payload.size())}, payload.data(), payload.size()); }
  const fb::Manifest* manifest() const { return fb::GetManifest(b_.GetBufferPointer()); }
  Next last() const { return last_; }
  std::string printed() {
    output_->close();
    std::ifstream in(file_);
    std::stringstream text;
    text << in.rdbuf();
    ::unlink(file_.c_str());
    return text.str();
  }

  bool read_map(uint32_t map, MapEntries* out) override {
    const MapData& from = data_[map];
    out->key_size = from.key_size, out->value_size = from.value_size, out->cpus = from.cpus;
    out->count = static_cast<uint32_t>(from.entries.size());
    for (auto& [key, value] : from.entries) {
      out->keys.insert(out->keys.end(), key.begin(), key.end());
      out->values.insert(out->values.end(), value.begin(), value.end());
    }
    return true;
  }
  bool clear_map(uint32_t map) override { return data_[map].entries.clear(), true; }
  bool zero_map(uint32_t map) override {
    for (auto& [key, value] : data_[map].entries) std::fill(value.begin(), value.end(), uint8_t{0});
    return true;
  }
  std::string_view probe_name(uint64_t index) override { return index == 1 ? "kprobe:vfs_read" : "?"; }

 private:
  flatbuffers::FlatBufferBuilder b_;
  std::vector<flatbuffers::Offset<fb::Type>> types_;
  std::vector<flatbuffers::Offset<fb::Enum>> enums_;
  std::vector<flatbuffers::Offset<fb::Map>> maps_;
  std::vector<flatbuffers::Offset<fb::Event>> events_;
  std::vector<flatbuffers::Offset<fb::Location>> locations_;
  std::vector<flatbuffers::Offset<fb::SourceFile>> sources_;
  std::vector<flatbuffers::Offset<flatbuffers::String>> strings_;
  std::map<uint32_t, uint32_t> sizes_;
  std::vector<MapData> data_;
  std::unique_ptr<Output> output_;
  std::string file_;
  Next last_;
};

}  // namespace btc::rt::test
