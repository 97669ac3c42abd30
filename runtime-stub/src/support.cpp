// Files, text and numbers; see support.h.
#include "runtime-stub/src/support.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

namespace btc::rt {

void Fd::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

static void append_number(std::string& to, uint64_t value, unsigned base) {
  char buffer[20];
  size_t at = sizeof buffer;
  do {
    buffer[--at] = "0123456789abcdef"[value % base];
    value /= base;
  } while (value != 0);
  to.append(buffer + at, sizeof buffer - at);
}

void append(std::string& to, const Piece& piece) {
  switch (piece.kind) {
    case Piece::Text: to.append(piece.data, piece.number); break;
    case Piece::Char: to.push_back(static_cast<char>(piece.number)); break;
    case Piece::HexNumber: append_number(to, piece.number, 16); break;
    case Piece::Unsigned: append_number(to, piece.number, 10); break;
    case Piece::Signed:
      if (static_cast<int64_t>(piece.number) < 0) to.push_back('-');
      append_number(to, static_cast<int64_t>(piece.number) < 0 ? 0 - piece.number : piece.number, 10);
      break;
  }
}

std::string join_pieces(const Piece* pieces, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) append(out, pieces[i]);
  return out;
}

std::string_view error_text(int error) {
  const char* text = strerrordesc_np(error);
  return text != nullptr ? text : "unknown error";
}

bool read_whole_file(const char* path, std::string* out, size_t limit) {
  out->clear();
  Fd fd(::open(path, O_RDONLY | O_CLOEXEC));
  if (!fd) return false;
  struct stat info {};
  size_t chunk = 4096;
  if (::fstat(fd.get(), &info) == 0 && info.st_size > 0) chunk = static_cast<size_t>(info.st_size) + 1;
  size_t used = 0;                                // files of /proc come in pieces of a page
  while (used < limit) {
    if (used == out->size()) out->resize(std::min(limit, std::max(chunk, used * 2)));
    ssize_t got = ::read(fd.get(), out->data() + used, out->size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      int error = errno;
      out->clear();
      errno = error;
      return false;
    }
    if (got == 0) break;
    used += static_cast<size_t>(got);
  }
  out->resize(used);
  return true;
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

std::string missing_right() {
  constexpr int kSysAdmin = 21, kPerfmon = 38, kBpf = 39;
  constexpr const char* kAsRoot = " capability, please run this as the root user.";
  std::string status;
  uint64_t effective = 0;
  if (!read_whole_file("/proc/self/status", &status)) return {};
  size_t at = status.find("CapEff:");
  if (at == std::string::npos) return {};
  std::string_view rest = std::string_view(status).substr(at + 7);
  if (!parse_u64(trim(rest.substr(0, rest.find('\n'))), &effective, 16)) return {};
  auto has = [&](int capability) { return (effective >> capability & 1) != 0; };
  if (has(kSysAdmin)) return {};
  if (!has(kBpf)) return cat("Missing CAP_BPF", kAsRoot);
  if (!has(kPerfmon)) return cat("Missing CAP_PERFMON", kAsRoot);
  return {};
}

// Not access(): that asks for the real user, who has no capabilities.
bool file_exists(const std::string& path) {
  struct stat info;
  return ::stat(path.c_str(), &info) == 0;
}

std::vector<std::string> list_folder(const char* path) {
  std::vector<std::string> names;
  DIR* dir = ::opendir(path);
  if (dir == nullptr) return names;
  while (dirent* entry = ::readdir(dir)) {
    std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  ::closedir(dir);
  std::sort(names.begin(), names.end());
  return names;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t' || text.front() == '\n')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\n')) text.remove_suffix(1);
  return text;
}

