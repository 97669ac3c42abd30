"""The table of `run-matrix --peer`: the tools and the tutorial of a checkout of bpftrace, which is not part of this repository.

A tool's row says what makes its events happen and which output shows that it did its job, not only that it loaded. `since` and `until` are
the kernels that have its probes and fields; outside of them the artifact must say what is missing. Lines of tools begin with the time,
hence TIME. What is left out: nothing; a tool that the checkout lacks is skipped by name.
"""
import os
import re

from case import Case, P

DEED, USER = f"{P}/deed", f"{P}/libc-user"
TIME = r"^\d\d:\d\d:\d\d "
BAR = r" +\d+ \|@* *\|$"
DISK = "dd if=/dev/zero of=/dev/vda bs=65536 count=5 oflag=direct"
XFS = dict(host=["mkfs.xfs"], modules=["xfs"])
TIGHT = ("cd /sys/fs/cgroup; echo +memory > cgroup.subtree_control; mkdir tight; echo 8M > tight/memory.max; "
         "sh -c 'echo 0 > tight/cgroup.procs; exec %s'; sleep 1; rmdir tight")
MOUNT = "mkdir -p /tmp/xfs; mount -t xfs /dev/vdb /tmp/xfs || exit 1; "
UNMOUNT = "; umount /tmp/xfs"
LOSE = f"{DEED} tcp-lost 10.9.9.9 4900 'ip addr del 10.9.9.9/32 dev lo'"
# Both ends go on until the next case that uses them. A server listens when its port is in state 0A; connections of an earlier case are still listed there.
LISTENS = "grep -q ':1151 0*:0000 0A' /proc/net/tcp6"
WAIT_100 = "i=0; while %s && [ $i -lt 100 ]; do usleep 100000; i=$((i+1)); done; "
TLS = ("killall openssl; " + WAIT_100 % LISTENS + "cd /tmp; printf '[req]\\ndistinguished_name=d\\n[d]\\n' > cnf; export OPENSSL_CONF=/tmp/cnf; "
       "openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out cert -subj /CN=vm -config cnf; "
       "(sleep 30 | openssl s_server -accept 4433 -key key -cert cert -quiet) & "
       + WAIT_100 % ("! " + LISTENS) +
       "((echo hello; sleep 30) | openssl s_client -connect 127.0.0.1:4433 -quiet) & sleep 6")


def tool(name, expect, trigger=":", **more):
    return Case(name, f"tools/{name}.bt", expect, trigger=trigger, **more)


