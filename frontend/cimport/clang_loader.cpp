// Loads the part of btc that stands on Clang's code generator.
//
// The shared object is in btc itself; the dynamic linker wants a file, so it
// gets one in memory, or where /proc is missing a temporary one that is gone as
// soon as it is loaded. It stays loaded.
#include "frontend/cimport/clang_loader.h"

#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

extern "C" const char btc_clang_part[], btc_clang_part_end[];

namespace btc {
namespace {

bool write_all(int fd) {
  for (const char* at = btc_clang_part; at < btc_clang_part_end;) {
    ssize_t n = write(fd, at, static_cast<size_t>(btc_clang_part_end - at));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
  }
  return true;
}

void* load_from_memory() {
  int fd = memfd_create("btc-clang", MFD_CLOEXEC);
  if (fd < 0) return nullptr;
  void* handle = write_all(fd) ? dlopen(("/proc/self/fd/" + std::to_string(fd)).c_str(), RTLD_NOW | RTLD_LOCAL) : nullptr;
  close(fd);
  return handle;
}

void* load_from_file(std::string* error) {
  const char* folder = getenv("TMPDIR");
  std::string path = std::string(folder != nullptr && *folder != 0 ? folder : "/tmp") + "/btc-clang-XXXXXX";
  int fd = mkstemp(path.data());
  if (fd < 0) {
    *error = path + ": " + std::strerror(errno);
    return nullptr;
  }
  bool written = write_all(fd);
  close(fd);
  void* handle = written ? dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL) : nullptr;
  if (handle == nullptr) *error = written ? dlerror() : path + ": " + std::strerror(errno);
  unlink(path.c_str());
  return handle;
}

}  // namespace

ClangCompile load_clang(std::string* error) {
  static void* handle = nullptr;
  if (handle == nullptr) handle = load_from_memory();
  if (handle == nullptr && access("/proc/self/fd", X_OK) == 0) {
    const char* why = dlerror();
    *error = why != nullptr ? why : "no memory file";
    // "/proc/self/fd/5: ..." says nothing to people.
    if (size_t at = error->find(": "); error->starts_with("/proc/self/fd/") && at != std::string::npos) error->erase(0, at + 2);
    return nullptr;
  }
  if (handle == nullptr) handle = load_from_file(error);
  return handle == nullptr ? nullptr : reinterpret_cast<ClangCompile>(dlsym(handle, kClangCompileSymbol));
}

}  // namespace btc
