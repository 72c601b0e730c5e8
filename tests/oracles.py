"""Slow, obvious twins of the core. Plain Python loops over lists and dicts; nothing here imports the package.

Laws are lists of V numbers. A table maps a prefix (a tuple of tokens) to the law of the next token.
"""

from __future__ import annotations

import itertools
import math
import random
from bisect import bisect_right
from itertools import accumulate


def shaped(logits: list[float], temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0) -> list[float]:
    """The law of logits: softmax at a temperature, cut to the k best, then to the nucleus."""
    size = len(logits)
    if temperature == 0:
        return [float(i == logits.index(max(logits))) for i in range(size)]
    logits = [x / temperature for x in logits]
    if 0 < top_k < size:
        least = sorted(logits, reverse=True)[top_k - 1]
        logits = [x if x >= least else -math.inf for x in logits]
    law = normal([math.exp(x - max(logits)) for x in logits])
    if top_p < 1:
        kept, before = set(), 0.0
        for i in sorted(range(size), key=lambda i: -law[i]):
            if kept and before >= top_p:
                break
            kept.add(i)
            before += law[i]
        law = normal([x if i in kept else 0.0 for i, x in enumerate(law)])
    return law


def normal(law: list[float]) -> list[float]:
    total = math.fsum(law)
    return [x / total for x in law]


def picked(law: list[float], u: float) -> int:
    """The token in whose bin u lies, bins in vocabulary order."""
    edges = list(accumulate(law))
    return bisect_right([e / edges[-1] for e in edges], u)


def table(size: int, depth: int, seed: int, zeros: bool = False) -> dict[tuple[int, ...], list[float]]:
    """A random law after every prefix of at most `depth` tokens; with `zeros`, some tokens are impossible."""
    rng = random.Random(seed)
    out = {}
    for length in range(depth + 1):
        for prefix in itertools.product(range(size), repeat=length):
            law = [rng.gammavariate(0.6, 1.0) + 1e-4 for _ in range(size)]
            if zeros:
                law[rng.randrange(size)] = 0.0
            out[prefix] = normal(law)
    return out


def joint(p: dict, size: int, n: int) -> dict[tuple[int, ...], float]:
    """The probability of every sequence of n tokens."""
    return {x: math.prod(p[x[:i]][x[i]] for i in range(n)) for x in itertools.product(range(size), repeat=n)}


def verdict_match(p: list, draft: list[int], n: int, u: list[float]) -> tuple[int, int]:
    """(accepted, token): the target's own picks, as far as the n drafts agree with them. p[i], u[i] per place."""
    for i in range(n + 1):
        token = picked(p[i], u[i])
        if i == n or token != draft[i]:
            return i, token


def verdict_rejection(
    p: list, q: list, draft: list[int], n: int, coins: list[float], u: list[float]
) -> tuple[int, int]:
    """(accepted, token) of papers.md 5.5, draft by draft."""
    for i in range(n):
        d = draft[i]
        if coins[i] >= p[i][d] / q[i][d]:
            return i, picked([max(a - b, 0.0) for a, b in zip(p[i], q[i], strict=True)], u[i])
    return n, picked(p[n], u[n])


def verdict_block(p: list, q: list, draft: list[int], n: int, coins: list[float], u: list[float]) -> tuple[int, int]:
    """(accepted, token) of papers.md 5.7: the largest i whose coin allows it."""
    survives = [1.0]
    for i in range(n):
        survives.append(min(1.0, survives[-1] * p[i][draft[i]] / q[i][draft[i]]))

    def rest(i: int) -> list[float]:
        return [max(survives[i] * a - b, 0.0) for a, b in zip(p[i], q[i], strict=True)]

    for i in range(n, 0, -1):
        if i == n:
            h = survives[n]
        else:
            room = sum(rest(i)) + 1 - survives[i]
            h = sum(rest(i)) / room if room > 0 else 1.0
        if coins[i - 1] < h:
            return i, picked(p[n] if i == n else rest(i), u[i])
    return 0, picked(rest(0) if n else p[0], u[0])


def accepted_by_match(p: dict, q: dict, size: int, n: int) -> float:
    """E[accepted] when a draft is kept while an independent draw of the target equals it: sum of prod p q."""
    return _expected(size, n, lambda x: math.prod(p[x[:i]][x[i]] * q[x[:i]][x[i]] for i in range(len(x))))


