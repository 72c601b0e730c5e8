"""One number per context: how it is spread, and its mean with an interval.

values    {name: [one number per context, ...]}, all in one unit; None (undefined) is left out
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..checks import instance, whole
from ..trace.metrics import interval
from . import given
from .style import BLACK, INK, bare, literal, look, washed

BINS = 24
MOST = 1000  # bins
PANEL = 170  # pixels of one name


def spread(values: Mapping[str, Sequence[float | None]], unit: str, bins: int = BINS):
    """A histogram per name, one below the other on one axis, with the mean (a diamond) and its 95% interval.

    `unit` names the axis. Student's t over the contexts, which are taken as independent. ValueError for a name without
    numbers.
    """
    from plotly.subplots import make_subplots

    instance("unit", unit, str, "it must be a text")
    bins, values = whole("bins", bins, 1, MOST), given.table("values", values, "{name: [a number per context]}", 0)
    known = {name: _known(f"values[{name!r:.40}]", column) for name, column in values.items()}
    empty = [name for name, column in known.items() if not column]
    if empty or not known:
        raise ValueError(f"values has no number for {empty or 'any name'}: give each name at least one")
    means = [interval(column) for column in known.values()]
    heads = [f"{literal(name)}: mean {mean}" for name, mean in zip(known, means, strict=True)]
    gap = 46 / (PANEL * len(known))
    figure = make_subplots(len(known), 1, shared_xaxes=True, subplot_titles=heads, vertical_spacing=gap)
    every = np.concatenate([np.asarray(column) for column in known.values()])
    edges = np.linspace(min(0.0, every.min()), every.max() + 1e-9, bins + 1)
    for i, (name, mean) in enumerate(zip(known, means, strict=True)):
        counts, _ = np.histogram(known[name], edges)
        colour, place = look(name).colour, dict(row=i + 1, col=1)
        figure.add_bar(
            x=(edges[:-1] + edges[1:]) / 2, y=counts, width=np.diff(edges) * 0.92, marker_color=washed(colour, 0.75),
            customdata=np.stack([edges[:-1], edges[1:]], -1),
            hovertemplate="%{customdata[0]:.3g} to %{customdata[1]:.3g}: %{y} contexts<extra></extra>", **place,
        )  # fmt: skip
        figure.add_scatter(
            x=[mean.mean], y=[1.16 * counts.max()], mode="markers", cliponaxis=False,
            marker=dict(symbol="diamond", size=13, color=colour, line=dict(width=1, color=BLACK)),
            error_x=dict(array=[mean.half or 0], color=INK, thickness=2.5, width=7),
            hovertemplate=f"{literal(name)}: mean {mean}, {mean.n} contexts<extra></extra>", **place,
        )  # fmt: skip
        figure.update_yaxes(title_text="contexts", range=[0, 1.35 * counts.max()], nticks=4, **place)
    figure.update_xaxes(title_text=literal(unit), row=len(known), col=1)
    bare(figure, 90 + PANEL * len(known), legend=False)
    for note in figure.layout.annotations:
        note.update(x=0, xanchor="left")
    return figure


def _known(name: str, column) -> list[float]:
    """The numbers of a column, without what is undefined."""
    known = [v for v in given.texts(name, column) if v is not None]
    return given.numbers(name, known, 1).tolist() if known else []
