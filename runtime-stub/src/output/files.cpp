// Small-file reading; see files.h.
#include "runtime-stub/src/output/files.h"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace btc::rt {

bool read_file(const char* path, std::string* out, size_t limit) {
  out->clear();
  int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  int error = 0;
  while (out->size() < limit) {
    size_t at = out->size();
    size_t want = at < 4096 ? 4096 : at;
    if (want > limit - at) want = limit - at;
    out->resize(at + want);
    ssize_t n = ::read(fd, out->data() + at, want);
    out->resize(at + (n > 0 ? static_cast<size_t>(n) : 0));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) error = errno;
    if (n <= 0) break;
  }
  ::close(fd);
  errno = error;
  return error == 0;
}

std::string_view next_word(std::string_view* text) {
  size_t start = text->find_first_not_of(" \t");
  if (start == text->npos) return *text = {}, std::string_view();
  size_t end = text->find_first_of(" \t", start);
  if (end == text->npos) end = text->size();
  std::string_view word = text->substr(start, end - start);
  text->remove_prefix(end);
  return word;
}

bool parse_dec(std::string_view text, uint64_t* out) {
  uint64_t value = 0;
  for (char c : text) {
    if (c < '0' || c > '9' || __builtin_mul_overflow(value, 10u, &value) || __builtin_add_overflow(value, static_cast<uint64_t>(c - '0'), &value)) return false;
  }
  *out = value;
  return !text.empty();
}

bool parse_hex(std::string_view text, uint64_t* out) {
  uint64_t value = 0;
  for (char c : text) {
    unsigned digit = c >= '0' && c <= '9' ? static_cast<unsigned>(c - '0') : c >= 'a' && c <= 'f' ? static_cast<unsigned>(c - 'a' + 10)
                     : c >= 'A' && c <= 'F' ? static_cast<unsigned>(c - 'A' + 10) : 16;
    if (digit == 16 || value >> 60) return false;
    value = value << 4 | digit;
  }
  *out = value;
  return !text.empty();
}

}  // namespace btc::rt
