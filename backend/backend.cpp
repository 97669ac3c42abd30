// BIR to artifact: the stages, in order.
#include "backend/backend.h"

#include <algorithm>

#include <llvm/IR/DiagnosticInfo.h>
#include <llvm/IR/DiagnosticPrinter.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Transforms/Utils/Cloning.h>

#include "backend/llvm/emit_object.h"
#include "backend/llvm/foreign.h"
#include "backend/llvm/fresh_memory.h"
#include "backend/llvm/module_emitter.h"
#include "backend/llvm/optimize.h"
#include "backend/llvm/target.h"
#include "backend/obj/elf_append.h"
#include "backend/obj/line_texts.h"
#include "backend/obj/link_objects.h"
#include "backend/obj/object_reader.h"
#include "backend/obj/patches.h"
#include "backend/obj/stable_btf.h"
#include "backend/obj/verify_context.h"
#include "lower/lower.h"

namespace btc::backend {

namespace {

// What LLVM's code generator reports (a stack frame that is too large, above all) becomes a diagnostic at the script's line.
class LlvmDiagnostics : public llvm::DiagnosticHandler {
 public:
  LlvmDiagnostics(const ir::Module& module, DiagEngine& diags) : module_(module), diags_(diags) {}
  bool handleDiagnostics(const llvm::DiagnosticInfo& info) override {
    if (info.getSeverity() != llvm::DS_Error) return true;
    std::string text;
    llvm::raw_string_ostream stream(text);
    llvm::DiagnosticPrinterRawOStream printer(stream);
    info.print(printer);
    stream.flush();
    if (std::string in_c = place_in_c(info); !in_c.empty()) {
      diags_.report(DiagKind::LinkFailed, SourceRange{}, in_c);
      return true;
    }
    if (waits_for_stack_ && backend::is_over_stack(text)) return is_over_stack_ = true;
    diags_.report(DiagKind::BackendFailed, place(info), in_plain_words(text));
    return true;
  }

  // While that is asked for, code that needs too much stack is not reported but remembered.
  void wait_for_stack(bool wait) { waits_for_stack_ = wait; }
  bool is_over_stack() const { return is_over_stack_; }

 private:
  // "lib.bpf.c:7:3: in function f: ..." of imported code, else "".
  static std::string place_in_c(const llvm::DiagnosticInfo& info) {
    auto* located = llvm::dyn_cast<llvm::DiagnosticInfoUnsupported>(&info);
    if (located == nullptr || !located->isLocationAvailable()) return "";
    llvm::DiagnosticLocation place = located->getLocation();
    std::string file = place.getRelativePath().str();
    if (!file.ends_with(".c") && !file.ends_with(".h")) return "";
    return fmt::format("{}:{}:{}: in function {}: {}", file, place.getLine(), place.getColumn(), located->getFunction().getName().str(),
                       located->getMessage().str());
  }

  SourceRange place(const llvm::DiagnosticInfo& info) const {
    auto* located = llvm::dyn_cast<llvm::DiagnosticInfoUnsupported>(&info);
    if (located == nullptr) return {};
    for (const ir::Function& function : module_.functions) {
      if (located->getFunction().getName() == function.name) return function.loc;
    }
    return {};
  }

