// The executable artifact: the prebuilt runtime stub with the object attached
// in a section that is not loaded. The stub finds it in /proc/self/exe; `strip`
// keeps it; nothing has to be linked or run to make it.
#include "backend/backend.h"
#include "backend/obj/elf_append.h"

extern "C" const char btc_stub_bytes[], btc_stub_bytes_end[], btc_stub_listen_bytes[], btc_stub_listen_bytes_end[];

namespace btc::backend {

std::string_view embedded_stub(Stub which) {
  if (which == Stub::Listen) return {btc_stub_listen_bytes, static_cast<size_t>(btc_stub_listen_bytes_end - btc_stub_listen_bytes)};
  return {btc_stub_bytes, static_cast<size_t>(btc_stub_bytes_end - btc_stub_bytes)};
}

std::string make_executable(std::string_view stub, std::string_view object, DiagEngine& diags) {
  std::string error;
  std::string executable = append_section(stub, abi::kObjectSection, object, &error);
  if (!error.empty()) diags.report(DiagKind::BackendFailed, SourceRange{}, "runtime stub: " + error);
  return executable;
}

}  // namespace btc::backend
