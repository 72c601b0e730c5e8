"""Hostile calls to every public function: python tests/fuzz/fuzz.py --seed 0 --calls 1500

Every function of the tables in `calls*.py` has one good, cheap call. Its arguments are bent (`values.py`), and what
comes back is judged (`judge.py`). The cases of a function run in a process of their own: one that takes longer than
LIMIT seconds of processor time, more than ROOM bytes, or dies, is counted and ends nobody else.

    --only TEXT    functions whose names hold TEXT       --all    every way to bend them, not a sample
    --show KIND    list the cases of a kind (raw, odd, hang, ...; may be repeated)
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import sys
import tempfile
import warnings
from collections import Counter
from multiprocessing import Pipe
from pathlib import Path

ROOT = Path(__file__).parents[2]
for key, value in (("OMP_NUM_THREADS", "1"), ("HF_HUB_OFFLINE", "1"), ("TOKENIZERS_PARALLELISM", "false")):
    os.environ.setdefault(key, value)
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from tests.fuzz.judge import BAD, KINDS, Outcome, tried  # noqa: E402
from tests.fuzz.values import Case, cases, chosen  # noqa: E402

LIMIT, WALL, ROOM = 10, 60, 1 << 30  # seconds of processor time, seconds, bytes beyond what is held at the start


def run(todo: list[Case]) -> list[Outcome]:
    """The outcomes of cases, in order; a process for each function, and another where one has died."""
    done: list[Outcome] = []
    while len(done) < len(todo):
        name = todo[len(done)].call.name
        part = [case for case in todo[len(done) :] if case.call.name == name]
        done += together(part)
    return done


def together(part: list[Case]) -> list[Outcome]:
    """Outcomes of the first cases of `part`: all of them, or up to one that killed the process."""
    mine, theirs = Pipe(duplex=False)
    with tempfile.TemporaryDirectory(prefix="mtp-fuzz-") as here:  # what a hostile path makes is written there
        child = os.fork()
        if child == 0:
            mine.close()
            os.chdir(here)
            _work(part, theirs)
        return _listen(child, mine, theirs, len(part))


def _listen(child: int, mine, theirs, count: int) -> list[Outcome]:
    """In the parent: what the child tells, and how it died if it did."""
    theirs.close()
    found = []
    try:
        while len(found) < count:
            found.append(mine.recv())
    except EOFError:
        pass
    _, status = os.waitpid(child, 0)
    if len(found) < count:
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        name = signal.Signals(number).name if number else f"exit code {os.waitstatus_to_exitcode(status)}"
        found.append(Outcome("hang", name))
    return found


def _work(part: list[Case], told) -> None:
    """In the child: one case after another, within the limits. SIGPROF and SIGALRM end the process."""
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + ROOM, held + ROOM))
    quiet = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(quiet, stream)
    warnings.simplefilter("ignore")
    for case in part:
        signal.setitimer(signal.ITIMER_PROF, LIMIT)
        signal.setitimer(signal.ITIMER_REAL, WALL)
        told.send(tried(case))
    os._exit(0)


def table(todo: list[Case], found: list[Outcome]) -> str:
    """Counts by function and kind; functions with nothing bad are summed."""
    counts: dict[str, Counter] = {}
    for case, outcome in zip(todo, found, strict=True):
        counts.setdefault(case.call.name, Counter())[outcome.kind] += 1
    bad = {name: row for name, row in counts.items() if any(row[kind] for kind in (*BAD, "odd"))}
    total, rest = sum(counts.values(), Counter()), sum((r for n, r in counts.items() if n not in bad), Counter())
    rows = [*bad.items(), (f"{len(counts) - len(bad)} others", rest), (f"all {len(counts)}", total)]
    width = max(len(name) for name, _ in rows)
    lines = ["  ".join(["".ljust(width), *(f"{kind:>8}" for kind in ("calls", *KINDS))])]
    for name, row in rows:
        lines.append("  ".join([name.ljust(width), f"{row.total():>8}", *(f"{row[kind] or '·':>8}" for kind in KINDS)]))
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--calls", type=int, default=1500)
    parser.add_argument("--only", default="")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--show", action="append", default=[], choices=KINDS)
    options = parser.parse_args(argv)
    from tests.fuzz.calls import strangers, the_calls

    known = [call for call in the_calls() if options.only in call.name]
    if options.all:
        todo = [case for call in known for case in cases(call, strangers())]
    else:
        todo = chosen(known, options.calls, options.seed, strangers())
    found = run(todo)
    for case, outcome in zip(todo, found, strict=True):
        if outcome.kind in options.show:
            print(f"{outcome.kind:8} {case.call.name}({case.how}): {outcome.said}".encode("ascii", "replace").decode())
    print(table(todo, found))
    return int(any(outcome.kind in BAD for outcome in found))


if __name__ == "__main__":
    sys.exit(main())
