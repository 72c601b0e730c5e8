"""Notebook 07: drafters that know the dice, shipped or trained on the spot, and what they make of many windows.

K horizon, N = K + 1 tokens of a window, y' first; A windows in each of n texts. A throw's own tokens are the target's
under the same dice (`measure.thrown`), so a draft is right or it is not, whatever the method.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from .. import checks
from ..trace.glyphs import visible
from ..trace.metrics import Table
from .check import budget
from .close import boxes, leaders, percent
from .guessing import Guess, guess
from .heads import shipped_or
from .masks import HELD, RECIPE
from .waiting import Falling, watched

HORIZON, FIRST, APART, LENGTH = 8, 16, 14, 160  # places that windows go on from: 16, 30, 44, ...
LOSS = {"one-hot": "cross-entropy", "categorical": "kl"}
TAIL = 36  # characters of a text that a table shows


def throwers(backbone, corpus, steps: int | None = None) -> dict:
    """{name: drafter}: the backbone's shipped C-PTP and O-PTP, each trained on the spot for a few steps where none is
    shipped.
    """
    steps, names = steps or budget(150, 10), {"C-PTP": ("cptp-k8", "categorical"), "O-PTP": ("ptp-k8", "one-hot")}
    train = lambda variant: lambda: train_throws(backbone, corpus, variant, steps)  # noqa: E731
    return {
        title: shipped_or(f"{backbone.name}/{name}", backbone, train(variant))
        for title, (name, variant) in names.items()
    }


def train_throws(backbone, corpus, variant: str, steps: int, **options):
    """A `ptp` drafter trained on the corpus for so many steps of 64 windows; says how long it took."""

    from ..drafters import make_drafter
    from ..train.fit import fit, prepare

    made = {"horizon": HORIZON, "rank": 32, "loss": LOSS[variant], **options}
    drafter, clock = make_drafter("ptp", backbone, variant=variant, **made), time.perf_counter()
    known, held = prepare(drafter, backbone, corpus, budget(60_000, 12_000))
    held = held._replace(windows=held.windows[:HELD], future=held.future[:HELD])
    watch = [Falling(steps, {"loss": variant})]
    report = fit(drafter, backbone, corpus, steps, every=steps, prepared=(known, held), callbacks=watch, **RECIPE)
    last = report.validation[-1]
    told = f"validation loss {last['loss']:.2f} nats per slot"
    print(f"{variant}: {steps} steps, {time.perf_counter() - clock:.0f} s; {told}", flush=True)
    return drafter


class Seen(NamedTuple):
    """Windows behind many places of many texts, under one tape."""

    backbone: object
    texts: object  # [n, L] ids
    anchors: list[int]  # [A]
    own: np.ndarray  # [n A, K+1] the target's tokens
    drafts: dict[str, np.ndarray]  # [n A, K] by method
    absurd: dict[str, np.ndarray]  # [n A, K] bool: as good as impossible after those before it
    sound: dict[str, np.ndarray]  # [n A, K] bool: those before it were possible
    same: dict[str, np.ndarray]  # [n A, K] the share of [0, 1) on which the draft's law names the target's token
    most: dict[str, np.ndarray]  # [n A, K] 1 - TV of the two laws; both only of drafters with laws

    @property
    def correct(self) -> dict[str, np.ndarray]:
        """[n A] drafts right from the start."""
        return {name: (d == self.own[:, 1:]).cumprod(1).sum(1) for name, d in self.drafts.items()}


def many_windows(
    backbone,
    drafters: Mapping[str, object],
    documents: Sequence,
    seed: int = 0,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
) -> Seen:
    """Windows at every 14th place of the documents, drafted by every drafter with the same dice.

    temperature, top_k, top_p: of target and drafts. ValueError where horizons differ.
    """
    import torch

    from ..checks import shaping
    from ..measure import knowledge, thrown
    from ..tensors.categorical import total_variation

    law = shaping(temperature, top_k, top_p)

    horizons = {d.horizon for d in drafters.values()}
    if len(horizons) != 1:
        raise ValueError(f"drafters have the horizons {sorted(horizons)}: windows need one, see `shortened`")
    size = horizons.pop() + 1
    read = knowledge.read(backbone, documents, length=LENGTH, horizon=1)
    at = list(range(FIRST, LENGTH - 4, APART))
    anchors = torch.tensor(at, device=read.tokens.device).expand(len(read.tokens), -1)
    text = thrown.text_of(backbone, read.tokens, anchors, **law)
    w = np.random.Generator(np.random.Philox(seed)).random((*anchors.shape, size))
    w = torch.from_numpy(w).to(read.tokens.device)
    (own, laws), found = thrown.own(text, w), [{} for _ in range(5)]
    flat = lambda x: x.flatten(0, 1).cpu().numpy()  # noqa: E731
    for name, drafter in watched(drafters.items(), "drafter"):
        tokens, q = thrown.drafts(drafter, text, w, own[..., 0])
        parts = [tokens, *thrown.absurd(text, tokens, own[..., 0])]
        if q is not None:
            parts += [thrown.agreement(laws[:, :, 1:], q), 1 - total_variation(laws[:, :, 1:], q)]
        for table, part in zip(found, parts, strict=False):
            table[name] = flat(part)
    return Seen(backbone, read.tokens, at, flat(own), *found)


def by_window(seen: Seen) -> dict[str, dict[int, float]]:
    """{method: {N: mean correct tokens of a window of N}}: y', which verification gives, and the right drafts before
    the first wrong one. A shorter window is the beginning of a longer one: slots and heads do not look ahead.
    """
    size = seen.own.shape[1]
    return {
        name: {n: 1 + float(np.minimum(found, n - 1).mean()) for n in range(1, size + 1)}
        for name, found in seen.correct.items()
    }


def kept_chances(seen: Seen) -> dict[str, dict[int, float]]:
    """{method and rule: {k: mean chance that draft k is kept, with the target's own text before it}}, of drafters with
    laws: by the target's own die, and with the best rule there is.
    """
    lines = {}
    for name, same in seen.same.items():
        for rule, table in (("the same die", same), ("1 − TV", seen.most[name])):
            lines[f"{name}, {rule}"] = {k: float(column.mean()) for k, column in enumerate(table.T, 1)}
    return lines


def nonsense_rates(seen: Seen) -> dict[str, dict[int, float]]:
    """{method: {k: share of windows whose draft k is as good as impossible, where those before it were possible}}, k
    from 2 on: pairs of drafts. Where fewer than 20 windows are left, nothing.
    """
    rates = {}
    for name, bad in seen.absurd.items():
        asked = seen.sound[name]
        rates[name] = {
            k + 1: float(bad[asked[:, k], k].mean()) for k in range(1, bad.shape[1]) if asked[:, k].sum() >= 20
        }
    return rates


def pairs_of(seen: Seen) -> dict[str, float]:
    """{method: share of its pairs of consecutive drafts that are as good as impossible}, over all places where the
    drafts before them were possible.
    """
    return {
        name: float(bad[:, 1:][seen.sound[name][:, 1:]].mean()) if seen.sound[name][:, 1:].any() else float("nan")
        for name, bad in seen.absurd.items()
    }


def nonsense_pairs(seen: Seen, name: str, most: int = 6) -> Table:
    """Pairs of consecutive drafts of one method that the target as good as never says, with the text before them."""
    from ..corpora.tokenizer import name_of

    checks.choice("name", name, seen.absurd)
    show = lambda t: visible(name_of(seen.backbone.tokenizer, int(t))).replace(" ", "·")  # noqa: E731
    bad, asked, rows = seen.absurd[name], seen.sound[name], []
    for i, k in zip(*np.nonzero(bad[:, 1:] & asked[:, 1:]), strict=True):
        n, a = divmod(int(i), len(seen.anchors))
        ids = seen.texts[n, 1 : seen.anchors[a] + 1].tolist() + [
            int(seen.own[i, 0]),
            *seen.drafts[name][i, :k].tolist(),
        ]
        before = visible(seen.backbone.decode(ids))[-TAIL:]
        pair = seen.drafts[name][i, k : k + 2]
        rows.append((f"… {before}", f"{show(pair[0])} | {show(pair[1])}", f"d{k + 1}, d{k + 2}"))
    some = rows[:: max(1, len(rows) // most)][:most]
    hints = ["the second stands there less than once in a thousand times, says the target"] * len(some)
    return Table(("text and drafts so far", "then drafted", "drafts"), some, hints)


def guess_nonsense(seen: Seen) -> Guess:
    """How often is a pair of drafts of independent heads as good as impossible? The first method of `seen`."""
    shares = pairs_of(seen)
    (name, share), *others = shares.items()
    names = ["fewer than 2 in 100", "2 to 10 in 100", "10 to 30 in 100", "more than 30 in 100"]
    answer = boxes(names, [0.02, 0.1, 0.3], share, percent)
    why = f"{name}: {share:.0%}. " + "; ".join(f"{other}: {x:.0%}" for other, x in others) + "."
    question = (
        f"{name}: the drafts so far were possible, and one more is drafted. How often is it as good as impossible "
        "behind them (less than once in 1000 times, says the target)?"
    )
    return guess(question, names, answer, why)


def guess_window(lines: Mapping[str, Mapping[int, float]]) -> Guess:
    """Which method gets most tokens right with the longest window?"""
    size = max(next(iter(lines.values())))
    best = {name: line[size] for name, line in lines.items()}
    why = "; ".join(f"{name}: {x:.2f}" for name, x in best.items()) + f" of {size} tokens."
    question = f"A window of {size} tokens, the same dice for all. Who gets most of them right before the first error?"
    return guess(question, list(best), leaders(best), why)
