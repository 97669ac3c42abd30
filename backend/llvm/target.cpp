#include "backend/llvm/target.h"

#include <llvm/MC/TargetRegistry.h>

// Declared here rather than through llvm/Support/TargetSelect.h, which drags in every target of the LLVM build.
extern "C" {
void LLVMInitializeBPFTargetInfo();
void LLVMInitializeBPFTarget();
void LLVMInitializeBPFTargetMC();
void LLVMInitializeBPFAsmPrinter();
void LLVMInitializeBPFAsmParser();
}

namespace btc::backend {

std::string bpf_triple(const std::string& arch) { return arch == "s390x" ? "bpfeb" : "bpfel"; }

std::unique_ptr<llvm::TargetMachine> make_target_machine(const std::string& arch) {
  static const bool registered = [] {
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
