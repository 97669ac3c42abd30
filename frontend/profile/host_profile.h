// The files of a kernel on this machine that profiles are made of: the running
// kernel's, or copies of another's (CaptureSource).
#pragma once

#include <string>
#include <vector>

namespace btc {

struct CaptureSource {
  std::string btf_dir;     // vmlinux and one file per module
  std::string events_dir;  // CATEGORY/EVENT/format; "" if there is no tracefs
  std::string release, arch;
};
// /sys and uname.
CaptureSource running_kernel();

bool read_whole_file(const std::string& path, std::string* out);
std::vector<std::string> list_directory(const std::string& path);     // sorted, without dot files
std::vector<std::string> list_events(const CaptureSource& source);    // "category:event", sorted
std::string format_path(const CaptureSource& source, std::string_view name);

}  // namespace btc
