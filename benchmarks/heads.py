"""What a joint head buys, in miniature: losses, acceptance and tokens per call against rank, circuit, width and time.

    python benchmarks/heads.py [--only rank long ...] [--list] [--part 1/2] [--quick] [--summary]

Every run (`heads_plan.py`) writes one JSON under data/results/heads and is skipped where that exists, so the script may
be killed and started again; `--part 1/2` and `--part 2/2` share the work between two processes. The forecast comes
first, from one timed step. Losses are in nats: `joint` of a whole window, `first` of y' (which is never drafted),
`drafts` of the rest given y'. Only the runs of "first", "scratch" and "widths" learn y' at all; in the others `joint`
and `first` hold a factor that nothing has trained, and `drafts` is what to read. Decoding uses held-out prompts; tokens
per call keep one figure per prompt, for paired 95 % intervals. `--quick` is a sixteenth of everything, into
runs/quick/heads.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path

import torch
from common import RESULTS, prompts, receipt
from cost import call_seconds
from heads_plan import RANKS, Run, Sizes, best, plan
from heads_tables import summary
from jobs import results, save

import mtp_explore as mtp
from mtp_explore.trace.metrics import pooled
from mtp_explore.train.features import Features, features
from mtp_explore.train.fit import Recipe, evaluate, train_step
from mtp_explore.train.pretrain import Recipe as TrunkRecipe
from mtp_explore.train.scratch import scratch

LENGTH = 32  # tokens of a prompt
LONGEST = 15  # the largest horizon: cached futures serve all
WINDOW, WINDOWS = 256, 4  # places and windows of a step from scratch
MODES = {"greedy": (0.0, "match"), "T=1 rejection": (1.0, "rejection"), "T=1 block": (1.0, "block")}


@lru_cache(2)
def backbone(name: str):
    return mtp.load_backbone(name)


@lru_cache(4)
def tokens(name: str, split: str, limit: int):
    return mtp.load_corpus(name).tokens(split, backbone(name).tokenizer, limit=limit)


@lru_cache(4)
def cached(name: str, split: str, positions: int) -> Features:
    """States of the shipped backbone, with the longest futures."""
    return features(backbone(name), tokens(name, split, 2 * positions + 4096), LONGEST, positions)


def states(target, run: Run, split: str, positions: int) -> Features:
    """States of the run's own target, with its own futures."""
    if run.mode == "heads":
        whole = cached(run.corpus, split, positions)
        return Features(whole.hidden, whole.future[:, : run.horizon + 1])
    return features(target, tokens(run.corpus, split, 2 * positions + 4096), run.horizon, positions)


def train_heads(run: Run, sizes: Sizes):
    """(backbone, drafter, steps) of a run on a frozen backbone."""
    target = backbone(run.corpus)
    known = states(target, run, "train", sizes.positions)
    steps = max(1, round(run.epochs * sizes.positions / sizes.batch))
    if run.wall:
        model = replace(run, rank=run.wall, wall=0)
        steps = max(1, round(steps * step_seconds(model, sizes) / step_seconds(run, sizes)))
    drafter, optimizer = fresh(run, target)
    recipe = Recipe(steps, run.seed, sizes.batch, run.rate, sizes.positions)
    for step in range(steps):
        train_step(drafter, optimizer, known.batch(step, sizes.batch, run.seed), recipe.rate_at(step))
    return target, drafter.eval(), steps


def fresh(run: Run, target):
    """An untrained drafter and its optimiser."""
    drafter = mtp.make_drafter(run.drafter, target, seed=run.seed, **run.options)
    return drafter, torch.optim.AdamW(drafter.parameters(), betas=(0.9, 0.95), weight_decay=0.0)


def train_scratch(run: Run, sizes: Sizes):
    """(backbone, drafter, steps) of a run from random weights."""
    steps, tokenizer = sizes.scratch_steps, backbone(run.corpus).tokenizer
    shape = dict(hidden=run.width, layers=3, heads=4, kv_heads=2, intermediate=3 * run.width)
    recipe = TrunkRecipe(run.corpus, len(tokenizer), steps, run.seed, window=WINDOW, batch=WINDOWS, **shape)
    text = tokens(run.corpus, "train", steps * WINDOWS * (WINDOW + LONGEST + 1) + 2 * WINDOW)
    return *scratch(recipe, tokenizer, text, run.drafter, **run.options), steps


def losses(drafter, held: Features) -> dict[str, float]:
    found = evaluate(drafter, held)
    return {**found, "drafts": found["joint"] - found["first"]}


def decoding(target, drafter, run: Run, sizes: Sizes) -> dict:
    """Tokens per call of every prompt, and the shares of drafts that were accepted, by mode."""
    split = "test" if run.test else "validation"
    starts, out = prompts(target, run.corpus, sizes.prompts, LENGTH, split), {}
    for mode, (temperature, rule) in MODES.items():
        traces = mtp.generate(target, drafter, starts, sizes.tokens, temperature=temperature, rule=rule)
        whole = pooled(traces)
        out[mode] = {
            "tokens_per_call": [round(len(t.tokens) / t.calls, 4) for t in traces],
            "tested_acceptance_rate": whole["tested_acceptance_rate"],
            "mean_acceptance_length": whole["mean_acceptance_length"],
        }
    return out


