"""The bug hunt: numbered cases, each with a real bug hidden in the real loop, and a check that never shows the answer.

suspects()                       the bugs that may be hidden, in words
case(3)                          what decoding emits while case 3's bug is in place, beside the target's law
case(3, horizon=1)               the same in other circumstances: some bugs hide there, some do not
check_fault(3, "no residual")    is it that one?
"""

from __future__ import annotations

from contextlib import nullcontext
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from ..checks import choice, nearest, shaping, shown, whole
from ..measure.faults import FAULTS, planted
from ..measure.law import ExactLaw, exact_law
from ..trace.metrics import Table
from ..verify import RULES
from .check import Check, blank
from .three_words import PROMPT, rough, tiny

HIDDEN = [  # the decoy among them
    "no residual", "greedy draft, soft q", "raw q", "all matches", "late bonus", "dropped correction", "boolean mask",
    "certain draft",
]  # fmt: skip
INNOCENT = ["whole-draft ratio", "own coin"]  # named among the suspects, hidden nowhere
SALT = 14370
LONGEST = {"horizon": 3, "n": 4}


class Circumstances(NamedTuple):
    """Settings of one experiment."""

    horizon: int = 2
    temperature: float = 1.0
    n: int = 3
    rule: str = "rejection"

    def __str__(self) -> str:
        return f"K = {self.horizon}, temperature {self.temperature:g}, first {self.n} tokens, rule {self.rule!r}"


TRIALS = [
    Circumstances(),
    Circumstances(horizon=1),
    Circumstances(temperature=0.7),
    Circumstances(rule="block"),
    Circumstances(horizon=1, n=4),
]


class Evidence:
    """One experiment: the law that comes out (`law`), distances by place, drafts accepted. Draws itself."""

    def __init__(self, title: str, how: Circumstances, law: ExactLaw, healthy: ExactLaw):
        self.title, self.how, self.law, self.healthy = title, how, law, healthy

    @property
    def distances(self) -> list[float]:
        """Total variation between the law of the first k tokens and the target's, k = 1..n."""
        return [_distance(self.law, k) for k in range(1, self.how.n + 1)]

    def figure(self):
        """The three panels of `plots.evidence`."""
        from ..plots.laws import evidence
        from ..plots.style import bare

        target, out = (_second(self.law, x) for x in ("target", "law"))
        accepted = (self.healthy.accepted, self.law.accepted)
        figure = evidence(self.distances, target, _draft(self.how), out, accepted)
        return bare(figure, 420, title=f"{self.title}: {self.how}")

    def _repr_mimebundle_(self, include=None, exclude=None):
        return self.figure()._repr_mimebundle_(include=include, exclude=exclude)

    def __repr__(self) -> str:
        far = ", ".join("exact" if d < 1e-9 else f"{d:.3f}" for d in self.distances)
        return f"{self.title} ({self.how}): distance by place {far}; {self.law.accepted:.3f} drafts accepted"


def suspects() -> Table:
    """The bugs that may be hidden in a case, in words."""
    names = sorted(HIDDEN + INNOCENT)
    rows = [(name, FAULTS[name].story) for name in names]
    return Table(("suspect", "what it does"), rows, [story for _, story in rows])


def case(number: int, horizon: int = 2, temperature: float = 1.0, n: int = 3, rule: str = "rejection") -> Evidence:
    """The exact law of the first `n` tokens while case `number` has its bug in place, on the model of three words.

    ValueError where the case does not exist, a value is out of range, or the enumeration would take too long.
    """
    name = _culprit(number)
    horizon, n = (whole(o, v, 1, LONGEST[o], why="more would take long") for o, v in (("horizon", horizon), ("n", n)))
    temperature, rule = shaping(temperature, 0, 1.0)["temperature"], choice("rule", rule, RULES)
    if horizon * n > 8:
        raise ValueError(f"horizon={horizon} with n={n} takes long to enumerate: lower one of them")
    how = Circumstances(horizon, temperature, n, rule)
    return Evidence(f"case {number}", how, _law(name, how), _law(None, how))


