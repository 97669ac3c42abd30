// BIR -> LLVM IR -> BPF ELF object; skeleton and executable writers.
#pragma once

#include <string>
#include <string_view>

#include "frontend/support/diag.h"
#include "lower/ir/ir.h"

namespace btc::backend {

struct Artifact {
  std::string llvm_ir;      // text, when asked for
  std::string assembly;     // text, when asked for
  std::string object;       // ELF with BTF, .BTF.ext and the manifest section
  std::string manifest;     // FlatBuffer bytes
};
enum EmitWhat : uint32_t { kEmitLlvm = 1, kEmitAsm = 2, kEmitObject = 4, kEmitLlvmRaw = 8 /* before optimisation */ };

// `module` must be canonical. False with diagnostics on failure.
bool emit(const ir::Module& module, uint32_t what, Artifact* out, DiagEngine& diags);

// The runtime stub with the object attached; `stub` is the embedded prebuilt executable. Empty on failure.
std::string make_executable(std::string_view stub, std::string_view object, DiagEngine& diags);
// Built into btc. Listen: the one that also carries the OpenMetrics endpoint (--with=listen).
enum class Stub : uint8_t { Plain, Listen };
std::string_view embedded_stub(Stub which = Stub::Plain);

// C++20 loader skeleton that embeds the object; `name` is the class's name.
std::string make_skeleton(const ir::Module& module, std::string_view object, std::string_view name);

}  // namespace btc::backend
