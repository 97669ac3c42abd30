"""Every probe type and every form of it, on a real kernel: attached, fired by a real program, values checked, nothing left behind.

The forms are those of the probe table (runtime-stub/abi/probes.def); forms.py reads it, and a form without a case here fails.
Rows marked `live` need no kprobes and no trampolines; they also run on the machine's own kernel (`run-matrix --kernels live`).
"""
from case import Case, P

# Each kind's cases name what they prove: "kprobe FUNC" is a form, "kprobe FUNC*" the form with a pattern in it.
READ = f"{P}/reader 777 20"
DISK = "dd if=/dev/vda of=/dev/null bs=65536 count=5 iflag=direct"
WATCH = f"{P}/watched 50 0.1"
ADDRESS = "0x$(grep ' T vfs_read$' /proc/kallsyms | cut -d' ' -f1)"
# While the artifact runs: its programs of kprobes, and its links.
SEE_LINKS = f"; {P}/leftovers > /tmp/attached"
SAY_LINKS = "echo $(grep -c '^prog .*probe_' /tmp/attached) programs, $(grep -c '^link' /tmp/attached) links; rm /tmp/attached"
BUSY = "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done"


def symbol(program, name):
    """Shell words that give a function's address in a program of test/progs: the program was built here, so the table is made here."""
    return f"@{program}:{name}@"


SPECIAL = [
    Case("begin-end", 'begin { printf("first\\n"); } end { printf("last\\n"); }', [r"\AAttached 2 probes\nfirst\n", r"^last$"], forms=["begin", "end"], live=True, sample=True),
    Case("self-signal", 'self:signal:SIGUSR1 { @n++; printf("got %d\\n", @n); if (@n == 2) { exit(); } }', [r"^got 1$", r"^got 2$"],
         trigger="kill -USR1 {self}; sleep 0.3; kill -USR1 {self}", seconds=3, forms=["self signal:NAME"], live=True, sample=True),
    Case("test-mode", 'test:good { return 0 } test:bad { return 1 }', [r"OK.*good", r"FAILED.*bad", r"2 tests ran"], args="--test", status=1,
         forms=["test NAME"], live=True, sample=True),
    Case("bench-mode", "bench:counting { @ = count(); }", [r"^counting +\d+ +\d+$"], args="--bench", forms=["bench NAME"], live=True, sample=True),
    Case("not-in-test-mode", 'begin { printf("run\\n"); } test:good { printf("test\\n"); }', [r"^run$"], reject=["^test$"], live=True),
]

