// `import "lib.bpf.c"`: one C file through Clang.
//
// What Clang needs besides the file is btc's own: its headers, libbpf's for BPF
// programs (<bpf/bpf_helpers.h> ...), and `vmlinux.h`, which is written from the
// kernel profile when a file includes it; accesses to its structures relocate.
// An include of the same name beside the C file or in a -I folder comes first.
#pragma once

#include <string>
#include <vector>

#include "frontend/cimport/clang_part.h"
#include "frontend/sema/program.h"

namespace btc {

struct CSource {
  std::string path;          // as this machine finds it; relative includes start here
  std::string text;
  std::string script_dir;    // names in debug information are relative to it
};

struct CompiledC {
  std::string bitcode, object;              // see ClangOutput
  std::vector<ClangMessage> messages;
  std::vector<std::string> files_read;      // headers of the machine, sorted, each once
};

// False with `error` set if there is no Clang to ask; otherwise look at `out->messages`: errors leave `bitcode` empty.
bool compile_c(const CSource& source, const CompileOptions& options, Profile* profile, CompiledC* out, std::string* error);

// `vmlinux.h` of a profile (vmlinux_header.cpp); a comment that says why if it has no types.
std::string vmlinux_header(Profile& profile);

}  // namespace btc
