"""Training for `ptp.py`, and what slots are worth on text that the target has drawn: correct tokens per window.

Letters: N = K + 1 tokens of a window, W windows of text. A token drawn from a law and a uniform place inside its bin
have the joint law of the tape and its pick; so text that the backbone drew at T = 1, with such numbers, is ordinary
decoding on a tape, and drafts are held against it by `PTP.right` as `match` would. Correct tokens of N: 1 + the number
of leading drafts, at most N - 1, that are the target's picks; the 1 is y', which verification fixes. As a slot sees
only those before it, the first slots of a long window are exactly the drafter that `shortened` gives, and one pass
serves every N. Only anchors with N tokens behind them count.
"""

from __future__ import annotations

import copy
import time
from functools import lru_cache
from pathlib import Path

import torch
from common import adam, learned
from ptp_plan import WINDOWS, Run, Sizes
from ptp_town import usual
from torch import Tensor

import mtp_explore as mtp
from mtp_explore.train.completions import own_texts
from mtp_explore.train.fit import OWN, Recipe, split_features
from mtp_explore.train.texts import Texts, texts

PART = 8192  # rows of blocks at a time


@lru_cache(4)
def windows(horizon: int, sizes: Sizes, text: str, cache: Path) -> Texts:
    """What is learned, with a horizon; own text is kept under `cache`, one file for all horizons."""
    target, corpus = usual(sizes.trunk_steps, cache)
    model = mtp.make_drafter("ptp", target, horizon=horizon, rank=1, anchors=0)
    return split_features(
        model, target, corpus, "train", Recipe(1, 0, 1, 1.0, sizes.positions, text=text), cache / str(sizes.positions)
    )


@lru_cache(4)
def held(horizon: int, sizes: Sizes, text: str, cache: Path) -> Texts:
    """What is measured, from the test split; of own text the windows that were drawn at T = 1."""
    target, corpus = usual(sizes.trunk_steps, cache)
    tokens = corpus.tokens("test", target.tokenizer, limit=3 * sizes.held + 4096)
    if text == "corpus":
        return texts(target, tokens, horizon, sizes.held, sizes.held_anchors)
    about = dict(file=cache / OWN.format("test"), corpus=corpus.name, split="test")
    made = own_texts(target, tokens, horizon, sizes.held, sizes.held_anchors, **about)
    return Texts(made.windows[~made.greedy], made.future[~made.greedy], made.anchors)


def fresh(run: Run, sizes: Sizes, target):
    """An untrained drafter and its optimiser."""
    drafter = mtp.make_drafter("ptp", target, seed=run.seed, **run.options(sizes))
    return drafter, adam(drafter)


def trained(run: Run, sizes: Sizes, cache: Path) -> tuple:
    """(drafter, facts) of a run: its curve, correct tokens per window, and of categorical slots their perplexity."""
    drafter, optimizer = fresh(run, sizes, usual(sizes.trunk_steps, cache)[0])
    clock = time.process_time()
    known = windows(run.horizon, sizes, run.text, cache)._replace(anchors=sizes.anchors)
    test = held(run.horizon, sizes, "own", cache)
    few = test._replace(windows=test.windows[: sizes.few], future=test.future[: sizes.few])
    prepared = time.process_time() - clock

    def measure() -> dict:
        return {way: means(correct(d, few)) for way, d in ways(run, drafter).items()}

    facts = learned(drafter, optimizer, known, sizes, sizes.steps, run.seed, measure)
    drafter.eval()
    facts |= {"correct": {way: correct(d, test) for way, d in ways(run, drafter).items()}}
    if run.variant == "categorical":
        text = held(run.horizon, sizes, "corpus", cache)
        facts["perplexity"] = {source: perplexity(drafter, text, source) for source in ("inverse", "teacher")}
    return drafter, {**facts, "seconds_text": round(prepared, 2)}


def ways(run: Run, drafter) -> dict:
    """How its drafts may be made from its slots. A slot that carries nothing of u says a law of its own: its arg-max
    and Pick(w_k, q_k) are both drafts, from one training and as many slots; one that carries w_k names its token.
    """
    made = {"arg-max" if drafter.one_hot else "pick": drafter}
    return made | ({"pick": drawing(drafter)} if run.embedding == "constant" and drafter.one_hot else {})


def drawing(drafter):
    """The same drafter, whose drafts are Pick(w_k, q_k)."""
    other = copy.copy(drafter)
    other.one_hot = False
    return other


@torch.no_grad()
def correct(drafter, known: Texts) -> dict[str, list[float]]:
    """{N: correct tokens per window of N, mean over the anchors of every window of text} for N up to K + 1."""
    sums, counts = [], []
    for batch in known.parts(PART):
        good, real = (x.view(*batch.anchors.shape, -1) for x in drafter.right(*batch))
        whole = real.all(-1)
        leading = (good & real).long().cumprod(-1).cumsum(-1) * whole[..., None]  # [n, A, K] of the first k drafts
        sums.append(leading.sum(1))
        counts.append(whole.sum(1))
    count, total = torch.cat(counts), torch.cat(sums)
    mean = 1 + total[count > 0] / count[count > 0, None]
    sizes = [n for n in WINDOWS if n <= drafter.horizon + 1]
    return {str(n): [round(x, 5) for x in mean[:, n - 2].tolist()] for n in sizes}


def means(found: dict[str, list[float]]) -> dict[str, float]:
    return {n: round(sum(x) / len(x), 4) for n, x in found.items()}


@torch.no_grad()
def perplexity(drafter, known: Texts, source: str) -> dict:
    """What categorical slots and the frozen backbone lose on the same tokens, in nats: "slots" and "backbone" of every
    window of text, and their means slot by slot. source "inverse": w from the slots' own bins, as the papers' eq. 12.
    """
    found: dict[str, list[Tensor]] = {"slots": [], "backbone": []}
    weight = []
    for batch in known.parts(PART):
        made = drafter.rows(*batch, source)
        weight.append((made.target >= 0).float().sum(1))  # [n, K]
        for name, z in (("slots", made.z), ("backbone", made.teacher)):
            found[name].append((drafter.cross_entropy(z, made.target) * (made.target >= 0)).sum(1))
    total, count = {k: torch.cat(x) for k, x in found.items()}, torch.cat(weight)
    each = {k: [round(v, 5) for v in (x.sum(1) / count.sum(1)).tolist()] for k, x in total.items()}
    return each | {f"{k} by slot": [round(v, 5) for v in (x.sum(0) / count.sum(0)).tolist()] for k, x in total.items()}
