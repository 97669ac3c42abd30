// Runs the passes of passes.def in order; verifies and prints between them as asked.
#include <algorithm>

#include "lower/lower.h"
#include "lower/passes/rewrite.h"

namespace btc::lower {

#define BTC_PASS(Function, ...) bool Function(ir::Module& module, DiagEngine& diags);
#include "lower/passes/passes.def"
#undef BTC_PASS

const std::vector<PassInfo>& passes() {
  static const std::vector<PassInfo> all = {
#define BTC_PASS(Function, Name, Doc) {Name, Doc, &Function},
#include "lower/passes/passes.def"
#undef BTC_PASS
  };
  return all;
}

bool run_passes(ir::Module& module, const PassOptions& options, DiagEngine& diags) {
  for (const std::string& name : options.only) {
    bool known = std::any_of(passes().begin(), passes().end(), [&](const PassInfo& pass) { return name == pass.name; });
    if (!known) return diags.report(DiagKind::UnknownPass, {}, name), false;
  }
  if (options.verify_each && !ir::verify(module, diags)) return false;
  // A module that was written as canonical needs nothing more.
  if (module.stage == "canonical" && options.only.empty()) return true;
  for (const PassInfo& pass : passes()) {
    bool chosen = options.only.empty() || std::find(options.only.begin(), options.only.end(), pass.name) != options.only.end();
    if (!chosen) continue;
    bool changed = pass.run(module, diags);
    if (diags.has_errors()) return false;
    if (options.printed && (options.print_after == "all" || options.print_after == pass.name)) {
      *options.printed += std::string("; after ") + pass.name + "\n" + ir::print(module, false);
    }
    bool is_last = options.only.empty() && &pass == &passes().back();
    if (options.verify_each && changed && !is_last && !ir::verify(module, diags)) return false;
  }
  if (!options.only.empty()) return true;
  module.stage = "canonical";
  return !options.verify_each || ir::verify(module, diags);
}

uint32_t find_fact(ir::Module& module, abi::FactKind kind, const char* name, uint32_t size) {
  for (uint32_t i = 0; i < module.facts.size(); ++i) {
    if (module.facts[i].kind == kind && module.facts[i].arg.empty() && module.facts[i].param < 0) return i;
  }
  ir::Fact fact;
  fact.name = name;
  fact.kind = kind;
  fact.size = size;
  module.facts.push_back(std::move(fact));
  return static_cast<uint32_t>(module.facts.size() - 1);
}

}  // namespace btc::lower
