// Builtins that are more than one helper call.
//
//   pid_tgid  thread id in the lower, process id in the upper half, in the tracer's pid namespace. The fact PidnsIno is 0 when
//             that is the initial one; the kernel knows it while it checks the program and drops the other path.
//   nsecs     the boot clock (5.8)
//
//   before:  %pid_tgid: i64 = builtin pid_tgid
//   after:   %pidns_ino: i64 = fact pidns_ino
//            br.if (%pidns_ino != 0), ^pidns, ^pidns_else
//          ^pidns:       %ret = helper get_ns_current_pid_tgid, %pidns_dev, %pidns_ino, $info, 8
//          ^pidns_else:  store $info, (helper get_current_pid_tgid)
//          ^pidns_end:   %pid_tgid: i64 = load $info
//
// The other builtins are one helper call each and stay for the backend.
#include "lower/passes/rewrite.h"

namespace btc::lower {

namespace {

using ir::kI64;

ir::ValueId expand_pid_tgid(Rewriter& rewriter, ir::Module& module, uint32_t* slot) {
  ir::Builder& b = rewriter.b;
  uint32_t ino_fact = find_fact(module, abi::FactKind::PidnsIno, "pidns_ino", 8);
  uint32_t dev_fact = find_fact(module, abi::FactKind::PidnsDev, "pidns_dev", 8);
  if (*slot == UINT32_MAX) *slot = b.new_slot("pid_info", 8, 8);  // struct bpf_pidns_info: pid, tgid
  ir::ValueId info = b.slot_addr(*slot);
  ir::ValueId ino = b.fact(ino_fact);
  b.if_else(b.is_nonzero(ino), "pidns",
                   [&] {
                     b.store(info, 0, b.constant(0));
                     b.helper("get_ns_current_pid_tgid", {b.fact(dev_fact), ino, info, b.constant(8)}, "ret");
                   },
                   [&] { b.store(info, 0, b.helper("get_current_pid_tgid", {}, "pid_tgid")); });
  return b.load(info, 0, kI64, "pid_tgid");
}

}  // namespace

bool expand_builtins(ir::Module& module, DiagEngine&) {
  bool changed = false;
  for (uint32_t i = 0; i < module.functions.size(); ++i) {
    if (!any_inst(module.functions[i], [](const ir::Inst& inst) { return inst.op == ir::Op::Builtin && (inst.operands[0].text == "pid_tgid" || inst.operands[0].text == "nsecs"); })) continue;
    changed = true;
    Rewriter rewriter(module, i);
    uint32_t slot = UINT32_MAX;
    rewriter.run([&](ir::Builder& b, const ir::Inst& inst) {
      if (inst.op != ir::Op::Builtin) return false;
      const std::string& name = inst.operands[0].text;
      ir::ValueType type = b.type(inst.result);
      if (name == "pid_tgid") {
        rewriter.replace(inst.result, b.resize(expand_pid_tgid(rewriter, module, &slot), type, false));
        return true;
      }
      if (name == "nsecs") {
        rewriter.replace(inst.result, b.resize(b.helper("ktime_get_boot_ns", {}, "nsecs"), type, false));
        return true;
      }
      return false;
    });
  }
  return changed;
}

}  // namespace btc::lower
