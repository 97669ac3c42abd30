// Counting what was lost: ++btc_lost[index], in a function of its own because
// it stands on the cold side of every event. With one caller LLVM inlines it.
#include "backend/llvm/function_emitter.h"
#include "backend/llvm/target.h"

namespace btc::backend {

llvm::Function* ModuleEmitter::loss_counter() {
  if (loss_counter_ != nullptr) return loss_counter_;
  llvm::LLVMContext& context = llvm.getContext();
  llvm::Type* index_type = llvm::Type::getInt64Ty(context);
  auto* type = llvm::FunctionType::get(llvm::Type::getVoidTy(context), {index_type}, false);
  llvm::Function* function = llvm::Function::Create(type, llvm::GlobalValue::InternalLinkage, "btc_count_loss", llvm);
  function->addFnAttr(llvm::Attribute::NoUnwind);
  function->addFnAttr(llvm::Attribute::Cold);
  function->addFnAttr("target-cpu", kBpfCpu);
  llvm::DISubprogram* subprogram = debug.define_function(function, {}, nullptr, {debug.integer(8, false)});

  llvm::IRBuilder<> b(llvm::BasicBlock::Create(context, "entry", function));
  b.SetCurrentDebugLocation(debug.location({}, subprogram));
  llvm::AllocaInst* key = b.CreateAlloca(b.getInt32Ty());
  b.CreateStore(b.CreateTrunc(function->getArg(0), b.getInt32Ty()), key);
  llvm::FunctionType* lookup = llvm::FunctionType::get(b.getPtrTy(), {b.getPtrTy(), b.getPtrTy()}, false);
  llvm::Value* helper = b.CreateIntToPtr(b.getInt64(helper_id("map_lookup_elem")), b.getPtrTy());
  llvm::Value* entry = b.CreateCall(lookup, helper, {globals.losses(), key});
  llvm::BasicBlock* found = llvm::BasicBlock::Create(context, "found", function);
  llvm::BasicBlock* done = llvm::BasicBlock::Create(context, "done", function);
  b.CreateCondBr(b.CreateIsNotNull(entry), found, done);
  b.SetInsertPoint(found);
  b.CreateStore(b.CreateAdd(b.CreateLoad(b.getInt64Ty(), entry), b.getInt64(1)), entry);
  b.CreateBr(done);
  b.SetInsertPoint(done);
  b.CreateRetVoid();
  return loss_counter_ = function;
}

void FunctionEmitter::count_loss(uint32_t index) { b.CreateCall(module.loss_counter(), {b.getInt64(index)}); }

}  // namespace btc::backend
