"""The table of test/run/rows: at least one case for every row of builtins.def and functions.def, with its value checked.

A case is one script, compiled and run once. `rows` names what it is for: a builtin by its name, a function by its name and `()`. Fields:
  script    the program; PROGS is the folder of the test programs
  lines     regular expressions; each must match a whole line of what the run printed (both streams)
  check     or: a function of the printed text, true if it is right
  child     the artifact's -c
  args      the artifact's arguments
  prefix    command line before the artifact
  options   of btc compile
  status    exit status of the artifact
  error     the script must not compile, with this message (regular expression)
Rows that this machine's kernel cannot show (kprobes) name their case of test/vm/cases.py in IN_VM.
"""
import os
import re
import time
from dataclasses import dataclass, field
from typing import Callable, List, Optional


@dataclass
class Row:
    rows: str
    script: str
    lines: List[str] = field(default_factory=list)
    check: Optional[Callable[[str], bool]] = None
    child: str = ""
    args: str = ""
    prefix: str = ""
    options: str = ""
    status: int = 0
    error: str = ""
    initial_pids: bool = False   # compares with numbers that the kernel keeps: not in a pid namespace


IN_VM = {"override()": "override", "write_user()": "write-user", "percpu_kaddr()": "percpu-kaddr"}


def cgroup2_root():
    for line in open("/proc/self/mounts"):
        _, where, kind, *_ = line.split()
        if kind == "cgroup2":
            return where
    return ""


def own_cgroup_id():
    path = next((l[3:].strip() for l in open("/proc/self/cgroup") if l.startswith("0::")), "/")
    return os.stat(cgroup2_root() + path).st_ino if cgroup2_root() else 0


def possible_cpus():
    return sum(int(b or a) - int(a) + 1 for a, _, b in (r.partition("-") for r in open("/sys/devices/system/cpu/possible").read().strip().split(",")))


def numbers(text):
    return [int(n) for n in re.findall(r"^-?\d+$", text, re.M)]


def in_trace(token):
    for folder in ("/sys/kernel/tracing", "/sys/kernel/debug/tracing"):
        if os.path.exists(folder + "/trace"):
            return token in open(folder + "/trace", errors="replace").read()
    return False


ADD = "uprobe:PROGS/caller:add"
CALLER = "PROGS/caller 1"
LONG_CALLER = "PROGS/caller 5000000"   # so that the process is there when its addresses are named
AS_DAEMON = "setpriv --reuid 1 --regid 23456 --clear-groups PROGS/caller 1"
SENDER = "PROGS/../../../../test/run/send-packets"