KPROBES = [
    Case("kprobe-values", 'kprobe:vfs_read /comm == "reader"/ { @[arg2, reg("dx"), func] = count(); }',
         [r"^@\[777, 777, vfs_read(\+\d+)?\]: 20$"], trigger=READ, forms=["kprobe FUNC"], sample=True),
    Case("kprobe-ctx", 'kprobe:vfs_read /comm == "reader"/ { @[((struct pt_regs *)ctx)->dx] = count(); }', [r"^@\[777\]: 20$"], trigger=READ),
    Case("kprobe-module", 'kprobe:virtio_blk:virtblk_done { @[probe] = count(); }', [r"^@\[kprobe:virtio_blk:virtblk_done\]: [1-9]"], trigger=DISK,
         forms=["kprobe MODULE:FUNC"], sample=True),
    Case("kprobe-vmlinux", 'kprobe:vmlinux:vfs_read /comm == "reader"/ { @[arg2] = count(); }', [r"^@\[777\]: 20$"], trigger=READ),
    Case("kprobe-stack-parameter", 'kprobe:vfs_read /comm == "reader"/ { $n = 0; unroll($2) { $n++; } @[len(kstack($1)), len(kstack) > 2, $n] = count(); }',
         [r"^@\[2, (1|true), 7\]: 20$"], args="2 7", trigger=READ),
    Case("kprobe-offset", 'kprobe:vfs_read+0 /comm == "reader"/ { @zero = count(); } kprobe:vfs_read+5 /comm == "reader"/ { @five = count(); }',
         [r"^@five: 20$", r"^@zero: 20$"], trigger=READ, until="6.1", forms=["kprobe FUNC+OFFSET"]),
    Case("kprobe-offset-ibt", 'kprobe:vfs_read+4 /comm == "reader"/ { @four = count(); }', [r"^@four: 20$"], trigger=READ, since="6.12", forms=["kprobe FUNC+OFFSET"]),
    Case("kprobe-offset-inside", "kprobe:vfs_read+1 { @ = count(); }", [r"Possible attachment attempt in the middle of an instruction, try a different offset\.", "Unable to attach probe: kprobe:vfs_read\\+1"],
         status=255),
    Case("kprobe-module-offset", "kprobe:virtio_blk:virtblk_done+0 { @ = count(); }", [r"^@: [1-9]"], trigger=DISK, forms=["kprobe MODULE:FUNC+OFFSET"]),
    Case("kprobe-address", 'kprobe:$1 /comm == "reader"/ { @[arg2] = count(); }', [r"^@\[777\]: 20$"], args=f"--unsafe {ADDRESS}", options=["--unsafe"], trigger=READ,
         forms=["kprobe ADDRESS"]),
    Case("kprobe-address-safe", "kprobe:$1 { @ = count(); }", [r"ERROR: Attaching to a kernel address is unsafe"], args=ADDRESS, status=1),
    Case("kprobe-multi", 'kprobe:vfs_rea* /comm == "reader"/ { @[func] = count(); }', [r"^@\[vfs_read\]: 20$"], trigger=READ, forms=["kprobe FUNC*"], sample=True),
    Case("kprobe-each", 'kprobe:vfs_rea* /comm == "reader"/ { @[probe] = count(); }', [r"^@\[kprobe:vfs_read\]: 20$"], trigger=READ),
    Case("kprobe-name-text", 'kprobe:vfs_rea* /comm == "reader" && strcontains(probe, ":vfs_read")/ { @[probe == "kprobe:vfs_read"] = count(); } interval:ms:50 { @timer++; if (@timer > 100000) { exit(); } }',
         [r"^@\[(true|1)\]: 20$", r"^@timer: [1-9]"], trigger=READ),
    Case("kprobe-order", 'kprobe:vfs_read /comm == "reader"/ { printf("first"); } k:vfs_read /comm == "reader"/ { printf(" second\\n"); exit(); }',
         [r"^first second$"], trigger=READ),
    Case("kretprobe-order", 'kretprobe:vfs_read /comm == "reader"/ { printf("first"); } kr:vfs_read /comm == "reader"/ { printf(" second\\n"); exit(); }',
         [r"^first second$"], trigger=READ),
    Case("kprobe-no-multi", 'kprobe:vfs_rea* /comm == "reader"/ { @ = count(); }', [r"^@: 2\d$"], args="--no-feature kprobe_multi", trigger=READ),
    Case("kprobe-module-pattern", "kprobe:virtio_bl*:virtblk_d* { @[probe] = count(); }", [r"^@\[kprobe:virtio_blk:virtblk_done\]: [1-9]"], trigger=DISK,
         forms=["kprobe MODULE*:FUNC", "kprobe MODULE:FUNC*"]),
    Case("kprobe-syscall", 'kprobe:do_sys_openat2 /comm == "opener"/ { @[str(uptr(arg1), 64)] = count(); }', [r"^@\[/no/such/file\]: 3$"], trigger=f"{P}/opener /no/such/file 3"),
    # By the name in the kernel's sources: the function is the wrapper of the architecture, with the caller's registers as its argument.
    Case("kprobe-syscall-name", 'kprobe:sys_openat /comm == "opener"/ { @[probe, func, str(arg1, 64), (int32)arg0] = count(); @path[tid] = arg1; } kretprobe:sys_openat /comm == "opener"/ { @r[probe, str(@path[tid], 64), (int64)retval] = count(); clear(@path); }',
         [r"^@\[kprobe:sys_openat, __x64_sys_openat, /no/such/file, -100\]: 3$", r"^@r\[kretprobe:sys_openat, /no/such/file, -2\]: 3$"], trigger=f"{P}/opener /no/such/file 3", sample=True),
    Case("kprobe-syscall-arguments", "kprobe:sys_mmap /arg0 == 0x10000000/ { @[arg1, arg2, arg3, (int32)arg4, arg5] = count(); }", [r"^@\[8192, 7, 1048610, -1, 0\]: 1$"], trigger=WATCH),
    Case("kprobe-syscall-pattern", 'kprobe:sys_openat* /comm == "opener"/ { @[probe, str(arg1, 64)] = count(); } kretprobe:sys_openat* /comm == "opener"/ { @r[probe] = count(); }',
         [r"^@\[kprobe:sys_openat, /no/such/file\]: 3$", r"^@r\[kretprobe:sys_openat\]: 3$"], trigger=f"{P}/opener /no/such/file 3"),
    Case("kprobe-syscall-in-list", 'kprobe:sys_openat, kprobe:do_sys_openat2, kprobe:vmlinux:sys_openat /comm == "opener"/ { @[probe, str(uptr(arg1), 64)] = count(); }',
         [r"^@\[kprobe:sys_openat, /no/such/file\]: 3$", r"^@\[kprobe:do_sys_openat2, /no/such/file\]: 3$", r"^@\[kprobe:vmlinux:sys_openat, /no/such/file\]: 3$"], trigger=f"{P}/opener /no/such/file 3"),
    Case("kprobe-syscall-parameter", 'kprobe:$1 /comm == "opener"/ { @[str(arg1, 64)] = count(); }', [r"^@\[/no/such/file\]: 3$"], args="sys_openat", trigger=f"{P}/opener /no/such/file 3"),
    Case("kprobe-syscall-wrapper", 'kprobe:__x64_sys_openat /comm == "opener"/ { @[str(uptr(((struct pt_regs *)arg0)->si), 64)] = count(); }', [r"^@\[/no/such/file\]: 3$"], trigger=f"{P}/opener /no/such/file 3"),
    # Such a name is a function's own where the kernel has one.
    Case("kprobe-syscall-like", "kprobe:sys_ni_syscall { @ = arg0; }", [r"^Trying to attach probe: kprobe:sys_ni_syscall \(perf event\)$"], args="-v"),
    Case("kprobe-syscall-absent", "kprobe:sys_no_such { }", [r"No matches for kprobe sys_no_such\."], status=1),
    Case("kprobe-alias", 'k:vfs_read /comm == "reader"/ { @[probetype, arg2] = count(); } kr:vfs_read /comm == "reader"/ { @r[retval] = count(); }',
         [r"^@\[kprobe, 777\]: 20$", r"^@r\[777\]: 20$"], trigger=READ),
    Case("kprobe-list", 'reading=kprobe:vfs_read, kprobe:vfs_write /comm == "reader"/ { @[probe] = count(); }', [r"^@\[reading\]: 20$"], trigger=READ),
    Case("kprobe-absent", 'begin { printf("begun\\n"); } kprobe:no_such_function { @ = count(); }',
         [r"ERROR: No matches for kprobe no_such_function\.", r"Probe has no valid attach points"], reject=["^begun$"], status=1),
    Case("kprobe-absent-module", "kprobe:no_such_module:vfs_read { }", [r"specified module no_such_module in probe kprobe:no_such_module:vfs_read is not loaded"], status=1),
    Case("kprobe-absent-warn", 'config = { missing_probes = "warn"; } kprobe:no_such_function { @a = count(); } kprobe:vfs_read /comm == "reader"/ { @b = count(); }',
         [r"WARNING: No matches for kprobe no_such_function\. Skipping", r"^@b: 20$"], trigger=READ),
    Case("kretprobe-values", 'kretprobe:vfs_read /comm == "reader"/ { @[retval] = count(); }', [r"^@\[777\]: 20$"], trigger=READ, forms=["kretprobe FUNC"], sample=True),
    Case("kretprobe-func", 'kretprobe:vfs_rea* /comm == "reader"/ { @[func] = count(); }', [r"^@\[vfs_read\]: 20$"], trigger=READ),
    Case("kretprobe-module", "kretprobe:virtio_blk:virtblk_done { @ = count(); }", [r"^@: [1-9]"], trigger=DISK, forms=["kretprobe MODULE:FUNC"]),
    Case("kretprobe-address", 'kretprobe:$1 /comm == "reader"/ { @[retval] = count(); }', [r"^@\[777\]: 20$"], args=f"--unsafe {ADDRESS}", options=["--unsafe"], trigger=READ,
         forms=["kretprobe ADDRESS"]),
    Case("kretprobe-multi", 'kretprobe:vfs_rea* /comm == "reader"/ { @[retval] = count(); }', [r"^@\[777\]: 20$"], trigger=READ, forms=["kretprobe FUNC*"]),
    Case("kretprobe-module-pattern", "kretprobe:virtio_bl*:virtblk_d* { @ = count(); }", [r"^@: [1-9]"], trigger=DISK,
         forms=["kretprobe MODULE*:FUNC", "kretprobe MODULE:FUNC*"]),
    Case("kprobe-pair", 'kprobe:vfs_read /comm == "reader"/ { @in[arg2] = count(); @t[tid] = nsecs; } kretprobe:vfs_read /@t[tid]/ { @out[retval] = count(); delete(@t, tid); }',
         [r"^@in\[777\]: 20$", r"^@out\[777\]: 20$"], trigger=READ, sample=True),
    Case("kprobe-session", 'kprobe:vfs_read /comm == "reader"/ { @in = count(); } kretprobe:vfs_read /comm == "reader"/ { @out = count(); }',
         [r"^@in: 20$", r"^@out: 20$", r"^Trying to attach probe: kprobe:vfs_read \(kprobe session\)$", r"^1 programs?, 1 links?$"], args="-v", trigger=READ + SEE_LINKS, after=SAY_LINKS, since="6.12"),
    Case("kprobe-session-none", 'kprobe:vfs_read /comm == "reader"/ { @in = count(); } kretprobe:vfs_read /comm == "reader"/ { @out = count(); }',
         [r"^@in: 20$", r"^@out: 20$", r"^Trying to attach probe: kretprobe:vfs_read \(perf event\)$", r"^2 programs?, [02] links?$"], args="-v --no-feature kprobe_session", trigger=READ + SEE_LINKS, after=SAY_LINKS),
    Case("kprobe-pair-pattern", 'kprobe:vfs_rea* /comm == "reader"/ { @in = count(); } kretprobe:vfs_rea* /comm == "reader"/ { @out = count(); }',
         [r"^@in: 2\d$", r"^@out: 2\d$"], trigger=READ),
]

