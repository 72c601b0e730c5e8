"""Notebook 06: what masks know before and after training, a training one can watch, and the switches of a drafter.

K masks; text are the first test documents, read with K + 1 tokens ahead; ranks as in `measure.masks`.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from .. import checks
from ..trace.metrics import Table, interval, pooled
from .check import budget
from .close import around, boxes, fixed, leaders, percent
from .guessing import Guess, guess
from .heads import shipped_or
from .seen import Outlook, outlook_of
from .waiting import Falling, watched

MASKS = 8
POSITIONS, HELD = 60_000, 8  # places of text to learn from, windows of text to be measured on
RECIPE = dict(batch=64, rate=4e-3, progress=False, precision="bfloat16")
TOPS = (1, 10, 200)
LOSSES = {"base": "unembedding on the mask, nats", "sampler": "sampler, nats", "consistency": "consistency"}


def masked(backbone, corpus, name: str = "masked-k8", steps: int | None = None):
    """The backbone's shipped masks; where there are none, masks trained on the spot for `steps`, by default a few."""
    train = lambda: train_masks(backbone, corpus, steps or budget(200, 20), watch=False)  # noqa: E731
    return shipped_or(f"{backbone.name}/{name}", backbone, train)


def untrained(backbone, masks: int = MASKS, seed: int = 0):
    """Masks that are random vectors with the spread of the embedding table, and adapters that add nothing yet."""

    from ..drafters import make_drafter

    return make_drafter("masked", backbone, seed=seed, horizon=masks)


def train_masks(backbone, corpus, steps: int, watch: bool = True, **options):
    """A `masked` drafter trained for so many steps of 64 blocks of masks; with `watch`, its losses are drawn meanwhile.
    `options` go to the drafter.
    """

    from ..drafters import make_drafter
    from ..train.fit import fit, prepare

    drafter, clock = make_drafter("masked", backbone, **{"horizon": MASKS, **options}), time.perf_counter()
    known, held = prepare(drafter, backbone, corpus, budget(POSITIONS, 12_000))
    held = held._replace(windows=held.windows[:HELD], future=held.future[:HELD])
    callbacks = [Falling(steps, LOSSES)] if watch else []
    report = fit(drafter, backbone, corpus, steps, callbacks=callbacks, every=steps, prepared=(known, held), **RECIPE)
    last = report.validation[-1]
    told = ", ".join(f"{key} {last[key]:.2f}" for key in ("base", "sampler", "consistency") if key in last)
    print(f"{steps} steps, {time.perf_counter() - clock:.0f} s; on validation text: {told}", flush=True)
    return drafter


def mask_outlook(drafter, document: str, place: int, sampler: bool = True, adapters: bool = True) -> Outlook:
    """`outlook` for masks: what a place says and the masks appended behind it, after `place` tokens of a document, and
    what came. Arguments as in `measure.masks.ahead`. ValueError for a place outside the document.
    """
    from ..measure import knowledge, masks

    backbone = drafter.backbone
    size = len(backbone.tokenizer(document, verbose=False)["input_ids"])
    if not 0 <= place <= min(size, backbone.context - 1):
        raise ValueError(
            f"place={place}: give one from 0 to {min(size, backbone.context - 1)}, the document has no more"
        )
    text = knowledge.read(backbone, [document], place + 1, drafter.horizon + 1)
    laws = masks.ahead(drafter, text, [place], sampler, adapters)[0, 0].softmax(-1)
    return outlook_of(backbone, text, laws)


def mask_ranks(drafter, text, at: Sequence[int], fresh=None) -> dict[str, np.ndarray]:
    """{who is asked: ranks [n A, K+1]} at the places `at`: random placeholders behind the untouched model, the trained
    masks and adapters, the same through the sampler.
    """
    from ..measure.masks import ranks

    fresh = fresh or untrained(drafter.backbone, drafter.horizon)
    found = {
        "placeholders, untouched model": ranks(fresh, text, at, sampler=False, adapters=False),
        "trained masks": ranks(drafter, text, at, sampler=False),
    }
    if drafter.sampler is not None:
        found["trained masks, sampler"] = ranks(drafter, text, at)
    return {name: table.numpy() for name, table in found.items()}


