// The built-in macros: functions of the language that are short in the
// language itself. Rows with Phase Macro in functions.def and type "macro" in
// builtins.def. The text joins a compile only when the script names one.
#include "frontend/sema/prelude.h"

#include <cstdint>

namespace btc::sema {
namespace {

// Errors and warnings of these macros say where in bpftrace's stdlib/base.bt they stand, so those macros begin at its lines.
struct Passage { uint32_t line; const char* text; };
constexpr Passage kPassages[] = {

    {1, R"~(// Built-in macros of btc.
)~"},
    {3, R"~(macro assert(cond, msg)
{
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
macro __strnlen(ptr, max_size) { (int64)strlen(str((int8 *)ptr, (uint64)max_size + 1)) }
macro default_str_length() { sizeof(str((int8 *)0)) }
macro assert_str(exp)
{
  if comptime (!is_str(exp) && !is_array(exp) && !is_ptr(exp)) { fail("string-like values must be either strings, arrays or pointers"); }
}
macro check_key(@map, key, func)
{
  if comptime is_scalar(@map) { fail("call to %s expects a map with explicit keys (non-scalar map)", func); }
}
macro assert_userspace_probe(func)
{
  if comptime (probetype != "uprobe" && probetype != "uretprobe" && probetype != "usdt") {
    fail("%s can not be used for this probetype: %s", func, probetype);
  }
}
macro memcmp_record(left, right, count)
{
  let $left = left;
  let $right : typeof($left) = right;
  memcmp($left, $right, count)
}

// The struct pid of a number in the initial namespace, 0 if there is none: a walk down the xarray of the namespace's ids, which
// works in every kind of program and on every kernel, where the kernel function for it (6.2) does not. Six bits a level.
macro __pid_entry($pid) {
  let $entry = (uint64)curtask.thread_pid.numbers[0].ns.idr.idr_rt.xa_head;
  if (($entry & 3) == 2 && ($pid >> ((struct xa_node *)($entry - 2)).shift) > 63) {
    $entry = 0;
  }
  unroll (6) {
    if (($entry & 3) == 2) {
      let $node = (struct xa_node *)($entry - 2);
      $entry = *(uint64 *)($entry - 2 + offsetof(struct xa_node, slots) + (($pid >> $node.shift) & 63) * 8);
    }
  }
  ($entry & 3) != 0 ? 0 : $entry
}
)~"},
    {159, R"~(macro comm(arg_pid)
{
  if comptime (!is_integer(arg_pid)) {
    fail("Only integer supported for comm()'s pid");
  }
  let $pid = (uint64)arg_pid;
  let $name : string[64];
  let $entry = __pid_entry($pid);
  let $link = (uint64)0;
  if ($entry != 0) {
    $link = (uint64)((struct pid *)$entry).tasks[0].first;
  }
  if ($link != 0) {
    $name = ((struct task_struct *)($link - offsetof(struct task_struct, pid_links))).comm;
  }
  if ($link == 0) {

      warnf("No such process (pid=%d)", $pid);
      $name = "N/A";
  }
  $name
}
)~"},
    {204, R"~(macro cpid()
{
  let $cpid = __builtin_cpid;
  if (__builtin_cpid == 0) {
    warnf("No child command (`-c`); cpid is zero");
  }
  $cpid
}
)~"},
};

}  // namespace

std::string prelude_text() {
  std::string text;
  uint32_t line = 1;
  for (const Passage& passage : kPassages) {
    for (; line < passage.line; ++line) text += '\n';
    for (const char* c = passage.text; *c != 0; ++c) line += *c == '\n';
    text += passage.text;
  }
  return text;
}

const char* const kPreludeNames[] = {"assert", "static_assert", "container_of", "is_err", "ppid", "pcomm", "leader_tid", "leader_comm",
                                     "strcontains", "__strnlen", "default_str_length", "memcmp_record",
                                     "assert_str", "check_key", "assert_userspace_probe", "comm", "cpid", nullptr};

}  // namespace btc::sema
