// Writing a profile: everything of one kernel that a script may name.
//
// Memory mostly holds the BTF; the result is written beside its target and
// renamed, so a failure leaves nothing behind.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>

#include "frontend/profile/btf_set.h"
#include "frontend/profile/container.h"
#include "frontend/profile/host_profile.h"
#include "frontend/profile/profile.h"
#include "frontend/profile/records.h"

namespace btc {
namespace {

class SourceBtf : public BtfProvider {
 public:
  explicit SourceBtf(const CaptureSource& source) {
    for (const std::string& name : list_directory(source.btf_dir)) {
      std::string raw;
      if (read_whole_file(source.btf_dir + "/" + name, &raw)) raw_[name] = std::move(raw);
    }
  }
  bool load(std::string_view module, std::string_view* out) override {
    auto it = raw_.find(std::string(module));
    if (it == raw_.end()) return false;
    *out = it->second;
    return true;
  }
  std::vector<std::string> modules() override {
    std::vector<std::string> out;
    for (const auto& [name, raw] : raw_)
      if (name != "vmlinux") out.push_back(name);
    return out;
  }
  bool may_define(std::string_view, std::string_view) override { return true; }

 private:
  std::map<std::string, std::string> raw_;
};

bool write_beside_and_rename(const std::string& path, const std::string& content, std::string* error) {
  std::string temporary = fmt::format("{}.tmp{}", path, getpid());
  int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  bool ok = fd >= 0;
  for (size_t done = 0; ok && done < content.size();) {
    ssize_t put = write(fd, content.data() + done, content.size() - done);
    ok = put > 0;
    if (ok) done += static_cast<size_t>(put);
  }
  int saved = errno;
  if (fd >= 0 && close(fd) != 0 && ok) ok = false, saved = errno;
  if (ok && rename(temporary.c_str(), path.c_str()) != 0) ok = false, saved = errno;
  if (!ok) {
    if (fd >= 0) unlink(temporary.c_str());
    *error = fmt::format("cannot write '{}': {}", path, strerror(saved));
  }
  return ok;
}

bool capture(const CaptureSource& source, const std::string& out_path, std::string* error) {
  // Capturing takes seconds: a place that cannot be written is said before.
  std::string folder = out_path.find('/') == std::string::npos ? "." : out_path.substr(0, out_path.rfind('/') + 1);
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    *error = fmt::format("cannot write '{}': {}", out_path, std::strerror(errno));
    return false;
  }
  SourceBtf provider(source);
  BtfSet set(provider);
  std::string_view raw;
  // A kernel without BTF (CONFIG_DEBUG_INFO_BTF) has tracepoints all the same; scripts bring their types along.
  bool has_types = provider.load("vmlinux", &raw);
  if (has_types && !set.vmlinux()) {
    *error = fmt::format("the BTF in {} cannot be read", source.btf_dir);
    return false;
  }
  RecordClasses classes(set);
  std::vector<TracepointRecord> records;
  for (const std::string& name : list_events(source)) {
    std::string text;
    TracepointRecord record;
    if (!read_whole_file(format_path(source, name), &text) || !parse_format(text, &record)) continue;
    record.category = name.substr(0, name.find(':'));
    classes.assign(record);
    records.push_back(std::move(record));
  }
  if (records.empty()) {
    *error = "no tracepoint could be read: capturing needs root and a mounted tracefs (mount -t tracefs none /sys/kernel/tracing)";
    return false;
  }
  ContainerWriter writer;
  writer.add("meta", fmt::format("release={}\narch={}\n", source.release, source.arch));
  writer.add("modules", write_module_index(set));
  writer.add("records", write_records(records));
  if (has_types) writer.add("btf/vmlinux", raw);
  for (const std::string& module : provider.modules())
    if (has_types && provider.load(module, &raw)) writer.add("btf/" + module, raw);
  return write_beside_and_rename(out_path, writer.finish(), error);
}

}  // namespace

bool capture_profile(const std::string& out_path, std::string* error) { return capture(running_kernel(), out_path, error); }

bool capture_profile_from(const std::string& dir, const std::string& out_path, std::string* error) {
  CaptureSource source;
  source.btf_dir = dir + "/btf";
  source.events_dir = dir + "/events";
  auto line = [&](const char* name) {
    std::string text;
    read_whole_file(dir + "/" + name, &text);
    return text.substr(0, text.find('\n'));
  };
  source.release = line("release");
  source.arch = line("arch");
  if (source.release.empty() || source.arch.empty()) {
    *error = fmt::format("'{}' holds no copied kernel files: release and arch are missing", dir);
    return false;
  }
  return capture(source, out_path, error);
}

}  // namespace btc