TRAMPOLINES = [
    Case("fentry-values", 'fentry:vfs_read /comm == "reader"/ { @[args.count, str(args.file->f_path.dentry->d_name.name, 64), probe] = count(); }',
         [r"^@\[777, zero, fentry:vmlinux:vfs_read\]: 20$"], trigger=READ, forms=["fentry FUNC"], sample=True),
    Case("fentry-vmlinux", 'fentry:vmlinux:vfs_read /comm == "reader"/ { @[args.count] = count(); }', [r"^@\[777\]: 20$"], trigger=READ),
    Case("fentry-module", "fentry:virtio_blk:virtblk_done { @[probe] = count(); } fexit:virtio_blk:virtblk_done { @x[probe] = count(); }",
         [r"^@\[fentry:virtio_blk:virtblk_done\]: [1-9]", r"^@x\[fexit:virtio_blk:virtblk_done\]: [1-9]"], trigger=DISK, since="6.1", without=r"No matches for fentry virtio_blk:",
         forms=["fentry MODULE:FUNC", "fexit MODULE:FUNC"]),
    Case("fentry-pattern", 'fentry:vfs_rea* /comm == "reader"/ { @[probe] = count(); }', [r"^@\[fentry:vmlinux:vfs_read\]: 20$"], trigger=READ, forms=["fentry FUNC*"]),
    Case("fentry-module-pattern", 'fentry:vmlin*:vfs_rea* /comm == "reader"/ { @[probe] = count(); } fexit:vmlin*:vfs_rea* /comm == "reader"/ { @[probe] = count(); }',
         [r"^@\[fentry:vmlinux:vfs_read\]: 20$", r"^@\[fexit:vmlinux:vfs_read\]: 20$"], trigger=READ,
         forms=["fentry MODULE*:FUNC", "fentry MODULE:FUNC*", "fexit MODULE*:FUNC", "fexit MODULE:FUNC*"]),
    Case("fentry-bpf", "fentry:bpf:interval_ms_20_1 { @[probe] = count(); } fexit:bpf:interval_ms_20_1 { @x = count(); }",
         [r"^@\[fentry:bpf:\d+:interval_ms_20_1\]: [1-9]", r"^@x: [1-9]"], server_script="interval:ms:20 { @a += 1; }", trigger="sleep 0.5",
         forms=["fentry bpf:PROGRAM", "fexit bpf:PROGRAM"]),
    Case("fentry-bpf-id", "fentry:bpf:$1:interval_ms_20_1 { @ = count(); } fexit:bpf:$1:interval_ms_20_1 { @x = count(); }", [r"^@: [1-9]", r"^@x: [1-9]"],
         args=f"$({P}/leftovers | grep '^prog.*interval_ms_20' | cut -d' ' -f2)", server_script="interval:ms:20 { @a += 1; }", trigger="sleep 0.5",
         forms=["fentry bpf:ID:PROGRAM", "fexit bpf:ID:PROGRAM"]),
    Case("fentry-bpf-pattern", "fentry:bpf:*:interval_ms_2* { @ = count(); } fexit:bpf:interval_m* { @x = count(); }", [r"^@: [1-9]", r"^@x: [1-9]"],
         server_script="interval:ms:20 { @a += 1; }", trigger="sleep 0.5", forms=["fentry bpf:PROGRAM*", "fexit bpf:PROGRAM*"]),
    Case("fentry-absent", 'begin { printf("begun\\n"); } fentry:no_such_function { @ = count(); }', [r"No matches for fentry no_such_function\."], reject=["^begun$"], status=1),
    # Compiled for another prototype; no place for a tracer; trampolines that the machine does not give.
    Case("fentry-changed", "fentry:vfs_statx { print(str(args.filename->name)); }", [r"^/no/such$"], trigger="stat /no/such", since="6.1",
         without=r"^stdin:1:1-17: ERROR: On this kernel, vfs_statx takes filename as a pointer; the script was compiled for a pointer to struct filename\. Compile it with --profile"
                 r" of this kernel\.\nfentry:vfs_statx \{.*\n~~~~~~~~~~~~~~~~$"),
    Case("fentry-argument-gone", "fentry:vfs_mkdir { @ = args.idmap; }", [r"^Attached 1 probe$"], since="6.12",
         without=r"^stdin:1:1-17: ERROR: On this kernel, vfs_mkdir has no argument idmap\.\nfentry:vfs_mkdir \{.*\n~~~~~~~~~~~~~~~~$"),
    Case("fentry-notrace", "fentry:sched_clock { @ = count(); }",
         [r"^stdin:1:1-19: ERROR: Unable to attach probe: fentry:vmlinux:sched_clock\.", r"^fentry:sched_clock \{.*\n~~~~~~~~~~~~~~~~~~$", r"^HINT: the kernel says: the function has no place for a tracer"],
         status=255, since="6.1", without=r"No matches for fentry sched_clock\."),
    Case("fentry-off", "fentry:vfs_read { @ = count(); }", [r"^stdin:1:1-16: ERROR: Unable to attach probe: fentry:vmlinux:vfs_read\.", r"^HINT: the kernel says: the function has no place for a tracer"],
         server="sh -c 'echo 0 > /proc/sys/kernel/ftrace_enabled; sleep 100'", after="echo 1 > /proc/sys/kernel/ftrace_enabled", status=255, until="5.10"),
    Case("fentry-func", 'fentry:vfs_rea* /comm == "reader"/ { @[func] = count(); } fexit:vfs_read /comm == "reader"/ { @x[func] = count(); }',
         [r"^@\[vfs_read\]: 20$", r"^@x\[vfs_read\]: 20$"], trigger=READ),
    Case("fexit-values", 'fexit:vfs_read /comm == "reader"/ { @[args.count, retval, probe] = count(); }', [r"^@\[777, 777, fexit:vmlinux:vfs_read\]: 20$"],
         trigger=READ, forms=["fexit FUNC"], sample=True),
    Case("fexit-pattern", 'fexit:vfs_rea* /comm == "reader"/ { @[retval] = count(); }', [r"^@\[777\]: 20$"], trigger=READ, forms=["fexit FUNC*"]),
    # Functions with 3 to 6 arguments, returning int and ssize_t: the result lies elsewhere in each.
    Case("fexit-pattern-results", 'fexit:vfs_*, fexit:do_sys_openat* /comm == "reader" || comm == "opener"/ { @[probe, retval] = count(); }',
         [r"^@\[fexit:vmlinux:vfs_read, 777\]: 20$", r"^@\[fexit:(vmlinux:)?do_sys_openat2, -2\]: 3$", r"^@\[fexit:vmlinux:vfs_open, 0\]: [1-9]"],
         trigger=f"{READ}; {P}/opener /no/such/file 3"),
    Case("fexit-args-moved", 'fexit:vfs_statx /comm == "opener" || comm == "sh" || comm == "stat"/ { @[args.flags & 0, retval] = count(); }', [r"^@\[0, (0|-2)\]: [1-9]"],
         trigger="stat /no/such; stat /", seconds=1),
    # A lock's own function: programs that use maps must not start inside each other.
    Case("fentry-lock", "fentry:_raw_spin_lock { @[comm] = count(); } fexit:_raw_spin_lock { @x[comm] = count(); }", [r"^@\[.*\]: [1-9]", r"^@x\[.*\]: [1-9]"], seconds=1, options=["--no-warnings"]),
    Case("fentry-struct", "fentry:vfs_open { print(*args.path); exit(); }", [r"^\{ \.mnt = 0x[0-9a-f]+, \.dentry = 0x[0-9a-f]+ \}$"], trigger=f"{P}/opener /etc/passwd", seconds=2),
    Case("kfunc-alias", 'kfunc:vfs_read /comm == "reader"/ { @a = count(); } f:vfs_read /comm == "reader"/ { @b = count(); } kretfunc:vfs_read /comm == "reader"/ { @c = count(); } '
         'fr:vfs_read /comm == "reader"/ { @d = count(); }', [r"^@a: 20$", r"^@b: 20$", r"^@c: 20$", r"^@d: 20$"], trigger=READ),
]

