"""Notebook 07: sentences of two words and two dice, so small that all is seen.

P1 [3] the law of the first word, P2 [3, 4] that of the second after each; words stand in the order of the vocabulary.
"""

from __future__ import annotations

import numpy as np

from ..widgets.ruler import Ruler, Side, Throw, ruler
from .guessing import Guess, guess
from .throws_ruler import common

FIRST, SECOND = ("a", "one", "two"), ("cat", "cats", "dog", "dogs")
P1 = np.array([0.3, 0.2, 0.5])
P2 = np.array([[0.6, 0, 0.4, 0], [0.3, 0, 0.7, 0], [0, 0.45, 0, 0.55]])
NAMES = [*FIRST, *(f" {word}" for word in SECOND)]
HEADS = "independent heads"
PARTS = 40


def pick_one(law, u: float) -> int:
    """The first j whose cumulative sum is above u."""
    return int(np.searchsorted(np.cumsum(law), u, side="right"))


def toy_square():
    """The unit square of both dice, cut into sentences; beside it what heads make of them."""
    from ..plots.square import square

    return square(P1, P2, (FIRST, SECOND))


def toy_throw(w) -> Throw:
    """Two dice to two words, and what a head that does not hear the first word draws with the second die."""
    one = pick_one(P1, w[0])
    mean = P1 @ P2
    own, other = cut(P2[one], len(FIRST)), cut(mean, len(FIRST))
    side = Side([len(FIRST) + pick_one(mean, w[1])], [other], [common(own, other)])
    return Throw(list(w), [one, len(FIRST) + pick_one(P2[one], w[1])], [cut(P1, 0), own], {HEADS: side})


def cut(law, offset: int) -> list[tuple[int, float, float]]:
    high = np.cumsum(law)
    return [(offset + j, float(high[j] - law[j]), float(high[j])) for j in np.flatnonzero(law)]


def toy_dice(w=(0.37, 0.8)) -> Ruler:
    """The ruler of the toy: two dice, two words."""
    places = (np.arange(PARTS) + 0.5) / PARTS
    grid = [[toy_throw((x, w[1])) for x in places], [toy_throw((w[0], x)) for x in places]]
    return ruler(toy_throw(w), grid, NAMES.__getitem__, ask=lambda dice, full: toy_throw(dice))


def guess_sentence(w=(0.37, 0.8)) -> Guess:
    """What do these dice say?"""
    said = [NAMES[t] for t in toy_throw(w).picks]
    names = [f"{a} {b}" for a in FIRST for j, b in enumerate(SECOND) if P2[FIRST.index(a), j]]
    one = FIRST.index(said[0])
    why = (
        f"Up to {P1[0]:g} the first die says “a”, up to {P1[:2].sum():g} “one”. After “{said[0]}” [0, 1) is cut into "
        + " and ".join(f"“{b}” ({P2[one, j]:g})" for j, b in enumerate(SECOND) if P2[one, j])
        + f", and {w[1]:g} lies in “{said[1].strip()}”."
    )
    table = "P(a) = 0.3, P(one) = 0.2, P(two) = 0.5; after “one” cat 0.3, dog 0.7; after “two” cats 0.45, dogs 0.55"
    question = f"Two dice lie on the table: u₁ = {w[0]:g}, u₂ = {w[1]:g}. {table}, in this order. Which sentence is it?"
    return guess(question, names, "".join(said), why)


def guess_carries() -> Guess:
    """Which die may slot k of C-PTP carry at most?"""
    question = (
        "Slot k is to give the distribution of tₖ, so that the draft can be drawn from it with wₖ. Up to which die "
        "may the slots know?"
    )
    names = ["wₖ₋₂", "wₖ₋₁", "wₖ", "all of them"]
    why = (
        "w₀ … wₖ₋₁ fix the tokens before tₖ and leave tₖ the distribution Pₖ: Theorem 2. Whoever knows wₖ as well has "
        "no distribution to give any more, only the token: that is O-PTP."
    )
    return guess(question, names, "wₖ₋₁", why)
