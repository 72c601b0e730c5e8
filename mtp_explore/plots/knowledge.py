"""What one state knows about the tokens ahead: how often it names them, and where it ranks them.

    ranks   {method: [n, K]}: where the method's law ranked the true token k = 1..K places ahead, 0 = first choice, at n
            places of a text; below 0: there was no such token (the end of the text)
Intervals take the n places as independent. Places of one text are not quite, so they are a little too narrow.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..checks import instance, refusal, whole
from . import given
from .style import BLACK, CLEAR, GREEN, SIZE, bare, literal, look, mixed, washed
from .verdicts import wilson

APART = 0.09  # between two methods at one distance
FIRST = (1, 2, 3, 6, 11, 101)  # the first rank of each box
BOXED = dict(traceorder="normal", title=dict(text="rank ", font_size=SIZE))
GREY = "#B4B4B4"  # of ranks that no drafter reaches
BOXES = ("1st", "2nd", "3 to 5", "6 to 10", "11 to 100", "beyond")


def accuracy(ranks: Mapping[str, np.ndarray], within: int = 1):
    """The share of places whose true token k ahead is among the method's `within` first choices, by distance k.

    One line per method, 95% intervals (Wilson) as bands and in the hover text, with the counts they come from.
    ValueError for `within` < 1 or no ranks at all.
    """
    import plotly.graph_objects as go

    within = whole("within", within, 1)
    figure = go.Figure()
    for name, table in tables(ranks).items():
        places = [column[column >= 0] for column in table.T]
        rows = [(k, int((r < within).sum()), len(r)) for k, r in enumerate(places, 1) if len(r)]
        k, hits, n = map(list, zip(*rows, strict=True))
        low, high = zip(*(wilson(h, m) for h, m in zip(hits, n, strict=True)), strict=True)
        colour, sign, dash = look(name)
        figure.add_scatter(
            x=[*k, *k[::-1]], y=[*high, *low[::-1]], fill="toself", fillcolor=washed(colour, 0.18), mode="none",
            hoverinfo="skip", showlegend=False, legendgroup=literal(name),
        )  # fmt: skip
        figure.add_scatter(
            x=k, y=[h / m for h, m in zip(hits, n, strict=True)], name=literal(name), legendgroup=literal(name),
            customdata=list(zip(hits, n, low, high, strict=True)), mode="lines+markers",
            line=dict(color=colour, width=3, dash=dash), marker=dict(size=10, symbol=sign, color=colour),
            hovertemplate=literal(name) + ", %{x} ahead: %{y:.3f} (%{customdata[0]} of %{customdata[1]}, 95% interval "
            "%{customdata[2]:.3f} to %{customdata[3]:.3f})<extra></extra>",
        )  # fmt: skip
    what = "the first choice is the true token" if within == 1 else f"the true token is among the first {within}"
    figure.update_xaxes(title_text="distance k of the token ahead, in tokens", dtick=1)
    figure.update_yaxes(title_text="share of places", range=[0, 1.02])
    return bare(figure, 440, title=f"How often {what}")


def ranks(ranks: Mapping[str, np.ndarray], quantiles: tuple[float, float] = (0.25, 0.75)):
    """Where the true token stands by distance: per method the median of its rank (1 = first choice), with the two
    quantiles as a bar, on a logarithmic axis. ValueError where there are no ranks.
    """
    import plotly.graph_objects as go

    cuts = given.numbers("quantiles", quantiles, 1).tolist()
    low, high = cuts if len(cuts) == 2 else (1.0, 0.0)
    if not 0 <= low <= high <= 1:
        raise ValueError(refusal("quantiles", quantiles, "give two shares from 0 to 1, the lower first"))
    figure, found = go.Figure(), tables(ranks)
    for i, (name, table) in enumerate(found.items()):
        places = [(k, column[column >= 0] + 1) for k, column in enumerate(table.T, 1) if (column >= 0).any()]
        at = [[float(np.quantile(r, cut, method="inverted_cdf")) for _, r in places] for cut in (low, 0.5, high)]
        bottom, middle, top = at
        (colour, sign, dash), name = look(name), literal(name)
        aside = (i - (len(found) - 1) / 2) * APART
        bars = dict(array=np.subtract(top, middle), arrayminus=np.subtract(middle, bottom))
        figure.add_scatter(
            x=[k + aside for k, _ in places], y=middle, name=name, mode="lines+markers",
            customdata=[(k, *cut) for (k, _), cut in zip(places, zip(bottom, top, strict=True), strict=True)],
            error_y=dict(**bars, color=washed(colour, 0.45), thickness=7, width=0),
            line=dict(color=colour, width=2, dash=dash), marker=dict(size=11, symbol=sign, color=colour),
            hovertemplate=f"{name}, %{{customdata[0]}} ahead: median rank %{{y:.0f}}, {low:.0%} to {high:.0%} of "
            "places: %{customdata[1]:.0f} to %{customdata[2]:.0f}<extra></extra>",
        )  # fmt: skip
    marks = [m * 10**e for e in range(7) for m in (1, 2, 5)]
    figure.update_xaxes(title_text="distance k of the token ahead, in tokens", dtick=1)
    figure.update_yaxes(title_text="rank (1 = first choice), logarithmic", type="log", tickvals=marks)
    return bare(figure, 440, title=f"Rank of the true token: median, and {low:.0%} to {high:.0%} of places")


def standings(table: np.ndarray, name: str = ""):
    """One method's ranks as stacked bars: by distance, how many places had the true token first, second, ...

    table [n, K] as in `ranks`. ValueError where it holds no rank.
    """
    import plotly.graph_objects as go

    instance("name", name, str, "it must be a text: whose ranks these are")
    table = tables({name: given.numbers("table", table)})[name]
    columns = [(k, column[column >= 0] + 1) for k, column in enumerate(table.T, 1) if (column >= 0).any()]
    counts = np.stack([np.bincount(np.searchsorted(FIRST, r, "right") - 1, minlength=len(FIRST)) for _, r in columns])
    whole = counts.sum(1)
    figure = go.Figure()
    for i, box in enumerate(BOXES):
        figure.add_bar(
            x=[k for k, _ in columns], y=(counts[:, i] / whole).tolist(), name=box, width=0.82,
            marker=dict(color=mixed(GREEN, GREY, i / (len(BOXES) - 1)), line=dict(color=CLEAR, width=1)),
            customdata=np.stack([counts[:, i], whole], -1).tolist(),
            text=[f"{v:.0%}" if v > 0.06 else "" for v in counts[:, i] / whole], textposition="inside", textangle=0,
            insidetextanchor="middle", insidetextfont=dict(color=BLACK),
            hovertemplate=f"{box}, %{{x}} ahead: %{{y:.3f}} (%{{customdata[0]}} of %{{customdata[1]}})<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title_text="distance k of the token ahead, in tokens", dtick=1)
    figure.update_yaxes(title_text="share of places", range=[0, 1])
    title = f"Where the true token stands{': ' + literal(name) if name else ''}"
    return bare(figure, 440, title=title).update_layout(barmode="stack", legend=BOXED)


def tables(ranks: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The ranks as arrays [n, K]. ValueError where a method has none."""
    ranks = given.table("ranks", ranks, "{method: ranks [places, distances]}", 0)
    found = {name: given.numbers(f"ranks[{name!r:.40}]", table).astype(int) for name, table in ranks.items()}
    for name, table in found.items():
        if table.ndim != 2 or not (table >= 0).any():
            raise ValueError(f"ranks[{name!r}] has the shape {table.shape}: give ranks [places, distances], some >= 0")
    if not found:
        raise ValueError("ranks is empty: give the ranks of at least one method")
    return found
