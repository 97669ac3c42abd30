// The built-in macros: functions of the language that are short in the
// language itself. Rows with Phase Macro in functions.def and type "macro" in
// builtins.def. The text joins a compile only when the script names one.
#include "frontend/sema/prelude.h"

namespace btc::sema {

const char kPrelude[] = R"(// Built-in macros of btc.
macro assert(cond, msg) {
  if (!cond) {
    errorf("assert failed: %s", msg);
    exit(1);
  }
}
macro static_assert(cond, msg) {
  if comptime (!cond) { fail(msg); }
}
macro container_of(ptr, type, member) { (type *)((uint64)ptr - offsetof(type, member)) }
macro is_err(ptr) { ((int64)ptr) < 0 && ((int64)ptr) >= -4095 }
macro ppid(task) { task.real_parent.tgid }
macro ppid() { ppid(curtask) }
macro pcomm(task) { task.real_parent.comm }
macro pcomm() { pcomm(curtask) }
macro leader_tid(task) { task.group_leader.pid }
macro leader_tid() { leader_tid(curtask) }
macro leader_comm(task) { task.group_leader.comm }
macro leader_comm() { leader_comm(curtask) }
macro strcontains(haystack, needle) { strstr(haystack, needle) >= 0 }
)";

const char* const kPreludeNames[] = {"assert", "static_assert", "container_of", "is_err",      "ppid",
                                     "pcomm",  "leader_tid",    "leader_comm",  "strcontains", nullptr};

}  // namespace btc::sema