TRACEPOINTS = [
    Case("tracepoint-values", 'tracepoint:syscalls:sys_enter_openat /comm == "opener"/ { @[str(args.filename, 64), args.flags, args.dfd] = count(); }',
         [r"^@\[/no/such/file, 0, 4294967196\]: 3$"], trigger=f"{P}/opener /no/such/file 3", forms=["tracepoint CATEGORY:EVENT"], live=True, sample=True),
    Case("tracepoint-ret", 'tracepoint:syscalls:sys_exit_openat /comm == "opener"/ { @[args.ret] = count(); }', [r"^@\[-2\]: 3$"], trigger=f"{P}/opener /no/such/file 3", live=True),
    Case("tracepoint-pattern", 'tracepoint:syscalls:sys_ente*_openat, tracepoint:sysca*:sys_exit_openat /comm == "opener"/ { @[probe] = count(); }',
         [r"^@\[tracepoint:syscalls:sys_enter_openat\]: 3$", r"^@\[tracepoint:syscalls:sys_exit_openat\]: 3$"], trigger=f"{P}/opener /x 3",
         forms=["tracepoint CATEGORY:EVENT*", "tracepoint CATEGORY*:EVENT"], live=True),
    Case("tracepoint-pattern-args", 'tracepoint:sched:sched_wakeup* /args.comm == "reader"/ { @[args.pid > 1, args.prio] = count(); }', [r"^@\[(1|true), 12\d\]: [1-9]"],
         trigger=f"{P}/reader 10 10 0.1", live=True),
    # One field at different places of the records; one that some kernels keep behind the record (`char comm[16]`, `__data_loc char[] comm`).
    Case("tracepoint-pattern-places", 'tracepoint:syscalls:sys_enter_mkdir* /comm == "deed"/ { @[probe, str(args.pathname, 64), args.mode] = count(); }',
         [r"^@\[tracepoint:syscalls:sys_enter_mkdir, /tmp/btc_dir, 448\]: 1$", r"^@\[tracepoint:syscalls:sys_enter_mkdirat, /tmp/btc_dir, 448\]: 1$"], trigger=f"{P}/deed mkdirs /tmp/btc_dir", live=True, sample=True),
    *[Case(f"tracepoint-text{name}", 'tracepoint:sched:sched_process_fork /str(args.parent_comm) == "sh"/ { @[args.parent_comm' + ' == "sh"' * (not options) + ', str(args.child_comm, 16), args.child_pid > 1] = count(); }',
           [r"^@\[.*, sh, (1|true)\]: [1-9]"], trigger=f"{P}/opener /x; true", options=options, live=True, sample=not options) for name, options in (("", []), ("-host", ["--profile", "host"]))],
    Case("tracepoint-text-key", 'tracepoint:sched:sched_process_fork /args.parent_comm == "sh"/ { @[args.parent_comm] = count(); @n[args.parent_comm, 1] = count(); $c = args.child_comm; printf("<%s>\\n", $c); }',
         [r"^@\[sh\]: ", r"^@n\[sh, 1\]: ", "^<sh>$"], reject=[r"(?s)^@\[.*^@\[", r"(?s)^@n\[.*^@n\["], trigger=f"for i in 1 2 3 4 5; do {P}/opener /x; done", live=True),
    Case("tracepoint-block", "tracepoint:block:block_rq_* { @[probe, args.sector >= 0] = count(); }", [r"^@\[tracepoint:block:block_rq_complete, (1|true)\]: [1-9]"], trigger=DISK),
    Case("tracepoint-array", "tracepoint:sched:sched_switch /args.prev_comm == \"reader\"/ { @[args.prev_comm, args.prev_pid > 0, args.prev_state] = count(); }",
         [r"^@\[reader, (1|true), 1\]: [1-9]"], trigger=f"{P}/reader 10 10 0.1", live=True),
    Case("tracepoint-module", "tracepoint:sctp:sctp_probe { @[args.peer_port] = count(); } tracepoint:sct*:sctp_prob* { @p[probe] = count(); }",
         [r"^@\[4711\]: [1-9]", r"^@p\[tracepoint:sctp:sctp_probe\]: [1-9]"], trigger=f"{P}/sctp-pair 4711 20", modules=["sctp"]),
    Case("tracepoint-module-later", "tracepoint:nbd:nbd_send_request { @a = count(); } tracepoint:module:module_load { @[str(args.name, 64)] = count(); }",
         [r"WARNING: No matches for tracepoint nbd:nbd_send_request\. Skipping", r"^@\[nbd\]: 1$"], env="BPFTRACE_MISSING_PROBES=warn", trigger="insmod /late/nbd.ko; sleep 0.2; rmmod nbd"),
    Case("tracepoint-module-loaded", "tracepoint:nbd:nbd_send_request { @a = count(); }", [r"^Attached 1 probe$"], server="sh -c 'insmod /late/nbd.ko; sleep 100'", trigger="sleep 0.2",
         after="rmmod nbd"),
    Case("tracepoint-absent", 'begin { printf("begun\\n"); } tracepoint:sched:no_such_event { @ = count(); }', [r"No matches for tracepoint sched:no_such_event\."],
         reject=["^begun$"], status=1, live=True),
    Case("rawtracepoint-values", 'rawtracepoint:sched_switch /args.prev->comm == "reader"/ { @[args.prev->comm] = count(); }', [r"^@\[reader\]: [1-9]"],
         trigger=f"{P}/reader 10 5 0.1", forms=["rawtracepoint EVENT"], live=True, sample=True),
    Case("rawtracepoint-arg", 'rawtracepoint:sys_enter /comm == "reader" && arg1 == 0/ { @ = count(); }', [r"^@: [2-9]\d"], trigger=READ, live=True),
    Case("rawtracepoint-module", "rawtracepoint:vmlinux:sched_switch { @[probe] = count(); }", [r"^@\[rawtracepoint:vmlinux:sched_switch\]: [1-9]"], trigger=f"{P}/reader 10 5 0.1",
         forms=["rawtracepoint MODULE:EVENT"], live=True),
    Case("rawtracepoint-pattern", 'rawtracepoint:sched_wak* { @[probe] = count(); } rawtracepoint:vmlin*:sched_switc* { @x[probe] = count(); }',
         [r"^@\[rawtracepoint:vmlinux:sched_wakeup\]: [1-9]", r"^@x\[rawtracepoint:vmlinux:sched_switch\]: [1-9]"], trigger=f"{P}/reader 10 5 0.1",
         forms=["rawtracepoint EVENT*", "rawtracepoint MODULE*:EVENT", "rawtracepoint MODULE:EVENT*"], live=True),
    Case("rawtracepoint-absent", "rawtracepoint:no_such_event { @ = count(); }", [r"No matches for rawtracepoint no_such_event\."], status=1, live=True),
]

