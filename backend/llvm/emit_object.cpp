#include "backend/llvm/emit_object.h"

#include <llvm/IR/LegacyPassManager.h>
#include <llvm/ObjCopy/ConfigManager.h>
#include <llvm/ObjCopy/ObjCopy.h>
#include <llvm/Object/ELFObjectFile.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/raw_ostream.h>

#include "backend/llvm/long_functions.h"

namespace btc::backend {

// BTF is all that is wanted. LLVM writes DWARF beside it unless the module asks for the debug information of Windows alone, which it
// writes for Windows only.
static void without_dwarf(llvm::Module& module) {
  llvm::SmallVector<llvm::Module::ModuleFlagEntry, 8> flags;
  module.getModuleFlagsMetadata(flags);
  if (llvm::NamedMDNode* all = module.getModuleFlagsMetadata()) all->clearOperands();
  for (const llvm::Module::ModuleFlagEntry& flag : flags) {
    if (flag.Key->getString() != "Dwarf Version") module.addModuleFlag(flag.Behavior, flag.Key->getString(), flag.Val);
  }
  module.addModuleFlag(llvm::Module::Warning, "CodeView", 1);
}

std::string generate_code(llvm::Module& module, llvm::TargetMachine& target, bool assembly) {
  without_dwarf(module);
  shape_long_functions(module);
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream out(bytes);
  llvm::legacy::PassManager passes;
  auto type = assembly ? llvm::CodeGenFileType::AssemblyFile : llvm::CodeGenFileType::ObjectFile;
  // True means "not supported", which BPF always is.
  if (target.addPassesToEmitFile(passes, out, nullptr, type, /*DisableVerify=*/true)) return "";
  passes.run(module);
  return std::string(bytes.begin(), bytes.end());
}

std::string strip_dwarf(const std::string& object, std::string* error) {
  auto binary = llvm::object::ObjectFile::createObjectFile(llvm::MemoryBufferRef(object, "object"));
  if (!binary) {
    *error = llvm::toString(binary.takeError());
    return "";
  }
  llvm::objcopy::ConfigManager config;
  config.Common.StripDebug = true;
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream out(bytes);
  if (llvm::Error failed = llvm::objcopy::executeObjcopyOnBinary(config, **binary, out)) {
    *error = llvm::toString(std::move(failed));
    return "";
  }
  return std::string(bytes.begin(), bytes.end());
}

}  // namespace btc::backend
