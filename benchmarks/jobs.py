"""The frame of a benchmark made of many jobs: one JSON per job, skipped where it exists, with a forecast before it.

A benchmark says which jobs there are, {name: (kind, what)}, what each costs in units of its own choice, what one unit
was seen to take, and how a job is done; `carry_out` does the rest. Seconds are the processor's, not the clock's.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from common import RESULTS


class Skip(Exception):
    """A job that cannot be done here, with the reason."""


class Forecast:
    """Seconds of a job: `unit` seconds for each unit of `work(*job)`, corrected as jobs of its kind end."""

    def __init__(self, unit: float, work: Callable[..., float]):
        self.unit, self.work, self.took = unit, work, {}

    def __call__(self, job: tuple) -> float:
        told, took = self.took.get(job[0], (0.0, 0.0))
        return self.raw(job) * (took / told if told else 1)

    def raw(self, job: tuple) -> float:
        return self.unit * self.work(*job)

    def learn(self, job: tuple, seconds: float) -> None:
        told, took = self.took.get(job[0], (0.0, 0.0))
        self.took[job[0]] = told + self.raw(job), took + seconds


def processes() -> float:
    """Seconds of processor time of this process and of those it has started."""
    return sum(os.times()[:4])


def least(work: Callable[[int], object], repeats: int = 3) -> float:
    """The least seconds of this process that work(0), work(1), .. takes; the first is not counted."""
    spent = []
    for step in range(repeats + 1):
        clock = time.process_time()
        work(step)
        spent.append(time.process_time() - clock)
    return min(spent[1:])


def results(out: Path) -> dict[str, dict]:
    """What is done, by name."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(out.glob("*.json"))}


def save(out: Path, name: str, facts: dict) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{name}.part").write_text(json.dumps(facts, indent=1) + "\n")
    (out / f"{name}.part").replace(out / f"{name}.json")


def parser(about: str, groups: Iterable[str], standard: Iterable[str]) -> argparse.ArgumentParser:
    """The command line of a benchmark whose docstring is `about`; `standard`: the groups that are done by default."""
    made = argparse.ArgumentParser(description=about.splitlines()[0])
    made.add_argument("--only", nargs="+", choices=list(dict.fromkeys(groups)), default=list(standard))
    made.add_argument("--list", action="store_true", help="the jobs, their forecast and which are done")
    made.add_argument("--part", default="1/1", help="i/n: every n-th job from the i-th on")
    made.add_argument("--quick", action="store_true")
    made.add_argument("--summary", action="store_true", help="tables from what is there")
    made.add_argument("--threads", type=int, default=1)
    return made


def carry_out(
    name: str,
    args: argparse.Namespace,
    jobs: dict[str, tuple],
    forecast: Callable[[], Forecast],
    do: Callable[..., dict],
    summary: Callable[[dict], str],
) -> None:
    """The main program of benchmark `name`: `do(kind, what, runs)` gives the facts of a job, where `runs` is a folder
    for what may be lost; they go to data/results/<name>, with --quick to runs/quick/<name>.
    """
    torch.set_num_threads(args.threads)
    runs = Path("runs/quick" if args.quick else "runs") / name
    out = runs if args.quick else RESULTS / name
    done = results(out)
    if args.summary:
        return print(summary(done))
    mine, parts = map(int, args.part.split("/"))
    left = {name: job for name, job in list(jobs.items())[mine - 1 :: parts] if name not in done}
    told = forecast()
    minutes = sum(map(told, left.values())) / 60
    print(f"{len(left)} jobs to go, about {minutes:.0f} minutes of one thread ({len(done)} are done)", flush=True)
    if args.list:
        return print("\n".join(f"  {told(job):6.0f} s  {name}" for name, job in left.items()))
    for number, (name, job) in enumerate(left.items(), 1):
        clock, used = time.perf_counter(), processes()
        try:
            facts = {"kind": job[0], **do(*job, runs)}
        except Skip as reason:
            print(f"{number}/{len(left)} {name}: left out, {reason}", flush=True)
            continue
        facts |= {"seconds": round(time.perf_counter() - clock, 1), "process": round(processes() - used, 1)}
        save(out, name, facts)
        told.learn(job, facts["process"])
        rest = sum(map(told, list(left.values())[number:])) / 60
        print(f"{number}/{len(left)} {name}: {facts['process']:.0f} s, about {rest:.0f} minutes left", flush=True)
