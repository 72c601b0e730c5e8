"""Notebook 04: a joint worth looking at, its shadows, what the experts of a trained head say, and guesses.

P [A_1, .., A_n] a joint, R components ("experts"), K drafts per call; losses in nats.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping

import numpy as np

from ..plots.beliefs import entropy
from ..trace.glyphs import quoted
from ..trace.metrics import Table, interval
from .close import Span, around, boxes, first_below, fixed, leaders, percent
from .guessing import Guess, guess
from .heads import Head, gain, losses
from .waiting import watched

CLOSE = 0.2  # total variation that counts as close


def telling_joint(backbone, prompts: Iterable[str], n: int = 2, top: int | None = None):
    """(prompt, `Joint`) of the prompt whose next `n` tokens depend on one another neither least nor most: the median
    total correlation.
    """
    from ..measure.fidelity import total_correlation
    from ..measure.joint import exact_joint

    prompts = watched([*prompts], "prompt")
    found = [(prompt, exact_joint(backbone, prompt, n=n, top=top)) for prompt in prompts]
    return sorted(found, key=lambda pair: float(total_correlation(pair[1])))[len(found) // 2]


def shadows(joint, ranks: Iterable[int], restarts: int = 2, iterations: int = 100) -> dict:
    """{rank: `Fit`}: the mixture closest to a joint in KL that EM finds from a few starts."""
    from ..measure.decompose import decompose
    from ..measure.fidelity import price

    def best(rank: int):
        fits = decompose(joint, "em-cp", rank, 1 if rank == 1 else restarts, iterations)
        return min(fits, key=lambda fit: price(joint, fit).kl)

    return {rank: best(rank) for rank in watched([*ranks], "rank")}


def experts_of(joint, fit) -> Table:
    """What the experts of a mixture fitted to a joint stand for: weight, and the likeliest tokens at every place."""
    chain = fit.parts
    rows = []
    for a in chain.weights.argsort(descending=True).tolist():
        words = []
        for factor, texts in zip(chain.factors, joint.words, strict=True):
            best = factor[a].topk(min(2, len(texts)))
            words.append(", ".join(_said(texts[i], p) for p, i in zip(*best, strict=True)))
        rows.append((f"{a + 1}", f"{chain.weights[a]:.2f}", *words))
    columns = ("expert", "weight", *(f"token {k} (its probability)" for k in range(1, joint.n + 1)))
    return Table(columns, rows, [f"expert {row[0]} of {len(rows)}, with weight {row[1]}" for row in rows])


def _said(text: str, p) -> str:
    return f"{quoted(text)} {float(p):.2f}"


def guess_second(joint, fits: Mapping) -> Guess:
    """What does the second component leave of the total variation that rank 1 has?"""
    from ..measure.fidelity import price

    one, two = (price(joint, fits[rank]).tv for rank in (1, 2))
    names = ["a tenth or less", "about a quarter", "about half", "about two thirds", "nearly all of it"]
    answer = boxes(names, [0.165, 0.375, 0.585, 0.76], two / one, fixed)
    why = f"{one:.2f} with one component, {two:.2f} with two."
    question = f"The best rank 1 is {one:.2f} away from this joint (total variation). What does a second leave?"
    return guess(question, names[::-1], answer, why)


def guess_rank(joint, fits: Mapping, close: float = CLOSE) -> Guess:
    """From which rank on is the total variation between a joint and its shadow below `close`?"""
    from ..measure.fidelity import price

    far = {rank: price(joint, fit).tv for rank, fit in sorted(fits.items())}
    more = f"more than {max(far)}"
    near = [more if rank is None else str(rank) for rank in first_below(far, close)]
    why = "Total variation by rank: " + ", ".join(f"{rank}: {tv:.2f}" for rank, tv in far.items()) + "."
    question = f"How many components does it take to come within {close} (total variation) of this joint?"
    return guess(question, [*map(str, far), more], near, why)


def guess_shadow(rows: Iterable[Mapping], rank: int) -> Guess:
    """Which method's shadow of this rank has the most drafts accepted? `rows` are those of `fidelity.sweep`."""
    rows = list(rows)
    some = [row for row in rows if row["rank"] == rank]
    if not some:
        raise ValueError(f"rank={rank}: rows has the ranks {sorted({row['rank'] for row in rows})}, take one of these")
    rows = some
    mean = lambda method, key: float(np.mean([r[key] for r in rows if r["method"] == method]))  # noqa: E731
    methods = list(dict.fromkeys(row["method"] for row in rows))
    said = [f"{m}: {mean(m, 'token'):.2f} accepted at a KL of {_nats(mean(m, 'kl'))}" for m in methods]
    found = {m: [r["token"] for r in rows if r["method"] == m] for m in methods}
    best = leaders({m: Span(min(v), float(np.mean(v)), max(v)) for m, v in found.items()})
    why = f"{'; '.join(said)}. KL asks for some mass wherever the target has any; acceptance asks for much of it."
    return guess(f"Whose shadow of rank {rank} has the most drafts accepted?", methods, best, why)


