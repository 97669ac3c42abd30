"""Random C records: what the C compiler reads from each member, against what a script reads, by the script's own declaration and by DWARF."""
import os
import subprocess
import tempfile

# Bits of each type; characters are left to the members of text.
INTEGERS = {"signed char": 8, "unsigned char": 8, "short": 16, "unsigned short": 16, "int": 32, "unsigned int": 32, "long": 64, "unsigned long": 64,
            "long long": 64, "unsigned long long": 64}
VALUES = (0, 1, -1, 2, 100, -100, 0x7F, 0x80, 0xFF, 0x1234, 0x7FFFFFFF, 0xDEADBEEFCAFE)


class Record:
    def __init__(self, rng):
        self.rng, self.names = rng, 0
        self.leaves = []  # (path, type or "text" or "pointer to" type)
        body = " ".join(self.member(2, "") for _ in range(rng.randint(3, 9)))
        self.text = f"struct record {{ {body} }}{rng.choice(('', ' __attribute__((packed))'))};"

    def member(self, depth, path):
        rng, self.names = self.rng, self.names + 1
        name, kind, integer = f"m{self.names}", rng.randint(0, 99), rng.choice(list(INTEGERS))
        if kind < 35:
            self.leaves.append((path + name, integer))
            return f"{integer} {name};"
        if kind < 50:
            self.leaves.append((path + name, integer))
            return f"{integer} {name} : {rng.randint(1, INTEGERS[integer])};"
        if kind < 60:
            count = rng.randint(1, 4)
            if integer == "unsigned char":  # text, by DWARF
                integer = "unsigned short"
            self.leaves += [(f"{path}{name}[{i}]", integer) for i in range(count)]
            return f"{integer} {name}[{count}];"
        if kind < 67:
            self.leaves.append((path + name, "text"))
            return f"char {name}[8];"
        if kind < 74 or depth == 0:
            self.leaves.append((path + name, "pointer to " + integer))
            return f"{integer} *{name};"
        inner, count = (path + name + ".", rng.randint(1, 4)) if kind < 88 else (path, rng.randint(1, 3))
        body = " ".join(self.member(depth - 1, inner) for _ in range(count))
        return f"struct {{ {body} }}{' ' + name if inner != path else ''};"


def program(record, rng):
    """A program that prints its record's members as C reads them, then hands the record to f()."""
    lines = ["#include <stdio.h>", "#include <string.h>", record.text, "static struct record r;",
             '__attribute__((noinline)) void f(struct record *p) { __asm__ volatile("" :: "r"(p)); }', "int main(void) {"]
    for i, (path, kind) in enumerate(record.leaves):
        value, of = rng.choice(VALUES), f"r.{path}"
        if kind == "text":
            lines.append(f'strcpy({of}, "text{i % 100}"); puts({of});')
            continue
        if kind.startswith("pointer to "):
            kind = kind.removeprefix("pointer to ")
            lines.append(f"static {kind} v{i}; {of} = &v{i};")
            of = "*" + of
        form, cast = ("%llu", "unsigned long long") if "unsigned" in kind else ("%lld", "long long")
        lines.append(f'{of} = ({kind}){value}LL; printf("{form}\\n", ({cast}){of});')
    return "\n".join(lines + ['printf("%zu\\n", sizeof r); fflush(stdout); f(&r); return 0; }'])


def script(record, tool, by_dwarf, copied):
    pointer = "args.p" if by_dwarf else "(struct record *)arg0"
    base = "$r." if copied else "$r->"
    lines = [f"$r = {'*' if copied else ''}({pointer});"]
    for path, kind in record.leaves:
        lines.append(f'printf("%s\\n", {base}{path});' if kind == "text" else f"print({'*' if kind.startswith('pointer') else ''}{base}{path});")
    lines.append("print(sizeof(" + ("*args.p" if by_dwarf else "struct record") + ")); exit();")
    return ("" if by_dwarf else record.text + "\n") + f"uprobe:{tool}:f {{\n" + "\n".join(lines) + "\n}\n"


def layouts(btc, rng):
    record = Record(rng)
    problems = []
    with tempfile.TemporaryDirectory(prefix="btc-layouts.") as work:
        source, traced, tool = (os.path.join(work, name) for name in ("p.c", "p", "tool"))
        with open(source, "w") as file:
            file.write(program(record, rng))
        subprocess.run(["clang-19", "-O0", "-g", "-w", "-o", traced, source], check=True)
        want = subprocess.run([traced], stdout=subprocess.PIPE, check=True, timeout=60).stdout.decode().split("\n")[:-1]
        for by_dwarf in (False, True):
            for copied in (False, True):
                text = script(record, traced, by_dwarf, copied)
                if subprocess.run([btc, "compile", "--no-warnings", "-o", tool, "-"], input=text.encode()).returncode != 0:
                    problems.append((text, "compiles", "does not"))
                    continue
                # The program's own lines come first: the record is handed over when all are written.
                run = subprocess.run([tool, "-q", "-c", traced], stdout=subprocess.PIPE, timeout=60)
                got = [line for line in run.stdout.decode(errors="replace").split("\n") if line]
                if got != want + want:
                    problems.append((text, want, got[len(want):]))
    return problems
