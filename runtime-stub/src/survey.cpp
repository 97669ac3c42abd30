// Listing and diagnosis; see survey.h.
#include "runtime-stub/src/survey.h"

#include <algorithm>
#include <unistd.h>

#include "runtime-stub/src/kernel_btf.h"
#include "runtime-stub/src/resolve.h"

namespace btc::rt {

int list_artifact(RunState& run) {
  int code = resolve_all(run);
  std::string text;
  for (const Binding& binding : run.bindings) {
    if (binding.sites.size() > 1 && binding.how != How::Uprobe)
      for (const Site& site : binding.sites) {
        abi::AttachPoint point = binding.point;
        point.func = site.symbol;
        append(text, cat(point.display_name(), "\n"));
      }
    else append(text, cat(binding.name, "\n"));
  }
  write_all(STDOUT_FILENO, text);
  return code;
}

int list_machine(RunState&) { return 0; }
int run_doctor(RunState&) { return 0; }
int run_info(RunState&) { return 0; }
std::string_view notices_text() { return ""; }

}  // namespace btc::rt