UPROBES = [
    Case("uprobe-values", f"uprobe:{P}/caller:add {{ @[arg1] = count(); @sum = sum(arg0); @f[func] = count(); }}",
         [r"^@\[40\]: 10$", r"^@sum: 45$", r"^@f\[(add|0x[0-9a-f]+)\]: 10$"], trigger=f"{P}/caller 10", forms=["uprobe FILE:FUNC"], live=True, sample=True),
    Case("uprobe-relative", "uprobe:./progs/caller:add { @ = count(); }", [r"^@: 10$"], trigger=f"{P}/caller 10"),
    Case("uprobe-name-in-path", "uprobe:caller:add { @[probe] = count(); }", [rf"^@\[uprobe:{P}/caller:add\]: 10$"], trigger=f"{P}/caller 10", env=f"PATH=$PATH:{P}", live=True),
    Case("uprobe-offset", f"uprobe:{P}/caller:add+4 {{ @[reg(\"bp\") == reg(\"sp\")] = count(); }}", [r"^@\[(1|true)\]: 10$"], trigger=f"{P}/caller 10", forms=["uprobe FILE:FUNC+OFFSET"], live=True),
    Case("uprobe-offset-outside", f"uprobe:{P}/caller:add+4000 {{ @ = count(); }}", [r"Offset outside the function bounds \('add' size is \d+\)"], status=255, live=True),
    Case("uprobe-inside", f"uprobe:{P}/caller:add+2 {{ @ = count(); }}",
         [rf"ERROR: Could not add uprobe into middle of instruction: {P}/caller:add\+2\nUse --unsafe to force attachment", rf"Unable to attach probe: uprobe:{P}/caller:add\+2"],
         trigger=f"{P}/caller 10", status=255, live=True),
    Case("uprobe-inside-unsafe", f"uprobe:{P}/caller:add+2 {{ @ = count(); }}", [rf"WARNING: Unsafe uprobe in the middle of the instruction: {P}/caller:add\+2$", "^Attached 1 probe$"],
         options=["--unsafe"], live=True),
    Case("uprobe-inside-pattern", f"uprobe:{P}/caller:a*d+2 {{ @ = count(); }}", [r"middle of instruction: .*/caller:a\S*d\+2$"], status=255, live=True),
    Case("uprobe-address-inside", f"uprobe:{P}/caller:$1 {{ @ = count(); }}", [r"middle of instruction: .*/caller:add\+2$"], args="$((" + symbol("caller", "add") + " + 2))",
         status=255, live=True),
    Case("uprobe-of-process", "uprobe:again { @[arg0 > 0] = count(); } uretprobe:again { @r = count(); } uprobe:again+4 { @four = count(); }", [r"^@\[(1|true)\]: [1-9]", r"^@four: [1-9]", r"^@r: [1-9]"],
         args="-p {pid}", server=f"{P}/plugin-user {P}/plugin.so 100000", trigger="sleep 0.3", forms=["uprobe FUNC", "uretprobe FUNC", "uprobe FUNC+OFFSET"], live=True),
    Case("uprobe-of-process-pattern", "uprobe:aga*n { @[probe] = count(); } uretprobe:aga*n { @r = count(); }", [rf"^@\[uprobe:{P}/plugin-user:again\]: [1-9]", r"^@r: [1-9]"], args="-p {pid}",
         server=f"{P}/plugin-user {P}/plugin.so 100000", trigger="sleep 0.3", forms=["uprobe FUNC*", "uretprobe FUNC*"], live=True),
    Case("uprobe-of-no-process", "uprobe:again { @ = count(); }", [r"uprobe probe type requires 2 or 3 arguments, found 1"], status=1, live=True),
    Case("library-two-processes", f"uprobe:{P}/plugin.so:plugin_work {{ @ = count(); @p[pid] = count(); }} uretprobe:{P}/plugin.so:plugin_work {{ @r = sum(retval); }}",
         [r"^@: 50$", r"^@p\[\d+\]: 10$", r"^@p\[\d+\]: 40$", r"^@r: 925$"], trigger=f"{P}/plugin-user {P}/plugin.so 10 & {P}/plugin-user {P}/plugin.so 40; wait", live=True),
    Case("library-killed", f"uprobe:{P}/plugin.so:plugin_work {{ @[arg0] = count(); }}", [r"^@\[200\]: 1$"],
         trigger=f"{P}/plugin-user {P}/plugin.so 100000 & sleep 0.1; kill -9 $!; {P}/plugin-user {P}/plugin.so 200", live=True),
    # The library comes two seconds after the tables of the process were made.
    Case("library-later-unwound", f"config = {{ show_debug_info = 0; unstable_dw_ustack = enable }} uprobe:{P}/plugin.so:plugin_work /arg0 == 2500/ {{ printf(\"%s\\n\", dw_ustack); exit(); }}",
         [r"^ +plugin_work\+0\n +again\+\d+\n +main\+\d+$"], args="-p {pid}", server=f"{P}/plugin-user {P}/plugin.so 100000 3", seconds=20, since="5.17", without="lacks the BPF helper", live=True),
    Case("narrow-values", f"uprobe:{P}/narrow:add {{ @ = count(); @f[func] = count(); }} uretprobe:{P}/narrow:add {{ @r = max(retval); }} uprobe:{P}/narrow:a*d {{ @p[probe] = count(); }}",
         [r"^@: 10$", r"^@p\[uprobe:.*/narrow:add\]: 10$", r"^@r: 50$"], trigger=f"{P}/narrow 10", live=True),
    Case("narrow-offset", f"uprobe:{P}/narrow:add+3 {{ @ = count(); }}", [r"^@: 10$"], trigger=f"{P}/narrow 10", live=True),
    Case("narrow-inside", f"uprobe:{P}/narrow:add+2 {{ @ = count(); }}", [r"middle of instruction: .*/narrow:add\+2$"], status=255, live=True),
    Case("narrow-arguments", f"uprobe:{P}/narrow:add {{ @ = sum(arg0); @b[arg1, (int32)arg1] = count(); }} uprobe:{P}/narrow:ad* {{ @p[arg1] = sum(arg0); }}",
         [r"^@: 55$", r"^@b\[40, 40\]: 10$", r"^@p\[40\]: 55$"], trigger=f"{P}/narrow 10", live=True),
    Case("narrow-and-wide", f"uprobe:{P}/narrow:add, uprobe:{P}/caller:add {{ @[comm, arg1] = sum(arg0); }}", [r"^@\[caller, 40\]: 45$", r"^@\[narrow, 40\]: 55$"],
         trigger=f"{P}/narrow 10; {P}/caller 10", live=True),
    Case("narrow-args", f"uprobe:{P}/narrow:add {{ @ = sum(args.a); }}", [r"ERROR: .*/narrow is a 32-bit program, whose parameters args cannot read"], status=1, live=True,
         options=["--program", f"{P}/narrow=@programs@/narrow"]),
    Case("uprobe-address", f"uprobe:{P}/caller:$1 {{ @ = count(); }}", [r"^@: 10$"], args=symbol("caller", "add"), trigger=f"{P}/caller 10", forms=["uprobe FILE:ADDRESS"], live=True),
    Case("uprobe-pattern", f"uprobe:{P}/caller:a*d {{ @[probe] = count(); }}", [rf"^@\[uprobe:{P}/caller:add\]: 10$"], trigger=f"{P}/caller 10",
         forms=["uprobe FILE:FUNC*"], live=True),
    Case("uprobe-file-pattern", f"uprobe:{P}/calle*:add {{ @[probe] = count(); }}", [rf"^@\[uprobe:{P}/caller:add\]: 10$"], trigger=f"{P}/caller 10",
         forms=["uprobe FILE*:FUNC"], live=True),
    Case("uprobe-no-multi", f"uprobe:{P}/caller:a*d {{ @ = count(); }}", [r"^@: 10$"], args="--no-feature uprobe_multi", trigger=f"{P}/caller 10", live=True),
    Case("uprobe-cpp", f'uprobe:{P}/shapes:cpp:"geo::area(int, int)" {{ @[arg0, arg1] = count(); }} uprobe:{P}/shapes:cpp:"geo::area" {{ @both = count(); }}',
         [r"^@\[6, 7\]: 10$", r"^@both: 20$"], trigger=f"{P}/shapes 10", forms=["uprobe FILE:LANG:FUNC"], live=True, sample=True),
    Case("uprobe-cpp-pattern", f'uprobe:{P}/shapes:cpp:"geo::*" {{ @ = count(); }}', [r"^@: 30$"], trigger=f"{P}/shapes 10", live=True),
    Case("uprobe-cpp-offset", f'uprobe:{P}/shapes:cpp:"geo::Box::grow"+4 {{ @[reg("bp") == reg("sp")] = count(); }}', [r"^@\[(1|true)\]: 10$"], trigger=f"{P}/shapes 10", forms=["uprobe FILE:LANG:FUNC+OFFSET"], live=True),
    Case("uprobe-source-line", f"uprobe:{P}/caller@caller.c:13 {{ @ = count(); }}", [r"^@: [1-9]"], trigger=f"{P}/caller 10", forms=["uprobe FILE@SOURCE:LINE"], live=True, options=["--program", f"{P}/caller=@programs@/caller"]),
    Case("uprobe-source-column", f"uprobe:{P}/caller@caller.c:13:60 {{ @ = count(); }}", [r"^@: [1-9]"], trigger=f"{P}/caller 10", forms=["uprobe FILE@SOURCE:LINE:COL"], live=True, options=["--program", f"{P}/caller=@programs@/caller"]),
    Case("uprobe-pid", "uprobe:*:read { @ = count(); }", [r"^@: [1-9]\d*$"], args="-p {pid}", server=f"{P}/reader 10 4000000", seconds=1, live=True),
    Case("uprobe-absent", f'begin {{ printf("begun\\n"); }} uprobe:{P}/caller:no_such {{ @ = count(); }}', [rf"No matches for uprobe {P}/caller:no_such\."], reject=["^begun$"],
         status=1, live=True),
    Case("uprobe-absent-file", "uprobe:/no/such/file:f { @ = count(); }", [r"ERROR: .*/no/such/file"], status=1, live=True),
    Case("uretprobe-values", f"uretprobe:{P}/caller:add {{ @[retval - 40] = count(); }} uretprobe:{P}/caller:named {{ @r[retval] = count(); }}",
         [r"^@\[9\]: 1$", r"^@r\[5\]: 10$"], trigger=f"{P}/caller 10", forms=["uretprobe FILE:FUNC"], live=True, sample=True),
    Case("uretprobe-pattern", f"uretprobe:{P}/calle*:a*d {{ @ = count(); }}", [r"^@: 10$"], trigger=f"{P}/caller 10",
         forms=["uretprobe FILE:FUNC*", "uretprobe FILE*:FUNC"], live=True),
    Case("uretprobe-cpp", f'uretprobe:{P}/shapes:cpp:"geo::Box::grow" {{ @ = max(retval); }}', [r"^@: 10$"], trigger=f"{P}/shapes 10", forms=["uretprobe FILE:LANG:FUNC"], live=True),
    Case("uretprobe-func", f"uretprobe:{P}/caller:add {{ @[func] = count(); }}", [r"^@\[(add|0x[0-9a-f]+)\]: 10$"], trigger=f"{P}/caller 10", since="6.6",
         without="lacks the BPF helper get_func_ip", live=True),
]