def check_fault(number: int, name: str) -> Check:
    """Is `name` the bug of case `number`? A wrong name is answered with an experiment that speaks against it."""
    culprit = _culprit(number)
    known = {n.lower(): n for n in HIDDEN + INNOCENT}
    if not isinstance(name, str) or name.lower() not in known:
        if blank(name):
            return Check(0, 1, "Name a suspect, for example check_fault(1, 'raw q').", started=False)
        return Check(0, 1, f"{shown(name)} is no suspect: see suspects(){nearest(name, known.values())}")
    guessed = known[name.lower()]
    if guessed == culprit:
        fault = FAULTS[culprit]
        return Check(1, 1, f"Case {number} is solved. {fault.story} Seen in: {fault.seen}.")
    return Check(0, 1, f"Not {guessed!r}. {_against(guessed, culprit, number)}")


def _against(guessed: str, culprit: str, number: int) -> str:
    """The first experiment in which the suspect would have shown something else than the case does."""
    for how in TRIALS:
        mine, theirs = _law(guessed, how), _law(culprit, how)
        call = (
            f"case({number}{''.join(f', {k}={v!r}' for k, v in how._asdict().items() if v != getattr(TRIALS[0], k))})"
        )
        for k in range(1, how.n + 1):
            a, b = _distance(mine, k), _distance(theirs, k)
            if abs(a - b) > 2e-3:
                far = "exact" if a < 1e-9 else f"{a:.3f} off"
                return f"With it, the law of the first {k} token{'s'[: k > 1]} in {call} would be {far}: is it?"
        if abs(mine.accepted - theirs.accepted) > 2e-3:
            return f"With it, {call} would accept {mine.accepted:.3f} drafts: does it?"
    return "The two look alike in all our experiments; look at one whole law."


def _culprit(number: int) -> str:
    order = sorted(HIDDEN, key=lambda name: sha256(f"{SALT} {name}".encode()).digest())
    return order[whole("number", number, 1, len(order), why="the numbers of the cases") - 1]


@lru_cache(maxsize=2)
def _model(horizon: int):
    backbone = tiny()
    return backbone, rough(backbone, horizon)


@lru_cache(maxsize=64)
def _law(name: str | None, how: Circumstances) -> ExactLaw:
    backbone, drafter = _model(how.horizon)
    with planted(name) if name else nullcontext():
        return exact_law(backbone, drafter, PROMPT, how.n, how.rule, how.temperature)


def _draft(how: Circumstances) -> list[float]:
    """The draft's law of the second token: the first of the first window."""
    from ..decode.generate import generate

    backbone, drafter = _model(how.horizon)
    trace = generate(backbone, drafter, PROMPT, 2, temperature=how.temperature, rule="rejection", eos=False)
    law = dict(trace.steps[1].drafts[0].q_top)
    return [law.get(t, 0.0) for t in range(backbone.vocabulary)]


def _distance(law: ExactLaw, k: int) -> float:
    """Total variation of the laws of the first k tokens."""
    difference: dict[tuple, float] = {}
    for sequence, a, b in zip(law.tokens.tolist(), law.law.tolist(), law.target.tolist(), strict=True):
        difference[tuple(sequence[:k])] = difference.get(tuple(sequence[:k]), 0.0) + a - b
    return sum(map(abs, difference.values())) / 2


def _second(law: ExactLaw, which: str) -> list[float]:
    """The law of the second token given the target's likeliest first one."""
    table = {}
    for s, a, b in zip(law.tokens.tolist(), law.law.tolist(), law.target.tolist(), strict=True):
        for name, weight in (("law", a), ("target", b)):
            table[name, s[0], s[1]] = table.get((name, s[0], s[1]), 0.0) + weight
    words = range(1 + max(max(s[:2]) for s in law.tokens.tolist()))
    first = max(words, key=lambda t: sum(table.get(("target", t, x), 0.0) for x in words))
    row = [table.get((which, first, x), 0.0) for x in words]
    return [value / sum(row) for value in row]
