"""Programs of Debian packages that judge what artifacts write: promtool, tcpdump. Not needed to build, so fetched when a test asks."""
import os
import shutil
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
CACHE = os.environ.get("BTC_TOOL_CACHE") or os.path.join(ROOT, "build/tools")


def unpacked(package, *libraries):
    """Folder with the package and `libraries` (packages, too) unpacked below build/tools; "" if they cannot be had."""
    folder = os.path.join(CACHE, package)
    wanted, done = " ".join((package, *libraries)), os.path.join(folder, "complete")
    if os.path.exists(done) and open(done).read() == wanted:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for name in (package, *libraries):
        got = subprocess.run(["apt-get", "download", "-q", name], cwd=folder, capture_output=True)
        debs = [f for f in os.listdir(folder) if f.endswith(".deb")]
        if got.returncode != 0 or not debs or subprocess.run(["dpkg", "-x", debs[0], folder], cwd=folder).returncode != 0:
            shutil.rmtree(folder, ignore_errors=True)
            return ""
        os.remove(os.path.join(folder, debs[0]))
    with open(done, "w") as mark:
        mark.write(wanted)
    return folder


def program(name, package, *libraries):
    """Command line of a program: this machine's own or the unpacked package's; [] if there is none."""
    own = shutil.which(name)
    if own:
        return [own]
    folder = unpacked(package, *libraries)
    if not folder:
        return []
    search = ":".join(os.path.join(folder, d, "x86_64-linux-gnu") for d in ("usr/lib", "lib"))
    return ["env", "LD_LIBRARY_PATH=" + search, os.path.join(folder, "usr/bin", name)]
