#include "frontend/cimport/c_compiler.h"

#include <algorithm>
#include <cstdlib>

#include "frontend/cdefs/virtual_files.h"
#include "frontend/cimport/clang_loader.h"

// Made by pack_headers.cmake like Clang's own headers.
extern "C" const char btc_bpf_headers[], btc_bpf_headers_end[];

namespace btc {
namespace {

// Where vmlinux.h and libbpf's headers seem to lie.
const std::string kIncludeDir = std::string(kKernelDir) + "/include";

struct Arch { std::string_view name, triple, macro, folder; };
constexpr Arch kArchs[] = {{"x86_64", "bpfel", "x86", "x86_64-linux-gnu"}, {"aarch64", "bpfel", "arm64", "aarch64-linux-gnu"},
                           {"s390x", "bpfeb", "s390", "s390x-linux-gnu"}};

const Arch& arch_of(std::string_view name) {
  for (const Arch& arch : kArchs)
    if (arch.name == name) return arch;
  return kArchs[0];
}

std::string with_slash(const std::string& folder) { return folder.ends_with('/') ? folder : folder + "/"; }

// Folders of the environment, as Clang's own command line takes them.
void add_folders(std::vector<std::string>& args, const char* variable, const char* option) {
  const char* folders = getenv(variable);
  for (std::string_view rest = folders != nullptr ? folders : ""; !rest.empty();) {
    std::string_view dir = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(dir.size() + 1, rest.size()));
    if (!dir.empty()) args.insert(args.end(), {option, std::string(dir)});
  }
}

std::vector<std::string> arguments(const CSource& source, const CompileOptions& options) {
  const Arch& arch = arch_of(options.arch);
  std::vector<std::string> args = {"-triple", std::string(arch.triple), "-target-cpu", "v3", "-O2", "-x", "c", "-std=gnu17", "-fgnuc-version=4.2.1",
                                   "-debug-info-kind=constructor", "-dwarf-version=5", "-gembed-source", "-fdebug-compilation-dir=.",
                                   "-ferror-limit", "0", "-resource-dir", std::string(kResourceDir), "-D__TARGET_ARCH_" + std::string(arch.macro)};
  // Names in debug information do not tell where the sources lie.
  if (!source.script_dir.empty()) args.push_back("-fdebug-prefix-map=" + with_slash(source.script_dir) + "=");
  for (const std::string& dir : options.include_dirs) {
    args.push_back("-fdebug-prefix-map=" + with_slash(dir) + "=");
    args.insert(args.end(), {"-I", dir});
  }
  for (const std::string& include : options.includes) args.insert(args.end(), {"-include", include});
  add_folders(args, "CPATH", "-I");
  add_folders(args, "C_INCLUDE_PATH", "-c-isystem");
  for (const std::string& dir : {std::string(kResourceDir) + "/include", kIncludeDir}) args.insert(args.end(), {"-internal-isystem", dir});
  for (const std::string& dir : {std::string("/usr/local/include"), "/usr/include/" + std::string(arch.folder), std::string("/usr/include")})
    args.insert(args.end(), {"-internal-externc-isystem", dir});
  return args;
}

void add_bpf_headers(ClangJob& job) {
  std::string_view packed(btc_bpf_headers, static_cast<size_t>(btc_bpf_headers_end - btc_bpf_headers));
  for (const auto& [name, text] : unpack_headers(packed)) job.files.emplace_back(kIncludeDir + "/bpf/" + std::string(name), text);
}

}  // namespace

bool compile_c(const CSource& source, const CompileOptions& options, Profile* profile, CompiledC* out, std::string* error) {
  ClangCompile compile = load_clang(error);
  if (compile == nullptr) return false;
  ClangJob job;
  job.arguments = arguments(source, options);
  job.input = source.path;
  job.files.emplace_back(source.path, source.text);
  for (const auto& [path, text] : resource_headers()) job.files.emplace_back(path, text);
  add_bpf_headers(job);
  if (profile != nullptr) {
    job.made_path = kIncludeDir + "/vmlinux.h";
    job.make = [profile] { return vmlinux_header(*profile); };
  }
  ClangOutput result;
  bool good = compile(job, &result);
  out->messages = std::move(result.messages);
  for (const std::string& file : result.files_read)
    if (file != source.path && !file.starts_with(kResourceDir) && !file.starts_with(kKernelDir)) out->files_read.push_back(file);
  std::sort(out->files_read.begin(), out->files_read.end());
  out->files_read.erase(std::unique(out->files_read.begin(), out->files_read.end()), out->files_read.end());
  if (!good) return true;
  out->bitcode = std::move(result.bitcode);
  out->object = std::move(result.object);
  return true;
}

}  // namespace btc
