#include "driver/stub_exec.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

extern char** environ;

namespace btc {

void become_executable(std::string_view bytes, const std::vector<std::string>& argv, std::string* error) {
  // The name becomes the thread's name of the new program.
  int fd = memfd_create(argv[0].c_str(), 0);
  size_t done = 0;
  while (fd >= 0 && done < bytes.size()) {
    ssize_t n = write(fd, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    done += static_cast<size_t>(n);
  }
  if (fd < 0 || done < bytes.size()) {
    *error = strerror(errno);
    return;
  }
  std::vector<char*> args;
  for (const std::string& a : argv) args.push_back(const_cast<char*>(a.c_str()));
  args.push_back(nullptr);
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  fexecve(fd, args.data(), environ);
  *error = strerror(errno);
  close(fd);
}

}  // namespace btc
