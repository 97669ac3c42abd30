// Ops on maps and ring buffer records.
#include "backend/llvm/function_emitter.h"

namespace btc::backend {

static llvm::Value* map_of(FunctionEmitter& f, const ir::Inst& inst) {
  return f.module.globals.script_map(static_cast<uint32_t>(inst.operands[0].number));
}

void emit_MapAddr(FunctionEmitter& f, const ir::Inst& inst) { f.set_result(inst, map_of(f, inst)); }

void emit_MapLookup(FunctionEmitter& f, const ir::Inst& inst) {
  f.set_result(inst, f.helper("map_lookup_elem", f.b.getPtrTy(), {map_of(f, inst), f.value(inst.operands[1])}));
}

void emit_ZeroAddr(FunctionEmitter& f, const ir::Inst& inst) {
  llvm::AllocaInst* key = f.counter_key();
  f.b.CreateStore(f.b.getInt32(0), key);
  f.set_result(inst, f.helper("map_lookup_elem", f.b.getPtrTy(), {f.module.globals.zero(), key}));
}

void emit_MapUpdate(FunctionEmitter& f, const ir::Inst& inst) {
  f.set_result(inst, f.helper("map_update_elem", f.b.getInt64Ty(),
                              {map_of(f, inst), f.value(inst.operands[1]), f.value(inst.operands[2]),
                               f.b.getInt64(inst.operands[3].number)}));
}

void emit_MapDelete(FunctionEmitter& f, const ir::Inst& inst) {
  f.set_result(inst, f.helper("map_delete_elem", f.b.getInt64Ty(), {map_of(f, inst), f.value(inst.operands[1])}));
}

void emit_MapLookupPercpu(FunctionEmitter& f, const ir::Inst& inst) {
  f.set_result(inst, f.helper("map_lookup_percpu_elem", f.b.getPtrTy(),
                              {map_of(f, inst), f.value(inst.operands[1]), f.value(inst.operands[2])}));
}

void emit_MapForEach(FunctionEmitter& f, const ir::Inst& inst) {
  f.set_result(inst, f.helper("for_each_map_elem", f.b.getInt64Ty(),
                              {map_of(f, inst), f.module.functions[inst.operands[1].number],
                               f.callback_context(static_cast<uint32_t>(inst.operands[1].number),
                                                  f.value(inst.operands[2], f.b.getPtrTy())),
                               f.b.getInt64(0)}));
}

void emit_LoopN(FunctionEmitter& f, const ir::Inst& inst) {
  f.set_result(inst, f.helper("loop", f.b.getInt64Ty(),
                              {f.wide(inst.operands[0]), f.module.functions[inst.operands[1].number],
                               f.callback_context(static_cast<uint32_t>(inst.operands[1].number),
                                                  f.value(inst.operands[2], f.b.getPtrTy())),
                               f.b.getInt64(0)}));
}

void emit_LossCount(FunctionEmitter& f, const ir::Inst& inst) {
  f.count_loss(static_cast<uint32_t>(inst.operands[0].number));
}

void emit_LossCountMap(FunctionEmitter& f, const ir::Inst& inst) {
  f.count_loss(abi::kLostMapFirst + static_cast<uint32_t>(inst.operands[0].number));
}

// record = ringbuf_reserve(8 + size); if (!record) ++btc_lost[0]; else fill the header. The payload is record + 8 or null;
// LLVM joins this test with the script's own.
void emit_EventReserve(FunctionEmitter& f, const ir::Inst& inst) {
  uint32_t index = static_cast<uint32_t>(inst.operands[0].number);
  const ir::Event& event = f.module.bir.events[index];
  uint32_t size = event.payload ? f.module.bir.types->size_of(event.payload) : 0;
  llvm::Value* record = f.helper("ringbuf_reserve", f.b.getPtrTy(),
                                 {f.module.globals.events(), f.b.getInt64(sizeof(abi::EventHeader) + size), f.b.getInt64(0)});
  llvm::BasicBlock* reserved = f.new_block("reserved");
  llvm::BasicBlock* lost = f.new_block("lost");
  llvm::BasicBlock* done = f.new_block("payload");
  f.b.CreateCondBr(f.b.CreateIsNotNull(record), reserved, lost);
  f.b.SetInsertPoint(lost);
  f.count_loss(abi::kLostEvents);
  if (f.bir.program >= 0 && f.module.bir.programs.size() > 1)
    f.count_loss(abi::lost_program_first(static_cast<uint32_t>(f.module.bir.maps.size())) + static_cast<uint32_t>(f.bir.program));
  f.b.CreateBr(done);
  f.b.SetInsertPoint(reserved);
  f.b.CreateStore(f.b.getInt32(index), record);
  f.b.CreateStore(f.b.getInt32(size), f.byte_offset(record, offsetof(abi::EventHeader, size)));
  llvm::Value* payload = f.byte_offset(record, sizeof(abi::EventHeader));
  f.b.CreateBr(done);
  f.b.SetInsertPoint(done);
  llvm::PHINode* result = f.b.CreatePHI(f.b.getPtrTy(), 2);
  result->addIncoming(payload, reserved);
  result->addIncoming(llvm::ConstantPointerNull::get(f.b.getPtrTy()), lost);
  f.record_of_payload[inst.result] = record;
  f.set_result(inst, result);
}

// The helpers take the record itself, so the payload's pointer goes back to what reserve returned.
static void end_event(FunctionEmitter& f, const ir::Inst& inst, const char* helper) {
  auto known = f.record_of_payload.find(static_cast<ir::ValueId>(inst.operands[0].number));
  llvm::Value* record = known != f.record_of_payload.end()
                            ? known->second
                            : f.b.CreateConstGEP1_64(f.b.getInt8Ty(), f.value(inst.operands[0]), static_cast<uint64_t>(-8));
  f.helper(helper, f.b.getVoidTy(), {record, f.b.getInt64(0)});
}

void emit_EventSubmit(FunctionEmitter& f, const ir::Inst& inst) { end_event(f, inst, "ringbuf_submit"); }
void emit_EventDiscard(FunctionEmitter& f, const ir::Inst& inst) { end_event(f, inst, "ringbuf_discard"); }

// Gone after the pass expand-aggregations.
static void not_expanded(FunctionEmitter& f, const ir::Inst& inst) {
  f.fail(inst, std::string(ir::op_info(inst.op).mnemonic) + " must be expanded before code generation");
}
void emit_AggCount(FunctionEmitter& f, const ir::Inst& inst) { not_expanded(f, inst); }
void emit_AggSum(FunctionEmitter& f, const ir::Inst& inst) { not_expanded(f, inst); }
void emit_AggMin(FunctionEmitter& f, const ir::Inst& inst) { not_expanded(f, inst); }
void emit_AggMax(FunctionEmitter& f, const ir::Inst& inst) { not_expanded(f, inst); }
void emit_AggAvg(FunctionEmitter& f, const ir::Inst& inst) { not_expanded(f, inst); }
void emit_AggHist(FunctionEmitter& f, const ir::Inst& inst) { not_expanded(f, inst); }
void emit_AggLhist(FunctionEmitter& f, const ir::Inst& inst) { not_expanded(f, inst); }
void emit_AggTseries(FunctionEmitter& f, const ir::Inst& inst) { not_expanded(f, inst); }
void emit_AggRead(FunctionEmitter& f, const ir::Inst& inst) { not_expanded(f, inst); }

}  // namespace btc::backend
