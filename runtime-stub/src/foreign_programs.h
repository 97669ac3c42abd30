// BPF programs of imported C (Manifest.foreign_programs): libbpf loads and attaches
// them by their sections, as its own loaders would.
//
// The script's programs go another way (loader_libbpf.cpp), whose handlers must
// not see these. So the object is opened a second time, without handlers: with the
// script's programs left out and with the maps that are there already, among them
// those of the C code's variables.
#pragma once

#include <bpf/libbpf.h>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime-stub/src/loader.h"

namespace btc::rt {

// What libbpf says while an object of this is alive, warnings only. One at a time.
class LibbpfMessages {
 public:
  explicit LibbpfMessages(std::string* to);
  ~LibbpfMessages();
  LibbpfMessages(const LibbpfMessages&) = delete;
  LibbpfMessages& operator=(const LibbpfMessages&) = delete;
};

class ForeignPrograms {
 public:
  // `memory` is the object, `loaded` the script's own from the same bytes. Null with `failure` set.
  static std::unique_ptr<ForeignPrograms> load(const std::vector<uint8_t>& memory, const fb::Manifest& manifest, const LoaderOptions& options,
                                               const bpf_object* loaded, LoadFailure* failure);
  ~ForeignPrograms();
  Loader::Attached attach(std::string_view name, std::string* why);
  void detach();

 private:
  bool load(const fb::Manifest& manifest, const bpf_object* loaded, LoadFailure* failure);
  bpf_object* object_ = nullptr;
  std::unique_ptr<char[]> log_;
  std::vector<bpf_link*> links_;
};

}  // namespace btc::rt
