#include "frontend/cdefs/virtual_files.h"

#include <algorithm>
#include <cstdlib>

// Made by pack_headers.cmake: per header a line "NAME SIZE", then SIZE bytes and a newline.
extern "C" const char btc_clang_headers[], btc_clang_headers_end[];
extern "C" const char btc_kernel_macros[], btc_kernel_macros_end[];

namespace btc {

std::vector<std::pair<std::string_view, std::string_view>> unpack_headers(std::string_view rest) {
  std::vector<std::pair<std::string_view, std::string_view>> out;
  while (!rest.empty()) {
    size_t line_end = rest.find('\n'), space = rest.find(' ');
    if (line_end == std::string_view::npos || space > line_end) break;
    size_t size = std::strtoul(std::string(rest.substr(space + 1, line_end - space - 1)).c_str(), nullptr, 10);
    out.emplace_back(rest.substr(0, space), rest.substr(line_end + 1, size));
    if (line_end + 1 + size + 1 > rest.size()) break;
    rest.remove_prefix(line_end + 1 + size + 1);
  }
  return out;
}

const std::vector<std::pair<std::string, std::string_view>>& resource_headers() {
  static const auto headers = [] {
    std::vector<std::pair<std::string, std::string_view>> out;
    std::string_view packed(btc_clang_headers, static_cast<size_t>(btc_clang_headers_end - btc_clang_headers));
    for (const auto& [name, text] : unpack_headers(packed)) out.emplace_back(std::string(kResourceDir) + "/include/" + std::string(name), text);
    return out;
  }();
  return headers;
}

std::string_view kernel_macros() {
  static const std::string guarded = [] {
    std::string out;
    std::string_view rest(btc_kernel_macros, static_cast<size_t>(btc_kernel_macros_end - btc_kernel_macros));
    while (!rest.empty()) {
      std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      if (!line.starts_with("#define ")) {
        out += line;
      } else {
        std::string_view name = line.substr(8, line.find_first_of(" (", 8) - 8);
        out += "#ifndef " + std::string(name) + "\n" + std::string(line) + "\n#endif";
      }
      out += '\n';
    }
    return out;
  }();
  return guarded;
}

bool is_dispensable_header(std::string_view path) {
  while (path.starts_with("../") || path.starts_with("./")) path.remove_prefix(path.find('/') + 1);
  // include/ and arch/*/include of the kernel's tree, and the top folders that scripts reach into by relative paths.
  static constexpr std::string_view kFolders[] = {
      "linux/", "net/", "asm/", "asm-generic/", "uapi/", "acpi/", "clocksource/", "crypto/", "drm/", "dt-bindings/", "generated/", "keys/",
      "kunit/", "kvm/", "math-emu/", "media/", "memory/", "misc/", "mtd/", "pcmcia/", "ras/", "rdma/", "rv/", "scsi/", "soc/", "sound/",
      "target/", "trace/", "ufs/", "vdso/", "video/", "xen/", "kernel/", "fs/", "mm/", "block/", "drivers/", "security/", "virt/", "arch/"};
  for (std::string_view folder : kFolders)
    if (path.starts_with(folder)) return true;
  // libc's headers: what scripts want of them (types, AF_*, S_IF*, errno) is the kernel's too, and a container may have no libc headers.
  static constexpr std::string_view kLibcFolders[] = {"sys/", "netinet/", "arpa/", "bits/", "gnu/", "netpacket/", "net/"};
  for (std::string_view folder : kLibcFolders)
    if (path.starts_with(folder)) return true;
  static constexpr std::string_view kFiles[] = {"vmlinux.h", "mount.h", "errno.h", "fcntl.h", "signal.h", "stdio.h", "stdlib.h", "string.h", "strings.h",
                                                "time.h", "unistd.h", "sched.h", "features.h", "endian.h", "byteswap.h", "netdb.h", "poll.h",
                                                "pthread.h", "assert.h", "ctype.h", "math.h"};
  for (std::string_view file : kFiles)
    if (path == file) return true;
  return false;
}

}  // namespace btc
