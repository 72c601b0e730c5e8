"""The metrics of a trace, of many traces, and the table in which all definitions stand side by side.

metrics(trace)    {name: value} by every definition of `definitions.py`; undefined ratios are None
pooled(traces)    the same over many traces, sums before ratios
interval(values)  mean and 95% half-width of one figure per prompt
table(trace)      name, value, formula and users of each; glossary() is the same without a trace
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import cache
from numbers import Real
from statistics import fmean, stdev
from typing import Any, NamedTuple

from ..checks import items, number, refusal
from .definitions import GLOSSARY, Metric, num_spec_tokens
from .markup import Html, tag, view
from .records import Trace

LONG = 12  # entries of a list that a table shows


def metrics(trace: Trace) -> dict[str, Any]:
    """All metrics of one trace: {name: int, float, list, dict or None}. TypeError where it is not a Trace."""
    _check(trace)
    return {name: m.function(trace) for name, m in GLOSSARY.items()}


def pooled(traces: Iterable[Trace]) -> dict[str, Any]:
    """All metrics over many traces: sums before ratios, so long texts weigh more. K is the greatest horizon.

    ValueError where there are none, TypeError where one is not a Trace.
    """
    return metrics(joined(traces))


def joined(traces: Iterable[Trace]) -> Trace:
    """One trace with the steps of all, for `metrics` and `table`: every metric is a sum over steps or made of such."""
    traces = [traces] if isinstance(traces, Trace) else items("traces", traces)
    if not traces:
        raise ValueError("traces is empty: pass at least one Trace")
    for trace in traces:
        _check(trace)
    horizon = max(num_spec_tokens(t) for t in traces)
    return Trace(prompt=[], steps=[s for t in traces for s in t.steps], settings={"horizon": horizon})


def _check(trace: Trace) -> None:
    if not isinstance(trace, Trace):
        many = isinstance(trace, (list, tuple))
        remedy = "for many traces use pooled() or joined()" if many else "pass what generate() returns"
        raise TypeError(refusal("trace", trace, f"it is not a Trace: {remedy}"))


class Interval(NamedTuple):
    """A mean with its uncertainty; `half` is None for fewer than two values, `mean` for none. As text it has two digits
    of `half`, and as many places of `mean`.
    """

    mean: float | None
    half: float | None  # of the 95% confidence interval
    n: int  # values that count

    def __str__(self) -> str:
        if self.mean is None:
            return "–"
        if self.half is None:
            return f"{self.mean:.3g}"
        digits = max(0, 1 - math.floor(math.log10(self.half))) if self.half else 2
        return f"{self.mean:.{digits}f} ± {self.half:.{digits}f}"


def interval(values: Iterable[float | None]) -> Interval:
    """Mean and half-width of its 95% confidence interval by Student's t, for values of independent prompts.

    None (an undefined ratio) is left out and not counted in `n`. ValueError where a value is not finite.
    """
    remedy = "a number, or None where a ratio is undefined"
    known = [float(number("values", v, Real, lambda x: True, remedy)) for v in items("values", values) if v is not None]
    bad = next((v for v in known if not math.isfinite(v)), None)
    if bad is not None:
        raise ValueError(f"values holds {bad}: leave undefined ratios as None, and pass finite numbers otherwise")
    if len(known) < 2:
        return Interval(known[0] if known else None, None, len(known))
    half = student(len(known) - 1) * stdev(known) / math.sqrt(len(known))
    return Interval(fmean(known), half, len(known))


@cache
def student(freedom: int) -> float:
    """The t that |T| exceeds with probability 0.05, for `freedom` >= 1 degrees of freedom (2.23 for 10)."""
    low, high = 0.0, math.pi / 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < 0.95 else (low, middle)
    return math.sqrt(freedom) * math.tan(low)


def _within(angle: float, freedom: int) -> float:
    """P(|T| < sqrt(freedom) tan(angle)), in closed form (Abramowitz and Stegun, 26.7.3 and 26.7.4)."""
    odd = freedom % 2
    term, total = math.cos(angle) ** odd, 0.0
    for j in range(odd, freedom - 1, 2):
        total += term
        term *= math.cos(angle) ** 2 * (j + 1) / (j + 2)
    total *= math.sin(angle)
    return 2 / math.pi * (angle + total) if odd else total


class Table:
    """Rows under named columns: iterates over tuples, prints as text, shows itself in a notebook.

    `hints` are the sentences that appear when the pointer rests on a row.
    """

    def __init__(self, columns: tuple[str, ...], rows: list[tuple], hints: list[str]):
        self.columns, self.rows, self.hints = columns, rows, hints

    def __iter__(self) -> Iterator[tuple]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        cells = [self.columns, *(tuple(map(_shown, row)) for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = ("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in cells)
        return "\n".join(lines)

    def _repr_html_(self) -> Html:
        left = "text-align:left"
        head = tag("tr", *(tag("th", c, style=left) for c in self.columns))
        body = (
            tag("tr", *(tag("td", _shown(cell), style=left) for cell in row), title=hint)
            for row, hint in zip(self.rows, self.hints, strict=True)
        )
        return view("", tag("thead", head), tag("tbody", *body), element="table")

    def to_dataframe(self):
        """A pandas DataFrame with the values as they are."""
        from .frames import Frame

        return Frame(self.rows, columns=list(self.columns))


def table(trace: Trace) -> Table:
    """All definitions on this very run: rows (name, value, formula, who). For many traces pass `joined(traces)`."""
    values = metrics(trace)
    return _table(("name", "value", "formula", "who"), lambda m: (m.name, values[m.name], m.formula, m.who))


def glossary() -> Table:
    """The definitions alone: rows (name, formula, meaning, who)."""
    return _table(("name", "formula", "meaning", "who"), lambda m: (m.name, m.formula, m.meaning, m.who))


def _table(columns: tuple[str, ...], row) -> Table:
    entries: list[Metric] = list(GLOSSARY.values())
    return Table(columns, [row(m) for m in entries], [f"{m.name} = {m.formula}. {m.meaning}" for m in entries])


def _shown(value: Any) -> str:
    """A value for reading: three decimals, an en dash where it is undefined, long lists cut."""
    if isinstance(value, str):
        return value
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, dict):
        value = [f"{key}: {_shown(v)}" for key, v in value.items()]
    if isinstance(value, list):
        return "[" + ", ".join([_shown(v) for v in value[:LONG]] + ["…"] * (len(value) > LONG)) + "]"
    return str(value)
