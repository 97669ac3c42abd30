// Which passes run, and why not all of them.
//
// The BPF target adds its passes through the PassBuilder: relocatable accesses
// are made at the start of the pipeline, context loads are rewritten late. What
// counts in a tracing program is the number of instructions on the hit path and
// that the verifier can follow: O2 is the level that Clang's users of BPF run and
// test. O3 gave the same code here, O1 leaves checks that verifier states multiply on.
#include "backend/llvm/optimize.h"

#include <llvm/Analysis/TargetLibraryInfo.h>
#include <llvm/Passes/PassBuilder.h>

namespace btc::backend {

// Constants without an address that matters would go to a mergeable section of their own; libbpf would make a map of it that
// hides the one with the facts.
static void keep_constants_together(llvm::Module& module) {
  for (llvm::GlobalVariable& global : module.globals()) {
    if (!global.isConstant() || global.isDeclaration() || (global.hasSection() && global.getSection() != ".rodata")) continue;
    global.setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::None);
    global.setSection(".rodata");
  }
}

void optimize(llvm::Module& module, llvm::TargetMachine& target) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = false;
  tuning.SLPVectorization = false;
  llvm::PassBuilder builder(&target, tuning);
  // There is no C library: loops must not become calls of memset or strlen.
  llvm::TargetLibraryInfoImpl library(llvm::Triple(module.getTargetTriple()));
  library.disableAllFunctions();
  functions.registerPass([&] { return llvm::TargetLibraryAnalysis(library); });
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2).run(module, modules);
  keep_constants_together(module);
}

}  // namespace btc::backend
