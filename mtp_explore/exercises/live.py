"""What the notebooks do live: a run for the linked controls, a meter that fills while one looks, texts side by side."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from itertools import islice

from ..trace.glyphs import visible
from ..trace.markup import Html, tag, view
from ..trace.records import Trace
from .lossless import agreements
from .waiting import Shown

KEPT = "background:#009e7322;border-bottom:2px solid #009e73"


def runner(backbone, max_new_tokens: int = 48) -> Callable[..., Trace]:
    """The function that `widgets.explore` calls: one generation with what its controls say.

    A horizon beyond what a drafter was trained for is cut to it. Of masks, only as many are used; other drafters with
    slots keep their own horizon.
    """
    from ..decode.generate import generate

    def run(prompt, drafter=None, rule=None, temperature=1.0, horizon=8, seed=0) -> Trace:
        if drafter is not None and drafter.slots_per_branch == 0:
            drafter = shorter(drafter, horizon)
        elif hasattr(drafter, "shortened"):
            drafter = drafter.shortened(min(horizon, drafter.horizon))
        rule = rule if drafter is not None else None
        return generate(backbone, drafter, prompt, max_new_tokens, temperature=temperature, rule=rule, seed=seed)

    return run


def shorter(drafter, horizon: int):
    """The same drafter, asked for at most `horizon` tokens per call; the weights are shared. Drafters without slots."""
    view = copy.copy(drafter)
    begin, left, view.horizon = drafter.begin, drafter.left, min(horizon, drafter.horizon)
    view.__dict__["begin"] = begin
    view.__dict__["left"] = lambda belief: left(belief).clamp(max=view.horizon)
    return view


def openings(corpus, count: int = 8, words: int = 12) -> list[str]:
    """The first `words` words of `count` test documents that are twice as long: prompts nobody trained on."""
    documents = (d.split() for d in corpus.documents("test"))
    return [" ".join(d[:words]) for d in islice((d for d in documents if len(d) >= 2 * words), count)]


def watch(readings: Iterable, title: str = "") -> None:
    """Draw the lossless meter while its readings arrive (`measure.meter.meter`), with the verdict in words."""
    from ..plots import meter

    shown, distance, noise = Shown(), {}, {}
    for r in readings:
        distance[r.samples], noise[r.samples] = r.total_variation, (r.expected, r.limit)
        verdict = "within what chance explains" if r.lossless else "beyond chance: not the target's law"
        figure = meter(distance, noise)
        words = f"{title + ': ' if title else ''}{r.samples:,} samples, distance {r.total_variation:.4f}, {verdict}"
        figure.update_layout(title_text=words)
        shown.figure(figure)


class Texts:
    """What `beside` returns: shows itself in a notebook."""

    def __init__(self, runs: Mapping[str, Trace]):
        self.runs = dict(runs)
        self.agree = agreements({name: trace.tokens for name, trace in runs.items()})

    def _repr_html_(self) -> Html:
        rows = []
        for name, trace in self.runs.items():
            n, pieces = self.agree[name], [visible(trace.piece(t)) for t in trace.tokens]
            same, rest = "".join(pieces[:n]), "".join(pieces[n:])
            calls = f"{len(trace.tokens)} tokens, {trace.calls} calls, the first {n} tokens agree"
            head = tag("b", str(name)), " ", tag("small", calls, style="opacity:.75"), tag("br")
            rows.append(tag("p", *head, tag("span", same, style=KEPT), rest, style="margin:0 0 10px"))
        return view("", *rows, style="max-width:62em;white-space:pre-wrap;line-height:1.6")

    def __repr__(self) -> str:
        return "\n".join(f"{name}: {trace.text}" for name, trace in self.runs.items())


def beside(runs: Mapping[str, Trace]) -> Texts:
    """Texts under one another; what agrees with the first one from the start is underlined. ValueError for none."""
    if not runs:
        raise ValueError("runs is empty: give at least one trace, by name")
    return Texts(runs)
