// The cold side of probes, in functions of their own because it stands behind every operation that can fail:
//
//   btc_count_loss(index, memory)        ++btc_lost[index]
//   btc_report(event, code, memory)      sends a runtime_error; if the ring buffer is full, counts it
//
// `memory` is the caller's, so that what is inlined needs no stack of its own. They are inlined as long as there are few: before
// 6.4 the kernel verifier gets lost in loops of programs that call functions (see library.cpp). A script of a thousand assignments
// has a thousand calls instead of a thousand copies, which would be most of its code and of the time to compile it.
#include "backend/llvm/function_emitter.h"
#include "backend/llvm/target.h"

namespace btc::backend {

static constexpr unsigned kMostCopies = 64;

static llvm::Function* cold_function(ModuleEmitter& module, const char* name, unsigned numbers) {
  llvm::LLVMContext& context = module.llvm.getContext();
  std::vector<llvm::Type*> types(numbers, llvm::Type::getInt64Ty(context));
  types.push_back(llvm::PointerType::getUnqual(context));
  auto* type = llvm::FunctionType::get(llvm::Type::getVoidTy(context), types, false);
  llvm::Function* function = llvm::Function::Create(type, llvm::GlobalValue::InternalLinkage, name, module.llvm);
  function->addFnAttr(llvm::Attribute::NoUnwind);
  function->addFnAttr(llvm::Attribute::Cold);
  function->addFnAttr("target-cpu", kBpfCpu);
  function->setSection(".text");  // else .text.unlikely, where libbpf looks for no subprograms
  std::vector<llvm::DIType*> described(numbers, module.debug.integer(8, false));
  described.push_back(module.debug.pointer(module.debug.integer(4, false)));
  module.debug.define_function(function, {}, nullptr, described);
  llvm::BasicBlock::Create(context, "entry", function);
  return function;
}

static llvm::Value* call_helper(llvm::IRBuilder<>& b, const char* name, llvm::Type* result, const std::vector<llvm::Value*>& args) {
  std::vector<llvm::Type*> types;
  for (llvm::Value* arg : args) types.push_back(arg->getType());
  llvm::Value* helper = b.CreateIntToPtr(b.getInt64(helper_id(name)), b.getPtrTy());
  return b.CreateCall(llvm::FunctionType::get(result, types, false), helper, args);
}

// Leaves `b` in a block that is only reached if `flag` holds; both sides meet in the returned one.
static llvm::BasicBlock* branch_if(llvm::IRBuilder<>& b, llvm::Function* function, llvm::Value* flag, const char* name) {
  llvm::BasicBlock* then = llvm::BasicBlock::Create(b.getContext(), name, function);
  llvm::BasicBlock* done = llvm::BasicBlock::Create(b.getContext(), "done", function);
  b.CreateCondBr(flag, then, done);
  b.SetInsertPoint(then);
  return done;
}

static void finish(llvm::IRBuilder<>& b, llvm::BasicBlock* done) {
  b.CreateBr(done);
  b.SetInsertPoint(done);
  b.CreateRetVoid();
}

llvm::Function* ModuleEmitter::loss_counter() {
  if (loss_counter_ != nullptr) return loss_counter_;
  llvm::Function* function = cold_function(*this, "btc_count_loss", 1);
  llvm::IRBuilder<> b(&function->getEntryBlock());
  b.SetCurrentDebugLocation(debug.location({}, function->getSubprogram()));
  llvm::Value* key = function->getArg(1);
  b.CreateStore(b.CreateTrunc(function->getArg(0), b.getInt32Ty()), key);
  llvm::Value* entry = call_helper(b, "map_lookup_elem", b.getPtrTy(), {globals.losses(), key});
  llvm::BasicBlock* done = branch_if(b, function, b.CreateIsNotNull(entry), "found");
  b.CreateStore(b.CreateAdd(b.CreateLoad(b.getInt64Ty(), entry), b.getInt64(1)), entry);
  finish(b, done);
  return loss_counter_ = function;
}

llvm::Function* ModuleEmitter::reporter() {
  if (reporter_ != nullptr) return reporter_;
  llvm::Function* counter = loss_counter();
  llvm::Function* function = cold_function(*this, "btc_report", 2);
  llvm::IRBuilder<> b(&function->getEntryBlock());
  b.SetCurrentDebugLocation(debug.location({}, function->getSubprogram()));
  llvm::Value* record = function->getArg(2);
  const uint64_t payload = sizeof(int32_t), size = sizeof(abi::EventHeader) + payload;
  auto word = [&](uint64_t offset) { return b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), record, offset); };
  b.CreateStore(b.CreateTrunc(function->getArg(0), b.getInt32Ty()), record);
  b.CreateStore(b.getInt32(payload), word(offsetof(abi::EventHeader, size)));
  b.CreateStore(b.CreateTrunc(function->getArg(1), b.getInt32Ty()), word(sizeof(abi::EventHeader)));
  llvm::Value* ret = call_helper(b, "ringbuf_output", b.getInt64Ty(), {globals.events(), record, b.getInt64(size), b.getInt64(0)});
  llvm::BasicBlock* done = branch_if(b, function, b.CreateICmpNE(ret, b.getInt64(0)), "lost");
  b.CreateCall(counter, {b.getInt64(abi::kLostEvents), record});
  finish(b, done);
  return reporter_ = function;
}

void ModuleEmitter::settle_cold_functions() {
  for (llvm::Function* function : {loss_counter_, reporter_}) {
    if (function == nullptr) continue;
    function->addFnAttr(function->getNumUses() > kMostCopies ? llvm::Attribute::NoInline : llvm::Attribute::AlwaysInline);
  }
}

void FunctionEmitter::count_loss(uint32_t index) { b.CreateCall(module.loss_counter(), {b.getInt64(index), cold_memory()}); }

void emit_EventReport(FunctionEmitter& f, const ir::Inst& inst) {
  f.b.CreateCall(f.module.reporter(), {f.b.getInt64(inst.operands[0].number), f.value(inst.operands[1], f.b.getInt64Ty()), f.cold_memory()});
}

}  // namespace btc::backend
