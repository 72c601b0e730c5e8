"""When two numbers are too close to be told apart, so that a guess must accept both or must not offer both.

A value is a number, or a `Span` where it was sampled or timed: two values are level where they are shown alike or where
their spans meet. The measured answer always comes first.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from ..trace.glyphs import visible

NUMBER = re.compile(r"[+\-−]?\d[\d,]*\.?\d*\s?%?|[+\-−]?\.\d+\s?%?")


def fixed(value: float, digits: int = 2) -> str:
    """A number with so many digits after the point; never "-0.00"."""
    said = f"{float(value):.{digits}f}"
    return said if float(said) else said.lstrip("-")


def percent(share: float) -> str:
    """A share in whole hundredths; never "-0%"."""
    said = f"{float(share):.0%}"
    return "0%" if said == "-0%" else said


class Span(NamedTuple):
    """A value with the ends of its interval."""

    low: float
    value: float
    high: float


def span(value) -> Span:
    """A number as a span of no width."""
    return value if isinstance(value, Span) else Span(value, value, value)


def around(interval) -> Span:
    """The span of a `trace.metrics.Interval`; of no width where one value alone was given."""
    half = interval.half or 0.0
    return Span(interval.mean - half, interval.mean, interval.mean + half)


def looks(choice):
    """What tells a choice from the others on the page: of "name = this" what stands after the sign; of a number its
    value, else its words.
    """
    words = " ".join(visible(str(choice)).split())
    number = (words.count("=") == 1 and words.partition(" = ")[2]) or words
    if not NUMBER.fullmatch(number):
        return number
    value = float(number.rstrip(" %").replace(",", "").replace("−", "-"))
    return value / 100 if number.endswith("%") else value


def leaders(values: Mapping, said: Callable[[float], str] = fixed, least: bool = False) -> list:
    """The names of the largest value (`least`: of the smallest) and of all that are level with it."""
    spans = {name: span(value) for name, value in values.items()}
    best = (min if least else max)(spans, key=lambda name: spans[name].value)
    top = spans[best]
    meet = lambda one: one.low <= top.high and one.high >= top.low  # noqa: E731
    level = [n for n, one in spans.items() if n != best and (meet(one) or said(one.value) == said(top.value))]
    return [best, *level]


def boxes(names: Sequence, edges: Sequence[float], value, said: Callable | None = None, place=bisect_left) -> list:
    """The names of the boxes, cut at `edges`, in which a value may lie: its own, then those that its span reaches or
    whose edge is shown like it. `place` says to which side an edge itself belongs.
    """
    one = span(value)
    own, low, high = (place(edges, x) for x in (one.value, one.low, one.high))
    near = {*range(low, high + 1)}
    for i, edge in enumerate(edges):
        if said and said(edge) == said(one.value):
            near |= {i, i + 1}
    return [names[own], *(names[i] for i in sorted(near - {own}))]


def first_below(values: Mapping, limit: float, said: Callable[[float], str] = fixed) -> list:
    """The names, in their order, that may be the first below `limit`, the measured first one leading; None stands for
    "none of them".
    """
    measured = next((name for name, value in values.items() if span(value).value < limit), None)
    found, settled = [], False
    for name, value in values.items():
        one = span(value)
        edge = said(one.value) == said(limit)
        if one.low < limit or edge:
            found.append(name)
        if one.high < limit and not edge:
            settled = True
            break
    found += [] if settled else [None]
    return [measured, *(name for name in found if name != measured)]


def offers(
    answer: float, others: Iterable[float], said: Callable[[float], str] = percent, apart: float = 0.0
) -> list[str]:
    """The answer and those of `others` that are shown otherwise than each other and lie at least `apart` from it, in
    order, as they are shown.
    """
    kept = {said(answer): answer}
    for other in others:
        if said(other) not in kept and abs(other - answer) >= apart:
            kept[said(other)] = other
    return sorted(kept, key=kept.get)
