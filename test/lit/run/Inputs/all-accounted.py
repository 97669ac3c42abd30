"""all-accounted.py COUNT OUT ERR: the numbered lines of OUT and the losses that ERR tells of add up to COUNT; the lines are in order."""
import re
import sys

lines = [int(m) for m in re.findall(r"^(\d+) ", open(sys.argv[2]).read(), re.M)]
lost = int(re.search(r"Total lost event count: (\d+)", open(sys.argv[3]).read()).group(1))
assert lines == sorted(set(lines)), "out of order"
assert len(lines) + lost == int(sys.argv[1]), (len(lines), lost)
