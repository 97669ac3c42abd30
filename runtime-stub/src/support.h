// Small things that every part of the runtime needs: file descriptors, whole
// files, text put together, numbers read. No exceptions, no iostream, no
// locale; errors of the system are named without strerror's translations.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace btc::rt {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) { reset(); fd_ = std::exchange(other.fd_, -1); }
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset();

 private:
  int fd_ = -1;
};

// Text put together from strings, characters, integers (decimal) and hex(n): cat("pid ", 5). Its pieces are erased to one type,
// so that a call costs a few instructions and not an instantiation.
struct Hex { uint64_t value; };
inline Hex hex(uint64_t value) { return {value}; }
struct Piece {
  enum Kind : uint8_t { Text, Char, Unsigned, Signed, HexNumber };
  constexpr Piece(std::string_view text) : data(text.data()), number(text.size()), kind(Text) {}
  Piece(const std::string& text) : data(text.data()), number(text.size()), kind(Text) {}
  constexpr Piece(const char* text) : data(text), number(__builtin_strlen(text)), kind(Text) {}
  constexpr Piece(Hex h) : number(h.value), kind(HexNumber) {}
  template <typename T>
    requires std::is_integral_v<T>
  constexpr Piece(T value)
      : number(static_cast<uint64_t>(value)), kind(std::is_same_v<T, char> ? Char : std::is_signed_v<T> ? Signed : Unsigned) {}
  const char* data = nullptr;
  uint64_t number = 0;
  Kind kind;
};
std::string join_pieces(const Piece* pieces, size_t count);
void append(std::string& to, const Piece& piece);
template <typename... Parts>
std::string cat(const Parts&... parts) {
  const Piece pieces[] = {Piece(parts)...};
  return join_pieces(pieces, sizeof...(parts));
}

// Name of an errno value: "No such file or directory".
std::string_view error_text(int error);

// Reads a whole file (also of /proc and /sys, whose size is not known). False with errno set.
bool read_whole_file(const char* path, std::string* out, size_t limit = SIZE_MAX);
// bpftrace's check before anything else: what this process lacks of the effective capabilities, as a message; "" if nothing.
std::string missing_right();
bool write_all(int fd, std::string_view text);
bool file_exists(const std::string& path);
// Names in a folder, without . and .., sorted. Empty if it cannot be read (errno says why).
std::vector<std::string> list_folder(const char* path);

// Calls fn(line) for every line; stops when it returns false.
template <typename Fn>
void for_each_line(std::string_view text, Fn&& fn) {
  while (!text.empty()) {
    size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (!fn(line)) return;
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}
// The next word (blank-separated), removed from `text`.
std::string_view next_word(std::string_view& text);
std::string_view trim(std::string_view text);
std::vector<std::string_view> split(std::string_view text, char separator);

// Whole text as a number; base 0 reads 0x, 0 (octal) and decimal. False if it is not one or does not fit.
bool parse_u64(std::string_view text, uint64_t* out, int base = 10);
bool parse_i64(std::string_view text, int64_t* out, int base = 10);

// CPU lists of /sys/devices/system/cpu: "0-3,5".
std::vector<int> parse_cpu_list(std::string_view text);
std::vector<int> online_cpus();
uint32_t possible_cpus();

// Kernel release as (major << 16 | minor), 0 if unknown.
uint32_t kernel_version();
constexpr uint32_t version_of(uint32_t major, uint32_t minor) { return major << 16 | minor; }

// "/sys/kernel/tracing", or where else tracefs is mounted; "" if nowhere.
const std::string& tracefs();

}  // namespace btc::rt