def mask_floors(backbone, corpus, text, at: Sequence[int], tokens: int = 150_000) -> dict[str, np.ndarray]:
    """{what is known: ranks [n A, K+1] at the same places}: how frequent tokens are; what mostly stands behind the true
    token before. The second is what a sampler would know without any mask.
    """
    import torch

    from ..measure.knowledge import Text, frequency, neighbour

    at = [checks.whole("at", t, 0, text.tokens.shape[1] - 1) for t in at]
    checks.instance("corpus", corpus.tokens, Callable, "pass what load_corpus() returns")
    seen = corpus.tokens("train", backbone.tokenizer, limit=tokens)
    future = text.future[:, sorted(at)]
    before = torch.cat([text.tokens[:, sorted(at), None], future[:, :, :-1].clamp(min=0)], 2)
    told = Text(before.flatten(1), future.flatten(1)[..., None], text.hidden)
    names = {"how frequent it is": frequency, "the token before alone": neighbour}
    made = {name: floor(seen, told, backbone.vocabulary) for name, floor in names.items()}
    return {name: ranks.view(-1, future.shape[2]).numpy() for name, ranks in made.items()}


def tops(ranks: Mapping[str, np.ndarray], tops: Sequence[int] = TOPS) -> Table:
    """By method, over all masks (k from 2 on): median rank of the true token, and how often it is among the first."""
    rows = []
    for name, table in ranks.items():
        known = table[:, 1:][table[:, 1:] >= 0]
        rows.append((name, f"{np.median(known) + 1:.0f}", *(f"{(known < top).mean():.0%}" for top in tops)))
    columns = ("asked", "median rank", *(f"top {top}" if top > 1 else "first" for top in tops))
    hints = [f"{row[0]}: ranks of the true tokens at all masks together" for row in rows]
    return Table(columns, rows, hints)


def guess_behind_masks(ranks: Mapping[str, np.ndarray], vocabulary: int, mask: int = 1) -> Guess:
    """Where does the true token stand behind placeholders that the model has never seen? By the first table."""
    (before, *rest) = ranks.values()
    if not rest or any(table.ndim != 2 or mask >= table.shape[1] for table in ranks.values()):
        raise ValueError(f"mask={mask}: ranks must hold two tables [places, masks + 1] or more that know so many masks")
    at = lambda table: int(np.median(table[:, mask][table[:, mask] >= 0])) + 1  # noqa: E731
    names = ["among the first 10", "11 to 50", "51 to 150", "beyond 150: no better than chance"]
    answer = boxes(names, [10, 50, 150], at(before))
    why = f"The median rank is {at(before)} of {vocabulary}; behind trained masks it is {at(rest[0])}."
    question = (
        f"The model has {vocabulary} tokens and has never met a placeholder. At mask {mask}, where does the token that "
        "really came stand, in the median?"
    )
    return guess(question, names, answer, why)


def trained_for(minute, longer, ranks: Mapping[str, np.ndarray], text, at: Sequence[int]) -> dict[str, np.ndarray]:
    """{how long masks were trained: ranks}: not at all, a little, longer; the last two through their samplers. `ranks`
    of `mask_ranks`.
    """
    from ..measure.masks import ranks as asked

    first = next(iter(ranks.values()))
    later = {"just now": minute, "shipped": longer}
    return {"no training": first} | {name: asked(one, text, at).numpy() for name, one in later.items()}


def guess_minute(tables: Mapping[str, np.ndarray], within: int = 10) -> Guess:
    """How much of the way from no training to the shipped masks do so few steps go? `tables` of `trained_for`."""
    share = lambda table: float((table[:, 1:][table[:, 1:] >= 0] < within).mean())  # noqa: E731
    none, minute, far = map(share, tables.values())
    done = (minute - none) / (far - none) if far > none else 1.0
    names = ["a quarter or less", "a quarter to half", "half to three quarters", "more than that"]
    answer = boxes(names, [0.25, 0.5, 0.75], done, percent)
    why = (
        f"Among the first {within}, over all masks: {none:.0%} untrained, {minute:.0%} now, {far:.0%} for the shipped: "
        f"{done:.0%} of the way."
    )
    question = f"How much of the way to the shipped masks is that? (How often is the true token in the top {within}?)"
    return guess(question, names, answer, why)


