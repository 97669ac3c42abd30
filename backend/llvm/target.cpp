#include "backend/llvm/target.h"

#include <fmt/core.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/CommandLine.h>
#include <llvm/Support/ErrorHandling.h>

#include <cstdlib>

// Declared here rather than through llvm/Support/TargetSelect.h, which drags in every target of the LLVM build.
extern "C" {
void LLVMInitializeBPFTargetInfo();
void LLVMInitializeBPFTarget();
void LLVMInitializeBPFTargetMC();
void LLVMInitializeBPFAsmPrinter();
void LLVMInitializeBPFAsmParser();
}

namespace btc::backend {

bool is_over_stack(const std::string& text) { return text.find("stack limit") != std::string::npos; }

std::string in_plain_words(std::string text) {
  if (is_over_stack(text)) return "this probe needs more than the 512 bytes of stack that BPF has: split it, or keep less in variables";
  if (text.find("out of insn range") != std::string::npos) return "a jump in a probe spans more than the 32,767 instructions that BPF allows: split the probe";
  return text;
}

// What LLVM cannot continue after ends the program, but with a sentence rather than a stack dump.
static void on_fatal_error(void*, const char* reason, bool) {
  fmt::print(stderr, "btc: error: LLVM cannot compile this script: {}\n", in_plain_words(reason));
  std::exit(1);
}

void set_option(const char* name, const char* value) {
  llvm::StringMap<llvm::cl::Option*>& options = llvm::cl::getRegisteredOptions();
  auto found = options.find(name);
  if (found == options.end()) return;
  found->second->reset();
  found->second->addOccurrence(0, name, value);
}

// Loop strength reduction saves an addition per round by walking pointers from odd places ("base - 12"), which the kernel verifier
// cannot bound (7.2 rejects a string search so).
static void disable_loop_strength_reduction() { set_option("disable-lsr", "true"); }

std::string bpf_triple(const std::string& arch) { return arch == "s390x" ? "bpfeb" : "bpfel"; }

std::unique_ptr<llvm::TargetMachine> make_target_machine(const std::string& arch) {
  static const bool registered = [] {
    llvm::install_fatal_error_handler(on_fatal_error);
    disable_loop_strength_reduction();
    LLVMInitializeBPFTargetInfo();
    LLVMInitializeBPFTarget();
    LLVMInitializeBPFTargetMC();
    LLVMInitializeBPFAsmPrinter();
    LLVMInitializeBPFAsmParser();  // inline assembly: barriers, marked constants
    return true;
  }();
  (void)registered;
  std::string error;
  std::string triple = bpf_triple(arch);
  const llvm::Target* target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (target == nullptr) return nullptr;
  return std::unique_ptr<llvm::TargetMachine>(
      target->createTargetMachine(triple, kBpfCpu, "", llvm::TargetOptions(), llvm::Reloc::PIC_));
}

}  // namespace btc::backend
