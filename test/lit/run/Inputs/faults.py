"""Ill-behaved readers of an artifact that prints numbered lines; says what came of each."""
import json
import os
import re
import signal
import subprocess
import sys
import time

TOOL = sys.argv[1]


def start(*args, **kw):
    return subprocess.Popen([TOOL, *args], stdout=subprocess.PIPE, stderr=kw.pop("stderr", subprocess.PIPE), bufsize=0, **kw)


def read(p, size):
    got = b""
    while len(got) < size:
        got += p.stdout.read(size - len(got))
    return got


def numbers(text):
    return [int(n) for n in re.findall(rb"^line (\d+) of .*\.$", text, re.M)]


p = start()
p.stderr.readline()                     # the banner
time.sleep(1)
p.send_signal(signal.SIGINT)
out, err = p.communicate(timeout=20)
made = int(re.search(rb"made (\d+)", out).group(1))
lost = int((re.search(rb"Total lost event count: (\d+)", err) or [0, 0])[1])
got = numbers(out)
good = got == sorted(got) and len(got) + lost == made and made > 1000
print("stalled for a second:", "all accounted," if good else f"{len(got)} + {lost} of {made},", "status", p.returncode)

p = start()
p.stderr.readline()
time.sleep(0.5)
p.send_signal(signal.SIGINT)
status = p.wait(timeout=20)
print(f"SIGINT while stalled: ended, status {status},", p.stderr.read().decode().strip().splitlines()[-1])
p.stdout.close()

p = start()
head = read(p, 20000)
p.send_signal(signal.SIGINT)
out, err = p.communicate(timeout=20)
out = head + out
lines = out.split(b"\n")
parts = [line for line in lines if not re.fullmatch(rb"line \d+ of .*\.|made \d+|", line)]
print(f"SIGINT in the middle: {parts or 'whole lines'}, made {sum(line.startswith(b'made') for line in lines)}, status {p.returncode}")

p = start()
p.stdout.readline()
p.stdout.close()
status = p.wait(timeout=20)
said = p.stderr.read().decode().replace("Attached 2 probes\n", "").replace("Attached 1 probe\n", "")
print(f"reader died: status {status}, {said or 'nothing said'}")

p = start(stderr=subprocess.STDOUT)
p.stdout.readline()
p.stdout.close()
print("both streams' reader died: status", p.wait(timeout=20))

p = start("-f", "json")
head = read(p, 30000)
p.send_signal(signal.SIGINT)
out, err = p.communicate(timeout=20)
try:
    kinds = {json.loads(line)["type"] for line in (head + out).decode().splitlines()}
    print("SIGINT with json:", "every line parses," if {"attached_probes", "printf"} <= kinds else f"{kinds},", "status", p.returncode)
except ValueError as error:
    print("SIGINT with json:", error)
