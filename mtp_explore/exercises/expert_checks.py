"""Notebook 04: the checks of its exercises. P [X, Y] a joint of two tokens, w [R], A [R, X], B [R, Y] a mixture."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from . import answers
from .check import Check, grade, same
from .close import fixed

EXCHANGED = "A and B are exchanged: A sums the cells over y, B over x; return (w, A, B)."


def check_posterior(function: Callable) -> Check:
    """The reader's `function(weights, factor, token)`: the experts' weights once a token is known.

    weights [R], factor [R, V] (row a: the law of expert a at this place).
    """

    def judge(result, weights, factor, token):
        joint = weights * factor[:, token]
        if result.shape != weights.shape:
            return f"the shape is {result.shape}; there is one weight per expert, {weights.shape}."
        if np.allclose(result, joint / joint.sum(), atol=1e-9):
            return None
        if np.allclose(result, joint, atol=1e-9):
            return "these are wₐ Aₐ(x); they do not sum to 1 yet."
        if np.allclose(result, factor[:, token] / factor[:, token].sum(), atol=1e-9):
            return "this forgets how much each expert weighed before."
        return f"{_short(result)} are not the weights given the token; how likely are expert and token together?"

    praise = "One multiplication and one division per token: that is all a CP drafter does between two drafts."
    return grade(function, _posteriors(), judge, praise, answers.array)


def _posteriors() -> list[tuple]:
    draw = np.random.default_rng(4)
    cases = [(draw.dirichlet(np.ones(r)), draw.dirichlet(np.ones(v), r), int(draw.integers(v))) for r, v in
             ((2, 3), (3, 4), (8, 5), (1, 2))]  # fmt: skip
    return [*cases, (np.array([0.5, 0.5]), np.array([[1.0, 0.0], [0.5, 0.5]]), 1)]


def check_em_step(function: Callable) -> Check:
    """The reader's `function(P, w, A, B)` -> (w, A, B): one round of EM for P[x, y] ~ sum_a w_a A[a, x] B[a, y]."""

    def judge(new, P, w, A, B):
        shapes = [x.shape for x in new]
        if shapes != [w.shape, A.shape, B.shape]:
            if shapes == [w.shape, B.shape, A.shape]:
                return EXCHANGED
            wanted, yours = (", ".join(map(str, found)) for found in ([w.shape, A.shape, B.shape], shapes))
            return f"return (w, A, B) of the shapes {wanted}; yours are {yours}."
        if same(new, [*_em(P, w, A, B)]):
            return None
        if any(not np.allclose(x.sum(-1), 1) for x in new):
            return "w and every row of A and B must sum to 1."
        before, after = (fixed(_divergence(P, *mixture), 4) for mixture in ((w, A, B), new))
        if float(after) > float(before):
            return f"KL rises from {before} to {after}; a round of EM never does that."
        return f"KL goes from {before} to {after}, but it is no round of EM: compare γ and the sums with the formulas."

    def exchanged(P, w, A, B):
        w, A, B = _em(P, w, A, B)
        return (w, B, A) if A.shape == B.shape else None

    slips = {
        EXCHANGED: exchanged,
        "γ alone is summed: weigh the cells by P before you add them up.": lambda P, w, A, B: _em(P * 0 + 1, w, A, B),
        "the cells count alike: weigh them by P before you add them up.": lambda P, w, A, B: _em(
            P * 0 + 1 / P.size, w, A, B
        ),
        "w is right; A and B are still the old ones.": lambda P, w, A, B: (_em(P, w, A, B)[0], A, B),
    }
    praise = "Every cell of P is dealt out to the experts by responsibility, and each expert refits its share."
    return grade(function, _rounds(), judge, praise, answers.arrays("(w, A, B), three arrays", 3), slips=slips)


def _rounds() -> list[tuple]:
    draw, out = np.random.default_rng(7), []
    for rank, rows, columns in ((2, 3, 3), (3, 4, 5), (1, 3, 2)):
        P = draw.dirichlet(np.full(rows * columns, 0.4)).reshape(rows, columns)
        factors = (draw.dirichlet(np.ones(size), rank) for size in (rows, columns))
        out.append((P, draw.dirichlet(np.ones(rank)), *factors))
    return out


def _em(P, w, A, B):
    share = w[:, None, None] * A[:, :, None] * B[:, None, :]
    share = P * share / share.sum(0)  # [R, x, y] mass of every cell by expert
    total = share.sum((1, 2))
    return total, share.sum(2) / total[:, None], share.sum(1) / total[:, None]


def _divergence(P, w, A, B) -> float:
    Q = np.einsum("a,ax,ay->xy", w, A, B)
    return float((P[P > 0] * np.log(P[P > 0] / Q[P > 0])).sum())


def check_one_bit(joint) -> Check:
    """Is this a joint of two tokens on which independent heads lose exactly one bit, and two experts nothing?"""
    if joint is None or joint is ...:
        return Check(0, 1, "Put a table in place of the dots.", started=False)
    try:
        P = np.asarray(joint, float)
        if P.ndim != 2 or not P.size or not P.min() >= 0 or not abs(P.sum() - 1) <= 1e-9:
            return Check(0, 1, "A joint of two tokens is a table of numbers >= 0 that sum to 1.")
    except (TypeError, ValueError) as error:
        return Check(0, 1, f"This is no table of numbers: {error}")
    w = np.ones(1)
    bits = _divergence(P, w, P.sum(1)[None], P.sum(0)[None]) / math.log(2)
    rank = int(np.linalg.matrix_rank(P))
    words = f"Total correlation {fixed(bits, 3)} bits, rank {rank}."
    if abs(bits - 1) < 1e-6 and rank <= 2:
        return Check(1, 1, f"{words} One coin decides both tokens, and the two experts are its two sides.")
    return Check(0, 1, f"{words} Wanted: 1 bit, and a rank of 2 at most (two non-negative terms then suffice).")


def _short(values) -> str:
    return "[" + ", ".join(f"{v:.3f}" for v in np.ravel(values)[:8]) + "]"
