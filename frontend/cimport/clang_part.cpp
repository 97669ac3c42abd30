// C to LLVM bitcode and to a BPF object, by Clang's library in this process.
//
// Files come from the job first, then from the machine. Nothing is written: the
// object goes to memory. The bitcode is taken before optimisation, because the
// script's code and this are optimised together, once; the object, of functions
// without code, is what tells types (BTF).
#include "frontend/cimport/clang_part.h"

#include <clang/Basic/DiagnosticOptions.h>
#include <clang/Basic/TargetInfo.h>
#include <clang/CodeGen/BackendUtil.h>
#include <clang/CodeGen/CodeGenAction.h>
#include <clang/Frontend/CompilerInstance.h>
#include <clang/Frontend/CompilerInvocation.h>
#include <clang/Frontend/Utils.h>
#include <llvm/Bitcode/BitcodeWriter.h>
#include <llvm/IR/DebugInfoMetadata.h>
#include <llvm/IR/DiagnosticInfo.h>
#include <llvm/IR/DiagnosticPrinter.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/VirtualFileSystem.h>
#include <llvm/Support/raw_ostream.h>

// Declared here rather than through llvm/Support/TargetSelect.h, which drags in every target of the LLVM build.
extern "C" {
void LLVMInitializeBPFTargetInfo();
void LLVMInitializeBPFTarget();
void LLVMInitializeBPFTargetMC();
void LLVMInitializeBPFAsmPrinter();
void LLVMInitializeBPFAsmParser();
}

namespace btc {
namespace {

class Messages : public clang::DiagnosticConsumer {
 public:
  explicit Messages(ClangOutput& out) : out_(out) {}

  void HandleDiagnostic(clang::DiagnosticsEngine::Level level, const clang::Diagnostic& info) override {
    clang::DiagnosticConsumer::HandleDiagnostic(level, info);
    if (level < clang::DiagnosticsEngine::Note) return;
    ClangMessage message;
    message.level = level == clang::DiagnosticsEngine::Note   ? ClangMessage::Note
                    : level < clang::DiagnosticsEngine::Error ? ClangMessage::Warning
                                                              : ClangMessage::Error;
    llvm::SmallString<128> text;
    info.FormatDiagnostic(text);
    message.text = text.str();
    if (info.hasSourceManager() && info.getLocation().isValid()) {
      const clang::SourceManager& sources = info.getSourceManager();
      clang::PresumedLoc place = sources.getPresumedLoc(sources.getExpansionLoc(info.getLocation()));
      if (place.isValid()) {
        message.file = place.getFilename();
        message.line = place.getLine();
        message.col = place.getColumn();
      }
    }
    out_.messages.push_back(std::move(message));
  }

 private:
  ClangOutput& out_;
};

// What the code generator cannot make: functions with more arguments than registers, or any number of them.
class CodeMessages : public llvm::DiagnosticHandler {
 public:
  explicit CodeMessages(ClangOutput& out) : out_(out) {}

  bool handleDiagnostics(const llvm::DiagnosticInfo& info) override {
    if (info.getSeverity() != llvm::DS_Error) return true;
    ClangMessage message;
    if (auto* unsupported = llvm::dyn_cast<llvm::DiagnosticInfoUnsupported>(&info)) {
      message.text = unsupported->getMessage().str();
      if (const llvm::DISubprogram* function = unsupported->getFunction().getSubprogram()) {
        message.file = function->getFilename().str();
        message.line = function->getLine();
        message.col = 1;
      }
    } else {
      llvm::raw_string_ostream stream(message.text);
      llvm::DiagnosticPrinterRawOStream printer(stream);
      info.print(printer);
    }
    out_.messages.push_back(std::move(message));
    return true;
  }

 private:
  ClangOutput& out_;
};

class ReadFiles : public clang::DependencyCollector {
 public:
  bool needSystemDependencies() override { return true; }
};

// The job's files, and the one that is made on demand.
class JobFiles : public llvm::vfs::ProxyFileSystem {
 public:
  explicit JobFiles(const ClangJob& job) : JobFiles(job, llvm::makeIntrusiveRefCnt<llvm::vfs::InMemoryFileSystem>()) {}

  llvm::ErrorOr<llvm::vfs::Status> status(const llvm::Twine& path) override {
    make(path);
    return ProxyFileSystem::status(path);
  }
  llvm::ErrorOr<std::unique_ptr<llvm::vfs::File>> openFileForRead(const llvm::Twine& path) override {
    make(path);
    return ProxyFileSystem::openFileForRead(path);
  }

