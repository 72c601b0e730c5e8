"""Notebook 07: the checks of its exercises. Laws are numpy arrays [V]."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from . import answers
from .check import Check, grade, shown
from .throws_toy import FIRST, P1, P2, pick_one

CLOSE = 1e-6  # answers may be computed in float32


def check_pick(function: Callable) -> Check:
    """The reader's `function(law, u)`: the token in whose bin u lies."""
    draw = np.random.default_rng(7)
    law = np.array([0.0, 0.25, 0.0, 0.5, 0.25, 0.0])
    cases = [(law, u) for u in (0.1, 0.0, 0.25, 0.5, 0.75, 0.999)]
    cases += [(draw.dirichlet(np.ones(5)), float(draw.random())) for _ in range(6)]

    def judge(result, law, u):
        right, found = pick_one(law, u), one_number(result)
        if found == right:
            return None
        if found not in range(len(law)):
            return f"a token is one whole number from 0 to {len(law) - 1}, and this is {shown((result,))}."
        if law[int(found)] == 0:
            return f"token {found:g} has probability 0: its bin is empty, no u lies in it."
        return f"token {right}, not {found:g}: its bin goes from {np.cumsum(law)[right] - law[right]:.3g} on."

    return grade(function, cases, judge, "That is the whole sampler: a law and a number make a token.")


def check_unpick(function: Callable) -> Check:
    """The reader's `function(law, token, v)`: the u at v (0 to 1) of the way through the token's bin."""
    draw = np.random.default_rng(8)
    cases = [(np.array([0.2, 0.3, 0.5]), t, v) for t in range(3) for v in (0.0, 0.5)]
    for _ in range(5):
        law = draw.dirichlet(np.ones(6))
        cases.append((law, int(draw.integers(6)), float(draw.random())))

    def judge(result, law, token, v):
        high = float(np.cumsum(law)[token])
        low = high - float(law[token])
        u = one_number(result)
        if u is None:
            return f"u is one number, and this is {shown((result,))}."
        if not low - CLOSE <= u < high:
            said = pick_one(law, min(max(u, 0), 1 - 1e-9))
            return f"pick would say {said}: the bin of {token} is [{low:.3g}, {high:.3g})."
        if abs(u - (low + v * (high - low))) > CLOSE:
            return (
                f"it lies in the bin, but {v:.3g} of the way through it is {low + v * (high - low):.4g}, not {u:.4g}."
            )
        return None

    praise = "With v drawn uniformly, u is uniform as well: a text and the dice that would have thrown it."
    return grade(function, cases, judge, praise)


def check_theorem_2(function: Callable) -> Check:
    """The reader's `function(first, second, u1)`: the law of the second word for one who knows u1 and not the first."""
    draw = np.random.default_rng(9)
    cases = [(P1, P2, u) for u in (0.1, 0.29, 0.31, 0.6, 0.99)]
    cases += [(draw.dirichlet(np.ones(4)), draw.dirichlet(np.ones(3), 4), float(draw.random())) for _ in range(4)]

    def judge(result, first, second, u):
        found, one = result, pick_one(first, u)
        if found.shape != second[0].shape:
            return f"the law of the second word has {len(second[0])} entries, yours has the shape {found.shape}."
        if np.abs(found - second[one]).max() < CLOSE:
            return None
        if np.abs(found - first @ second).max() < CLOSE:
            return "that is the law for one who knows nothing of u1: the mean over all first words."
        return f"u1 = {u:.2f} settles the first word ({FIRST[one] if first is P1 else one}): which row is left?"

    praise = "No mean over first words: whoever knows u1 knows the first word, and the die u2 is still to be thrown."
    return grade(function, cases, judge, praise, answers.array)


def one_number(result) -> float | None:
    """What an answer says, if that is one finite number: an array or tensor of one entry is; else None."""
    found = answers.single(result)
    return None if found is None or not np.isfinite(found) else float(found)