def measure(run: Run, sizes: Sizes) -> dict:
    """One run from beginning to end: its figures and what they took."""
    clock = time.perf_counter()
    target, drafter, steps = (train_scratch if run.mode == "scratch" else train_heads)(run, sizes)
    facts = {"run": {**asdict(run), "more": dict(run.more)}, "sizes": asdict(sizes), "steps": steps}
    facts["parameters"] = sum(p.numel() for p in drafter.parameters())
    facts["seconds_training"] = round(time.perf_counter() - clock, 2)
    facts["validation"] = losses(drafter, states(target, run, "validation", sizes.held))
    if run.test:
        facts["test"] = losses(drafter, states(target, run, "test", sizes.held))
    facts["decoding"] = decoding(target, drafter, run, sizes)
    return {**facts, "seconds": round(time.perf_counter() - clock, 2), "receipt": receipt()}


def step_seconds(run: Run, sizes: Sizes, repeats: int = 7) -> float:
    """Median seconds of a training step on a frozen backbone."""
    known = states(backbone(run.corpus), run, "train", sizes.positions)
    drafter, optimizer = fresh(run, backbone(run.corpus))
    seconds = []
    for step in range(repeats + 1):
        clock = time.perf_counter()
        train_step(drafter, optimizer, known.batch(step, sizes.batch, run.seed), run.rate)
        seconds.append(time.perf_counter() - clock)
    return statistics.median(seconds[1:])


class Forecast:
    """Seconds of a run, from the number of component logits it makes and one timed step; corrected as runs end."""

    def __init__(self, sizes: Sizes):
        self.sizes, self.known, self.took, self.told = sizes, Run(rank=8), 0.0, 0.0
        self.unit = step_seconds(self.known, sizes, 3) / self.work(self.known, sizes.batch)

    def work(self, run: Run, places: int) -> float:
        """Component logits per step; what does not grow with the rank counts as one component per place. From scratch
        the states and the unembedding get gradients too, and there is a trunk.
        """
        parts = run.rank if run.mode == "heads" else 1.4 * run.rank + 3
        return places * backbone(run.corpus).vocabulary * ((run.horizon + 1) * parts + 4)

    def __call__(self, run: Run) -> float:
        return self.raw(run) * (self.took / self.told if self.told else 1)

    def raw(self, run: Run) -> float:
        s, scratched = self.sizes, run.mode == "scratch"
        places = WINDOW * WINDOWS if scratched else s.batch
        steps = s.scratch_steps if scratched else run.epochs * s.positions / s.batch
        held = (1 + run.test) * s.held / places / 3  # a forward pass is a third of a step
        work = self.work(replace(run, rank=run.wall or run.rank), places) * (steps + held)
        decode = len(MODES) * s.prompts * s.tokens * self.work(self.known, 1) / 4
        return self.unit * (work + decode)

    def learn(self, run: Run, took: float) -> None:
        self.told, self.took = self.told + self.raw(run), self.took + took


def wanted(only: list[str], part: str, out: Path) -> dict[str, Run]:
    """The runs asked for, by name, each once; with the chosen recipes once the search is over."""
    groups = plan()
    groups["best"] = best(results(out))
    runs = {run.name: run for group, members in groups.items() for run in members if group in only}
    mine, parts = map(int, part.split("/"))
    return dict(list(runs.items())[mine - 1 :: parts])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    groups = [*plan(), "best", "time"]
    parser.add_argument("--only", nargs="+", choices=groups, default=groups)
    parser.add_argument("--list", action="store_true", help="the runs, their forecast and which are done")
    parser.add_argument("--part", default="1/1", help="i/n: every n-th run from the i-th on")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--summary", action="store_true", help="tables from what is there")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    sizes = Sizes().quick() if args.quick else Sizes()
    out = Path("runs/quick/heads") if args.quick else RESULTS / "heads"
    if args.summary:
        return print(summary(plan(), results(out)))
    forecast, done = Forecast(sizes), results(out)
    left = {name: run for name, run in wanted(args.only, args.part, out).items() if name not in done}
    minutes = sum(map(forecast, left.values())) / 60
    print(f"{len(left)} runs to go, about {minutes:.0f} minutes ({len(done)} are done in {out})", flush=True)
    if args.list:
        for name, run in left.items():
            print(f"  {forecast(run):6.0f} s  {name}")
        return
    if "time" in args.only and "time" not in done and args.part.startswith("1/"):
        rows = call_seconds(backbone("stories"), "stories", RANKS, 3, sizes.tokens)
        save(out, "time", {"ms_per_call_and_ratio_to_rank_1": rows, "receipt": receipt()})
    carry_out(left, sizes, out, forecast)
    late = wanted(["best"], args.part, out) if "best" in args.only else {}
    carry_out({n: run for n, run in late.items() if n not in results(out)}, sizes, out, forecast)


def carry_out(left: dict[str, Run], sizes: Sizes, out: Path, forecast: Forecast) -> None:
    """Measure and save runs, one after another."""
    for number, (name, run) in enumerate(left.items(), 1):
        facts = measure(run, sizes)
        save(out, name, facts)
        forecast.learn(run, facts["seconds"])
        rest = sum(map(forecast, list(left.values())[number:])) / 60
        print(f"{number}/{len(left)} {name}: {facts['seconds']:.0f} s, about {rest:.0f} minutes left", flush=True)


if __name__ == "__main__":
    main()
