// libbpf's linker works on files by name: they are files in memory, or where
// /proc is missing temporary ones that are removed whatever happens.
#include "backend/obj/link_objects.h"

#include <bpf/libbpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <cstring>

namespace btc::backend {

namespace {

class ScratchFile {
 public:
  ScratchFile() {
    fd_ = access("/proc/self/fd", X_OK) == 0 ? memfd_create("btc-link", MFD_CLOEXEC) : -1;
    if (fd_ >= 0) {
      name_ = "/proc/self/fd/" + std::to_string(fd_);
      return;
    }
    const char* folder = getenv("TMPDIR");
    name_ = std::string(folder != nullptr && *folder != 0 ? folder : "/tmp") + "/btc-link-XXXXXX";
    fd_ = mkstemp(name_.data());
    temporary_ = fd_ >= 0;
  }
  ~ScratchFile() {
    if (temporary_) unlink(name_.c_str());
    if (fd_ >= 0) close(fd_);
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  bool is_open() const { return fd_ >= 0; }
  const std::string& name() const { return name_; }

  bool write(const std::string& bytes) {
    for (size_t done = 0; done < bytes.size();) {
      ssize_t n = pwrite(fd_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return false;
      done += static_cast<size_t>(n);
    }
    return true;
  }
  bool read(std::string* bytes) const {
    off_t size = lseek(fd_, 0, SEEK_END);
    if (size <= 0) return false;
    bytes->resize(static_cast<size_t>(size));
    for (size_t done = 0; done < bytes->size();) {
      ssize_t n = pread(fd_, bytes->data() + done, bytes->size() - done, static_cast<off_t>(done));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return false;
      done += static_cast<size_t>(n);
    }
    return true;
  }

 private:
  int fd_ = -1;
  bool temporary_ = false;
  std::string name_;
};

std::string* g_said = nullptr;   // what libbpf's linker warns of

int keep_message(libbpf_print_level level, const char* format, va_list args) {
  if (level != LIBBPF_WARN || g_said == nullptr) return 0;
  char line[512];
  if (vsnprintf(line, sizeof line, format, args) > 0) *g_said = line;   // the last one is what stopped it
  return 0;
}

std::string reason(std::string said, int error) {
  if (said.starts_with("libbpf: ")) said.erase(0, 8);
  while (said.ends_with('\n')) said.pop_back();
  return said.empty() ? std::strerror(std::abs(error)) : said;
}

}  // namespace

bool link_objects(const ir::Module& module, std::string* object, std::string* error) {
  bool any = std::any_of(module.foreign.begin(), module.foreign.end(), [](const ir::Foreign& unit) { return unit.is_object; });
  if (!any) return true;
  ScratchFile out;
  std::string said;
  g_said = &said;
  auto before = libbpf_set_print(keep_message);
  bpf_linker* linker = out.is_open() ? bpf_linker__new(out.name().c_str(), nullptr) : nullptr;
  int failed = linker == nullptr ? errno : 0;
  auto add = [&](const std::string& name, const std::string& bytes) {
    ScratchFile in;
    if (failed == 0 && (!in.is_open() || !in.write(bytes))) failed = errno;
    if (failed == 0) failed = bpf_linker__add_file(linker, in.name().c_str(), nullptr);
    if (failed != 0 && error->empty()) *error = name + ": " + reason(said, failed);
  };
  add("the script", *object);
  for (const ir::Foreign& unit : module.foreign)
    if (unit.is_object) add(unit.name, unit.code);
  if (failed == 0 && (failed = bpf_linker__finalize(linker)) != 0) *error = reason(said, failed);
  bpf_linker__free(linker);
  libbpf_set_print(before);
  g_said = nullptr;
  if (failed == 0 && !out.read(object)) *error = reason("", failed = errno);
  return failed == 0;
}

}  // namespace btc::backend
