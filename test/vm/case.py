"""One case of run-matrix: a script, compiled once on this machine, and how it is run in the guest."""
from dataclasses import dataclass, field
from typing import List, Optional

P = "/work/progs"


@dataclass
class Case:
    name: str                  # unique, also the artifact's name in the guest
    script: str                # path below the repository, or the program itself
    expect: List[str]          # regular expressions (multi-line) that its output must match
    args: str = ""             # the artifact's arguments, as the shell reads them; {pid} is the process id of `server`
    server: str = ""           # command that runs beside the artifact, started first
    server_script: str = ""    # a script whose artifact is the server
    trigger: str = ":"         # shell line, run once the probes are attached; {pid} as above, {self} is the artifact's process id
    after: str = ""            # shell line, run when the artifact has ended; its output counts, too; $SERVER_OUT is what the server has written
    seconds: float = 0.5       # how long the artifact may go on after the trigger before it gets SIGINT (it may end earlier by itself)
    reject: List[str] = field(default_factory=list)  # expressions that the output must not match
    status: int = 0            # its exit status
    since: str = ""            # first kernel that has what the case needs; below it:
    without: Optional[str] = None  # what the artifact must say there, with a status other than 0 (None: the case is skipped by name)
    until: str = ""            # last kernel
    sample: bool = False       # part of `make test`
    forms: List[str] = field(default_factory=list)   # "KIND FORM" of runtime-stub/abi/probes.def that the case proves
    live: bool = False         # runs on the machine's own kernel, too (`--kernels live`)
    cpus: int = 1              # needs a machine of its own with that many
    host: List[str] = field(default_factory=list)    # programs of this machine that the case needs; without one it is skipped by name
    modules: List[str] = field(default_factory=list)  # kernel modules to load first
    options: List[str] = field(default_factory=list)  # of btc compile
    env: str = ""              # NAME=VALUE words for the artifact
