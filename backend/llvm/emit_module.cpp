#include "backend/llvm/module_emitter.h"

#include <llvm/IR/Constants.h>

#include "backend/llvm/function_emitter.h"
#include "backend/llvm/library.h"
#include "backend/llvm/target.h"

namespace btc::backend {

ModuleEmitter::ModuleEmitter(const ir::Module& bir, llvm::Module& llvm, ForeignCode& foreign, DiagEngine& diags)
    : bir(bir), llvm(llvm), foreign(foreign), diags(diags), debug(llvm, bir), globals(llvm, bir, debug), core(bir, debug),
      uses_scratch(functions_with_scratch(bir)) {}

void ModuleEmitter::fail(SourceRange range, const std::string& message) {
  failed_ = true;
  diags.report(DiagKind::BackendFailed, range, message);
}

static llvm::Type* llvm_type(llvm::LLVMContext& context, ir::ValueType type) {
  if (type.kind == ir::ScalarKind::None) return llvm::Type::getVoidTy(context);
  if (type.kind == ir::ScalarKind::Ptr) return llvm::PointerType::get(context, 0);
  if (type.kind == ir::ScalarKind::I1) return llvm::Type::getInt1Ty(context);
  return llvm::IntegerType::get(context, ir::bytes_of(type) * 8);
}

void ModuleEmitter::declare_function(const ir::Function& function) {
  llvm::LLVMContext& context = llvm.getContext();
  bool program = function.kind == ir::Function::Program;
  std::vector<llvm::Type*> params;
  std::vector<llvm::DIType*> param_types;
  for (ir::ValueId param : function.params) {
    ir::ValueType type = function.type(param);
    params.push_back(llvm_type(context, type));
    bool pointer = type.kind == ir::ScalarKind::Ptr;
    param_types.push_back(pointer ? debug.pointer(nullptr) : debug.integer(ir::bytes_of(type), false));
  }
  if (function.kind == ir::Function::Subprog && uses_scratch[functions.size()]) {
    params.push_back(llvm::PointerType::get(context, 0));
    param_types.push_back(debug.pointer(nullptr));
  }
  // A program returns int; everything else what it says.
  llvm::Type* result = program ? llvm::Type::getInt32Ty(context) : llvm_type(context, function.return_type);
  llvm::DIType* result_type = nullptr;
  if (!result->isVoidTy()) {
    bool pointer = function.return_type.kind == ir::ScalarKind::Ptr;
    result_type = program   ? debug.integer(4, true)
                  : pointer ? debug.pointer(nullptr)
                            : debug.integer(ir::bytes_of(function.return_type), true);
  }
  auto linkage = program ? llvm::GlobalValue::ExternalLinkage : llvm::GlobalValue::InternalLinkage;
  llvm::Function* made =
      llvm::Function::Create(llvm::FunctionType::get(result, params, false), linkage, function.name, llvm);
  made->addFnAttr(llvm::Attribute::NoUnwind);
  made->addFnAttr("target-cpu", kBpfCpu);
  if (program && function.program >= 0) {
    made->setSection(bir.programs[static_cast<size_t>(function.program)].section);
  }
  if (function.kind == ir::Function::Callback) made->addFnAttr(llvm::Attribute::NoInline);
  // BPF passes at most five arguments in registers and none elsewhere.
  if (!program && params.size() > 5) made->addFnAttr(llvm::Attribute::AlwaysInline);
  debug.define_function(made, function.loc, result_type, param_types);
  functions.push_back(made);
}

bool ModuleEmitter::emit() {
  globals.emit_license(foreign);
  globals.emit_script_maps();
  for (const ir::Function& function : bir.functions) declare_function(function);
  for (uint32_t i = 0; i < bir.functions.size(); ++i) FunctionEmitter(*this, i).emit();
  if (failed_) return false;
  settle_cold_functions();
  debug.finish();
  return true;
}

llvm::Function* ModuleEmitter::library_function(const std::string& name) {
  llvm::Function* function = link_library_function(llvm, name);
  // Maps that the library only declares are the runtime's.
  std::vector<llvm::GlobalVariable*> declared;
  for (llvm::GlobalVariable& global : llvm.globals())
    if (global.isDeclaration() && global.getName().starts_with("btc_")) declared.push_back(&global);
  for (llvm::GlobalVariable* global : declared) {
    std::string map = global->getName().str();
    global->setName("");
    if (llvm::GlobalVariable* defined = globals.runtime_map(map)) global->replaceAllUsesWith(defined);
    global->eraseFromParent();
  }
  return function;
}

// A kernel function called from BPF: an extern in .ksyms. Weak, so that kernels without it load the rest.
llvm::Function* ModuleEmitter::kernel_function(const std::string& name, const std::vector<llvm::Value*>& args,
                                               llvm::Type* result) {
  if (llvm::Function* known = llvm.getFunction(name)) return known;
  std::vector<llvm::Type*> params;
  std::vector<llvm::DIType*> param_types;
  auto describe = [&](llvm::Type* type) -> llvm::DIType* {
    if (type->isVoidTy()) return nullptr;
    return type->isPointerTy() ? debug.pointer(nullptr) : debug.integer(type->getIntegerBitWidth() / 8, false);
  };
  for (llvm::Value* arg : args) {
    params.push_back(arg->getType());
    param_types.push_back(describe(arg->getType()));
  }
  llvm::Function* function = llvm::Function::Create(llvm::FunctionType::get(result, params, false),
                                                    llvm::GlobalValue::ExternalWeakLinkage, name, llvm);
  function->setSection(".ksyms");
  function->setSubprogram(debug.declare_function(name, describe(result), param_types));
  return function;
}

}  // namespace btc::backend
