#include "frontend/cimport/stdlib_files.h"

namespace btc {
namespace {

constexpr StdlibFile kFiles[] = {
    {"stdlib/base.bpf.c", ""},
    {"stdlib/map/map.bpf.c", ""},
    {"stdlib/process/process.bpf.c", ""},
    {"stdlib/stack/dwunwind.bpf.c", ""},
    {"stdlib/strings/strings.bpf.c", ""},
    {"stdlib/system/system.bpf.c", ""},
    {"stdlib/task/task.bpf.c", ""},
    {"stdlib/task/vma.bpf.c", ""},
    {"stdlib/test/test.bpf.c", "// Shows that calls of C work.\nint __always_true(void) { return 1; }\n"},
    {"stdlib/usdt/usdt.bpf.c", ""},
};

}  // namespace

std::vector<const StdlibFile*> find_stdlib(std::string_view name) {
  std::vector<const StdlibFile*> found;
  for (const StdlibFile& file : kFiles)
    if (file.name == name || file.name.substr(0, file.name.rfind('/')) == name) found.push_back(&file);
  return found;
}

std::vector<std::string> stdlib_names() {
  std::vector<std::string> names;
  for (const StdlibFile& file : kFiles) names.emplace_back(file.name);
  return names;
}

}  // namespace btc
