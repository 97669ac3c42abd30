// See foreign_programs.h.
#include "runtime-stub/src/foreign_programs.h"

#include <algorithm>
#include <cerrno>

namespace btc::rt {

std::unique_ptr<ForeignPrograms> ForeignPrograms::load(const std::vector<uint8_t>& memory, const fb::Manifest& manifest, const LoaderOptions& options,
                                                       const bpf_object* loaded, LoadFailure* failure) {
  std::unique_ptr<ForeignPrograms> made(new ForeignPrograms);
  made->log_.reset(new char[options.log_size]);   // not touched unless a program is refused
  made->log_[0] = 0;
  bpf_object_open_opts opts{};
  opts.sz = sizeof opts;
  opts.object_name = "btc";
  if (!options.btf_path.empty()) opts.btf_custom_path = options.btf_path.c_str();
  opts.kernel_log_buf = made->log_.get();
  opts.kernel_log_size = options.log_size;
  LibbpfMessages messages(&failure->log);
  made->object_ = bpf_object__open_mem(memory.data(), memory.size(), &opts);
  if (made->object_ != nullptr && made->load(manifest, loaded, failure)) return made;
  if (failure->error == 0) failure->error = errno;
  failure->message = cat("the imported programs cannot be loaded: ", error_text(failure->error));
  if (made->log_[0] != 0) failure->log = made->log_.get();
  return nullptr;
}

bool ForeignPrograms::load(const fb::Manifest& manifest, const bpf_object* loaded, LoadFailure* failure) {
  bpf_map *map = nullptr, *there = nullptr;
  while ((map = bpf_object__next_map(object_, map)) != nullptr && (there = bpf_object__next_map(loaded, there)) != nullptr)
    if (bpf_map__fd(there) >= 0 && bpf_map__reuse_fd(map, bpf_map__fd(there)) != 0) return false;
  bpf_program* program;
  bpf_object__for_each_program(program, object_) {
    std::string_view name = bpf_program__name(program);
    bool foreign = std::any_of(manifest.foreign_programs()->begin(), manifest.foreign_programs()->end(),
                               [&](const fb::ForeignProgram* one) { return one->name()->string_view() == name; });
    if (!foreign) bpf_program__set_autoload(program, false);
  }
  int result = bpf_object__load(object_);
  if (result == 0) return true;
  failure->error = -result;
  // Which one, stands in libbpf's words only.
  for (uint32_t i = 0; failure->foreign < 0 && i < manifest.foreign_programs()->size(); ++i) {
    std::string needle = cat("prog '", manifest.foreign_programs()->Get(i)->name()->string_view(), "': ");
    if (failure->log.find(needle) != std::string::npos) failure->foreign = static_cast<int>(i);
  }
  return false;
}

ForeignPrograms::~ForeignPrograms() {
  detach();
  bpf_object__close(object_);
}

void ForeignPrograms::detach() {
  for (bpf_link* link : links_) bpf_link__destroy(link);
  links_.clear();
}

Loader::Attached ForeignPrograms::attach(std::string_view name, std::string* why) {
  bpf_program* program = bpf_object__find_program_by_name(object_, std::string(name).c_str());
  if (program == nullptr || !bpf_program__autoload(program) || !bpf_program__autoattach(program)) return Loader::Attached::NoRule;
  LibbpfMessages messages(why);
  bpf_link* link = bpf_program__attach(program);
  // Without a rule, and with a section that names no place, libbpf says nothing.
  if (link == nullptr && errno == EOPNOTSUPP && why->empty()) return Loader::Attached::NoRule;
  if (link == nullptr) {
    if (why->empty()) *why = error_text(errno);
    return Loader::Attached::Failed;
  }
  links_.push_back(link);
  return Loader::Attached::Yes;
}

}  // namespace btc::rt
