// Opens an artifact's object: finds the manifest in it and checks everything
// before anything is used. Artifacts are hostile input: a cut file, a foreign
// file and a manifest of another version each get their own clear error.
#pragma once

#include <string>

#include "manifest_generated.h"
#include "runtime-stub/src/elf_image.h"

namespace btc::rt {

namespace fb = abi::fb;

struct Artifact {
  Bytes object;                        // the ELF object; must outlive this
  ElfImage elf;
  const fb::Manifest* manifest = nullptr;
  std::string license;                 // of the BPF programs

  std::string script_name() const;     // "opens.bt"
};

// "on_open (tracepoint/syscalls/sys_enter_open) of lib.bpf.c"
std::string foreign_name(const fb::ForeignProgram& program);
bool has_need(const fb::Program& program, std::string_view need);

// False with `*error` set.
bool open_artifact(Bytes object, Artifact* out, std::string* error);

// Strings of the manifest may be absent.
inline std::string_view text_of(const flatbuffers::String* s) { return s != nullptr ? s->string_view() : std::string_view(); }
template <typename Vector>
uint32_t count_of(const Vector* v) { return v != nullptr ? v->size() : 0; }

}  // namespace btc::rt
