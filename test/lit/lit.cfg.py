# lit configuration: tests of single stages (no kernel, no root) and, under run/, of artifacts on the live kernel.
import os
import platform
import lit.formats

config.name = "btc"
config.test_format = lit.formats.ShTest(execute_external=True)
config.suffixes = [".bt", ".bir", ".test"]
config.excludes = ["Inputs"]
config.test_source_root = os.path.dirname(__file__)

build = os.environ.get("BTC_BUILD", os.path.join(config.test_source_root, "../../build/release"))
build = os.path.abspath(build)
config.test_exec_root = os.path.join(build, "test", "lit")
llvm = os.environ.get("LLVM_BIN", "/usr/lib/llvm-19/bin")

tool_path = os.path.pathsep.join([os.path.join(build, "bin"), llvm, os.environ["PATH"], "/usr/sbin"])  # bpftool lies where users' paths do not lead
config.environment["PATH"] = tool_path
config.environment["LC_ALL"] = "C"
for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "HOME", "BTC_LIBEXEC"):
    if name in os.environ:
        config.environment[name] = os.environ[name]
config.environment.setdefault("ASAN_OPTIONS", "detect_leaks=0")

config.substitutions.append(("%btc", os.path.join(build, "bin", "btc")))
config.substitutions.append(("%build", build))
config.substitutions.append(("%testprogs", os.path.join(build, "test", "progs")))
config.substitutions.append(("%trace", os.path.join(config.test_source_root, "run", "Inputs", "trace")))
config.substitutions.append(("%examples", os.path.join(config.test_source_root, "../../examples")))

if os.geteuid() == 0:
    config.available_features.add("root")
    if os.environ.get("BTC_NO_BPF") is None and os.path.exists("/sys/kernel/btf/vmlinux"):
        config.available_features.add("bpf")
config.available_features.add(platform.machine())
if os.path.exists("/proc/self/ns/pid") and os.readlink("/proc/self/ns/pid") == "pid:[4026531836]":  # PROC_PID_INIT_INO of linux/proc_ns.h
    config.available_features.add("init-pidns")



def exists_below_tracing(path):
    return any(os.path.exists(os.path.join(d, path)) for d in ("/sys/kernel/tracing", "/sys/kernel/debug/tracing"))


if exists_below_tracing("events/block"):
    config.available_features.add("block")
if not exists_below_tracing("kprobe_events"):
    config.available_features.add("no-kprobes")
if os.path.exists("/sys/kernel/tracing/uprobe_events"):
    config.available_features.add("uprobe-events")
if os.path.exists(os.path.join(build, "test", "progs", "test-server")):
    config.available_features.add("sdt")
if os.path.exists("/usr/sbin/bpftool"):
    config.available_features.add("bpftool")
if os.path.exists("/usr/include/infiniband/verbs.h"):
    config.available_features.add("libibverbs")
