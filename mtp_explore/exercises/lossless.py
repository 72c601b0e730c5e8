"""Notebook 03: one place of a real trace as two whole laws, and the checks of the rule that the reader writes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..trace.glyphs import visible
from ..trace.markup import Html, tag, view
from ..trace.records import Trace
from . import answers
from .check import Check, grade
from .close import fixed
from .guessing import Guess, guess

CHIP = "white-space:pre;padding:1px 6px;border:1px solid #e69f00;border-radius:5px;background:#e69f0022"
WHOLE = 1e-6  # a top list that misses less than this is the whole law
SURE, APART = 0.65, 0.05  # a telling place: no token is likelier under p or q, no two numbers of the guess are nearer
PARTS = 24  # laws, ratios and residuals of the cases are whole 24ths, so a grid of 24 coins and uniforms is exact
LAWS = [  # p, q
    ([12, 8, 4], [6, 6, 12]),
    ([3, 3, 18], [18, 3, 3]),
    ([24, 0, 0], [6, 12, 6]),
    ([8, 8, 8], [8, 8, 8]),
    ([0, 8, 16], [12, 12, 0]),
    ([6, 6, 6, 6], [12, 8, 2, 2]),
]


@dataclass(frozen=True)
class Place:
    """One drafted place of a trace: the laws p and q over the tokens that either of them allows."""

    labels: list[str]
    p: list[float]
    q: list[float]
    drafted: str
    text: str  # what stands before it

    @property
    def overlap(self) -> float:
        """sum min(p, q): the chance that a draft from q is kept."""
        return math.fsum(map(min, self.p, self.q))

    @property
    def numbers(self) -> dict[str, float]:
        """What a reader may take for the chance that a draft is kept, the overlap first."""
        pairs = list(zip(self.p, self.q, strict=True))
        return {
            "Σ min(p, q)": self.overlap,
            "Σ p·q": math.fsum(a * b for a, b in pairs),
            "largest p": max(self.p),
            "Σ |p − q|": math.fsum(abs(a - b) for a, b in pairs),
        }

    @property
    def tells(self) -> bool:
        """Whether neither law is nearly certain and all of `numbers` lie apart."""
        found = sorted(self.numbers.values())
        return max(*self.p, *self.q) <= SURE and min(b - a for a, b in pairwise(found)) >= APART

    def __repr__(self) -> str:
        return f"…{self.text[-60:]} [{self.drafted}]"

    def _repr_html_(self) -> Html:
        at = self.labels.index(self.drafted)
        odds = f"drafted here; the drafter gave it {self.q[at]:.2f}, the target gives it {self.p[at]:.2f}"
        chip = tag("span", visible(self.drafted), style=CHIP)
        said = f"… {visible(self.text[-240:])}", chip, " ", tag("small", odds, style="opacity:.75")
        return view("", *said, style="font-size:15px;line-height:1.8;max-width:58em")


def places(trace: Trace) -> list[Place]:
    """Every first draft of a call, with both its laws.

    ValueError where the trace keeps only the tops of wider laws: generate it with top_k=5 or less.
    """
    found, text = [], trace.prompt_text
    for step in trace.steps:
        if step.drafts:
            d = step.drafts[0]
            p, q = dict(d.p_top), dict(d.q_top)
            if min(sum(p.values()), sum(q.values())) < 1 - WHOLE:
                raise ValueError("trace holds only the tops of wider laws: generate it with top_k=5 or less")
            tokens = sorted(p.keys() | q.keys(), key=lambda t: -p.get(t, 0) - q.get(t, 0))
            laws = ([law.get(t, 0.0) for t in tokens] for law in (p, q))
            found.append(Place([trace.piece(t) for t in tokens], *laws, trace.piece(d.token), text))
        text += "".join(map(trace.piece, step.tokens))
    return found


def telling(trace: Trace) -> Place:
    """Of the places at which both laws are spread and p·q, min(p, q) and the like have different sums, the one whose
    overlap is nearest to one half: something to keep and something to refuse. ValueError where there is none.
    """
    found = [place for place in places(trace) if place.tells]
    if not found:
        raise ValueError(
            f"trace has no place at which neither p nor q gives a token more than {SURE:g} and the numbers of the "
            "guess differ: use a longer text, or a higher temperature"
        )
    return min(found, key=lambda place: abs(place.overlap - 0.5))


def guess_chance(place: Place) -> Guess:
    """With what probability will a draft from q be kept here?"""
    shown: dict[str, str] = {}
    for name, value in place.numbers.items():  # of numbers that look alike the first, and the overlap is the first
        shown.setdefault(f"{value:.2f}", name)
    choices = [f"{name} = {number}" for number, name in sorted(shown.items())]
    why = (
        "A token x is drafted with q(x) and then kept with min(1, p(x)/q(x)): together min(p(x), q(x)), summed over x. "
        "Σ p·q would be the chance that two people who draw on their own happen to say the same word."
    )
    answer = f"Σ min(p, q) = {place.overlap:.2f}"
    return guess("With what probability is a draft from q kept at this place?", choices, answer, why)


def check_overlap(function: Callable) -> Check:
    """The reader's `function(p, q)`: the chance that a draft is kept, equal to 1 - TV(p, q)."""

    def judge(result, p, q):
        right = float(np.minimum(p, q).sum())
        return None if abs(result - right) < 1e-9 else f"{fixed(result, 3)} is not the chance that the draft is kept."

    refused = "{} is the chance that the draft is refused; asked is the other one."
    slips = {refused: lambda p, q: 1 - np.minimum(p, q).sum()}
    praise = "It equals 1 − TV(p, q): the closer the two laws, the more survives."
    return grade(function, _cases(), judge, praise, answers.number, slips=slips)


def check_rule(function: Callable) -> Check:
    """The reader's `function(p, q, draft, coin, u)` -> (kept, token), judged by the law that comes out.

    Every draft, coin and uniform is tried on a grid fine enough to be exact, so nothing is left to luck.
    """
    grid = (np.arange(PARTS) + 0.5) / PARTS

    def outcome(function, p, q):
        law, kept_share = np.zeros(len(p)), 0.0
        for draft, coin, u in itertools.product(np.flatnonzero(q).tolist(), grid.tolist(), grid.tolist()):
            made = function(p.copy(), q.copy(), draft, coin, u)
            kept, token = answers.kept_token(answers.returned(made), len(p))
            law[token] += q[draft] / PARTS**2
            kept_share += kept * q[draft] / PARTS**2
        return law, kept_share

    def judge(result, p, q):
        law, kept = result
        best = float(np.minimum(p, q).sum())
        if np.abs(law - p).max() > 1e-9:
            worst = int(np.abs(law - p).argmax())
            return (
                f"token {worst} comes out with probability {law[worst]:.3f}, and the target gives it {p[worst]:.3f}. "
                + ("Drafts are kept as often as they should be: look at what follows a refusal."
                   if abs(kept - best) < 1e-9 else "Look at how often drafts are kept.")
            )  # fmt: skip
        if kept < best - 1e-9:
            return f"the law is right, but only {kept:.3f} of the drafts are kept where {best:.3f} could be."
        return None

    praise = "The law that comes out is p, draft by draft and coin by coin."
    return grade(function, _cases(), judge, praise, play=outcome)


def _cases() -> list[tuple]:
    return [(np.array(p) / PARTS, np.array(q) / PARTS) for p, q in LAWS]


def agreements(texts: dict[str, list[int]]) -> dict[str, int]:
    """How many first tokens of each text agree with those of the first text."""
    first = next(iter(texts.values()))
    return {
        name: sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(first, text, strict=False)))
        for name, text in texts.items()
    }
