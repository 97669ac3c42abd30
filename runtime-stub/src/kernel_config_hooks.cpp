// The kernel's configuration, as libbpf asks zlib for it where imported C has
// `extern ... __kconfig`: /boot/config-<release>, else /proc/config.gz.
//
// Without either, libbpf refuses all; here the configuration is an empty one:
// weak variables read 0, and of the others the first one is named.
#include <algorithm>
#include <cstring>

#include "runtime-stub/src/output/inflate.h"
#include "runtime-stub/src/support.h"

namespace {

struct Text { std::vector<uint8_t> bytes; size_t at = 0; };

}  // namespace

extern "C" {

void* gzopen64(const char* path, const char*) {
  constexpr size_t kLimit = 16 << 20;
  std::string file;
  bool there = btc::rt::read_whole_file(path, &file), last = strcmp(path, "/proc/config.gz") == 0;
  if (!there && !last) return nullptr;
  auto* text = new Text;
  std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(file.data()), file.size());
  if (!btc::rt::is_gzip(bytes)) {
    text->bytes.assign(bytes.begin(), bytes.end());
  } else if (!btc::rt::gunzip(bytes, kLimit, text->bytes)) {
    delete text;
    return nullptr;
  }
  return text;
}

char* gzgets(void* file, char* line, int size) {
  auto* text = static_cast<Text*>(file);
  auto from = text->bytes.begin() + static_cast<ptrdiff_t>(text->at), newline = std::find(from, text->bytes.end(), '\n');
  size_t end = static_cast<size_t>(newline - text->bytes.begin()) + (newline != text->bytes.end());
  if (text->at >= end || size < 2) return nullptr;
  size_t count = std::min(end - text->at, static_cast<size_t>(size) - 1);
  memcpy(line, text->bytes.data() + text->at, count);
  line[count] = 0;
  text->at += count;
  return line;
}

int gzclose(void* file) {
  delete static_cast<Text*>(file);
  return 0;
}

}
