#include "frontend/debuginfo/program_files.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace fs = std::filesystem;

namespace btc {
namespace {

constexpr const char* kLibraryDirs[] = {"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib"};
constexpr const char* kProgramDirs = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

bool is_file(const std::string& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

bool is_elf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  char magic[4] = {};
  return is_file(path) && file.read(magic, sizeof magic) && std::string_view(magic, sizeof magic) == "\x7f" "ELF";
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= text.size();) {
    size_t end = std::min(text.find(at, begin), text.size());
    if (end > begin) parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

// "libc" is the library of the highest version: libc.so, libc.so.6.
std::string library_in(const std::string& dir, const std::string& name) {
  for (const char* suffix : {"", ".so"})
    if (is_file(dir + "/" + name + suffix)) return dir + "/" + name + suffix;
  std::error_code error;
  std::string best;
  for (const auto& entry : fs::directory_iterator(dir, error)) {
    std::string file = entry.path().filename().string();
    if (file.starts_with(name + ".so.") && file > best) best = file;
  }
  return best.empty() ? "" : dir + "/" + best;
}

}  // namespace

std::string find_program_file(const std::string& name, const ProgramSearch& search) {
  for (const auto& [wanted, copy] : search.copies)
    if (wanted == name) return is_file(copy) ? copy : "";
  if (name.empty() || name.find('*') != std::string::npos) return "";
  if (name.find('/') != std::string::npos) {
    std::string path = name[0] == '/' ? search.sysroot + name : name;
    return is_file(path) ? path : "";
  }
  const char* path = search.sysroot.empty() ? getenv("PATH") : nullptr;
  for (const std::string& dir : split(path != nullptr ? path : kProgramDirs, ':'))
    if (std::string file = search.sysroot + dir + "/" + name; is_elf(file)) return file;   // as on the target, no wrapper scripts
  for (const char* dir : kLibraryDirs)
    if (std::string file = library_in(search.sysroot + dir, name); is_file(file)) return file;
  return "";
}

std::vector<std::string> debug_file_candidates(const std::string& program, const std::string& link, const std::string& build_id,
                                               const ProgramSearch& search) {
  std::vector<std::string> out;
  std::error_code error;
  fs::path path = fs::absolute(program, error);
  if (search.sysroot.empty())                    // debug files lie beside the file itself, not beside links to it
    if (fs::path real = fs::canonical(path, error); !error) path = real;
  std::string folder = path.parent_path().string(), name = link.empty() ? path.filename().string() + ".debug" : link;
  std::string id_file = build_id.size() > 2 ? "/.build-id/" + build_id.substr(0, 2) + "/" + build_id.substr(2) + ".debug" : "";
  auto beside = [&](const std::string& dir) {
    if (!id_file.empty()) out.push_back(dir + id_file);
    out.push_back(dir + "/" + name);
  };
  for (const std::string& dirs : search.debug_dirs)
    for (const std::string& dir : split(dirs, ':')) {
      if (dir[0] != '/') beside(folder + "/" + dir);   // relative to the program, as elfutils and bpftrace take it
      beside(dir);
    }
  beside(search.sysroot + "/usr/lib/debug");
  if (!link.empty()) out.push_back(folder + "/" + name);
  out.push_back(folder + "/.debug/" + name);
  // Below the debug directory the file keeps its folder on the target.
  if (folder.starts_with(search.sysroot)) out.push_back(search.sysroot + "/usr/lib/debug" + folder.substr(search.sysroot.size()) + "/" + name);
  return out;
}

}  // namespace btc
