"""The table of run-matrix: what runs on every kernel of test/vm. The fields of a case are in case.py; the probe types' own
table, one row per form, is probe_cases.py.

Programs of test/progs lie in /work/progs, statically linked.
"""
from case import Case, P
from probe_cases import PROBE_CASES

CASES = PROBE_CASES + [
    # ---- The first thirteen scripts --------------------------------------------------------------------------------
    Case("hello", "examples/hello.bt", [r"^hello world$"], sample=True),
    Case("opens", "examples/opens.bt", [r"^opener /no/such/file$"], trigger=f"{P}/opener /no/such/file 3", sample=True),
    Case("syscalls", "examples/syscalls.bt", [r"^@\[opener\]: 1\d\d\d$"], trigger=f"{P}/opener /etc/passwd 500", sample=True),
    Case("readsize", "examples/readsize.bt", [r"^@bytes:", r"^\[4K, 8K\) +100 \|@+\|$"], args="{pid}", server=f"{P}/reader 4096 100 4", seconds=8),
    Case("schedprobes", "examples/schedprobes.bt", [r"^@\[tracepoint:sched:sched_switch\]: \d+$", r"^@\[tracepoint:sched:sched_wakeup\]: \d+$"],
         trigger="usleep 200000", seconds=12, sample=True),
    Case("profile", "examples/profile.bt", [r"^@\[$", r"^ +[a-z_0-9]+\+\d+$", r"^\]: \d+$"], trigger="i=0; while [ $i -lt 2000 ]; do i=$((i+1)); done",
         since="5.11", without=r"kernels before 5.11 allow 512"),
    Case("offcpu", "examples/offcpu.bt", [r"^ +(__)?schedule\+\d+$"], trigger="usleep 100000", since="5.11", without=r"kernels before 5.11 allow 512"),
    Case("blocksize", "examples/blocksize.bt", [r"^@:", r"^\[64K, 128K\) +\d+ \|@"], trigger="dd if=/dev/zero of=/dev/vda bs=65536 count=5 oflag=direct", sample=True),
    Case("readret", "examples/readret.bt", [r"^@bytes:", r"^\[1000, 1200\) +\d+ \|"], trigger=f"{P}/reader 1100 50", sample=True),
    Case("readlat", "examples/readlat.bt", [r"^@ns\[reader\]:", r"\|@+"], trigger=f"{P}/reader 100 200"),
    Case("uprobe", f"uprobe:{P}/caller:add {{ @ = count(); @sum = sum(arg0 + arg1); }}", [r"^@: 10$", r"^@sum: 445$"], trigger=f"{P}/caller 10", sample=True),
    Case("exec", 'tracepoint:sched:sched_process_exec { printf("exec by %s of %s\\n", comm, str(args.filename)); }',
         [rf"^exec by opener of {P}/opener$"], trigger=f"{P}/opener /x"),
    Case("usdt", f"usdt:{P}/test-server:test_grp:test_idx {{ printf(\"%d\\n\", arg0); }}", [r"^\d+$"], args="-p {pid}", server=f"{P}/test-server 200", seconds=1),
    Case("opensnoop", "examples/opensnoop.bt", [r"^PID +COMM +FD +ERR +PATH$", r"^\d+ +opener +-1 +2 /no/such/file$", r"^\d+ +opener +\d+ +0 /etc/passwd$"],
         trigger=f"{P}/opener /no/such/file; {P}/opener /etc/passwd", sample=True),

    # ---- Tracepoint records: settled from the target's format files -------------------------------------------------
    Case("renamed-class", 'tracepoint:block:block_rq_complete { @[args.nr_sector] = count(); }', [r"^@\[128\]: 5$"],
         trigger="dd if=/dev/zero of=/dev/vda bs=65536 count=5 oflag=direct", sample=True),
    Case("switch-fields", 'tracepoint:sched:sched_switch /args.next_comm == "reader"/ { @[args.next_comm, args.next_prio] = count(); }',
         [r"^@\[reader, 120\]: \d+$"], trigger=f"{P}/reader 10 10 0.1"),
    Case("signal", 'tracepoint:signal:signal_generate /args.sig == 10/ { printf("%s %d\\n", args.comm, args.sig); exit(); }',
         [r"^reader 10$"], trigger=f"{P}/reader 10 1 9 & usleep 300000; kill -USR1 $!", seconds=4),
    Case("data-loc", 'tracepoint:sched:sched_process_exec { printf("%s|\\n", str(args.filename)); }', [rf"^{P}/opener\|$"], trigger=f"{P}/opener /x"),
    Case("many-templates", 'tracepoint:syscalls:sys_enter_open* { @[probe] = count(); } tracepoint:syscalls:sys_exit_open* { @x[probe] = count(); }',
         [r"^@\[tracepoint:syscalls:sys_enter_openat\]: \d+$", r"^@x\[tracepoint:syscalls:sys_exit_openat\]: \d+$"], trigger=f"{P}/opener /x 10"),

    # ---- Imported C ---------------------------------------------------------------------------------------------------
    Case("import-c", "test/lit/run/Inputs/import/main.bt", [r"^-1 255 -1 65535 -1 4294967295 -1 18446744073709551615$", r"^hi there 5 8$", r"^parent 1 self 1 ",
         r"^3 7$", r"^42$", r"^10$"], sample=True),
    Case("import-c-fields", "test/lit/run/Inputs/import/fields.bt", [r"^1 1 65536 zero$"], trigger=f"{P}/reader 10 1", sample=True),

    Case("import-program", "test/lit/run/Inputs/import-program/vm.bt", [r"^kprobe 20 fentry 20 bytes 15540$", r"^uprobe 81$", r"^hz 250$"],
         server="sh -c 'mkdir -p /boot; echo CONFIG_HZ=250 > /boot/config-$(uname -r); sleep 30'", after="rm /boot/config-*",
         trigger=f"{P}/caller 2; {P}/reader 777 20; {P}/opener /x", sample=True),

    Case("import-stdlib", 'import "stdlib/strings"; import "stdlib/map"; begin { @m[1] = 7; let $k : int64 = 1; $p = __lookup_elem((void *)(&@m), (void *)(&$k)); print(*(int64 *)$p);'
         ' let $v : string[64]; $r = __strerror((int32)2, &$v); print($v); $h = "hello, world"; $n = "wor"; print((__bpf_strnlen((int8 *)(&$h), 100),'
         ' __bpf_strnstr((int8 *)(&$h), (int8 *)(&$n), 13, 4))); exit(); }', [r"^7$", r"^No such file or directory$", r"^\(12, 7\)$"]),

    # ---- Kernel types relocate: values that /proc or the guest itself tells ------------------------------------------
    Case("task-fields", 'tracepoint:syscalls:sys_enter_openat /comm == "opener"/ { printf("%d %d %s %d %d\\n", curtask->tgid == pid, curtask->pid == tid,'
         ' curtask->comm, curtask->group_leader->pid == pid, curtask->signal->rlim[7].rlim_cur); exit(); }',
         [r"^1 1 opener 1 65536$"], trigger=f"{P}/opener /x", sample=True),
    Case("casts", 'kprobe:do_sys_openat2 /comm == "opener"/ { $t = (struct task_struct *)curtask; printf("%d %s\\n", $t->real_parent->tgid > 0, str(uptr(arg1))); exit(); }',
         [r"^1 /no/such$"], trigger=f"{P}/opener /no/such", sample=True),
    Case("file-chain", 'kprobe:vfs_read /comm == "reader"/ { printf("%s\\n", str(((struct file *)arg0)->f_path.dentry->d_name.name)); exit(); }',
         [r"^zero$"], trigger=f"{P}/reader 10 1"),
    Case("bitfield", 'kprobe:do_sys_openat2 /comm == "opener"/ { printf("exec %d kthread %d\\n", curtask->in_execve, (curtask->flags >> 21) & 1); exit(); }',
         [r"^exec 0 kthread 0$"], trigger=f"{P}/opener /x"),
    Case("lacking-field", 'begin { printf("%d\\n", ((struct cfs_rq*)curtask.se.cfs_rq).nr_queued < 1000); }', [r"^1$"], since="6.14",
         without=r"Cause: this kernel has no struct cfs_rq\.nr_queued, which the script reads\."),
    Case("task-chain", 'tracepoint:syscalls:sys_enter_openat /comm == "opener"/ { $t = (struct task_struct *)curtask; printf("%d %d %s\\n", $t->real_parent->tgid > 0,'
         ' curtask->mm->owner->tgid == pid, str(curtask->mm->exe_file->f_path.dentry->d_name.name)); exit(); }', [r"^1 1 opener$"], trigger=f"{P}/opener /x", sample=True),
    Case("task-chain-guarded", 'tracepoint:syscalls:sys_enter_openat /comm == "opener"/ { printf("%d\\n", curtask->mm->owner->tgid == pid); exit(); }', [r"^1$"],
         args="--no-feature typed_reads", trigger=f"{P}/opener /x"),
    Case("null-in-chain", 'tracepoint:sched:sched_switch /curtask->mm == 0/ { @[curtask->mm->owner->pid, curtask->real_parent->pid >= 0] = count(); }',
         [r"^@\[0, true\]: \d+$"], reject=[r"^@\[[1-9-]"], trigger=f"{P}/reader 10 5 0.1"),
    Case("struct-copy", 'tracepoint:syscalls:sys_enter_openat /comm == "opener"/ { $t = *curtask; $s = *curtask->signal; printf("%d %d %s %d %d %d\\n", $t.tgid == pid,'
         ' $t.pid == tid, $t.comm, $t.in_execve, $t.flags == curtask->flags, $s.rlim[7].rlim_cur);'
         ' printf("%d\\n", $t.on_cpu); exit(); }', [r"^1 1 opener 0 1 65536$", r"^1$"], trigger=f"{P}/opener /x", sample=True),
    Case("struct-whole", 'tracepoint:syscalls:sys_enter_openat /comm == "opener"/ { @ = *curtask->signal; print(*curtask->fs); print(@.nr_threads == curtask->signal->nr_threads);'
         ' print(*curtask->cred); exit(); }', [r"^{ .users = 1, .*\.umask = 18, ", r"^true$", r"\.uid = { \.val = 0 }, \.gid = { \.val = 0 }",
         r"^@: { .*\.rlim = \[(?:{[^}]*},){7}{ \.rlim_cur = 65536,"], trigger=f"umask 022; {P}/opener /x"),
    Case("strides", 'tracepoint:syscalls:sys_enter_openat /comm == "opener"/ { $p = (struct rlimit *)curtask->signal->rlim; $i = (uint64)7;'
         ' printf("%d %d %d\\n", ($p + 7)->rlim_cur, $p[$i].rlim_cur, curtask->signal->rlim[$i].rlim_cur); exit(); }', [r"^65536 65536 65536$"], trigger=f"{P}/opener /x"),
    Case("element-width", 'begin { $t = (struct task_struct *)(uint64)curtask; $i = (uint64)pid % 1; print(($t->comm[$i + 1] == curtask->comm[1], $t->cpus_mask.bits[$i] == curtask->cpus_mask.bits[0], $t->cpus_mask.bits[$i] & 1)); }', [r"^\(true, true, 1\)$"]),
    Case("number-width", 'begin { $t = (struct task_struct *)(uint64)curtask; printf("%d %d\\n", curtask->on_cpu, $t->on_cpu); }', [r"^1 1$"]),
    Case("enum-constant", 'begin { printf("%d %d\\n", PIDTYPE_TGID, TCP_ESTABLISHED); }', [r"^1 1$"]),
    Case("sizes", 'begin { printf("%d %d\\n", sizeof(struct task_struct) > 2000, offsetof(struct task_struct, comm) > 100); }', [r"^1 1$"]),
    Case("has-field", 'begin { printf("%d %d\\n", has_field(struct task_struct, comm), has_field(struct task_struct, __state));'
         ' if (has_field(struct task_struct, __state)) { printf("%d\\n", curtask->__state); } else { exit(3); } }',
         [r"^1 1$", r"^0$"], since="5.14", without=r"(?m)^1 0$"),
    Case("inode-number", 'kprobe:vfs_read /comm == "reader"/ { printf("mode %o\\n", ((struct file *)arg0)->f_inode->i_mode & 0170000); exit(); }',
         [r"^mode 20000$"], trigger=f"{P}/reader 10 1"),

    # ---- Probe types ---------------------------------------------------------------------------------------------
    Case("kprobe-args", 'kprobe:vfs_read /comm == "reader"/ { @[arg2] = count(); }', [r"^@\[777\]: 20$"], trigger=f"{P}/reader 777 20", sample=True),
    Case("kretprobe", 'kretprobe:vfs_read /comm == "reader"/ { @[retval] = count(); }', [r"^@\[777\]: 20$"], trigger=f"{P}/reader 777 20"),
    Case("kprobe-wildcard", 'kprobe:vfs_rea* { @[probe] = count(); }', [r"^@\[kprobe:vfs_read\]: \d+$"], trigger=f"{P}/reader 10 20", seconds=2),
    Case("fentry", 'fentry:vfs_read /comm == "reader"/ { @[args.count] = count(); }', [r"^@\[777\]: 20$"], trigger=f"{P}/reader 777 20", sample=True),
    Case("fexit", 'fexit:vfs_read /comm == "reader"/ { @[args.count, retval] = count(); }', [r"^@\[777, 777\]: 20$"], trigger=f"{P}/reader 777 20", sample=True),
    Case("fentry-chain", 'fentry:vfs_read /comm == "reader"/ { printf("%s\\n", str(args.file->f_path.dentry->d_name.name)); exit(); }', [r"^zero$"],
         trigger=f"{P}/reader 10 1"),
    Case("fentry-two-links", 'fentry:vfs_read /comm == "reader"/ { $i = (uint64)pid % 2; printf("mode %o %s %d\\n", args.file->f_inode->i_mode & 0170000,'
         ' str(args.file->f_inode->i_sb->s_type->name), curtask->group_leader->comm[$i * 0] == 114); exit(); }', [r"^mode 20000 devtmpfs 1$"], trigger=f"{P}/reader 10 1"),
    Case("rawtracepoint-chain", 'rawtracepoint:sched_switch { @[args.next->group_leader->comm, args.next->pid >= 0] = count(); }', [r"^@\[reader, true\]: \d+$"],
         trigger=f"{P}/reader 10 5 0.1"),
    Case("iter-chain", 'iter:task { $t = ctx->task; printf("%d of %d\\n", $t->pid, $t->real_parent->pid); }', [r"^1 of 0$", r"^2 of 0$"], seconds=3),
    Case("rawtracepoint", 'rawtracepoint:sched_switch { @[args.next->comm] = count(); }', [r"^@\[reader\]: \d+$"], trigger=f"{P}/reader 10 5 0.1"),
    Case("uretprobe", f"uretprobe:{P}/caller:add {{ @ = max(retval); }}", [r"^@: 49$"], trigger=f"{P}/caller 10"),
    Case("uprobe-wildcard", f"uprobe:{P}/caller:a*d {{ @[probe] = count(); }}", [rf"^@\[uprobe:{P}/caller:add\]: 10$"], trigger=f"{P}/caller 10"),
    Case("usdt-kinds", f"usdt:{P}/test-server:test_grp:test_kinds {{ printf(\"%d %d %d %ld %s\\n\", arg0, arg1, arg2, arg3, str(arg4)); exit(); }}",
         [r"^-\d+ 60\d\d\d \d+ 50000000\d\d served$"], args="-p {pid}", server=f"{P}/test-server 300", seconds=3),
    Case("interval", 'interval:ms:50 { @ = count(); if (@ >= 3) { printf("three\\n"); exit(); } }', [r"^three$"], seconds=5,
         since="5.19", without=r"lacks the BPF helper map_lookup_percpu_elem"),
    Case("software", 'software:page-faults:1 { @[comm] = count(); }', [r"^@\[opener\]: \d+$"], trigger=f"{P}/opener /x"),
    Case("iter-task", 'iter:task { printf("%s:%d\\n", ctx->task->comm, ctx->task->pid); }', [r"^sh:\d+$", r"^kthreadd:2$"], seconds=3),
    Case("two-kinds", f"uprobe:{P}/caller:named {{ @calls = count(); }} software:cpu-clock:1000000 {{ @clock = count(); }}", [r"^@calls: 10$"], trigger=f"{P}/caller 10"),

    # ---- Language on the target ------------------------------------------------------------------------------------
    Case("strings", 'begin { printf("%d %d\\n", strlen("hello"), strncmp("abc", "abd", 2)); }', [r"^5 0$"]),
    Case("for-map", 'begin { @m[1] = 10; @m[2] = 20; for ($kv : @m) { @s = sum($kv.1); } delete(@m[1]); print(@s); clear(@s); }', [r"^@s: 30$", r"^@m\[2\]: 20$"],
         since="5.13", without=r"."),
    Case("for-range", 'begin { for ($i : 0..5) { @ = sum($i); } }', [r"^@: 10$"]),
    Case("while", 'begin { $i = 0; while ($i < 100) { $i++; } printf("%d\\n", $i); }', [r"^100$"]),
    Case("aggregations", 'begin { for ($i : 1..11) { @c = count(); @s = sum($i); @a = avg($i); @lo = min($i); @hi = max($i); @st = stats($i); } }',
         [r"^@a: 5$", r"^@c: 10$", r"^@hi: 10$", r"^@lo: 1$", r"^@s: 55$", r"^@st: .*10.*5.*55"], sample=True),
    Case("big-strings", 'tracepoint:syscalls:sys_enter_openat /comm == "opener"/ { @[str(args.filename), comm, str(args.filename, 200)] = count(); }',
         [r"^@\[/no/such/file, opener, /no/such/file\]: 3$"], trigger=f"{P}/opener /no/such/file 3", since="5.11", without=r"kernels before 5.11 allow 512"),
    Case("kaddr", 'begin { printf("%d\\n", kaddr("vfs_read") > 0xffff000000000000 ? 1 : 0); printf("%s\\n", ksym(kaddr("vfs_read"))); }', [r"^1$", r"^vfs_read$"]),
    Case("percpu-kaddr", 'begin { printf("%d\\n", *(uint64 *)percpu_kaddr("process_counts", 0) < 100000); printf("%d\\n", percpu_kaddr("process_counts", 0) != 0); }', [r"^1$"],
         reject=[r"^0$"], since="6.1"),  # Debian's 5.10 has no per-CPU variables in its BTF
    Case("write-user", f"uprobe:{P}/caller:named {{ print(*(int32 *)arg1); let $x : int32 = 99; write_user(arg1, &$x, 4); }}", [r"^7\n99$"],
         trigger=f"{P}/caller 2", options=["--unsafe"]),
    # Debian's kernels are built without CONFIG_BPF_KPROBE_OVERRIDE: what can be seen is that this is said.
    Case("override", 'kprobe:__x64_sys_openat /comm == "opener"/ { override(-5); } tracepoint:syscalls:sys_exit_openat /comm == "opener"/ { printf("%d\\n", args.ret); }',
         [r"^-5$"], trigger=f"{P}/opener /etc/passwd", options=["--unsafe"], since="99999", without=r"bpf_override_return#58"),
    Case("comm-of-others", 'kprobe:vfs_read /comm == "reader"/ { printf("%s %s %s\\n", comm(2), comm(pid), comm(4194303)); exit(); }',
         [r"^kthreadd reader N/A$", r"WARNING: No such process \(pid=4194303\)"], trigger=f"{P}/reader 10 1"),
    Case("missed-runs", 'kprobe:vfs_read /comm == "reader"/ { printf("%d\\n", arg2); } fentry:bpf_ringbuf_reserve { printf("reserved\\n"); }',
         [r"^777$", r"^reserved$", r"WARNING: \d+ runs of fentry:bpf_ringbuf_reserve were missed: the kernel does not run a program inside itself"],
         trigger=f"{P}/reader 777 20", since="6.12", until="6.12"),  # 7.2 allows no tracer there
    Case("begin-and-probe", 'begin { printf("start\\n"); } tracepoint:sched:sched_switch { @ = count(); }', [r"^start$", r"^@: \d+$"], trigger="usleep 50000"),
    Case("nsecs", 'begin { printf("%d %d\\n", nsecs > 0, elapsed >= 0); }', [r"^1 1$"]),
    Case("stacks-user", f"uprobe:{P}/caller:add {{ @[ustack] = count(); }}", [r"^ +add\+\d+(@.*)?$", r"^ +main\+\d+(@.*)?$"], trigger=f"{P}/caller 3",
         since="5.11", without=r"kernels before 5.11 allow 512"),
]
