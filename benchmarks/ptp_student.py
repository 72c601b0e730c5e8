"""Students of their own size for `ptp.py`: networks beside the target, trained whole (drafters/student.py).

Letters: N tokens of a window, K drafts; text, corpus and target are those of the other trainings.

data    C-PTP from data alone against the same network that learns the next token alone: random weights, equal steps,
        equal text and the same batches, three seeds. The student's window is t_0 .. t_{N-1}, t_0 by its next-token law.
        On the corpus' test text both are asked for these tokens, the slots given numbers from their own bins (papers.md
        4.3, eq. 12); a ratio of perplexities of 1 says that slots which see numbers for tokens lose nothing.
longer  the same with more steps on more text.
sizes   O-PTP students of several sizes from scratch and a copy of the target, on the target's own text, by the steps
        and batches of the gated adapters (run `train-base`). Correct tokens of N = 8: 1 for y', which verification
        fixes, and the leading drafts; a student has read y' when it drafts, the adapters have only its number.

A student's step is two calls, 2/(c+1) per token with c accepted drafts: one of the target, one of the student, whose
price depends on its size. `pace` has the seconds of both, and of a call of the target with slots and adapters.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from math import exp, sqrt
from pathlib import Path
from statistics import fmean, median, stdev

import torch
from common import adam, learned
from masked_tables import grid, shown
from ptp_decode import decoded
from ptp_plan import LONGER, SEEDS, K, Run, Sizes
from ptp_town import beginnings, usual
from ptp_train import correct, held, means, perplexity, windows
from torch import Tensor

import mtp_explore as mtp
from mtp_explore.backbone.together import together
from mtp_explore.trace.metrics import interval
from mtp_explore.trace.metrics import student as quantile

N = 4  # of `data`: slots need a pass for each of N - 2 numbers before a step
WIDTHS = ((64, 2), (128, 4), (0, 0))  # width and layers; (128, 4) is the target's own, (0, 0) its copy
RATE, COPY = 2e-3, 1e-3  # of random weights, of the target's
ANCHORS, BATCH = 64, 256  # of `data`: four windows of text a step


@dataclass(frozen=True)
class Student:
    width: int = 128
    layers: int = 4
    learns: str = "own"  # "own": the target's text; of `data`: "slots" or "next", the next token alone
    seed: int = 0
    times: int = 1  # as in Run

    @property
    def name(self) -> str:
        size = f"{self.width}x{self.layers}" if self.width else "copy"
        longer = f"-x{self.times}" * (self.times != 1)
        return f"student-{size}-{self.learns}{longer}-s{self.seed}"

    @property
    def data(self) -> bool:
        return self.learns != "own"

    def options(self, sizes: Sizes) -> dict:
        """What `make_drafter` gets."""
        form = dict(width=self.width, layers=self.layers)
        if self.data:
            return dict(horizon=N, variant="categorical", source="inverse", anchors=ANCHORS, **form)
        return dict(horizon=K, anchors=sizes.anchors, **form)

    def recipe(self, sizes: Sizes) -> Sizes:
        """The sizes with its rate, batch and length."""
        batch = min(sizes.batch, BATCH) if self.data else sizes.batch
        return replace(sizes.longer(self.times), rate=RATE if self.width else COPY, batch=batch)


def plan() -> dict[str, list[Student]]:
    """Comparisons and their runs."""
    return {
        "data": [Student(learns=what, seed=seed) for seed in SEEDS for what in ("slots", "next")],
        "longer": [Student(learns=what, seed=seed, times=LONGER) for seed in SEEDS for what in ("slots", "next")],
        "sizes": [Student(*size) for size in WIDTHS],
    }


def work(run: Student, sizes: Sizes) -> float:
    """Steps of the plainest run that a job takes, as seen: a row costs what its network and its attention do."""
    length, slots = 256, 0 if run.learns == "next" else N - 1 if run.data else K
    anchors = min(sizes.anchors, ANCHORS) if run.data else sizes.anchors
    rows, weights = length + anchors * slots, run.width * run.layers or 512
    row = weights * (8.6e-7 + 7e-10 * rows)
    passes = 0.15 * (N - 2) * (run.learns == "slots")
    told = (sizes.held / length + (sizes.measured + 1) * sizes.few) * (length + sizes.held_anchors * slots) * row
    talk, recipe = 0 if run.data else 8e-4 * sizes.prompts * sizes.tokens, run.recipe(sizes)
    return recipe.steps * recipe.batch / anchors * rows * row * (1 + passes) + told * (1 + run.data) + talk


def ordinary(drafter, text: Tensor, anchors: Tensor, future: Tensor, greedy: Tensor, draw: int = 0) -> dict:
    """The losses of a student that learns the next token alone, from the same batches; arguments as `losses` has."""
    none = torch.zeros(len(text), 0, 1, drafter.backbone.width, device=text.device)
    states, _ = together(drafter.backbone, text, anchors[:, :0], none)
    return {"loss": drafter.following(states, text, ~greedy)}


def trained(run: Student, sizes: Sizes, cache: Path) -> dict:
    """The facts of a run: curve, seconds, and what it can."""
    target, corpus = usual(sizes.trunk_steps, cache)
    drafter = mtp.make_drafter("student", target, seed=run.seed, **run.options(sizes))
    if run.learns == "next":
        drafter.losses = partial(ordinary, drafter)
    text, k, sizes = "corpus" if run.data else "own", drafter.horizon, run.recipe(sizes)
    anchors = min(sizes.anchors, drafter.anchors)
    known, test = windows(k, sizes, text, cache)._replace(anchors=anchors), held(k, sizes, text, cache)
    few = test._replace(windows=test.windows[: sizes.few], future=test.future[: sizes.few])

    def measure() -> dict:
        if not run.data:
            return means(correct(drafter, few))
        return {name: round(fmean(values), 4) for name, values in told(drafter, few).items()}

    facts = learned(drafter, adam(drafter), known, sizes, sizes.steps, run.seed, measure)
    facts["text_tokens"] = sizes.steps * facts["windows_per_step"] * known.windows[:, 1:].shape[1]
    drafter.eval()
    if run.data:
        return facts | {"nats": told(drafter, test)}
    prompts = beginnings(target, corpus, sizes.prompts)
    facts |= {"correct": correct(drafter, test), "decoding": decoded(target, drafter, prompts, sizes.tokens)}
    gated = mtp.make_drafter("ptp", target, **Run().options(sizes)).eval()
    return facts | {"pace": pace(target, drafter, prompts[0], sizes), "gated": pace(target, gated, prompts[0], sizes)}


def told(drafter, known) -> dict[str, list[float]]:
    """Nats per token: "slots" and "next", of every window of text, and by place of the token."""
    return {name.replace("backbone", "next"): x for name, x in perplexity(drafter, known, "inverse").items()}


def pace(target, drafter, prompt: list[int], sizes: Sizes) -> dict[str, float]:
    """Median milliseconds of a step of one row: in the drafter (a student's call), and in all."""
    clock = time.perf_counter()
    steps = mtp.generate(target, drafter, prompt, sizes.tokens, rule="match", eos=False).steps[1:]
    found = {"draft": [s.draft_seconds for s in steps], "step": [s.seconds for s in steps]}
    seconds = {name: round(1e3 * median(x), 3) for name, x in found.items()}
    return seconds | {"steps": len(steps), "seconds": round(time.perf_counter() - clock, 3)}


def tables(results: dict[str, dict]) -> str:
    """All comparisons, as far as they are there."""
    return "\n\n".join(filter(None, (*(data(title, results) for title in ("data", "longer")), sizes(results))))


def data(title: str, results: dict[str, dict]) -> str:
    """Perplexity of slots over that of the network that learned the next token alone, seed by seed, then over seeds."""
    made = {(r.learns, r.seed): results[r.name]["nats"] for r in plan()[title] if r.name in results}
    seeds = [s for s in SEEDS if {("slots", s), ("next", s)} <= made.keys()]
    if not seeds:
        return ""
    rows = [("seed", "next alone", "slots", "ratio", "from", "to", "its own next / next alone", "ratio by place")]
    gaps = []
    for seed in seeds:
        mine, other = made["slots", seed], made["next", seed]
        gap = [a - b for a, b in zip(mine["slots"], other["next"], strict=True)]
        gaps.append(fmean(gap))
        bounds = (f"{exp(x):.4f}" for x in around(gap))
        each = zip(mine["slots by slot"], other["next by slot"], strict=True)
        told = (f"{exp(fmean(x)):.4f}" for x in (other["next"], mine["slots"]))
        own = f"{exp(fmean(mine['next']) - fmean(other['next'])):.4f}"
        rows.append((str(seed), *told, *bounds, own, " ".join(f"{exp(a - b):.3f}" for a, b in each)))
    if len(gaps) > 1:
        half = quantile(len(gaps) - 1) * stdev(gaps) / sqrt(len(gaps))
        ends = (f"{exp(fmean(gaps) + x):.4f}" for x in (0, -half, half))
        rows.append(("all (± over seeds)", "", "", *ends, "", ""))
    return grid(f"{title}: perplexity per token, windows of N = {N}, ± over windows of text", rows)


def around(gap: list[float]) -> tuple[float, float, float]:
    """The mean and the ends of its 95 % interval."""
    mean, half, _ = interval(gap)
    return mean, mean - (half or 0), mean + (half or 0)


def sizes(results: dict[str, dict]) -> str:
    """Students beside the gated adapters."""
    known = {
        f"{r.width}x{r.layers}" if r.width else "copy of the target": results[r.name]
        for r in plan()["sizes"]
        if r.name in results
    }
    if not known:
        return ""
    base, n = results.get(Run().name), str(K + 1)
    head = ("network", f"correct of {n}", "greedy", "T=1 match", "calls per token", "parameters", "s training")
    rows = [(*head, "ms draft", "ms step")]
    if base:
        known = {
            "gated adapters": {
                **base,
                "correct": base["correct"]["arg-max"],
                "pace": next(iter(known.values()))["gated"],
            },
            **known,
        }
    for name, facts in known.items():
        calls = {mode: made["tokens_per_call"] for mode, made in facts["decoding"].items()}
        each = (1 if name == "gated adapters" else 2) / fmean(calls["T=1 match"])
        cells = shown(facts["correct"][n]), *(shown(calls[mode]) for mode in ("greedy", "T=1 match")), f"{each:.3f}"
        cost = f"{facts['parameters']:,}", f"{facts['seconds_training']:.0f}"
        rows.append((name, *cells, *cost, *(f"{facts['pace'][x]:.2f}" for x in ("draft", "step"))))
    return grid("sizes: O-PTP by networks of their own; tokens per call of the target, calls of both", rows)
