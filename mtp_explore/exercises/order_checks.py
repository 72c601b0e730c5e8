"""Notebook 05: the checks of its exercises. R states, V tokens; laws are numpy arrays."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..checks import items
from . import answers
from .check import Check, grade
from .close import fixed

FITS, FAILS = 0.001, 0.05  # nats: as good as exact; plainly not
ROUNDS, STARTS = 300, 6


def check_forward(function: Callable) -> Check:
    """The reader's `function(state, factor, moves, token)`: one step of the filter.

    state [R]: the law of the latent that writes this token; factor [R, V]: what each state writes here; moves [R, R]:
    row z is the law of the next latent after z. Wanted: the law [R] of the latent that writes the next token.
    """

    def judge(result, state, factor, moves, token):
        if result.shape != state.shape:
            return f"the shape is {result.shape}; wanted is a law over the states, {state.shape}."
        seen = state * factor[:, token]
        seen = seen / seen.sum()
        if np.allclose(result, seen @ moves, atol=1e-9):
            return None
        if np.allclose(result, seen, atol=1e-9):
            return "this is the law of the latent that wrote this token; it still has to move on."
        if np.allclose(result, state @ moves, atol=1e-9):
            return "the state moves on, but the token has taught it nothing."
        if np.allclose(result, moves @ seen, atol=1e-9):
            return "rows and columns of moves are exchanged: row z says where z goes."
        if abs(result.sum() - 1) > 1e-6:
            return f"it sums to {fixed(result.sum(), 3)}, not to 1."
        return "this is not the law of the next latent. First what the token says, then the move."

    draw, cases = np.random.default_rng(5), []
    for states, size in ((2, 3), (3, 3), (4, 6), (8, 5)):
        state, factor = draw.dirichlet(np.ones(states)), draw.dirichlet(np.ones(size), states)
        cases.append((state, factor, draw.dirichlet(np.ones(states), states), int(draw.integers(size))))
    cases.append((np.array([0.5, 0.5]), np.eye(2), np.array([[0.0, 1.0], [1.0, 0.0]]), 0))
    praise = "Reweigh, then move. If nothing moves, it is the mixture's posterior."
    return grade(function, cases, judge, praise, answers.array)


def check_block_length(function: Callable) -> Check:
    """The reader's `function(P, Q)`: the expected number of accepted drafts of a window of two under the block rule.

    P, Q [V, V]: the target's and the draft's law of both drafts together, row: the first.
    """
    from ..measure.fidelity import accepted

    def judge(result, P, Q):
        import torch

        token, block = (float(x) for x in accepted(*(torch.from_numpy(x)[None] for x in (P, Q))))
        if abs(result - block) < 1e-9:
            return None
        if abs(result - token) < 1e-9:
            words = "is what the token rule accepts; block lets a strong second draft save a weak first."
            return f"{fixed(result, 4)} {words}"
        if result > block:
            return f"{fixed(result, 4)} is more than any lossless rule can accept here."
        return f"{fixed(result, 4)} is not it: token by token {token:.4f} are accepted, and block accepts more."

    draw = np.random.default_rng(6)
    cases = [tuple(draw.dirichlet(np.full(v * v, a)).reshape(v, v) for _ in range(2)) for v, a in
             ((2, 1.0), (2, 0.3), (3, 0.5), (4, 0.5))]  # fmt: skip
    same = draw.dirichlet(np.ones(9)).reshape(3, 3)
    praise = "Never less than the token rule, from the same q and p."
    return grade(function, [*cases, (same, same)], judge, praise, answers.number)


def check_order(law) -> Check:
    """Is this a joint that a chain of two states writes exactly, and a mixture of two experts does not?

    law: probabilities [V, V, V, V] (or of more tokens), V up to 4.
    """
    from ..measure.circuit_em import circuit_em

    if law is None or law is ...:
        return Check(0, 1, "Put an array in place of the dots.", started=False)
    import torch

    try:
        P = np.asarray(law if hasattr(law, "shape") else items("law", law), float)
        if P.ndim < 4 or len({*P.shape}) > 1 or not 2 <= P.shape[0] <= 4 or P.size > 4096:
            words = f"Wanted: four axes of one length, [V, V, V, V] with V from 2 to 4; this has the shape {P.shape}."
            return Check(0, 1, words)
        if not P.min() >= 0 or not abs(P.sum() - 1) <= 1e-6:
            return Check(0, 1, f"Wanted: probabilities, >= 0, that sum to 1; these sum to {fixed(P.sum(), 3)}.")
        P = torch.from_numpy(P)
        chain, mixture = (float(circuit_em(P, kind, 2, ROUNDS, STARTS).kl[-1]) for kind in ("hmm", "cp"))
    except (TypeError, ValueError) as error:
        return Check(0, 1, str(error))
    words = f"Two states: KL {fixed(chain, 4)} nats; two experts: {fixed(mixture, 4)}."
    if chain < FITS and mixture > FAILS:
        return Check(1, 1, f"{words} What a token depends on changes along the window.")
    if chain >= FITS:
        return Check(0, 1, f"{words} A chain of two states should write it exactly: let it remember one bit at a time.")
    return Check(
        0, 1, f"{words} Two experts come too close: let a fresh coin decide at every place whether it changes."
    )
