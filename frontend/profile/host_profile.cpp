#include "frontend/profile/host_profile.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "frontend/profile/btf_profile.h"
#include "frontend/profile/records.h"
#include "frontend/support/sha256.h"

namespace btc {

bool read_whole_file(const std::string& path, std::string* out) {
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  // Sizes in /sys and tracefs are wrong or absent: read until the end.
  size_t used = 0;
  out->resize(1 << 16);
  for (;;) {
    ssize_t got = read(fd, out->data() + used, out->size() - used);
    if (got < 0) {
      close(fd);
      return false;
    }
    if (got == 0) break;
    used += static_cast<size_t>(got);
    if (used == out->size()) out->resize(out->size() * 2);
  }
  close(fd);
  out->resize(used);
  return true;
}

std::vector<std::string> list_directory(const std::string& path) {
  std::vector<std::string> out;
  DIR* dir = opendir(path.c_str());
  if (!dir) return out;
  while (const dirent* entry = readdir(dir))
    if (entry->d_name[0] != '.') out.emplace_back(entry->d_name);
  closedir(dir);
  std::sort(out.begin(), out.end());
  return out;
}

CaptureSource running_kernel() {
  CaptureSource source;
  source.btf_dir = "/sys/kernel/btf";
  for (const char* dir : {"/sys/kernel/tracing/events", "/sys/kernel/debug/tracing/events"}) {
    if (access(dir, R_OK | X_OK) == 0) {
      source.events_dir = dir;
      break;
    }
  }
  utsname name{};
  uname(&name);
  source.release = name.release;
  source.arch = name.machine;
  return source;
}

std::vector<std::string> list_events(const CaptureSource& source) {
  std::vector<std::string> out;
  if (source.events_dir.empty()) return out;
  for (const std::string& category : list_directory(source.events_dir)) {
    // ftrace's own records are no tracepoints; probes that somebody else has set come and go.
    if (category == "ftrace" || category == "kprobes" || category == "uprobes" || category == "synthetic") continue;
    for (const std::string& event : list_directory(source.events_dir + "/" + category))
      if (event != "enable" && event != "filter") out.push_back(category + ":" + event);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string format_path(const CaptureSource& source, std::string_view name) {
  size_t colon = name.find(':');
  return source.events_dir + "/" + std::string(name.substr(0, colon)) + "/" + std::string(name.substr(colon + 1)) + "/format";
}

namespace {

class HostProfile : public BtfProfile {
 public:
  explicit HostProfile(CaptureSource source) : source_(std::move(source)) {}

  std::string release() const override { return source_.release; }
  std::string arch() const override { return source_.arch; }
  bool has_types() override { return access((source_.btf_dir + "/vmlinux").c_str(), R_OK) == 0; }
  std::string hash() const override {
    // The build id in the notes names the kernel; hashing its BTF would take longer than a compile.
    std::string notes;
    read_whole_file("/sys/kernel/notes", &notes);
    return sha256_hex("host\n" + source_.release + "\n" + notes);
  }

 protected:
  bool load(std::string_view module, std::string_view* out) override {
    auto [it, fresh] = raw_.try_emplace(std::string(module));
    if (fresh) read_whole_file(source_.btf_dir + "/" + std::string(module), &it->second);
    *out = it->second;
    return !it->second.empty();
  }
  std::vector<std::string> modules() override {
    if (!modules_read_) {
      modules_read_ = true;
      modules_ = list_directory(source_.btf_dir);
      std::erase(modules_, "vmlinux");
    }
    return modules_;
  }
  bool may_define(std::string_view, std::string_view) override { return true; }

  const std::vector<std::string>& record_names() override {
    if (!names_read_) {
      names_read_ = true;
      names_ = list_events(source_);
    }
    return names_;
  }
  bool read_record(size_t index, TracepointRecord* out) override {
    std::string text;
    if (!read_whole_file(format_path(source_, names_[index]), &text) || !parse_format(text, out)) return false;
    out->category = names_[index].substr(0, names_[index].find(':'));
    if (!classes_) classes_ = std::make_unique<RecordClasses>(set_);
    classes_->assign(*out);
    return true;
  }

 private:
  CaptureSource source_;
  std::map<std::string, std::string> raw_;
  std::vector<std::string> modules_, names_;
  bool modules_read_ = false, names_read_ = false;
  std::unique_ptr<RecordClasses> classes_;
};

}  // namespace

std::unique_ptr<Profile> open_host_profile(std::string* error) {
  CaptureSource source = running_kernel();
  if (access((source.btf_dir + "/vmlinux").c_str(), R_OK) != 0) {
    *error = "the running kernel gives no BTF (/sys/kernel/btf/vmlinux)";
    return nullptr;
  }
  return std::make_unique<HostProfile>(std::move(source));
}

}  // namespace btc