TOOLS = [
    # ---- Processes ---------------------------------------------------------------------------------------------------
    tool("bashreadline", [TIME + r" \d+ +echo typed$"], "echo 'echo typed' | bash --norc -i", host=["bash"]),
    tool("execsnoop", [rf"^\d\d:\d\d:\d\d\.\d+ +\d+ +\d+ +{P}/opener /no/such/file$"], f"{P}/opener /no/such/file"),
    tool("killsnoop", [r"^\d\d:\d\d:\d\d\.\d+ +\d+ sh +SIGUSR1 +\d+ +0$"], "sleep 1 & kill -USR1 $!"),
    tool("naptime", [TIME + r"\d+ +sh +\d+ +sleep +1\.000$"], "sleep 1; :"),
    tool("pidpersec", [TIME + r"PIDs/sec: @: [1-9]\d*$"], "for i in 1 2 3 4 5; do /bin/true; done", seconds=2.5),
    tool("setuids", [TIME + r"\d+ +deed +0 +setuid +uid=7 \(0\)$", r"setfsuid +uid=7 \(prevuid=0\)$", r"setresuid +ruid=-1 euid=-1 suid=7 \(0\)$"],
         f"{DEED} ids 7"),
    tool("threadsnoop", [r"^\d\d:\d\d:\d\d\.\d+ +\d+ libc-user +worker$"], f"{USER} localhost"),
    tool("capable", [TIME + r" 0 +\d+ +mount +21 +CAP_SYS_ADMIN +\d+$"], "mkdir /tmp/mnt; mount -t tmpfs none /tmp/mnt; umount /tmp/mnt"),

    # ---- CPU -----------------------------------------------------------------------------------------------------------
    tool("cpuwalk", [r"^@cpu: *$", r"^\[0\]" + BAR], "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done"),
    tool("loads", [TIME + r"load averages: \d+\.\d{3} \d+\.\d{3} \d+\.\d{3}$"], seconds=2.5),
    tool("runqlat", [r"^@usecs: *$", BAR], "usleep 300000"),
    tool("runqlen", [r"^@runqlen: *$", r"^\[\d\]" + BAR], "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done",
         since="6.14", without=r"this kernel has no struct cfs_rq\.nr_queued"),
    tool("syscount", [r"^Top 10 syscalls IDs:$", r"^@syscall\[257\]: \d{3,}$", r"^@process\[opener\]: \d{3,}$"], f"{P}/opener /etc/passwd 500"),

    # ---- Memory --------------------------------------------------------------------------------------------------------
    tool("oomkill", [TIME + r'Triggered by PID \d+ \("deed"\), CGROUP \d+ \(".*/tight"\), OOM kill of PID \d+ \("deed"\), \d+ pages, loadavg: \d'],
         TIGHT % f"{DEED} memory 64"),
    tool("swapin", [r"^@\[deed, \d+\]: [1-9]\d*$"], "mkswap /dev/vda; swapon /dev/vda; " + TIGHT % f"{DEED} swap 24" + "; swapoff /dev/vda", seconds=1.5),

    # ---- Files ---------------------------------------------------------------------------------------------------------
    tool("dcsnoop", [r"^\d+ +\d+ +stat +R passwd$|^\d+ +\d+ +opener +R passwd$", r"^\d+ +\d+ +opener +M no-such$"],
         f"{P}/opener /etc/passwd; {P}/opener /etc/no-such"),
    tool("opensnoop", [r"^\d+ +opener +-1 +2 /no/such/file$", r"^\d+ +opener +\d+ +0 /tmp/relative$"],
         f"{P}/opener /no/such/file; cd /tmp; echo > relative; {P}/opener relative",
         since="5.17", without=r"lacks the BPF helper loop"),
    tool("statsnoop", [r"^\d+ +deed +0 /etc/passwd$", r"^\d+ +deed +2 /no/such$"], f"{DEED} stat /etc/passwd; {DEED} stat /no/such"),
    tool("syncsnoop", [TIME + r" \d+ +sync +tracepoint:syscalls:sys_enter_sync$"], "sync"),
    tool("vfscount", [r"^@\[vfs_read\]: \d{3,}$"], f"{P}/reader 10 500", seconds=1),
    tool("vfsstat", [r"^@\[vfs_read\]: \d{3,}$", r"^@\[vfs_open\]: \d+$"], f"{P}/reader 10 500", seconds=2.5),
    tool("writeback", [TIME + r" 25\d:16 +\d+ +\w+ +\d+\.\d{3}$"], MOUNT + "dd if=/dev/zero of=/tmp/xfs/f bs=65536 count=20; sync" + UNMOUNT, seconds=1, **XFS),
    tool("xfsdist", [r"^@us\[xfs_file_write_iter\]: *$", r"^@us\[xfs_file_open\]: *$", BAR],
         MOUNT + "dd if=/dev/zero of=/tmp/xfs/f bs=65536 count=20; cat /tmp/xfs/f" + UNMOUNT, **XFS),

    # ---- Disks ---------------------------------------------------------------------------------------------------------
    tool("biolatency", [r"^@usecs: *$", BAR], DISK),
    tool("biolatency-kp", [r"^@usecs: *$", BAR], DISK, until="5.10"),  # later kernels inline the functions
    tool("biosnoop", [r"^\d+ +25\d +0 +dd +\d+ +\d+$"], DISK, since="6.5", without=r"block_io_start"),
    tool("biostacks", [r"^@usecs\[$", r"^ +[a-z]\w+\+\d+$", r"^\]: *$", BAR], DISK, since="6.5", without=r"block_io_start"),
    tool("bitesize", [r"^I/O size \(bytes\) histograms by process name:", r"^@\[(dd|kworker/\S+)\]: *$", r"^\[64K, 128K\) +5 \|@+\|$"], DISK),
    tool("mdflush", [TIME + r"\d+ +deed +md0$"], f"{DEED} raid /dev/md0 /dev/vda", modules=["raid1"], since="5.12", without=r"this kernel has no struct bio\.bi_bdev"),

    # ---- Network -------------------------------------------------------------------------------------------------------
    tool("gethostlatency", [TIME + r" \d+ +libc-user +\d+ localhost$"], f"{USER} localhost"),
    tool("tcpaccept", [TIME + r"\d+ +deed +127\.0\.0\.1 +\d+ +127\.0\.0\.1 +4901 +\d+/5$", r"deed +::1 +\d+ +::1 +4902 "],
         f"{DEED} tcp 127.0.0.1 4901 1; {DEED} tcp ::1 4902 1", modules=["ipv6"]),
    tool("tcpconnect", [TIME + r"\d+ +deed +127\.0\.0\.1 +\d+ +127\.0\.0\.1 +4903 *$|" + TIME + r"\d+ +deed +127\.0\.0\.1 +4903 ", r"deed +::1 .*4904 *$"],
         f"{DEED} tcp 127.0.0.1 4903 1; {DEED} tcp ::1 4904 1", modules=["ipv6"]),
    tool("tcpdrop", [TIME + r"\d+ +deed +10\.9\.9\.9:\d+ +10\.9\.9\.9:4900 +ESTABLISHED *$", r"^ +__?ip_queue_xmit\+\d+$"],
         "ip addr add 10.9.9.9/32 dev lo; " + LOSE, seconds=1, since="5.17", without=r"reason"),
    tool("tcplife", [r"^\d+ +deed +127\.0\.0\.1 +\d+ +127\.0\.0\.1 +\d+ +20 +0 +\d+$"], f"{DEED} tcp 127.0.0.1 4905 20"),
    tool("tcpretrans", [TIME + r"\d+ +127\.0\.0\.1:\d+ +127\.0\.0\.1:4907 +SYN_SENT$"], f"{DEED} tcp-full 127.0.0.1 4907", seconds=0.1),
    tool("tcpsynbl", [r"^@backlog\[5\]: *$", r"^\[0\]" + BAR], f"{DEED} tcp 127.0.0.1 4906 1"),
    tool("sslsnoop", [r"^\d+ +\d+ +openssl +\d+ +1 RSA_sign$", r"^\d+ +\d+ +openssl +\d+ +6 SSL_(read|write)$"], TLS, seconds=1, host=["openssl"]),
    tool("ssllatency", [r"^@hist\[SSL_read\]: *$", r"^@stat\[SSL_do_handshake\]: .*1, .*\d+, .*\d+"], TLS, seconds=1, host=["openssl"]),
    tool("undump", [TIME + r"deed +\d+ +5 +hello$"], f"{DEED} unix hello"),
]

