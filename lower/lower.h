// Typed tree -> BIR, the BIR passes, and the manifest made from a final module.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/sema/program.h"
#include "lower/ir/ir.h"

namespace btc::lower {

// Never fails on a Program without errors, except for limits, which are diagnostics.
std::unique_ptr<ir::Module> lower(const Program& program, const SourceManager& sources, DiagEngine& diags);

// A pass says whether it changed the module.
struct PassInfo { const char* name; const char* doc; bool (*run)(ir::Module&, DiagEngine&); };
const std::vector<PassInfo>& passes();     // lower/passes/passes.def, in order

struct PassOptions {
  std::vector<std::string> only;           // --passes=a,b; empty = all
  std::string print_after;                 // --print-after=PASS or "all"
  std::string* printed = nullptr;          // text of print_after
  bool verify_each = true;
};
bool run_passes(ir::Module& module, const PassOptions& options, DiagEngine& diags);

// Where the backend put things that the runtime rewrites; see manifest.fbs Patch.
struct Patch { uint32_t program; uint32_t insn; uint8_t kind; std::string field; uint32_t id; uint64_t original; };
struct BackendFacts { std::vector<Patch> patches; uint32_t core_relocations = 0; };

// FlatBuffer bytes (abi/manifest.fbs).
std::string build_manifest(const ir::Module& module, const BackendFacts& facts);

}  // namespace btc::lower