USDTS = [
    Case("usdt-name", f"usdt:{P}/marks:guarded {{ @[arg0] = count(); }}", [r"^@\[10\]: 1$"], trigger=f"{P}/marks 10", forms=["usdt FILE:NAME"], live=True, sample=True),
    Case("usdt-namespace", f"usdt:{P}/marks:marks:numbers {{ @[arg0, (int64)arg1, (int64)arg2, arg3] = count(); }}",
         [r"^@\[200, -2, -7, 20\]: [1-9]", r"^@\[200, -2, -7, 40\]: [1-9]"], trigger=f"{P}/marks 10", forms=["usdt FILE:NAMESPACE:NAME"], live=True, sample=True),
    Case("usdt-locations", f"usdt:{P}/marks:marks:twice {{ @[arg0] = count(); }}", [r"^@\[1000\]: 10$", r"^@\[10\]: 1$", "Attached 1 probe"], trigger=f"{P}/marks 10", live=True),
    Case("usdt-pattern", f"usdt:{P}/marks:mar*:t*e {{ @[probe] = count(); }}", [rf"^@\[usdt:{P}/marks:marks:twice\]: 20$"], trigger=f"{P}/marks 10",
         forms=["usdt FILE:NAMESPACE*:NAME", "usdt FILE:NAMESPACE:NAME*", "usdt FILE:NAME*"], live=True),
    Case("usdt-file-pattern", f"usdt:{P}/mar*:marks:guarded {{ @ = count(); }}", [r"^@: 10$"], trigger=f"{P}/marks 10", forms=["usdt FILE*:NAMESPACE:NAME", "usdt FILE*:NAME"], live=True),
    Case("usdt-pid", "usdt:*:test_grp:test_idx { @ = count(); }", [r"^@: [1-9]"], args="-p {pid}", server=f"{P}/test-server", trigger="sleep 0.3", live=True),
    Case("usdt-pid-no-file", "usdt::test_grp:test_idx { @ = count(); }", [r"^@: [1-9]"], args="-p {pid}", server=f"{P}/test-server", trigger="sleep 0.3", live=True),
    Case("usdt-command", f"usdt:{P}/marks:guarded {{ @ = count(); }}", [r"^@: 10$"], args=f"-c '{P}/marks 10'", seconds=5, live=True),
    Case("usdt-all-processes", "usdt:*:test_grp:test_idx { @ = count(); }", [r"^@: [1-9]"], server=f"{P}/test-server", trigger="sleep 0.3"),
    Case("usdt-of-process", "usdt:test_idx { @ = count(); }", [r"^@: [1-9]"], args="-p {pid}", server=f"{P}/test-server", trigger="sleep 0.3", forms=["usdt NAME"], live=True),
    Case("usdt-of-process-pattern", "usdt:test_id* { @ = count(); }", [r"^@: [1-9]"], args="-p {pid}", server=f"{P}/test-server", trigger="sleep 0.3", forms=["usdt NAME*"], live=True),
    # A file's probes hold for every process that maps it, also later; patterns of files see what is mapped when the artifact starts.
    Case("usdt-library-later", f"usdt:{P}/plugin.so:plugin:tick {{ @[arg0 <= 10] = count(); }} usdt:{P}/plugin.so:plugin:guarded {{ @g = sum(arg0); }}", [r"^@\[(1|true)\]: 10$", r"^@g: 55$"],
         server=f"{P}/plugin-user {P}/plugin.so 10 5", trigger="sleep 6", live=True),
    Case("usdt-library-later-pid", f"usdt:{P}/plugin.so:plugin:guarded {{ @g = sum(arg0); }}", [r"^@g: 55$"], args="-p {pid}", server=f"{P}/plugin-user {P}/plugin.so 10 5", seconds=8, live=True),
    Case("usdt-library-not-yet", "usdt:*:plugin:tick { @ = count(); }", ["Probe has no valid attach points"], args="-p {pid}", server=f"{P}/plugin-user {P}/plugin.so 10 20", status=1, live=True),
    Case("usdt-library-two-processes", f"usdt:{P}/plugin.so:plugin:guarded {{ @[pid] = count(); }}", [r"^@\[\d+\]: 10$", r"^@\[\d+\]: 40$"],
         trigger=f"{P}/plugin-user {P}/plugin.so 10 & {P}/plugin-user {P}/plugin.so 40; wait", live=True),
    Case("usdt-narrow", f"usdt:{P}/narrow:narrow:tick {{ @sum = sum((int64)(int32)arg0); @[(int64)arg1, str(arg2, 16)] = count(); }}", [r"^@\[-7, served\]: 10$", r"^@sum: 55$"], trigger=f"{P}/narrow 10", live=True),
    Case("usdt-absent", f"usdt:{P}/marks:no_such {{ @ = count(); }}", ["Probe has no valid attach points"], status=1, live=True),
]

TIMERS = [
    *[Case(f"profile-{unit}", f"profile:{unit}:{n} {{ @[usermode < 2] = count(); }}", [r"^@\[(1|true)\]: [1-9]"], trigger=BUSY, seconds=1.5,
           forms=["profile UNIT:N"], live=True) for unit, n in (("hz", 99), ("s", 1), ("ms", 20), ("us", 20000))],
    Case("profile-duration", "profile:20ms { @[probe] = count(); }", [r"^@\[profile:us:20000\]: [1-9]"], trigger=BUSY, seconds=1, forms=["profile DURATION"], live=True),
    *[Case(f"interval-{unit}", f"interval:{unit}:{n} {{ @[probe] = count(); }}", [rf"^@\[interval:{unit}:{n}\]: [1-9]"], trigger="sleep 1.3",
           forms=["interval UNIT:N"], live=True) for unit, n in (("hz", 20), ("s", 1), ("ms", 50), ("us", 50000))],
    Case("interval-duration", "interval:50ms { @[probe] = count(); }", [r"^@\[interval:us:50000\]: [1-9]"], trigger="sleep 0.5", forms=["interval DURATION"], live=True),
    Case("interval-nanoseconds", "interval:50000000 { @[probe] = count(); }", [r"^@\[interval:us:50000\]: [1-9]"], trigger="sleep 0.5", live=True),
]