# ---- The tutorial's lessons that need the matrix: number, what shows it worked, and how to make it happen -----------------------------------
LESSONS = [
    (3, [r"^opener /no/such/file$"], dict(trigger=f"{P}/opener /no/such/file")),
    (4, [r"^@\[opener\]: \d{3,}$"], dict(trigger=f"{P}/opener /etc/passwd 500")),
    (5, [r"^@bytes: *$", r"^\[512, 1K\) +100 \|@+\|$"], dict(args="{pid}", server=f"{P}/reader 777 100 4", seconds=6)),
    (6, [r"^@bytes: *$", r"^\[600, 800\) +\d+ \|@+ *\|$"], dict(trigger=f"{P}/reader 777 100")),
    (7, [r"^@ns\[reader\]: *$", BAR], dict(trigger=f"{P}/reader 777 100")),
    (8, [r"^@\[tracepoint:sched:sched_switch\]: \d+$", r"^@\[tracepoint:sched:sched_process_exec\]: \d+$"], dict(trigger="/bin/true", seconds=8)),
    (9, [r"^@\[$", r"^ +\w+\+\d+$", r"^\]: \d+$"], dict(trigger="i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done", since="5.11", without=r"512")),
    (10, [r"^ +(__)?schedule\+\d+$", r"^\]: \d+$"], dict(trigger="usleep 100000", since="5.11", without=r"512")),
    (11, [r"^@: *$", r"^\[64K, 128K\) +\d+ \|@+ *\|$"], dict(trigger=DISK)),
    (12, [r"^open path: passwd$"], dict(trigger=f"{P}/opener /etc/passwd")),
]


def lesson(text, number):
    """The program of one lesson of the tutorial's text: what it passes to -e, or the script that it shows."""
    part = re.search(rf"^# Lesson {number}\..*?(?=^# Lesson |\Z)", text, re.M | re.S).group()
    given = re.search(r"^bpftrace -e '(.*?)'$", part, re.M | re.S) or re.search(r"^# cat \S+\n(.*?)^# bpftrace", part, re.M | re.S)
    return re.sub(r"pid == \d+", "pid == $1", given.group(1))


def cases(peer):
    tutorial = os.path.join(peer, "docs", "tutorial_one_liners.md")
    text = open(tutorial).read() if os.path.exists(tutorial) else ""
    lessons = [Case(f"lesson-{n}", lesson(text, n), expect, **more) for n, expect, more in LESSONS] if text else []
    return [t for t in TOOLS if os.path.exists(os.path.join(peer, t.script))] + lessons