def accepted_by_rejection(p: dict, q: dict, size: int, n: int) -> float:
    """E[accepted] = sum over prefixes of prod min(p, q) (papers.md 5.5)."""
    return _expected(size, n, lambda x: math.prod(min(p[x[:i]][x[i]], q[x[:i]][x[i]]) for i in range(len(x))))


def accepted_by_block(p: dict, q: dict, size: int, n: int) -> float:
    """E[accepted] = sum over prefixes of Q(x) P(x), P the running minimum of papers.md 5.7."""

    def kept(x: tuple[int, ...]) -> float:
        drafted, survives = 1.0, 1.0
        for i in range(len(x)):
            mine, target = q[x[:i]][x[i]], p[x[:i]][x[i]]
            if mine == 0:
                return 0.0
            drafted, survives = drafted * mine, min(1.0, survives * target / mine)
        return drafted * survives

    return _expected(size, n, kept)


def _expected(size: int, n: int, chance) -> float:
    prefixes = (x for m in range(1, n + 1) for x in itertools.product(range(size), repeat=m))
    return math.fsum(chance(x) for x in prefixes)


def mask(cached: int, columns: int, rows: int, first: int, branch: list[int], index: list[int]) -> list[list[bool]]:
    """What each query of one batch row may see: `columns` cached ones, `rows` main rows, then the slots.

    Queries that stand for nothing (padding slots) are None.
    """
    out = []
    for i in range(rows):
        out.append([c < cached for c in range(columns)] + [r <= i for r in range(rows)] + [False] * len(branch))
    for b, j in zip(branch, index, strict=True):
        if b < 0:
            out.append(None)
            continue
        seen = [c < cached for c in range(columns)]
        seen += [r <= first + b for r in range(rows)]
        seen += [other == b and i <= j for other, i in zip(branch, index, strict=True)]
        out.append(seen)
    return out


def positions(cached: int, rows: int, first: int, branch: list[int], index: list[int]) -> list[int | None]:
    """Position of every query of one batch row: main rows follow the cache, slot j stands j beyond its row."""
    main = [cached + i for i in range(rows)]
    return main + [None if b < 0 else main[first + b] + j for b, j in zip(branch, index, strict=True)]


def chance_of_branch(kept: list[float], n: int, b: int) -> float:
    """The chance that exactly b of n drafts survive; kept[i] is that of draft i + 1, given those before it."""
    return math.prod(kept[:b]) * (1 - kept[b] if b < n else 1)


def best_slots(kept: list[float], n: int, gain: list[float], first: int, m: int) -> float:
    """The greatest total gain of at most m slots, over all sets: brute force over how many each branch gets.

    gain[j] is the chance that slot j is of use in its branch (falling with j).
    """
    size = len(gain) - first
    chance = [chance_of_branch(kept, n, b) for b in range(n + 1)]
    best = 0.0
    for split in itertools.product(range(size + 1), repeat=n + 1):
        if sum(split) <= m:
            best = max(best, sum(a * sum(gain[first : first + s]) for a, s in zip(chance, split, strict=True)))
    return best


def best_budget(chance: list[float], gain: list[float], first: int, m: int) -> float:
    """`best_slots` by dynamic programming over branches, for sizes that brute force cannot try; slot 0 gains nothing.

    chance[b] of branch b; gain[j] of slot j = first .. K in its branch.
    """
    worth = [0.0 if j == 0 else gain[j] for j in range(first, len(gain))]
    total = [0.0, *accumulate(worth)]  # of the first s slots
    best = [0.0] * (m + 1)  # with at most so many slots, over the branches so far
    for a in chance:
        best = [max(best[k - s] + a * total[s] for s in range(min(k, len(worth)) + 1)) for k in range(m + 1)]
    return best[m]


def ordinary(
    next_law, prompt: list[int], uniforms: list[float], length: int, ends: set[int] = frozenset()
) -> list[int]:
    """Ordinary decoding: `next_law(tokens)` is the law after a text; one uniform per position; no cache, no batch."""
    text = list(prompt)
    for u in uniforms[:length]:
        text.append(picked(next_law(text), u))
        if text[-1] in ends:
            break
    return text[len(prompt) :]