std::string_view next_word(std::string_view& text) {
  size_t begin = 0;
  while (begin < text.size() && (text[begin] == ' ' || text[begin] == '\t')) ++begin;
  size_t end = begin;
  while (end < text.size() && text[end] != ' ' && text[end] != '\t' && text[end] != '\n') ++end;
  std::string_view word = text.substr(begin, end - begin);
  text.remove_prefix(end);
  return word;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool parse_u64(std::string_view text, uint64_t* out, int base) {
  if (base == 0) {
    base = 10;
    if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) base = 16, text.remove_prefix(2);
    else if (text.size() > 1 && text[0] == '0') base = 8, text.remove_prefix(1);
  }
  if (text.empty()) return false;
  uint64_t value = 0;
  for (char c : text) {
    unsigned digit = c >= '0' && c <= '9' ? static_cast<unsigned>(c - '0')
                   : c >= 'a' && c <= 'f' ? static_cast<unsigned>(c - 'a' + 10)
                   : c >= 'A' && c <= 'F' ? static_cast<unsigned>(c - 'A' + 10) : 99;
    if (digit >= static_cast<unsigned>(base)) return false;
    if (__builtin_mul_overflow(value, static_cast<uint64_t>(base), &value) || __builtin_add_overflow(value, digit, &value)) return false;
  }
  *out = value;
  return true;
}

bool parse_i64(std::string_view text, int64_t* out, int base) {
  bool negative = !text.empty() && text[0] == '-';
  if (negative) text.remove_prefix(1);
  uint64_t value;
  if (!parse_u64(text, &value, base)) return false;
  if (value > static_cast<uint64_t>(INT64_MAX) + (negative ? 1 : 0)) return false;
  *out = static_cast<int64_t>(negative ? 0 - value : value);
  return true;
}

std::vector<int> parse_cpu_list(std::string_view text) {
  std::vector<int> cpus;
  for (std::string_view part : split(trim(text), ',')) {
    size_t dash = part.find('-');
    uint64_t first, last;
    if (!parse_u64(part.substr(0, dash), &first)) continue;
    last = first;
    if (dash != std::string_view::npos && !parse_u64(part.substr(dash + 1), &last)) continue;
    for (uint64_t cpu = first; cpu <= last && cpus.size() < 65536; ++cpu) cpus.push_back(static_cast<int>(cpu));
  }
  return cpus;
}

std::vector<int> online_cpus() {
  std::string text;
  std::vector<int> cpus;
  if (read_whole_file("/sys/devices/system/cpu/online", &text)) cpus = parse_cpu_list(text);
  if (cpus.empty()) {
    long n = ::sysconf(_SC_NPROCESSORS_ONLN);
    for (int i = 0; i < std::max(1L, n); ++i) cpus.push_back(i);
  }
  return cpus;
}

uint32_t possible_cpus() {
  static uint32_t count = [] {
    std::string text;
    uint32_t n = 0;
    if (read_whole_file("/sys/devices/system/cpu/possible", &text))
      for (int cpu : parse_cpu_list(text)) n = std::max(n, static_cast<uint32_t>(cpu) + 1);
    return n != 0 ? n : static_cast<uint32_t>(std::max(1L, ::sysconf(_SC_NPROCESSORS_CONF)));
  }();
  return count;
}

uint32_t kernel_version() {
  static uint32_t version = [] {
    utsname name{};
    ::uname(&name);
    std::string_view release = name.release;
    size_t dot = release.find('.');
    if (dot == std::string_view::npos) return 0u;
    size_t end = dot + 1;
    while (end < release.size() && release[end] >= '0' && release[end] <= '9') ++end;
    uint64_t major = 0, minor = 0;
    if (!parse_u64(release.substr(0, dot), &major) || !parse_u64(release.substr(dot + 1, end - dot - 1), &minor)) return 0u;
    return version_of(static_cast<uint32_t>(major), static_cast<uint32_t>(minor));
  }();
  return version;
}

const std::string& tracefs() {
  static const std::string path = [] {
    for (const char* candidate : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"})
      if (file_exists(cat(candidate, "/events"))) return std::string(candidate);
    std::string mounts, found;
    if (read_whole_file("/proc/self/mounts", &mounts))
      for_each_line(mounts, [&](std::string_view line) {
        next_word(line);
        std::string_view where = next_word(line);
        if (next_word(line) == "tracefs") found = where;
        return found.empty();
      });
    return found;
  }();
  return path;
}

}  // namespace btc::rt
