"""Checking an answer without showing it: run the reader's function on small cases, say in words what does not hold.

A check never raises on a wrong or unfinished answer: it returns a `Check`, which is true when all cases hold and shows
itself as one line, so a notebook runs whole with its stubs still empty.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..trace.markup import Html, tag, view

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


def grade(function: Callable, cases: Iterable[tuple], judge: Callable, praise: str) -> Check:
    """Call `function(*case)` on every case; `judge(result, *case)` returns None, or says what is wrong with the result.

    The message is that of the first case that does not hold. A result of None, or `...`, is a stub. The function gets
    copies of arrays and tensors: what it changes in place is its own.
    """
    if not callable(function):
        return Check(0, 1, f"Pass your function itself; this is a {type(function).__name__}.")
    passed, first, cases = 0, None, list(cases)
    for case in cases:
        try:
            result = function(*(copy.deepcopy(x) if hasattr(x, "tolist") else x for x in case))
            if result is None or result is ...:
                wrong = "it returned nothing: does every path end in a return?"
            else:
                wrong = judge(result, *case)
        except Exception as error:  # the reader's own bug: show it as a finding, not as a traceback of ours
            result, wrong = error, f"it raised {type(error).__name__}: {error}"
        else:
            if (result is None or result is ...) and case is cases[0]:
                return Check(0, len(cases), "Replace the dots by your own lines, then run both cells.", started=False)
        passed += wrong is None
        if wrong and first is None:
            first = f"For {shown(case)}: {wrong}"
    return Check(passed, len(cases), first or praise)


def shown(case: tuple) -> str:
    """The arguments of a case, short."""
    return ", ".join(_short(x) for x in case)


def _short(x) -> str:
    if hasattr(x, "tolist"):
        x = x.tolist()
    if isinstance(x, list | tuple):
        return "[" + ", ".join(map(_short, x)) + "]"
    text = f"{x:.3g}" if isinstance(x, float) else repr(x)
    return text if len(text) <= 60 else text[:59] + "…"


def budget(n: int, fast: int | None = None) -> int:
    """`n`; where the environment says MTP_FAST=1, `fast`, or a fifth of n."""
    if os.environ.get("MTP_FAST") != "1":
        return n
    return max(1, n // 5) if fast is None else fast