  bool waits_for_stack_ = false, is_over_stack_ = false;
  const ir::Module& module_;
  DiagEngine& diags_;
};

std::string module_text(const llvm::Module& module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream, nullptr);
  return stream.str();
}

bool check_context_loads(const ir::Module& module, const ObjectInfo& info, DiagEngine& diags) {
  bool good = true;
  for (const ContextMisuse& misuse : find_context_misuse(info)) {
    auto own = std::find_if(module.functions.begin(), module.functions.end(), [&](const ir::Function& function) { return function.name == misuse.function; });
    if (own == module.functions.end()) continue;   // imported C is its author's, and the kernel's to judge
    good = false;
    diags.report(DiagKind::BackendFailed, own->loc,
                 fmt::format("{}:{}: access through a changed context pointer (instruction {} of {}): {}", misuse.file,
                             misuse.line, misuse.insn, misuse.function, misuse.text));
  }
  return good;
}

bool finish_object(const ir::Module& module, std::string code, Artifact* out, DiagEngine& diags) {
  std::string error;
  ObjectInfo info;
  if (!module.foreign.empty()) order_btf(&code);
  if (!add_line_texts(&code, module.sources)) {
    diags.report(DiagKind::BackendFailed, SourceRange{}, "the line info has an unknown layout");
    return false;
  }
  if (!link_objects(module, &code, &error)) {
    diags.report(DiagKind::LinkFailed, SourceRange{}, error);
    return false;
  }
  std::string stripped = strip_dwarf(code, &error);
  if (!error.empty() || !read_object(stripped, &info, &error)) {
    diags.report(DiagKind::BackendFailed, SourceRange{}, error);
    return false;
  }
  if (!check_context_loads(module, info, diags)) return false;
  out->manifest = lower::build_manifest(module, find_patches(module, info));
  out->object = append_section(stripped, abi::kManifestSection, out->manifest, &error);
  if (!error.empty()) diags.report(DiagKind::BackendFailed, SourceRange{}, error);
  return error.empty();
}

}  // namespace

// Instruction selection puts side by side what does not depend on each other, and with much of that too many values are alive at once
// for BPF's stack. Then it is done anew in the order of the program.
static std::string generate(const llvm::Module& llvm, llvm::TargetMachine& target, LlvmDiagnostics& diagnostics, bool assembly) {
  diagnostics.wait_for_stack(true);
  std::string code = generate_code(*llvm::CloneModule(llvm), target, assembly);
  diagnostics.wait_for_stack(false);
  if (!diagnostics.is_over_stack()) return code;
  set_option("pre-RA-sched", "source");
  code = generate_code(*llvm::CloneModule(llvm), target, assembly);
  set_option("pre-RA-sched", "default");
  return code;
}

bool emit(const ir::Module& module, uint32_t what, Artifact* out, DiagEngine& diags) {
  std::unique_ptr<llvm::TargetMachine> target = make_target_machine(module.arch);
  if (target == nullptr) {
    diags.report(DiagKind::BackendFailed, SourceRange{}, "this LLVM has no BPF target");
    return false;
  }
  FreshMemory memory(!module.foreign.empty());
  llvm::LLVMContext context;
  auto* diagnostics = new LlvmDiagnostics(module, diags);
  context.setDiagnosticHandler(std::unique_ptr<LlvmDiagnostics>(diagnostics));
  size_t errors_before = diags.error_count();
  llvm::Module llvm(module.script_name.empty() ? "script" : module.script_name, context);
  llvm.setTargetTriple(bpf_triple(module.arch));
  llvm.setDataLayout(target->createDataLayout());  // before anything is built: alignments come from it
  ForeignCode foreign(module, llvm, diags);
  if (!foreign.link() || !ModuleEmitter(module, llvm, foreign, diags).emit() || !foreign.check_calls()) return false;

  std::string broken;
  llvm::raw_string_ostream broken_stream(broken);
  if (llvm::verifyModule(llvm, &broken_stream)) {
    diags.report(DiagKind::BackendFailed, SourceRange{}, "LLVM rejects the module: " + broken_stream.str());
    return false;
  }
  if ((what & kEmitLlvmRaw) != 0) out->llvm_ir = module_text(llvm);
  if ((what & ~kEmitLlvmRaw) == 0) return true;
  optimize(llvm, *target);
  if ((what & kEmitLlvm) != 0) out->llvm_ir = module_text(llvm);
  if ((what & kEmitAsm) != 0) out->assembly = generate(llvm, *target, *diagnostics, true);
  if ((what & kEmitObject) != 0) {
    std::string code = generate(llvm, *target, *diagnostics, false);
    if (diags.error_count() != errors_before || !finish_object(module, std::move(code), out, diags)) return false;
  }
  return diags.error_count() == errors_before;
}

}  // namespace btc::backend
