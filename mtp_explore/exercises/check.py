"""Checking an answer without showing it: run the reader's function on small cases, say in words what does not hold.

A check never raises on a wrong or unfinished answer: it returns a `Check`, which is true when all cases hold and shows
itself as one line, so a notebook runs whole with its stubs still empty.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ..trace.markup import Html, tag, view
from .answers import Unfit, idle, line_of, returned

GREEN, RED, GREY = "#009e73", "#d55e00", "#888888"


@dataclass(frozen=True)
class Check:
    """The outcome of a check: true when every case holds."""

    passed: int
    cases: int
    message: str
    started: bool = True  # False: the stub has not been filled in

    def __bool__(self) -> bool:
        return self.started and self.passed == self.cases

    def _line(self) -> tuple[str, str]:
        if not self.started:
            return "○ not started", GREY
        if self.cases == 1:
            return ("✓ right", GREEN) if self else ("✗ not yet", RED)
        return (f"✓ all {self.cases} cases hold", GREEN) if self else (f"✗ {self.passed} of {self.cases} cases", RED)

    def __repr__(self) -> str:
        return f"{self._line()[0]}. {self.message}"

    def _repr_html_(self) -> Html:
        head, colour = self._line()
        bar = f"border-left:3px solid {colour};padding:2px 0 2px 12px;white-space:pre-wrap"
        return view("", tag("b", f"{head}."), f" {self.message}", style=bar)


def grade(
    function: Callable,
    cases: Iterable[tuple],
    judge: Callable,
    praise: str,
    read: Callable = lambda value: value,
    play: Callable | None = None,
    slips: Mapping[str, Callable] | None = None,
) -> Check:
    """Call `function(*case)` on every case; `judge(result, *case)` returns None, or says what is wrong with the result.

    read: a kind of `answers`, which turns what was returned into what is judged. play: `play(function, *case)` where a
    case takes more than one call. slips: {what is wrong, in words: the formula of that slip}: said where the results of
    all cases are the formula's ("{}" in the words is the result of the case; a formula that gives None does not tell).
    The message is that of the first case that does not hold. The function gets copies: what it changes is its own.
    """
    cases = list(cases)
    if not callable(function):
        return Check(0, 1, f"Pass your function itself; this is a {type(function).__name__}.")
    if idle(function):
        return Check(0, len(cases), "Replace the dots by your own lines, then run both cells.", started=False)
    found = [tried(function, case, read, play) for case in cases]
    wrongs = [wrong or judge(result, *case) for (result, wrong), case in zip(found, cases, strict=True)]
    at = next((i for i, wrong in enumerate(wrongs) if wrong), None)
    if at is None:
        return Check(len(cases), len(cases), praise)
    message = wrongs[at]
    if not any(wrong for _, wrong in found):
        results = [result for result, _ in found]
        named = next((words for words, formula in (slips or {}).items() if explains(formula, results, cases)), None)
        message = named.replace("{}", _short(results[at])) if named else message
    return Check(sum(wrong is None for wrong in wrongs), len(cases), f"For {shown(cases[at])}: {message}")


def blank(answer) -> bool:
    """Has nothing been put in place of the dots?"""
    return answer is None or answer is ... or isinstance(answer, str) and not answer


def tried(function: Callable, case: tuple, read: Callable, play: Callable | None) -> tuple:
    """(the result as it is judged, None), or (None, what went wrong before it could be judged)."""
    arguments = copy.deepcopy(case)
    try:
        if play:
            return play(function, *arguments), None
        return read(returned(function(*arguments))), None
    except Unfit as words:
        return None, str(words)
    except Exception as error:  # the reader's own bug: show it as a finding, not as a traceback of ours
        return None, f"it raised {type(error).__name__}: {error}{line_of(error, function)}"


def explains(formula: Callable, results: list, cases: list[tuple]) -> bool:
    """Whether the results of all cases are those of a formula."""
    pairs = [(result, formula(*case)) for result, case in zip(results, cases, strict=True)]
    pairs = [(result, other) for result, other in pairs if other is not None]
    return bool(pairs) and all(same(result, other) for result, other in pairs)


def same(one, other) -> bool:
    """Whether two results, numbers, arrays or lists of them, are equal up to rounding."""
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    one, other = np.asarray(one, float), np.asarray(other, float)
    return one.shape == other.shape and np.allclose(one, other, atol=1e-9)


def shown(case: tuple) -> str:
    """The arguments of a case, short."""
    return ", ".join(_short(x) for x in case)


def _short(x) -> str:
    if hasattr(x, "tolist"):
        x = x.tolist()
    if isinstance(x, list | tuple):
        return "[" + ", ".join(map(_short, x)) + "]"
    text = f"{x + 0.0:.3g}" if isinstance(x, float) else repr(x)
    return text if len(text) <= 60 else text[:59] + "…"


def budget(n: int, fast: int | None = None) -> int:
    """`n`; where the environment says MTP_FAST=1, `fast`, or a fifth of n."""
    if os.environ.get("MTP_FAST") != "1":
        return n
    return max(1, n // 5) if fast is None else fast