def guess_switch(runs: Mapping[str, list]) -> Guess:
    """Which run gets the fewest tokens out of a call?"""
    rates = {name: per_step(traces) for name, traces in runs.items()}
    why = "; ".join(f"{name}: {rate:.2f}" for name, rate in rates.items()) + " tokens per call."
    least, *level = leaders(rates, fixed, least=True)
    leads = {name: apart(traces, runs[least]) for name, traces in runs.items() if name not in (least, *level)}
    level += [name for name, lead in leads.items() if lead and min(lead) <= 0 and around(interval(lead)).low <= 0]
    return guess("Which of these gets the fewest tokens out of a call?", list(rates), [least, *level], why)


def without_sampler(drafter):
    """The same masks and adapters, and the unembedding reads the masks' states as they are: each mask speaks without
    knowing what the one before it said.
    """
    view = copy.copy(drafter)
    view._modules = {**drafter._modules, "sampler": None}
    view.residual = False
    return view


def argmax(drafter):
    """The same drafter with the likeliest tokens as drafts instead of draws."""
    view = copy.copy(drafter)
    view.one_hot = True
    return view


def by_masks(drafter, prompts: list, counts: Iterable[int], plans: Iterable[str], tokens: int | None = None) -> dict:
    """{plan: {number of masks: [traces]}}, greedy, over the same prompts, 48 new tokens each."""
    from ..decode.generate import generate

    tokens = tokens or budget(48, 24)
    counts = [checks.whole("counts", count, 1, drafter.horizon) for count in counts]
    made = {count: drafter.shortened(count) for count in counts}
    jobs, found = [(plan, count) for plan in plans for count in made], {}
    for plan, count in watched(jobs, "plan"):
        traces = generate(drafter.backbone, made[count], prompts, tokens, temperature=0, plan=plan)
        found.setdefault(plan, {})[count] = traces
    return found


def calls_by_masks(runs: Mapping[str, Mapping[int, list]]) -> dict[str, dict[int, float]]:
    """{plan: {number of masks: tokens per call}} of `by_masks`, all prompts pooled; the first call is not counted."""
    return {plan: {k: per_step(traces) for k, traces in line.items()} for plan, line in runs.items()}


def apart(traces: Sequence, others: Sequence) -> list[float]:
    """The difference in tokens per call, prompt by prompt, of two runs over the same prompts; [] where they are not."""
    pairs = list(zip(traces, others, strict=False)) if len(traces) == len(others) else []
    return [per_step([one]) - per_step([other]) for one, other in pairs if min(len(one.steps), len(other.steps)) > 1]


def per_step(traces: Iterable) -> float:
    """Tokens per call after the prefill, all traces pooled."""
    steps = [step for trace in traces for step in trace.steps[1:]]
    return sum(len(step.tokens) for step in steps) / len(steps)


def match_chances(traces: Iterable) -> list[float]:
    """a_j, j = 1..K: how often draft j was right where those before it were, in runs whose calls have all K drafts."""
    return [rate or 0.0 for rate in pooled(traces)["conditional_rate"]]


def closed_forms(chances: Sequence[float]) -> tuple[float, float]:
    """(linear, quadratic) tokens per call of drafts that are right with chances a_1..a_K, each given those before it
    (papers.md 3.6): 1 + E and (2 + E - A) / (2 - A), E the expected length of the right prefix, A the chance of all K.
    """
    right = np.cumprod(np.asarray(chances, float))
    expected, every = float(right.sum()), float(right[-1])
    return (2 + expected - every) / (2 - every), 1 + expected


def foretold(runs: Mapping[int, list]) -> dict[int, float]:
    """{number of masks: tokens per call of the linear plan}, from the match chances of quadratic runs. (The quadratic
    plan's own form would only count the same drafts again.)
    """
    return {k: closed_forms(match_chances(traces))[0] for k, traces in runs.items()}


def guess_plan(lines: Mapping[str, Mapping[int, float]]) -> Guess:
    """By how much does the quadratic plan beat the linear one, with all masks?"""
    k = max(lines["linear"])
    more = lines["quadratic"][k] / lines["linear"][k] - 1
    names = ["not at all", "by up to 10 %", "by 10 to 30 %", "by 30 to 60 %", "by even more"]
    answer = boxes(names, [0.005, 0.1, 0.3, 0.6], more, percent)
    why = f"{lines['linear'][k]:.2f} and {lines['quadratic'][k]:.2f} tokens per call."
    question = (
        f"Quadratic buys {k * (k + 1)} masks a call, linear {k}. How much ahead is quadratic, in tokens per call?"
    )
    return guess(question, names, answer, why)
