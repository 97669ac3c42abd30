"""The forms of the probe table, read from runtime-stub/abi/probes.def, and which of them lack a case.

"[MODULE:]FUNC[+OFFSET]|ADDRESS" stands for five forms. A part that takes patterns (PATTERNS) adds forms with a '*'.
"""
import os
import re

import vmlib

TABLE = os.path.join(vmlib.ROOT, "runtime-stub", "abi", "probes.def")
# Parts that may hold a pattern, by probe kind.
PATTERNS = {
    "kprobe": ("MODULE", "FUNC"), "kretprobe": ("MODULE", "FUNC"), "uprobe": ("FILE", "FUNC"), "uretprobe": ("FILE", "FUNC"), "usdt": ("FILE", "NAMESPACE", "NAME"),
    "tracepoint": ("CATEGORY", "EVENT"), "rawtracepoint": ("MODULE", "EVENT"), "fentry": ("MODULE", "FUNC", "PROGRAM"), "fexit": ("MODULE", "FUNC", "PROGRAM"),
}


def expand(form):
    """Every choice of the optional parts of one alternative."""
    optional = re.search(r"\[([^\]]*)\]", form)
    if not optional:
        return [form]
    before, after = form[:optional.start()], form[optional.end():]
    return expand(before + optional.group(1) + after) + expand(before + after)


def all_forms():
    forms = []
    for line in open(TABLE):
        row = re.match(r'BTC_PROBE\(\w+, \d+, "(\w+)", "[^"]*", "([^"]*)"', line)
        if not row:
            continue
        kind, plain = row.group(1), []
        for alternative in row.group(2).split("|"):
            plain += [f"{kind} {form}".strip() for form in expand(alternative)]
        forms += plain
        parts = PATTERNS.get(kind, ())
        for form in plain:                       # of the forms that consist of such parts, one with a pattern in each
            words = re.findall(r"[A-Z]+|bpf", form)
            if words and all(word in (*parts, "bpf") for word in words):
                forms += [re.sub(rf"\b{part}\b", part + "*", form) for part in words if part in parts]
    return forms


def uncovered(cases):
    """Forms without a case, and forms that cases name although the table has none such."""
    known, named = set(all_forms()), {form for case in cases for form in case.forms}
    return sorted(known - named), sorted(named - known)