 private:
  JobFiles(const ClangJob& job, llvm::IntrusiveRefCntPtr<llvm::vfs::InMemoryFileSystem> memory) : ProxyFileSystem(memory), job_(job), memory_(memory) {
    if (auto here = llvm::vfs::getRealFileSystem()->getCurrentWorkingDirectory()) memory_->setCurrentWorkingDirectory(*here);
    for (const auto& [path, text] : job.files) add(path, text);
  }
  void add(const std::string& path, std::string_view text) { memory_->addFile(path, 0, llvm::MemoryBuffer::getMemBufferCopy(text, path)); }
  void make(const llvm::Twine& path) {
    if (made_ || job_.made_path.empty() || path.str() != job_.made_path) return;
    made_ = true;
    add(job_.made_path, job_.make());
  }

  const ClangJob& job_;
  llvm::IntrusiveRefCntPtr<llvm::vfs::InMemoryFileSystem> memory_;
  bool made_ = false;
};

llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem> file_system(const ClangJob& job) {
  auto overlay = llvm::makeIntrusiveRefCnt<llvm::vfs::OverlayFileSystem>(llvm::vfs::getRealFileSystem());
  overlay->pushOverlay(llvm::makeIntrusiveRefCnt<JobFiles>(job));
  return overlay;
}

std::string bitcode_of(const llvm::Module& module) {
  std::string bytes;
  llvm::raw_string_ostream stream(bytes);
  llvm::WriteBitcodeToFile(module, stream);
  return std::move(stream.str());
}

// Leaves of each function what tells its type. The code is not compiled here: LLVM's pass for relocated accesses keeps pointers into one
// module and follows them in the next, so it may run once in a process, and that is for the script's code.
void hollow_out(llvm::Module& module) {
  for (llvm::Function& function : module) {
    if (function.isDeclaration()) continue;
    llvm::DISubprogram* subprogram = function.getSubprogram();
    llvm::GlobalValue::LinkageTypes linkage = function.getLinkage();
    function.deleteBody();
    function.setLinkage(linkage);
    function.setSubprogram(subprogram);
    llvm::BasicBlock* block = llvm::BasicBlock::Create(module.getContext(), "", &function);
    llvm::Type* type = function.getReturnType();
    llvm::ReturnInst::Create(module.getContext(), type->isVoidTy() ? nullptr : llvm::Constant::getNullValue(type), block);
  }
}

bool compile(const ClangJob& job, ClangOutput* out) {
  LLVMInitializeBPFTargetInfo();
  LLVMInitializeBPFTarget();
  LLVMInitializeBPFTargetMC();
  LLVMInitializeBPFAsmPrinter();
  LLVMInitializeBPFAsmParser();

  Messages messages(*out);
  clang::DiagnosticsEngine early(new clang::DiagnosticIDs, new clang::DiagnosticOptions, &messages, /*ShouldOwnClient=*/false);
  std::vector<const char*> arguments;
  for (const std::string& argument : job.arguments) arguments.push_back(argument.c_str());
  arguments.push_back(job.input.c_str());
  auto invocation = std::make_shared<clang::CompilerInvocation>();
  if (!clang::CompilerInvocation::CreateFromArgs(*invocation, arguments, early)) return false;
  // The script's code and this are optimised together.
  invocation->getCodeGenOpts().DisableLLVMPasses = true;
  invocation->getDiagnosticOpts().ShowCarets = false;   // nor "2 errors generated."

  auto collector = std::make_shared<ReadFiles>();
  llvm::LLVMContext context;
  clang::CompilerInstance compiler;
  compiler.setInvocation(invocation);
  compiler.createDiagnostics(&messages, /*ShouldOwnClient=*/false);
  llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem> files = file_system(job);
  compiler.createFileManager(files);
  compiler.addDependencyCollector(collector);
  clang::EmitLLVMOnlyAction action(&context);
  bool good = compiler.ExecuteAction(action);
  for (llvm::StringRef file : collector->getDependencies()) out->files_read.push_back(file.str());
  if (!good) return false;
  std::unique_ptr<llvm::Module> module = action.takeModule();
  if (module == nullptr) return false;
  out->bitcode = bitcode_of(*module);

  hollow_out(*module);
  size_t said = out->messages.size();
  context.setDiagnosticHandler(std::make_unique<CodeMessages>(*out));
  llvm::SmallVector<char, 0> object;
  std::string layout = module->getDataLayoutStr();
  clang::EmitBackendOutput(early, invocation->getHeaderSearchOpts(), invocation->getCodeGenOpts(), invocation->getTargetOpts(), invocation->getLangOpts(),
                           layout, module.get(), clang::Backend_EmitObj, files, std::make_unique<llvm::raw_svector_ostream>(object));
  out->object.assign(object.begin(), object.end());
  return !early.hasErrorOccurred() && out->messages.size() == said;
}

}  // namespace
}  // namespace btc

extern "C" __attribute__((visibility("default"))) bool btc_clang_compile(const btc::ClangJob& job, btc::ClangOutput* out) {
  return btc::compile(job, out);
}
