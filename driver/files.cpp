#include "driver/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace btc {
namespace {

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

// The temporary file of a write in progress, removed if a signal ends us.
char g_unfinished[4096];

void remove_unfinished(int signal_number) {
  if (g_unfinished[0] != 0) unlink(g_unfinished);
  signal(signal_number, SIG_DFL);
  raise(signal_number);
}

}  // namespace

bool read_file(const std::string& path, std::string* out, std::string* error) {
  int fd = path == "-" ? 0 : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    *error = strerror(errno);
    return false;
  }
  char buffer[65536];
  ssize_t n = 0;
  while ((n = read(fd, buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR))
    if (n > 0) out->append(buffer, static_cast<size_t>(n));
  if (n < 0) *error = strerror(errno);
  if (fd != 0) close(fd);
  return n == 0;
}

bool write_file(const std::string& path, std::string_view bytes, bool executable, std::string* error) {
  if (path == "-") {
    if (write_all(1, bytes)) return true;
    *error = strerror(errno);
    return false;
  }
  struct stat st {};
  if (stat(path.c_str(), &st) == 0 && !S_ISREG(st.st_mode)) {  // a device or pipe: nothing to rename over
    int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write_all(fd, bytes);
    if (!ok) *error = strerror(errno);
    if (fd >= 0) close(fd);
    return ok;
  }
  std::string temporary = path + ".XXXXXX";
  int fd = mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) {
    *error = strerror(errno);
    return false;
  }
  if (temporary.size() < sizeof g_unfinished) {
    memcpy(g_unfinished, temporary.c_str(), temporary.size() + 1);
    for (int s : {SIGINT, SIGTERM, SIGHUP}) signal(s, remove_unfinished);
  }
  mode_t mask = umask(0);
  umask(mask);
  bool ok = write_all(fd, bytes) && fchmod(fd, (executable ? 0777 : 0666) & ~mask) == 0;
  ok = close(fd) == 0 && ok;
  ok = ok && rename(temporary.c_str(), path.c_str()) == 0;
  if (!ok) {
    *error = strerror(errno);
    unlink(temporary.c_str());
  }
  g_unfinished[0] = 0;
  return ok;
}

}  // namespace btc