CASES = [
    # ---- Builtins ----
    Row("arg", f"{ADD} {{ print((arg0, arg1)); }}", [r"\(0, 40\)"], child=CALLER),
    Row("args", "tracepoint:syscalls:sys_enter_openat /pid == cpid/ { print(str(args.filename)); }", [r"/no/such/file"], child="PROGS/opener /no/such/file"),
    Row("cgroup", "begin { print(cgroup); }", [str(own_cgroup_id())] if own_cgroup_id() else [r"\d+"]),
    Row("comm", f"{ADD} {{ print(comm); }}", ["caller"], child=CALLER),
    Row("config", "config = { max_strlen = 77 } begin { print(config.max_strlen); print(config.license); }", ["77", "GPL"]),
    Row("cpid has_cpid", f"begin {{ print(has_cpid); }} {ADD} {{ print(cpid == pid); }}", ["true", "true"], child=CALLER),
    Row("cpid has_cpid", "begin { print(has_cpid); print(cpid); }", ["false", "0", r"stdlib/base.bt:208:5-51: WARNING: No child command \(`-c`\); cpid is zero"]),
    Row("cpu", "begin { print(cpu); }", [str(max(os.sched_getaffinity(0)))], prefix=f"taskset -c {max(os.sched_getaffinity(0))}"),
    Row("ctx", 'iter:task { printf("%s:%d\\n", ctx.task.comm, ctx.task.pid); }', ["kthreadd:2"], initial_pids=True),
    Row("curtask", f"{ADD} {{ print((curtask.pid == tid, curtask.tgid == pid, curtask.comm)); }}", [r"\(true, true, caller\)"], child=CALLER, initial_pids=True),
    Row("elapsed", "interval:ms:200 { print(elapsed); exit(); }", check=lambda out: 150_000_000 < numbers(out)[0] < 20_000_000_000),
    Row("func", f"{ADD} {{ print(func); exit(); }}", ["add"], child=LONG_CALLER),
    Row("uid gid username", f"{ADD} {{ print((uid, gid)); print(username); }}", [r"\(1, 23456\)", "daemon"], child=AS_DAEMON),
    Row("jiffies", "begin { @j = jiffies; } interval:ms:500 { print(jiffies - @j); exit(); }", check=lambda out: 30 < numbers(out)[0] < 20_000),
    Row("leader_comm leader_tid", f"{ADD} {{ print(leader_comm); print(leader_tid == pid); }}", ["caller", "true"], child=CALLER, initial_pids=True),
    Row("ncpus", "begin { print(ncpus); }", [str(possible_cpus())]),
    Row("nsecs", "begin { print(nsecs); }", check=lambda out: abs(numbers(out)[0] - time.clock_gettime_ns(time.CLOCK_BOOTTIME)) < 30_000_000_000),
    Row("numaid", "begin { print(numaid); }", check=lambda out: os.path.exists(f"/sys/devices/system/node/node{numbers(out)[0]}") or numbers(out) == [0]),
    Row("pcomm ppid", f"{ADD} {{ print(pcomm); print(ppid > 1 && ppid < pid); }}", ["tool", "true"], child=CALLER, initial_pids=True),
    Row("pid tid", f"{ADD} {{ print((pid == cpid, tid == cpid)); }}", [r"\(true, true\)"], child=CALLER),
    Row("probe probetype", f"{ADD} {{ print(probe); print(probetype); }}", [r"uprobe:.*/caller:add", "uprobe"], child=CALLER),
    Row("rand", "begin { print(rand); print(rand); print(rand); }", check=lambda out: len(set(numbers(out))) > 1 and all(0 <= n < 1 << 32 for n in numbers(out))),
    Row("retval", "uretprobe:PROGS/caller:add { print(retval); }", ["40"], child=CALLER),
    Row("usermode", f"{ADD} {{ print(usermode); }} tracepoint:syscalls:sys_enter_openat {{ @k = usermode; }}", ["1"], child=CALLER),

    # ---- Values of the running process and of the machine ----
    Row("comm()", "begin { print(comm(2)); }", ["kthreadd"]),
    Row("pid() tid()", f"{ADD} {{ print(pid(curr_ns) == cpid && tid(init) > 0 && pid(init) > 0); }}", ["true"], child=CALLER),
    Row("ppid() pcomm() leader_tid() leader_comm()",
        f"{ADD} {{ print((ppid(curtask) == ppid, pcomm(curtask), leader_tid(curtask) == pid, leader_comm(curtask))); }}", [r"\(true, tool, true, caller\)"], child=CALLER, initial_pids=True),
    Row("nsecs()", "begin { print(nsecs(monotonic)); print(nsecs(boot)); print(nsecs(tai)); print(nsecs(sw_tai)); }",
        check=lambda out: all(abs(n - time.clock_gettime_ns(c)) < 30_000_000_000
                              for n, c in zip(numbers(out), (time.CLOCK_MONOTONIC, time.CLOCK_BOOTTIME, time.CLOCK_TAI, time.CLOCK_TAI)))),
    Row("reg()", f'{ADD} {{ print((reg("di"), reg("si"))); }}', [r"\(0, 40\)"], child=CALLER),
    Row("uaddr() usym()", f'{ADD} {{ print((uint64)uaddr("add") == reg("ip")); print(usym(reg("ip"))); exit(); }}', ["true", "add"], child=LONG_CALLER),
    Row("ustack()", f"{ADD} {{ print(ustack(2)); exit(); }}", [r" +add\+0(@.*)?", r" +main\+\d+(@.*)?"], child=LONG_CALLER),
    Row("dw_ustack()", f"{ADD} {{ print(dw_ustack(2)); exit(); }}", [r" +add\+0(@.*)?", r" +main\+\d+(@.*)?"], child=LONG_CALLER),
    Row("kstack()", "tracepoint:syscalls:sys_enter_openat /pid == cpid/ { print(kstack(9)); exit(); }", [r" +[\w.]+\+\d+"], child="PROGS/opener /x"),
    Row("ksym() kaddr()", 'begin { print(ksym(kaddr("vfs_read"))); print(ksym(kaddr("vfs_read") + 3)); }', ["vfs_read", "vfs_read"]),
    Row("kfunc_exist() kfunc_allowed()", 'begin { print(kfunc_exist("no_such_kfunc")); print(kfunc_allowed("no_such_kfunc")); print(kfunc_exist("bpf_task_from_pid")); }',
        ["false", "false", "true|false"]),
    Row("cgroupid() cgroup_path()", f'begin {{ print(cgroupid("{cgroup2_root()}")); print(cgroup_path(cgroupid("{cgroup2_root()}"))); }}',
        [str(os.stat(cgroup2_root()).st_ino), "unified:/.*"]) if cgroup2_root() else
    Row("cgroupid() cgroup_path()", 'begin { print(cgroup_path(999999999)); print(cgroupid("/")); }', [""]),

    # ---- Memory and strings ----
    Row("str() uptr()", "uprobe:PROGS/caller:named { print(str(arg0)); print(str(uptr(arg0), 3)); }", ["hello", "he"], child=CALLER),
    Row("kptr()", 'begin { print(str(kptr((int8 *)curtask + offsetof(struct task_struct, comm)))); }', ["tool"]),
    Row("buf()", 'uprobe:PROGS/caller:named { printf("%r|%rh\\n", buf(arg0, 3), buf("ab", 2)); }', [r"hel\|61 62.*"], child=CALLER),
    Row("memcmp()", 'begin { $a = "abcd"; $b = "abce"; print((memcmp($a, $b, 3), memcmp($a, $b, 4) < 0, memcmp($b, $a, 4) > 0)); }', [r"\(0, true, true\)"]),
    Row("bswap()", "begin { print((bswap((uint16)0x1234), bswap((uint64)1))); }", [r"\(13330, 72057594037927936\)"]),
    Row("container_of()", "begin { print(container_of((uint64)curtask + offsetof(struct task_struct, tasks), typeof(struct task_struct), tasks) == curtask); }", ["true"]),
    Row("is_err()", "begin { print((is_err((void *)0xfffffffffffffffe), is_err((void *)0))); }", [r"\(true, false\)"]),
    Row("path()", "iter:task_file { print(path(ctx.file.f_path)); }", ["/dev/null"]),
    Row("strlen() strcap() strncmp()", 'begin { $s = "hello"; print((strlen($s), strcap($s), strncmp($s, "help", 3), strncmp($s, "help", 4) != 0)); }', [r"\(5, \d+, 0, true\)"]),
    Row("strstr() strcontains() str_concat()", 'begin { print((strstr("hello", "lo"), strstr("hello", "x"), strcontains("hello", "ell"), str_concat("ab", "cd"))); }', [r"\(3, -1, true, abcd\)"]),
    Row("strerror() signal_name() syscall_name()", "begin { print((strerror(2), signal_name(9), syscall_name(257))); }", [r"\(No such file or directory, Killed, openat\)"]),
    Row("ntop() pton()", 'begin { print((ntop(0x0100007f), ntop(pton("fe80::1")))); }', [r"\(127.0.0.1, fe80::1\)"]),
    Row("macaddr()", 'begin { $a = (uint8[6])"\\x01\\x02\\x0a\\xfe\\x7f"; print(macaddr($a)); }', ["01:02:0A:FE:7F:00"]),

    # ---- Maps and aggregations ----
    Row("avg() count() max() min() sum() stats()",
        "begin { for ($i : 1..11) { @a = avg($i); @c = count(); @hi = max($i); @lo = min($i); @s = sum($i); @st = stats($i); } }",
        ["@a: 5", "@c: 10", "@hi: 10", "@lo: 1", "@s: 55", r"@st: \{ .count = 10, .average = 5, .total = 55 \}"]),
    Row("hist() lhist()", "begin { @h = hist(5); @l = lhist(35, 0, 100, 10); }", [r"\[4, 8\) +1 \|@+\|", r"\[30, 40\) +1 \|@+\|"]),
    Row("tseries()", "config = { unstable_tseries = enable } begin { @ = tseries(5, 1d, 3); }", [r"hh:mm:ss\.ns +\|_+\|", r".* \| 5"]),
    Row("clear() zero()", "begin { @a[1] = 1; @b[1] = (int64)7; clear(@a); zero(@b); print(@a); }", ["@b\\[1\\]: 0"], check=lambda out: "@a" not in out and "@b[1]: 0" in out),
    Row("delete() has_key() find() len()",
        "begin { @[1] = 10; @[2] = 20; let $v = 0; print((has_key(@, 1), delete(@, 1), has_key(@, 1), delete(@, 1), find(@, 2, $v), $v, len(@))); }",
        [r"\(true, true, false, false, true, 20, 1\)"]),

    # ---- Messages ----
    Row("print()", 'begin { print((1, "a")); @[1] = 2; print(@); }', [r"\(1, a\)", r"@\[1\]: 2"]),
    Row("printf()", 'begin { printf("%5d|%-3s|%x\\n", 42, "a", 255); }', [r"   42\|a  \|ff"]),
    Row("errorf() warnf()", 'begin { errorf("bad %d", 1); warnf("odd %s", "x"); }', [r"stdin:1:9-28: ERROR: bad 1", r"stdin:1:30-50: WARNING: odd x"]),
    Row("assert()", 'begin { assert(1 == 2, "never"); }', [r"stdlib/base.bt:6:5-37: ERROR: assert failed: never"], status=1),
    Row("static_assert()", 'begin { static_assert(1 == 2, "never"); }', error="ERROR: never"),
    Row("fail()", 'begin { fail("told %d", 5); }', error="ERROR: told 5"),
    Row("exit()", 'begin { exit(7); } end { print("end"); }', ["end"], status=7),
    Row("cat()", 'begin { cat("/proc/sys/kernel/%s", "ostype"); }', ["Linux"]),
    Row("system()", 'begin { system("echo %s-%d", "out", 5); }', ["out-5"], options="--unsafe"),
    Row("join()", 'tracepoint:syscalls:sys_enter_execve /str(args.argv[1]) == "row-join"/ { join(args.argv, "+"); }', [r"/bin/true\+row-join\+b"], child="/bin/true row-join b"),
    Row("time()", 'begin { time("%Y|\\n"); }', [time.strftime("%Y") + r"\|"]),
    Row("strftime()", 'begin { print(strftime("%Y-%m-%d", nsecs)); }', [time.strftime("%Y-%m-") + r"\d\d"]),
    Row("debugf()", f'begin {{ debugf("row-debugf-{os.getpid()} %d\\n", 5); }}', check=lambda out: in_trace(f"row-debugf-{os.getpid()} 5")),
    Row("skboutput()", 'rawtracepoint:net_dev_queue { skboutput("WORK/row.pcap", args.skb, args.skb.len, 0); }', child=SENDER,
        check=lambda out: b"btc packet" in open(os.environ["ROW_WORK"] + "/row.pcap", "rb").read()),
    Row("socket_cookie()", "rawtracepoint:inet_sock_set_state { print(socket_cookie(args.sk) > 0); }", ["true"], child=SENDER),
    Row("signal()", f'{ADD} {{ signal("TERM"); }} tracepoint:sched:sched_process_exit /pid == cpid/ {{ print(curtask.exit_code & 127); }}', ["15"], child=CALLER, options="--unsafe"),
    Row("signal_thread()", f"{ADD} {{ signal_thread(10); }} tracepoint:sched:sched_process_exit /pid == cpid/ {{ print(curtask.exit_code & 127); }}", ["10"], child=CALLER, options="--unsafe"),
    Row("unwatch()", 'begin { unwatch(1); print("after"); }', ["after"]),
    Row("getopt()", 'begin { print((getopt("count", 5), getopt("name", "x"), getopt("flag", false))); }', [r"\(7, y, true\)"], args="-- --count=7 --name=y --flag"),

    # ---- Decided when compiling ----
    Row("is_array() is_integer() is_literal() is_ptr() is_scalar() is_str() is_unsigned_integer()",
        'begin { @s = 1; $p = (uint8 *)0; print((is_array((uint8[2])1), is_integer(1), is_literal(1), is_ptr($p), is_scalar(@s), is_str("a"), is_unsigned_integer((uint8)1)));'
        ' print((is_array(1), is_integer("a"), is_ptr(1), is_str(1), is_unsigned_integer((int32)-1))); }',
        [r"\(true, true, true, true, true, true, true\)", r"\(false, false, false, false, false\)"]),
]
