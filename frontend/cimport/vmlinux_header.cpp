// vmlinux.h: all types of the kernel profile as C, written by libbpf.
//
// Types that vmlinux's BTF names twice get libbpf's numbered names. Accesses to
// structures relocate on the target (preserve_access_index), as in bpftool's file.
#include <bpf/btf.h>

#include <cstdarg>
#include <cstdio>

#include "frontend/cimport/c_compiler.h"

namespace btc {
namespace {

void append(void* text, const char* format, va_list args) {
  char line[4096];
  va_list again;
  va_copy(again, args);
  int n = vsnprintf(line, sizeof line, format, args);
  auto& out = *static_cast<std::string*>(text);
  if (n >= 0 && static_cast<size_t>(n) < sizeof line) {
    out.append(line, static_cast<size_t>(n));
  } else if (n > 0) {
    std::string longer(static_cast<size_t>(n) + 1, '\0');
    vsnprintf(longer.data(), longer.size(), format, again);
    out.append(longer, 0, static_cast<size_t>(n));
  }
  va_end(again);
}

}  // namespace

std::string vmlinux_header(Profile& profile) {
  std::string_view raw = profile.vmlinux_btf();
  struct btf* types = raw.empty() ? nullptr : btf__new(raw.data(), static_cast<uint32_t>(raw.size()));
  if (types == nullptr) return "#error this kernel profile has no types\n";
  std::string text =
      "#ifndef __VMLINUX_H__\n#define __VMLINUX_H__\n"
      "#ifndef BPF_NO_PRESERVE_ACCESS_INDEX\n"
      "#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)\n#endif\n\n";
  struct btf_dump* dump = btf_dump__new(types, append, &text, nullptr);
  if (dump != nullptr) {
    for (uint32_t id = 1, n = btf__type_cnt(types); id < n; ++id)
      if (btf_dump__dump_type(dump, id) != 0) break;
    btf_dump__free(dump);
  }
  btf__free(types);
  text += "\n#ifndef BPF_NO_PRESERVE_ACCESS_INDEX\n#pragma clang attribute pop\n#endif\n#endif\n";
  return text;
}

}  // namespace btc
