// Ops on memory: slots, direct loads and stores, copies, guarded reads of kernel and user memory.
#include <algorithm>
#include <numeric>

#include "backend/llvm/function_emitter.h"

namespace btc::backend {

// Above these sizes a helper call is shorter than what LLVM unrolls (it gives up at 128 stores).
static constexpr uint64_t kInlineStores = 24;

void emit_SlotAddr(FunctionEmitter& f, const ir::Inst& inst) {
  f.set_result(inst, f.slot_address(static_cast<uint32_t>(inst.operands[0].number)));
}

void emit_RodataAddr(FunctionEmitter& f, const ir::Inst& inst) {
  f.set_result(inst, f.module.globals.string_constant(inst.operands[0].text));
}

// The address of a slot in scratch memory is made anew for every use: LLVM would make each once, keep hundreds of them and
// spill them to the stack, which those slots are to spare.
void emit_PtrAdd(FunctionEmitter& f, const ir::Inst& inst) {
  llvm::Value* base = f.value(inst.operands[0], f.b.getPtrTy());
  if (f.scratch_slot(inst.result) != nullptr && f.address_escapes(inst.result)) base = f.opaque_once(base);
  f.set_result(inst, f.b.CreateGEP(f.b.getInt8Ty(), base, f.wide(inst.operands[1])));
}

// Likewise a variable that has to live in scratch memory is not to become a register again.
static bool stays_in_memory(FunctionEmitter& f, const ir::Operand& pointer) {
  const ir::Slot* slot = pointer.kind == ir::Operand::Value ? f.scratch_slot(static_cast<ir::ValueId>(pointer.number)) : nullptr;
  return slot != nullptr && slot->size <= 8;
}

static llvm::Align natural_align(llvm::Type* type) {
  return llvm::Align(type->isPointerTy() ? 8 : std::max(1u, type->getIntegerBitWidth() / 8));
}

// Values are taken to lie aligned, unless it is plain that they do not (members behind strings in tuples): the verifier
// wants aligned access to the stack on every machine.
static llvm::Align access_align(FunctionEmitter& f, const ir::Operand& pointer, uint64_t offset, llvm::Type* type) {
  uint64_t natural = natural_align(type).value();
  uint64_t known = f.align_or_zero(pointer);
  return llvm::Align(known == 0 ? natural : std::min(natural, std::gcd(known, offset)));
}

// i1 occupies a byte in memory.
void emit_Load(FunctionEmitter& f, const ir::Inst& inst) {
  llvm::Type* type = f.result_type(inst);
  if (type->isIntegerTy(1)) type = f.b.getInt8Ty();
  if (f.bir_type(inst.operands[0]).space == ir::PtrSpace::Ctx) {
    return f.set_result(inst, f.context_load(f.value(inst.operands[0]), inst.operands[1].number, type));
  }
  llvm::Value* address = f.byte_offset(f.value(inst.operands[0], f.b.getPtrTy()), inst.operands[1].number);
  llvm::Value* loaded = f.b.CreateAlignedLoad(type, address, access_align(f, inst.operands[0], inst.operands[1].number, type),
                                              stays_in_memory(f, inst.operands[0]));
  if (f.result_type(inst)->isIntegerTy(1)) loaded = f.b.CreateIsNotNull(loaded);
  f.set_result(inst, loaded);
}

void emit_Store(FunctionEmitter& f, const ir::Inst& inst) {
  llvm::Value* value = f.value(inst.operands[2]);
  if (value->getType()->isIntegerTy(1)) value = f.b.CreateZExt(value, f.b.getInt8Ty());
  llvm::Value* address = f.byte_offset(f.value(inst.operands[0], f.b.getPtrTy()), inst.operands[1].number);
  f.b.CreateAlignedStore(value, address, access_align(f, inst.operands[0], inst.operands[1].number, value->getType()),
                         stays_in_memory(f, inst.operands[0]));
}

// The verifier follows what is stored to the stack, but not what an atomic operation leaves there.
void emit_StoreUnknown(FunctionEmitter& f, const ir::Inst& inst) {
  llvm::Value* address = f.byte_offset(f.value(inst.operands[0], f.b.getPtrTy()), inst.operands[1].number);
  f.b.CreateAtomicRMW(llvm::AtomicRMWInst::Xchg, address, f.value(inst.operands[2]), llvm::Align(8), llvm::AtomicOrdering::Monotonic);
}

// Copying by probe_read_kernel works for any readable source and costs one call whatever the size.
static void copy_by_helper(FunctionEmitter& f, llvm::Value* to, llvm::Value* from, uint64_t bytes) {
  f.helper("probe_read_kernel", f.b.getInt64Ty(), {to, f.b.getInt64(bytes), from});
}

void emit_MemCopy(FunctionEmitter& f, const ir::Inst& inst) {
  uint64_t bytes = inst.operands[2].number;
  if (bytes == 0) return;
  llvm::Value* to = f.value(inst.operands[0], f.b.getPtrTy());
  llvm::Value* from = f.value(inst.operands[1], f.b.getPtrTy());
  uint32_t align = std::min({f.known_align(inst.operands[0]), f.known_align(inst.operands[1]), 8u});
  if (bytes / align > kInlineStores) return copy_by_helper(f, to, from, bytes);
  f.b.CreateMemCpy(to, llvm::Align(align), from, llvm::Align(align), bytes);
}

void emit_MemSet(FunctionEmitter& f, const ir::Inst& inst) {
  uint64_t byte = inst.operands[1].number & 0xff, bytes = inst.operands[2].number;
  if (bytes == 0) return;
  llvm::Value* to = f.value(inst.operands[0], f.b.getPtrTy());
  uint32_t align = std::min(f.known_align(inst.operands[0]), 8u);
  if (bytes / align <= kInlineStores) {
    f.b.CreateMemSet(to, f.b.getInt8(static_cast<uint8_t>(byte)), bytes, llvm::Align(align));
  } else if (byte == 0) {
    // A failed read zeroes its target, and address 0 always fails.
    copy_by_helper(f, to, f.b.getInt64(0), bytes);
  } else {
    f.fail(inst, fmt::format("cannot fill {} bytes with {}", bytes, byte));
  }
}

// Differences of all words, or-ed: no branches, so one state for the kernel verifier.
void emit_MemEq(FunctionEmitter& f, const ir::Inst& inst) {
  uint64_t bytes = inst.operands[2].number;
  llvm::Value* left = f.value(inst.operands[0], f.b.getPtrTy());
  llvm::Value* right = f.value(inst.operands[1], f.b.getPtrTy());
  uint32_t align = std::min({f.known_align(inst.operands[0]), f.known_align(inst.operands[1]), 8u});
  if (bytes / align > kInlineStores) {
    llvm::Function* compare = f.module.library_function("btc_mem_equal");
    if (compare == nullptr) return f.fail(inst, "no function btc_mem_equal in the BPF library");
    llvm::Value* equal = f.b.CreateCall(compare, {left, right, f.b.getInt64(bytes)});
    return f.set_result(inst, f.b.CreateIsNotNull(equal));
  }
  llvm::Value* difference = f.b.getInt64(0);
  for (uint64_t at = 0; at < bytes;) {
    uint64_t width = align;
    while (width > bytes - at) width /= 2;
    llvm::Type* type = f.b.getIntNTy(static_cast<unsigned>(width * 8));
    llvm::Align aligned(width);
    llvm::Value* a = f.b.CreateAlignedLoad(type, f.byte_offset(left, at), aligned);
    llvm::Value* b = f.b.CreateAlignedLoad(type, f.byte_offset(right, at), aligned);
    difference = f.b.CreateOr(difference, f.b.CreateZExt(f.b.CreateXor(a, b), f.b.getInt64Ty()));
    at += width;
  }
  f.set_result(inst, f.b.CreateIsNull(difference));
}

static void emit_read(FunctionEmitter& f, const ir::Inst& inst, const char* helper) {
  f.set_result(inst, f.helper(helper, f.b.getInt64Ty(),
                              {f.value(inst.operands[0]), f.b.getInt64(inst.operands[2].number), f.value(inst.operands[1])}));
}

// The size's bound is tested on the very register that is passed: what LLVM knows about it, the verifier may not.
static void emit_read_sized(FunctionEmitter& f, const ir::Inst& inst, const char* helper) {
  llvm::Value* limit = f.b.getInt64(inst.operands[3].number);
  llvm::Value* size = f.wide(inst.operands[2]);
  if (auto* constant = llvm::dyn_cast<llvm::ConstantInt>(size)) {
    size = f.b.getInt64(std::min(constant->getZExtValue(), inst.operands[3].number));
  } else {
    size = f.opaque(size);
    size = f.b.CreateSelect(f.b.CreateICmpULT(size, limit), size, limit);
  }
  f.set_result(inst, f.helper(helper, f.b.getInt64Ty(), {f.value(inst.operands[0]), size, f.value(inst.operands[1])}));
}

void emit_ReadKernel(FunctionEmitter& f, const ir::Inst& inst) { emit_read(f, inst, "probe_read_kernel"); }
void emit_ReadUser(FunctionEmitter& f, const ir::Inst& inst) { emit_read(f, inst, "probe_read_user"); }
void emit_ReadKernelN(FunctionEmitter& f, const ir::Inst& inst) { emit_read_sized(f, inst, "probe_read_kernel"); }
void emit_ReadUserN(FunctionEmitter& f, const ir::Inst& inst) { emit_read_sized(f, inst, "probe_read_user"); }
void emit_ReadStrKernel(FunctionEmitter& f, const ir::Inst& inst) { emit_read_sized(f, inst, "probe_read_kernel_str"); }
void emit_ReadStrUser(FunctionEmitter& f, const ir::Inst& inst) { emit_read_sized(f, inst, "probe_read_user_str"); }

}  // namespace btc::backend
