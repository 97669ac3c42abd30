"""Debian kernels in qemu: fetching them, packing an initramfs, booting, handing output and exit code back.

Everything runs under TCG (no /dev/kvm needed) from an initramfs made here: busybox, the files of the caller, one command.
The guest talks through three serial ports: the console, the command's output, its exit code. Nothing is shared with the
host, so the guest cannot change it. Used by vm, fetch-kernels, run-matrix and profiles/make.

Needs: qemu-system-x86 busybox-static kmod xz-utils, and apt for fetching.
"""
import glob
import lzma
import os
import re
import shutil
import stat
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))

# What the tests run on: name -> Debian suite and packages (the newest whose name matches is taken).
# 7.x splits the image from its modules.
KERNELS = {
    "5.10": ("bullseye", [r"^linux-image-5\.10\.[0-9-]+-cloud-amd64$"]),
    "6.1": ("bookworm", [r"^linux-image-6\.1\.[0-9-]+-cloud-amd64$"]),
    "6.12": ("trixie", [r"^linux-image-6\.12\.[0-9]+\+deb13-cloud-amd64$"]),
    "newest": ("sid", [r"^linux-(image|binary)-[0-9.]+\+deb[0-9]+-cloud-amd64$", r"^linux-modules-[0-9.]+\+deb[0-9]+-cloud-amd64$"]),
}
# What the built-in profile is made from.
PROFILE_KERNEL = {"full-6.12": ("trixie", [r"^linux-image-6\.12\.[0-9]+\+deb13-amd64$"])}


class VmError(Exception):
    pass


def cache_dir():
    path = os.environ.get("BTC_VM_CACHE") or os.path.join(ROOT, "build", "vm")
    os.makedirs(path, exist_ok=True)
    return path


# ---- Fetching ---------------------------------------------------------------

def mirror():
    """URI and keyring of the Debian archive that apt is configured for."""
    for path in sorted(glob.glob("/etc/apt/sources.list.d/*.sources")):
        text = open(path).read()
        uri = re.search(r"^URIs:\s*(\S+)", text, re.M)
        if uri and "debian" in text:
            key = re.search(r"^Signed-By:\s*(/\S+)", text, re.M)
            return uri.group(1), key.group(1) if key else "/usr/share/keyrings/debian-archive-keyring.gpg"
    for path in ["/etc/apt/sources.list"] + sorted(glob.glob("/etc/apt/sources.list.d/*.list")):
        if os.path.exists(path):
            line = re.search(r"^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s", open(path).read(), re.M)
            if line:
                return line.group(1), "/usr/share/keyrings/debian-archive-keyring.gpg"
    raise VmError("no Debian archive is configured in /etc/apt")


def apt(state, *args):
    """Runs an apt tool on a private state directory, so that the machine's own apt is left alone."""
    options = {
        "Dir::Etc::sourcelist": state + "/sources.list", "Dir::Etc::sourceparts": state + "/parts", "Dir::State::lists": state + "/lists",
        "Dir::Cache": state + "/cache", "Dir::State::status": "/dev/null", "Acquire::Check-Valid-Until": "false",
        "APT::Sandbox::User": "root", "Acquire::Retries": "2"}
    command = [args[0]] + [x for k, v in options.items() for x in ("-o", f"{k}={v}")] + list(args[1:])
    result = subprocess.run(command, cwd=state, capture_output=True, text=True)
    if result.returncode != 0:
        raise VmError((result.stderr.strip().splitlines() or ["apt failed"])[-1])
    return result.stdout


def version_key(text):
    return [int(x) for x in re.findall(r"\d+", text)]


def download(suite, patterns, state):
    uri, key = mirror()
    for sub in ("lists/partial", "cache/archives/partial", "parts"):
        os.makedirs(os.path.join(state, sub), exist_ok=True)
    with open(state + "/sources.list", "w") as f:
        f.write(f"deb [signed-by={key}] {uri} {suite} main\n")
    apt(state, "apt-get", "update", "-qq")
    names = []
    for pattern in patterns:
        found = [line.split()[0] for line in apt(state, "apt-cache", "search", "--names-only", pattern).splitlines() if line]
        if found:
            names.append(max(found, key=version_key))
    if not names:
        raise VmError(f"the mirror serves no such kernel in {suite}")
    for old in glob.glob(state + "/*.deb"):
        os.remove(old)
    apt(state, "apt-get", "download", "-qq", *names)
    return sorted(glob.glob(state + "/*.deb"))


