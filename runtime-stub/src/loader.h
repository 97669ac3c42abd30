// Loading: from the object to file descriptors of maps and programs.
//
// This is the narrow interface that everything above stands on; no type of
// libbpf passes through it. A program of the object is a *template*: it is
// relocated once, and each copy is loaded with its own attach target, its own
// per-copy constants and record layout, and its own line info.
//
//   auto loader = Loader::open(artifact, options, &error);
//   loader->set_map_entries("AT_x", 4096);
//   memcpy(loader->facts(), ...);
//   loader->add({...});                     // any number of copies per program
//   loader->load(&failure);                 // maps, relocation, all copies
//   int fd = loader->copy_fd(copy), map = loader->map_fd("AT_x");
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime-stub/src/manifest_reader.h"

namespace btc::rt {

// One instruction to change in a copy, after relocation.
struct InsnEdit {
  uint32_t insn;
  enum What : uint8_t { Restore, Offset, Imm, Size, Opcode, Imm64 } what;
  uint64_t value;              // Size: bytes; Restore: the whole instruction, as it was before relocation
};

struct CopyRequest {
  uint32_t program = 0;        // index into Manifest.programs
  int session_exit = -1;       // the program of the return, joined to it (session.h)
  uint32_t prog_type = 0;      // BPF_PROG_TYPE_*
  uint32_t attach_type = 0;    // expected_attach_type
  uint32_t attach_btf_id = 0;  // tracing programs
  int attach_btf_fd = 0;       // module BTF, 0: vmlinux
  int attach_prog_fd = 0;      // fentry on a BPF program
  uint32_t flags = 0;          // BPF_F_SLEEPABLE
  std::vector<InsnEdit> edits, exit_edits;
};

struct LoadFailure {
  std::string message;         // what failed, in one line
  int error = 0;               // errno
  int program = -1;            // manifest index, if a program was refused
  int foreign = -1;            // likewise of an imported program
  std::string log;             // the kernel verifier's
  std::string file;            // the source line where it stopped, by the program's line info; "" if not known
  uint32_t line = 0, column = 0;
  std::string lacking;         // "struct cfs_rq.nr_queued": what the program reads and the kernel's types do not have
};

struct LoaderOptions {
  int verbose = 0;             // 1: say what is loaded; 2: the verifier's logs too
  uint32_t log_size = 1000000;
  std::string btf_path;        // BPFTRACE_BTF: kernel BTF from a file
  std::function<bool(uint32_t prog_type)> typed_reads;   // whether programs of a type can have typed pointers; asked if one could use them
};

class Loader {
 public:
  static std::unique_ptr<Loader> open(const Artifact& artifact, const LoaderOptions& options, LoadFailure* failure);
  virtual ~Loader() = default;

  // Before load().
  virtual bool has_map(std::string_view bpf_name) const = 0;
  virtual bool set_map_entries(std::string_view bpf_name, uint32_t entries) = 0;
  virtual uint8_t* facts(size_t* size) = 0;          // btc_facts in .rodata; null if the object has none
  virtual uint32_t add(CopyRequest request) = 0;     // returns the copy's number

  virtual bool load(LoadFailure* failure) = 0;

  // After load().
  virtual int map_fd(std::string_view bpf_name) const = 0;   // -1: no such map
  virtual int copy_fd(uint32_t copy) const = 0;
  // Attaches an imported program by the rule that libbpf has for its section; `why`: what libbpf said. They are detached together,
  // at the latest when the loader goes.
  enum class Attached : uint8_t { Yes, NoRule, Failed };
  virtual Attached attach_foreign(uint32_t index, std::string* why) = 0;
  virtual void detach_foreign() = 0;
};

}  // namespace btc::rt