def _nats(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else "∞"


def guess_gain(heads: Mapping[str, Head]) -> Guess:
    """How much less do the drafts cost at the highest rank than at rank 1?"""
    by_rank = losses(heads)
    most = max(by_rank)
    gain = by_rank[1] - by_rank[most]
    names = ["nothing, it loses", "less than 0.5 nats", "0.5 to 1 nat", "1 to 2 nats", "more than 2 nats"]
    answer = boxes(names, [0, 0.5, 1, 2], gain, fixed)
    horizon = next(iter(heads.values())).drafter.horizon
    factor = f"The text that came is {math.exp(gain):.1f} times as likely under rank {most} as under rank 1."
    return guess(f"What does rank {most} save on {horizon} drafts, against rank 1?", names, answer, factor)


def favourites(drafter, prompt: str, token: str | int | None = None, most: int = 4) -> Table:
    """What each expert would write: its weight before and after y', and its likeliest token at the first drafts.

    token: y', by default the target's likeliest next token; the experts are sorted by their weight after it.
    """
    import torch

    from ..corpora.tokenizer import piece
    from ..measure.beliefs import follow

    backbone = drafter.backbone
    names = lambda t: piece(backbone.tokenizer, int(t))  # noqa: E731
    if token is None:
        token = next_token(backbone, prompt)
    path = follow(drafter, prompt, [token] if isinstance(token, int) else token)
    with torch.no_grad():
        laws = component_laws(drafter, prompt)[1:]
    rows, shown = [], min(most, drafter.horizon)
    for a in path.laws[1].argsort(descending=True).tolist():
        best = [laws[k, a].max(-1) for k in range(shown)]
        words = [_said(names(b.indices), b.values) for b in best]
        rows.append((f"{a + 1}", f"{path.laws[0, a]:.2f}", f"{path.laws[1, a]:.2f}", *words))
    after = quoted(path.tokens[0])
    columns = ("expert", "weight", f"after {after}", *(f"draft {k}" for k in range(1, shown + 1)))
    hints = [f"expert {row[0]}: its likeliest token at every place, with its probability" for row in rows]
    return Table(columns, rows, hints)


def next_token(backbone, prompt: str) -> int:
    """The target's likeliest next token."""
    from ..measure.joint import exact_joint

    return int(exact_joint(backbone, prompt, n=1).law.argmax())


def component_laws(drafter, prompt: str):
    """[n, R, V] the laws of every expert at every place of the window after a prompt."""
    import torch

    from ..measure.sources import Belief

    asked = Belief(drafter, prompt, 1, {})
    belief = drafter.begin(asked.state(torch.zeros(1, dtype=torch.long, device=drafter.backbone.device)))
    return drafter.factors(belief.z[0]).double().exp()


def guess_play(path) -> Guess:
    """How many experts are in play (exp of their entropy) once y' is known? `path` is what `beliefs.follow` gives."""
    alive = [in_play(row) for row in path.laws.numpy()]
    why = f"{alive[0]:.1f} before {quoted(path.tokens[0])}, {alive[1]:.1f} after it, {alive[-1]:.1f} in the end."
    experts, first = path.laws.shape[1], quoted(path.tokens[0])
    question = f"{experts} experts. How many are still in play once the first token, {first}, is known?"
    numbers, edges = list(range(1, experts + 1)), [n + 0.5 for n in range(1, experts)]
    return guess(question, numbers, boxes(numbers, edges, alive[1], "{:.1f}".format), why)


def guess_calls(runs: Mapping[str, list], better: str, than: str) -> Guess:
    """Does one run over the same prompts get more tokens out of a call than the other?"""
    difference = gain(runs, better, than)
    base = float(np.mean([trace.metrics()["tokens_per_call"] for trace in runs[than]]))
    lead = around(difference)
    share = difference.mean / base
    choices = ["fewer", "no difference that these prompts can show", "up to 10 % more", "more than 10 % more"]
    answer = [choices[lead.high > 0]]
    if lead.low > 0:
        answer = boxes(choices[2:], [0.1], Span(*(x / base for x in lead)), percent)
    why = f"{difference} tokens per call, prompt by prompt (95 %), which is {share:+.0%}."
    return guess(f"Tokens per call of {better}, against {than}, on the same prompts:", choices, answer, why)


def guess_recorded(calls: Mapping[str, list[float]]) -> Guess:
    """How many more tokens per call has the last name than the first, prompt by prompt? `calls` of `recorded_calls`."""
    (than, ones), *_, (better, many) = calls.items()
    difference = interval(a - b for a, b in zip(many, ones, strict=True))
    share = difference.mean / float(np.mean(ones))
    choices = ["fewer", "less than 5 % more", "5 to 10 % more", "10 to 20 % more", "even more"]
    reach = Span(*(x / float(np.mean(ones)) for x in around(difference)))
    answer = boxes(choices, [0, 0.05, 0.1, 0.2], reach, percent, bisect_right)
    why = f"{difference} tokens per call, prompt by prompt (95 %), which is {share:+.0%}."
    return guess(f"Tokens per call of {better}, against {than}, both at their best:", choices, answer, why)


def guess_recovery(heads: Mapping[str, Head]) -> Guess:
    """Do the experts share the work in the end, though one had all of it at the start? By the first head of `heads`."""
    head = next(iter(heads.values()))
    start, end = (in_play(row) for row in head.load[[0, -1]])
    rank = head.load.shape[1]
    choices = ["no, one keeps nearly all", "in part", "yes, nearly equally"]
    answer = boxes(choices, [1 + (rank - 1) / 4, 1 + 3 * (rank - 1) / 4], end, fixed)
    why = (
        f"In play at the start: {start:.2f} of {rank}, in the end: {end:.2f}. An expert learns from a window in "
        "proportion to its responsibility; one that explains it better than the favourite soon has some."
    )
    return guess("Without any balancing loss: do the others get work in the end?", choices, answer, why)


def in_play(weights) -> float:
    """exp of the entropy of a law: how many of its entries count."""
    return float(np.exp(entropy(np.asarray(weights, float))))