def fetch(name, table=KERNELS):
    """Directory of an unpacked kernel (vmlinuz, release, lib/modules); fetched when it is not cached."""
    target = os.path.join(cache_dir(), "kernels", name)
    if os.path.exists(target + "/release"):
        return target
    suite, patterns = table[name]
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(target)) as work:
        state, tree = work + "/apt", work + "/tree"
        for deb in download(suite, patterns, state):
            subprocess.run(["dpkg-deb", "-x", deb, tree], check=True)
        modules = glob.glob(tree + "/lib/modules/*") + glob.glob(tree + "/usr/lib/modules/*")
        releases = {os.path.basename(m) for m in modules}
        if len(releases) != 1:
            raise VmError(f"unexpected package contents: {sorted(releases)}")
        release = releases.pop()
        out = work + "/out"
        os.makedirs(out + "/lib/modules")
        shutil.copytree([m for m in modules if os.path.isdir(m + "/kernel")][0], f"{out}/lib/modules/{release}", symlinks=True)
        image = glob.glob(tree + "/boot/vmlinuz-*") + glob.glob(tree + "/usr/lib/modules/*/vmlinuz") + glob.glob(tree + "/lib/modules/*/vmlinuz")
        shutil.copy(image[0], out + "/vmlinuz")
        subprocess.run(["depmod", "-b", out, release], stderr=subprocess.DEVNULL)
        with open(out + "/release", "w") as f:
            f.write(release + "\n")
        shutil.rmtree(target, ignore_errors=True)
        os.rename(out, target)
    return target


def release_of(kernel):
    return open(kernel + "/release").read().strip()


# ---- The initramfs ----------------------------------------------------------

class Cpio:
    """An uncompressed "newc" archive, which the kernel unpacks as its root file system."""

    def __init__(self):
        self.out = bytearray()
        self.dirs = {""}
        self.inode = 0

    def _entry(self, name, mode, data=b""):
        self.inode += 1
        encoded = name.encode() + b"\0"
        fields = [self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(encoded), 0]
        self.out += b"070701" + b"".join(b"%08X" % f for f in fields) + encoded
        self.out += b"\0" * (-len(self.out) % 4) + data
        self.out += b"\0" * (-len(self.out) % 4)

    def directory(self, path):
        path = path.strip("/")
        if path in self.dirs:
            return
        self.directory(os.path.dirname(path))
        self.dirs.add(path)
        self._entry(path, stat.S_IFDIR | 0o755)

    def add(self, path, data, mode=0o644):
        path = path.strip("/")
        self.directory(os.path.dirname(path))
        self._entry(path, stat.S_IFREG | mode, data)

    def link(self, path, target):
        self.directory(os.path.dirname(path.strip("/")))
        self._entry(path.strip("/"), stat.S_IFLNK | 0o777, target.encode())

    def finish(self):
        self._entry("TRAILER!!!", 0)
        self.out += b"\0" * (-len(self.out) % 512)
        return bytes(self.out)


INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin:/sbin HOME=/root TERM=dumb
mount -t proc none /proc; mount -t sysfs none /sys; mount -t devtmpfs none /dev
ln -s /proc/self/fd /dev/fd; ln -s /proc/self/fd/0 /dev/stdin; ln -s /proc/self/fd/1 /dev/stdout; ln -s /proc/self/fd/2 /dev/stderr
mkdir -p /dev/pts /dev/shm; mount -t devpts none /dev/pts; mount -t tmpfs none /tmp; mount -t tmpfs none /dev/shm
for m in /mods/*; do [ -f $m ] && insmod $m; done
mount -t tracefs none /sys/kernel/tracing; mount -t debugfs none /sys/kernel/debug; mount -t bpf none /sys/fs/bpf
mount -t cgroup2 none /sys/fs/cgroup
ip link set lo up; ulimit -l unlimited; ulimit -n 65536; hostname vm
stty raw -echo < /dev/ttyS1; stty raw -echo < /dev/ttyS2
cd /work; sh /command < /dev/null > /dev/ttyS1 2>&1
echo "rc $?" > /dev/ttyS2
sync; sleep 0.1; poweroff -f
"""


def module_files(kernel, names):
    """The modules and what they need, as files in load order. kmod knows soft dependencies; busybox's modprobe does not."""
    release, files, missing = release_of(kernel), [], []
    for name in names:
        result = subprocess.run(["modprobe", "-d", kernel, "-S", release, "--show-depends", name], capture_output=True, text=True)
        found = [line.split()[1] for line in result.stdout.splitlines() if line.startswith("insmod")]
        if not found and "builtin" not in result.stdout:
            missing.append(name)
        files += [f for f in found if f not in files]
    return files, missing


def unpacked_module(path):
    data = open(path, "rb").read()
    if path.endswith(".xz"):
        return os.path.basename(path)[:-3], lzma.decompress(data)
    if path.endswith(".zst"):
        return os.path.basename(path)[:-4], subprocess.run(["zstd", "-dcq"], input=data, stdout=subprocess.PIPE, check=True).stdout
    return os.path.basename(path), data


def unpacked_modules(kernel, names, folder):
    """(file name, unpacked copy in `folder`) of modules that the guest loads itself."""
    found = []
    for path in module_files(kernel, names)[0]:
        name, data = unpacked_module(path)
        with open(f"{folder}/{name}", "wb") as f:
            f.write(data)
        found.append((name, f"{folder}/{name}"))
    return found


def initramfs(kernel, files, command, modules=()):
    cpio = Cpio()
    for d in ("bin", "sbin", "proc", "sys", "dev", "tmp", "run", "root", "etc", "mods", "work", "var"):
        cpio.directory(d)
    busybox = shutil.which("busybox")
    if not busybox:
        raise VmError("busybox is missing (apt-get install busybox-static)")
    cpio.add("bin/busybox", open(busybox, "rb").read(), 0o755)
    cpio.add("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n")
    cpio.add("etc/group", b"root:x:0:\n")
    cpio.add("init", INIT.encode(), 0o755)
    cpio.add("command", command.encode() + b"\n", 0o755)
    for i, path in enumerate(module_files(kernel, modules)[0]):
        name, data = unpacked_module(path)
        cpio.add(f"mods/{100 + i}-{name}", data)
    for guest, host in files:
        cpio.add(guest, open(host, "rb").read(), stat.S_IMODE(os.stat(host).st_mode) | 0o444)
    return cpio.finish()


def with_libraries(program):
    """A dynamic program of this machine, for the guest's /bin, and what it loads, at its own place."""
    listed = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
    return [("bin/" + os.path.basename(program), program)] + [(path, os.path.realpath(path)) for path in re.findall(r"(/\S+) \(0x", listed)]


# ---- Booting ----------------------------------------------------------------

class Result:
    def __init__(self, output, code, console, seconds):
        self.output, self.code, self.console, self.seconds = output, code, console, seconds


def boot(kernel, files, command, timeout=180, memory=1024, cpus=1, modules=(), disks=(), append="", on_output=None):
    """Runs one shell command line in the guest's /work. `files`: (path in the guest, path here). `disks`: raw images seen as /dev/vda, ...
    Exit code 124: time ran out; 125: the machine ended without one (see .console). `on_output` is called with new output as it comes."""
    qemu = shutil.which("qemu-system-x86_64")
    if not qemu:
        raise VmError("qemu-system-x86_64 is missing (apt-get install qemu-system-x86)")
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="btc-vm.") as work:
        with open(work + "/initrd", "wb") as f:
            f.write(initramfs(kernel, files, command, modules))
        # cx16 is taken away: with it 6.12 panics at random under this qemu's TCG.
        args = [qemu, "-accel", "tcg", "-cpu", "max,-cx16", "-M", "q35", "-m", str(memory), "-smp", str(cpus), "-nodefaults",
                "-no-user-config", "-display", "none", "-no-reboot", "-kernel", kernel + "/vmlinuz", "-initrd", work + "/initrd",
                "-append", f"console=ttyS0 quiet panic=-1 mitigations=off nokaslr {append}"]
        for port in ("console", "output", "code"):
            open(f"{work}/{port}", "w").close()
            args += ["-serial", f"file:{work}/{port}"]
        for disk in disks:
            args += ["-drive", f"file={disk},format=raw,if=virtio"]
        process = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(work + "/qemu", "w"))
        seen, timed_out = 0, False
        try:
            while process.poll() is None:
                time.sleep(0.05)
                if on_output:
                    with open(work + "/output", "rb") as f:
                        f.seek(seen)
                        new = f.read()
                    if new:
                        seen += len(new)
                        on_output(new.decode(errors="replace"))
                if time.monotonic() - started > timeout:
                    timed_out = True
                    process.kill()
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
        output = open(work + "/output", "rb").read().decode(errors="replace")
        if on_output and len(output.encode()) > seen:
            on_output(output.encode()[seen:].decode(errors="replace"))
        code = re.search(r"rc (\d+)", open(work + "/code").read())
        console = open(work + "/console", "rb").read().decode(errors="replace") + open(work + "/qemu").read()
        return Result(output, int(code.group(1)) if code else 124 if timed_out else 125, console, time.monotonic() - started)