# What fires without asking for it is counted; the rest is attached.
SOFTWARE_FIRES = ["context-switches", "cs", "cpu-clock", "cpu", "minor-faults", "page-faults", "faults", "task-clock"]
SOFTWARE_RARE = ["alignment-faults", "bpf-output", "cpu-migrations", "dummy", "emulation-faults", "major-faults"]
HARDWARE = ["backend-stalls", "branch-instructions", "branches", "branch-misses", "bus-cycles", "cache-misses", "cache-references", "cpu-cycles", "cycles", "frontend-stalls",
            "instructions", "ref-cycles"]
PERF_EVENTS = [
    *[Case(f"software-{event}", f"software:{event}:{1000000 if 'c' == event[0] and event.startswith('cpu') or event == 'task-clock' else 1} {{ @ = count(); }}", [r"^@: [1-9]"],
           trigger=f"{P}/reader 10 5 0.1; {BUSY}", seconds=1, forms=["software EVENT:COUNT"], live=True) for event in SOFTWARE_FIRES if event != "task-clock"],
    Case("software-default", "software:page-faults { @ = count(); }", [r"^@: [1-9]"], trigger=f"{P}/opener /x; " * 10, seconds=1, forms=["software EVENT"], live=True),
    Case("software-rare", " ".join(f"software:{event}:1 {{ @ = count(); }}" for event in [*SOFTWARE_RARE, "task-clock"]), [r"Attached 7 probes"], live=True),
    Case("hardware-none", "hardware:cycles { @ = count(); }", [r"Unable to attach probe: hardware:cycles", "no such hardware counter"], status=255, forms=["hardware EVENT"], live=True),
    Case("hardware-none-warn", 'config = { missing_probes = "warn"; } ' + " ".join(f"hardware:{event}:1000 {{ @ = count(); }}" for event in HARDWARE) + " interval:ms:50 { @i = count(); }",
         [r"WARNING: Unable to attach probe: hardware:cycles:1000\. Skipping", r"^@i: [1-9]"], trigger="sleep 0.3", forms=["hardware EVENT:COUNT"], live=True),
    Case("watchpoint-write", "watchpoint:0x10000000:8:w { @ = count(); }", [r"^@: 50$"], args="-p {pid}", server=f"{P}/watched 50 3", seconds=8,
         forms=["watchpoint ADDRESS:LENGTH:MODE"], live=True, sample=True),
    Case("watchpoint-read-write", "watchpoint:0x10000000:4:rw { @ = count(); }", [r"^@: 100$"], args=f"-c '{WATCH}'", seconds=8, live=True),
    # One at a time: an emulated processor reports one of several that overlap.
    *[Case(f"watchpoint-{width}", f"watchpoint:0x10000000:{width}:w {{ @ = count(); }}", [r"^@: 50$"], args=f"-c '{WATCH}'", seconds=8, live=True) for width in (1, 2, 4)],
    Case("watchpoint-execute", "watchpoint:0x10001000:8:x { @ = count(); }", [r"^@: 50$"], args=f"-c '{WATCH}'", seconds=8, live=True),
    Case("watchpoint-kernel", "watchpoint:$1:8:w { @ = count(); }", [r"^@: [1-9]"], args="0x$(grep ' jiffies$' /proc/kallsyms | cut -d' ' -f1)", trigger="sleep 0.3"),
    Case("watchpoint-unwatch", "watchpoint:0x10000000:8:w { @ = count(); unwatch(0x10000000); }", [r"^@: \d{1,4}$"], args=f"-c '{P}/watched 50000 0.1'", seconds=8, live=True),
]

ITERATORS = [
    Case("iter-values", 'iter:task { printf("%s:%d\\n", ctx->task->comm, ctx->task->pid); }', [r"^sh:\d+$", r"^kthreadd:2$"], seconds=3, forms=["iter OBJECT"], sample=True),
    Case("iter-pin", 'iter:task:btc_pin { printf("%s\\n", ctx->task->comm); }', [r"Program pinned to /sys/fs/bpf/btc_pin", r"^kthreadd$"], seconds=3,
         after="cat /sys/fs/bpf/btc_pin; rm /sys/fs/bpf/btc_pin", forms=["iter OBJECT:PIN"], sample=True),
    Case("iter-pin-path", 'iter:task:/sys/fs/bpf/btc_pin2 { printf("%s\\n", ctx->task->comm); }', [r"Program pinned to /sys/fs/bpf/btc_pin2", r"^kthreadd$"], seconds=3,
         after="cat /sys/fs/bpf/btc_pin2; rm /sys/fs/bpf/btc_pin2"),
    Case("iter-task-file", 'iter:task_file { printf("%s %d\\n", ctx->task->comm, ctx->fd); }', [r"^sh \d+$"], seconds=3),
    # One member that says something of each object; the last call of most iterators has none.
    *[Case(f"iter-{name}", f'iter:{name} {{ if (ctx->{name_of} != 0) {{ printf("{what}\\n", {values}); }} }}', [expected], seconds=3, since=since, server=server)
      for name, name_of, what, values, expected, since, server in (
          ("bpf_map", "map", "%d %d", "ctx->map->id, ctx->map->max_entries", r"^[1-9]\d* [1-9]\d*$", "5.10", ""),
          ("bpf_prog", "prog", "%d %d", "ctx->prog->aux->id, ctx->prog->len > 0", r"^[1-9]\d* 1$", "5.10", ""),
          ("bpf_link", "link", "%d", "ctx->link->id", r"^[1-9]\d*$", "6.1", ""),
          ("task_vma", "vma", "%d %s", "ctx->vma->vm_end > ctx->vma->vm_start, ctx->task->comm", r"^1 sh$", "6.1", ""),
          ("netlink", "sk", "family %d", "ctx->sk->sk.__sk_common.skc_family", r"^family 16$", "5.10", ""),
          ("ipv6_route", "rt", "table %d", "ctx->rt->fib6_table->tb6_id", r"^table 25[45]$", "5.10", "sh -c 'ip link set lo up; sleep 9'"),
          ("tcp", "sk_common", "port %d", "ctx->sk_common->skc_num", r"^port 7777$", "5.10", "nc -l -p 7777"),
          ("unix", "unix_sk", "family %d", "ctx->unix_sk->sk.__sk_common.skc_family", r"^family 1$", "6.1", "syslogd -n"),
          ("cgroup", "cgroup", "level %d", "ctx->cgroup->level", r"^level 0$", "6.1", ""))],
    Case("iter-ksym", 'iter:ksym { if (str(ctx->ksym->name) == "vfs_read") { printf("found\\n"); } }', [r"^found$"], seconds=3, since="6.1"),
    Case("iter-of-one-map", "iter:sockmap { @ = count(); }", [r"HINT: the kernel says: this iterator walks the entries of one map, which a script has no way to name$"], status=255, live=True),
    Case("iter-not-here", 'iter:task_vma { @ = count(); }', [r"ERROR: iter task_vma not available for your kernel version\.$"], status=1, until="5.10"),
]

