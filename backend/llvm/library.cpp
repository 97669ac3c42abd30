// Library functions are always inlined. A subprogram would be smaller, but before
// 6.4 the kernel verifier cannot follow the precision of scalars through calls:
// it then takes every scalar for precise, no two states of a loop are alike, and
// one comparison of 64 bytes costs a million instructions (seen on 5.10 and 6.1).
#include "backend/llvm/library.h"

#include <vector>

#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/Linker/Linker.h>
#include <llvm/Support/MemoryBuffer.h>

extern "C" const char btc_bpf_library[], btc_bpf_library_end[];

namespace btc::backend {

llvm::Function* link_library_function(llvm::Module& into, const std::string& name) {
  llvm::Function* known = into.getFunction(name);
  if (known != nullptr && !known->isDeclaration()) return known;
  llvm::StringRef bytes(btc_bpf_library, static_cast<size_t>(btc_bpf_library_end - btc_bpf_library));
  if (bytes.empty()) return nullptr;
  llvm::Expected<std::unique_ptr<llvm::Module>> library =
      llvm::getLazyBitcodeModule(llvm::MemoryBufferRef(bytes, "btc_bpf_library"), into.getContext());
  if (!library) {
    llvm::consumeError(library.takeError());
    return nullptr;
  }
  llvm::Function* wanted = (*library)->getFunction(name);
  if (wanted == nullptr || wanted->isDeclaration()) return nullptr;
  // The library's functions are static; the linker finds only what is not, so they are let out for a moment.
  if (llvm::GlobalVariable* used = (*library)->getGlobalVariable("llvm.used")) used->eraseFromParent();
  if (llvm::GlobalVariable* used = (*library)->getGlobalVariable("llvm.compiler.used")) used->eraseFromParent();
  std::vector<std::string> defined;
  for (llvm::Function& function : **library) {
    if (function.isDeclaration()) continue;
    function.setLinkage(llvm::GlobalValue::ExternalLinkage);
    function.removeFnAttr(llvm::Attribute::NoInline);
    function.addFnAttr(llvm::Attribute::AlwaysInline);
    defined.push_back(function.getName().str());
  }
  // The linker takes what the destination declares and what that needs.
  if (known == nullptr) llvm::Function::Create(wanted->getFunctionType(), llvm::GlobalValue::ExternalLinkage, name, into);
  (*library)->setTargetTriple(into.getTargetTriple());
  (*library)->setDataLayout(into.getDataLayout());
  if (llvm::Linker::linkModules(into, std::move(*library), llvm::Linker::LinkOnlyNeeded)) return nullptr;
  for (const std::string& symbol : defined) {
    llvm::Function* function = into.getFunction(symbol);
    if (function != nullptr && !function->isDeclaration()) function->setLinkage(llvm::GlobalValue::InternalLinkage);
  }
  return into.getFunction(name);
}

}  // namespace btc::backend
