"""Notebooks 04 and 05: heads trained while one waits, all on the same states of a frozen backbone, or shipped ones.

R components ("experts"), K drafts per call, y' the first token of a window (never drafted); losses in nats.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from ..trace.metrics import interval, pooled
from .check import budget
from .waiting import Falling, Shown

POSITIONS = 40_000  # places of text to learn from
LOOK = 4096  # held-out places over which the load is averaged
LATEST: dict = {}  # states of the last training
RECIPE = dict(batch=256, rate=4e-3, every=100, progress=False)


class Head(NamedTuple):
    """A head that `train_heads` has trained."""

    drafter: object
    report: object  # `train.fit.Report`
    load: np.ndarray  # [T, R] mean weights of the experts over held-out places, before training and at `steps`
    steps: list[int]

    @property
    def lost(self) -> float:
        """Validation loss of the K drafts together, given y', in nats."""
        last = self.report.validation[-1]
        return last["joint"] - last["first"]


class Watch:
    """A callback of `fit` that keeps the experts' load."""

    def __init__(self, drafter, hidden):
        self.drafter, self.hidden = drafter, hidden[:LOOK]
        self.steps, self.loads = [0], [self.load()]

    def __call__(self, facts: dict) -> None:
        self.steps.append(facts["step"])
        self.loads.append(self.load())

    def load(self) -> np.ndarray:
        """[R] mean weights over the places."""
        import torch

        with torch.no_grad():
            return self.drafter.prior(self.hidden).exp().mean(0).double().cpu().numpy()


def train_heads(
    backbone,
    corpus,
    options: Mapping[str, Mapping],
    steps: int,
    horizon: int = 3,
    favour: float = 0.0,
) -> dict[str, Head]:
    """Drafters of the given options (kind="cp" and depth=1 unless they say otherwise), by name, trained on the same
    states; says how long each took.

    favour: what is added to the first expert's log-weight at the start, before any training. In a notebook the losses
    are drawn while they fall, one curve per name.
    """

    from ..drafters import make_drafter
    from ..train.fit import fit

    heads, lines, shown = {}, {}, Shown()
    for name, own in options.items():
        clock, own = time.perf_counter(), {"kind": "cp", "depth": 1, **own}
        drafter = make_drafter(own.pop("kind"), backbone, horizon=horizon, **own)
        drafter.prior.bias.data[0] += favour
        ready = states(drafter, backbone, corpus, budget(POSITIONS, 4096))
        watch = Watch(drafter, ready[1].hidden)
        seen = [watch, Falling(steps, {"loss": name}, lines, shown)]
        report = fit(drafter, backbone, corpus, steps, prepared=ready, callbacks=seen, **RECIPE)
        heads[name] = Head(drafter, report, np.stack(watch.loads), watch.steps)
        print(f"{name}: {steps} steps, {time.perf_counter() - clock:.0f} s", flush=True)
    return heads


def states(drafter, backbone, corpus, positions: int):
    """What `train.fit.prepare` makes; the latest is kept, because the next head learns from the same."""
    from ..train.fit import prepare

    key = backbone.fingerprint, corpus.name, drafter.horizon, drafter.wants_ahead, positions
    if key not in LATEST:
        LATEST.clear()
        LATEST[key] = prepare(drafter, backbone, corpus, positions)
    return LATEST[key]


def shipped(name: str, backbone, otherwise):
    """The shipped drafter of that name ("stories/cp-r8") for this backbone; `otherwise` where none is shipped."""
    from ..backbone.files import shipped_directory
    from ..drafters import load_drafter

    return load_drafter(name, backbone) if shipped_directory(name) else otherwise


def shipped_or(name: str, backbone, train: Callable):
    """The shipped drafter of that name; what `train()` makes where none is shipped."""
    found = shipped(name, backbone, None)
    return train() if found is None else found


def shipped_or_trained(backbone, corpus, kinds: Iterable[str], steps: int, rank: int = 4, horizon: int = 5) -> dict:
    """{kind: drafter} of the backbone's shipped drafters (`data/models/<backbone>/<kind>`, "cp-r8" for "cp"); those not
    there are trained on the spot, with the given rank and horizon.
    """
    from ..backbone.files import shipped_directory
    from ..drafters import load_drafter

    kinds = list(kinds)
    names = {kind: f"{backbone.name}/{'cp-r8' if kind == 'cp' else kind}" for kind in kinds}
    there = {kind: shipped_directory(name) for kind, name in names.items()}
    missing = {kind: dict(kind=kind, rank=rank) for kind in kinds if there[kind] is None}
    made = train_heads(backbone, corpus, missing, steps, horizon) if missing else {}
    return {kind: made[kind].drafter if kind in made else load_drafter(names[kind], backbone) for kind in kinds}


def gain(runs: Mapping[str, list], better: str, than: str):
    """The paired difference in tokens per call of two runs over the same prompts: an `Interval` (95%)."""
    rates = [[trace.metrics()["tokens_per_call"] for trace in runs[name]] for name in (better, than)]
    return interval(a - b for a, b in zip(*rates, strict=True))


def reach(traces: Iterable) -> dict[int, float]:
    """{k: drafts kept per call if only the first k were drafted}, read off runs under the token rule."""
    return dict(enumerate(accumulate(pooled(traces)["per_position_rate"]), 1))


def losses(heads: Mapping[str, Head]) -> dict[int, float]:
    """{rank: validation loss of the drafts given y', nats}."""
    return {head.drafter.rank: head.lost for head in heads.values()}


def recorded(pattern: str) -> list[dict]:
    """Results of `benchmarks/heads.py` whose names match, by rank; [] where none is recorded."""
    from ..backbone.files import data_directory

    found = sorted((data_directory() / "results" / "heads").glob(f"{pattern}.json"))
    return sorted((json.loads(path.read_text(encoding="utf-8")) for path in found), key=lambda f: f["run"]["rank"])


def recorded_calls(mode: str = "T=1 rejection") -> dict[str, list[float]]:
    """{"rank 1": tokens per call of every test prompt, ...}: the best recipe of each rank, hmm with 4 drafts, after
    a long training on arithmetic. `mode`: "greedy", "T=1 rejection" or "T=1 block".
    """
    runs = recorded("heads-arithmetic-hmm-r*-n5-s0-e4.5-*")
    return {f"rank {f['run']['rank']}": f["decoding"][mode]["tokens_per_call"] for f in runs}


def recorded_losses(corpus: str = "stories", horizon: int = 3) -> dict[int, list[float]]:
    """The same from longer trainings in `data/results/heads`, a list per rank (seeds); {} where none is recorded."""
    out: dict[int, list[float]] = {}
    for facts in recorded(f"heads-{corpus}-cp-r*-n{horizon + 1}-s?"):
        out.setdefault(facts["run"]["rank"], []).append(facts["validation"]["drafts"])
    return out


def trained(joint, prompt: str, heads: Mapping[str, Head]) -> list[dict]:
    """Rows like those of `sweep`: what the belief of each trained head costs on a joint."""
    from ..measure.fidelity import price
    from ..measure.joint import exact_joint

    rows = []
    for head in heads.values():
        belief = exact_joint(head.drafter, prompt, n=joint.n, axes=joint)
        rows.append(dict(method="trained head", rank=head.drafter.rank) | price(joint, belief)._asdict())
    return rows
