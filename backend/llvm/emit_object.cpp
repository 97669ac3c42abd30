#include "backend/llvm/emit_object.h"

#include <llvm/IR/LegacyPassManager.h>
#include <llvm/ObjCopy/ConfigManager.h>
#include <llvm/ObjCopy/ObjCopy.h>
#include <llvm/Object/ELFObjectFile.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/raw_ostream.h>

namespace btc::backend {

std::string generate_code(llvm::Module& module, llvm::TargetMachine& target, bool assembly) {
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