# What the run as a whole does with many probes, or with what comes and goes.
NO_LIMITS = "BPFTRACE_MAX_PROBES=9999 BPFTRACE_MAX_BPF_PROGS=9999"
OVERLAPS = [
    Case("thousand-kprobes", "kprobe:tcp_*,kprobe:sock_*,kprobe:skb_*,kprobe:inet_*,kprobe:ip_*,kprobe:dev_*,kprobe:net*,kprobe:ext4_*,kprobe:pci_* { @ = count(); }",
         [r"^Attached [1-9]\d\d\d probes", r"^@: [1-9]\d\d"], env=NO_LIMITS, trigger=f"{P}/deed tcp 127.0.0.1 4901 1", seconds=1),
    Case("thousand-uprobes", f"uprobe:{P}/caller:* {{ @ = count(); }} uprobe:{P}/caller:add {{ @add = count(); }}", [r"^Attached [1-9]\d\d\d probes", r"^@: [1-9]\d\d", r"^@add: 10$"],
         env=NO_LIMITS, trigger=f"{P}/caller 10", seconds=1, live=True),
    Case("hundred-perf-kprobes", "kprobe:tcp_s* { @ = count(); }", [r"^Attached \d+ probes"], env="BPFTRACE_MAX_PROBES=9999", args="--no-feature kprobe_multi", seconds=1),
    Case("thousand-tracepoints", "tracepoint:* { @ = count(); }", [r"^Attached \d\d\d+ probes", r"^@: [1-9]"], env=NO_LIMITS, trigger="sleep 0.3", seconds=1),
    Case("too-many", "kprobe:* { @ = count(); }", [r"Can't attach to \d+ probes because it exceeds the current limit of 1024 probes|generate more than \d+ BPF programs"], status=1),
    Case("too-many-programs", "fentry:vfs_* { @ = count(); }", [r"generate more than \d+ BPF programs, which exceeds the current limit of 3", "BPFTRACE_MAX_BPF_PROGS"],
         env="BPFTRACE_MAX_BPF_PROGS=3", status=1),
    Case("probe-filter", 'kprobe:vfs_read /comm == "reader"/ { @a = count(); } kprobe:vfs_open { @b = count(); }', [r"^Attached 1 probe$", r"^@a: 20$"],
         args="--probe-filter 'vfs_re'", trigger=READ, reject=[r"@b"]),
    Case("probe-filter-pattern", 'kprobe:vfs_* /comm == "reader"/ { @ = count(); }', [r"^Attached 1 probe$", r"^@: 20$"], args="--probe-filter ':vfs_read$'", trigger=READ),
    Case("pid-filter", "kprobe:vfs_read { @[pid == $1] = count(); } tracepoint:syscalls:sys_enter_read { @t[pid == $1] = count(); }", [r"^@\[(1|true)\]: [1-9]", r"^@t\[(1|true)\]: [1-9]"],
         args="-p {pid} {pid}", server=f"{P}/reader 10 100000000", trigger=READ, reject=[r"\[(0|false)\]"]),
    Case("process-ends", f"uprobe:{P}/test-server:main {{ }} usdt:{P}/test-server:test_grp:test_idx {{ @ = count(); }}", [r"^@: [1-9]"], args="-p {pid}", server=f"{P}/test-server 40",
         seconds=10, live=True),
    Case("process-ends-in-probe", f"uretprobe:{P}/reader:main {{ @ = count(); }} uprobe:{P}/reader:main {{ @in = count(); }}", [r"^@in: 3$"],
         trigger="for i in 1 2 3; do " + f"{P}/reader 10 1000000000 & r=$!; sleep 0.2; kill -9 $r; done", live=True),
    Case("two-artifacts", 'tracepoint:syscalls:sys_enter_openat /comm == "opener"/ { @ = count(); }', [r"^@: 3$", r"^@other: 3$"], trigger=f"{P}/opener /x 3",
         server_script='tracepoint:syscalls:sys_enter_openat /comm == "opener"/ { @other = count(); } interval:ms:100 { print(@other); }', after="sleep 0.5; cat $SERVER_OUT", live=True),
    Case("two-artifacts-kprobe", 'kprobe:vfs_read, kretprobe:vfs_read /comm == "reader"/ { @ = count(); }', [r"^@: 40$", r"^@other: 20$"], trigger=READ,
         server_script='kprobe:vfs_read /comm == "reader"/ { @other = count(); } interval:ms:100 { print(@other); }', after="sleep 0.5; cat $SERVER_OUT"),
    Case("module-not-loaded", "kprobe:dummy:dummy_xmit { @ = count(); }", [r"specified module dummy in probe kprobe:dummy:dummy_xmit is not loaded"], status=1),
    Case("module-later", "kprobe:dummy_xmit* { @a = count(); } tracepoint:module:module_load { @[str(args.name, 64)] = count(); } kprobe:vfs_read { @b = count(); }",
         [r"WARNING: Probe has no valid attach points", r"^@\[dummy\]: 1$", r"^@b: [1-9]"], reject=[r"^@a"], env="BPFTRACE_MISSING_PROBES=warn", trigger="insmod /late/dummy.ko; sleep 0.2; rmmod dummy"),
    Case("module-goes", "kprobe:dummy:dummy_xmit { @ = count(); }", [r"^Attached 1 probe$"], trigger="rmmod dummy", server="insmod /late/dummy.ko", reject=["oops|BUG"]),
    Case("cpu-holes", "profile:hz:99 { @[cpu] = count(); } software:cpu-clock:1000000 { @s[cpu] = count(); } interval:ms:100 { @i = count(); } ", [r"^@\[0\]: [1-9]", r"^@\[2\]: [1-9]", r"^@i: [1-9]", r"^@s\[2\]"],
         reject=[r"^@s?\[1\]"], server="sh -c 'echo 0 > /sys/devices/system/cpu/cpu1/online'", trigger="sleep 1", after="echo 1 > /sys/devices/system/cpu/cpu1/online", cpus=3),
]

# What the kernel answers to loading and attaching, in words that say what to do.
REFUSALS = [
    Case("refusal-debug-registers", " ".join(f"watchpoint:{0x10000000 + 8 * i}:8:w {{ @{name} = count(); }}" for i, name in enumerate("abcde")),
         [r"ERROR: Unable to attach probe: watchpoint:268435\d+:8:w\.", r"all debug registers of the CPU are in use"], args=f"-c '{WATCH}'", status=255, live=True),
    Case("refusal-trampoline-full", " ".join('fentry:vfs_read /comm == "reader"/ { @ = count(); }' for _ in range(41)),
         [r"ERROR: Unable to attach probe: fentry:vmlinux:vfs_read\.", r"the function has room for no more programs"], status=255),
    Case("refusal-blacklisted", "kprobe:$1 { @ = count(); }", [r"ERROR: Unable to attach probe: kprobe:", "the kernel allows no kprobe there"], options=["--unsafe"],
         args="--unsafe 0x$(grep ' asm_exc_int3$' /proc/kallsyms | cut -d' ' -f1)", status=255),
    Case("refusal-map-size", "let @ = hash(2000000000); begin { @[1] = 1; }", [r"ERROR: .*@"], status=255, live=True),
    Case("refusal-pin-exists", 'iter:task:btc_twice { printf("%s\\n", ctx->task->comm); }', [r"Failed to pin iter probe link: /sys/fs/bpf/btc_twice: File exists"], server="sh -c 'mkdir /sys/fs/bpf/btc_twice; sleep 100'",
         after="rmdir /sys/fs/bpf/btc_twice", seconds=3),
    Case("refusal-endless", "tracepoint:syscalls:sys_enter_getppid { $n = (uint64)1; while ($n != 0) { $n = (uint64)rand % 3 + 1; } }",
         [r"ERROR: the kernel cannot see that a loop ends$", r"^The kernel says: infinite loop detected at insn \d+"], status=255, live=True),
    Case("refusal-branches", "tracepoint:syscalls:sys_enter_getppid { $i = 0; $n = 0; while ($i < 10000000) { $i++; if (rand % 2 == 0) { $n += $i; } } @ = $n; }",
         [r"Error loading BPF program for tracepoint:syscalls:sys_enter_getppid(: [A-Z][a-z ]+)?\.$", r"Cause: the program is too complex for this kernel's verifier"], reject=["No space left"], status=255, live=True),
    Case("refusal-size", "tracepoint:syscalls:sys_enter_getppid { $i = 0; $n = (uint64)0; while ($i < 10000000) { $i++; $n = ($n | 1) * rand; } @ = $n; }",
         [r"Error loading BPF program for tracepoint:syscalls:sys_enter_getppid(: Argument list too long)?\.$", r"Cause: the program is too complex for this kernel's verifier"], reject=["No space left"], status=255, live=True),
]

PROBE_CASES = [*SPECIAL, *KPROBES, *TRAMPOLINES, *TRACEPOINTS, *UPROBES, *USDTS, *TIMERS, *PERF_EVENTS, *ITERATORS, *OVERLAPS, *REFUSALS]
