"""What a rank buys: how far a shadow of rank r is from the joint, and how long its drafts live.

rows      one mapping per measurement: "rank", "method", and any of
          "kl"      KL(p || q) of the window, nats; infinite where q misses a cell of p
          "tv"      total variation, a probability (for a shadow with cells below 0: half the L1 distance)
          "token"   expected accepted drafts per call under the token rule (`rejection`), tokens
          "block"   the same under `block`, tokens
spread    several rows of a method at one rank (restarts, contexts) make a band from least to most around their mean
price     total correlation of the joint, nats: KL(p || product of its marginals), what rank 1 costs at best
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from .style import GREEN, INK, LINE, bare, literal, look, washed

PANELS = {
    "kl": ("KL divergence", "KL(p ‖ q), nats"),
    "tv": ("total variation", "TV(p, q), probability"),
    "token": ("token rule", "accepted drafts, tokens"),
    "block": ("block rule", "accepted drafts, tokens"),
}
TRAINED = "trained head"  # the draft's own colour is for the method of this name
MANY = 40  # contexts that are still drawn one by one


def fidelity(rows: Iterable[Mapping], total_correlation: float | None = None):
    """Rank against every measure the rows hold, one line per method, with its spread.

    The method "trained head" is drawn as diamonds in the draft's colour; infinite values stand as ∞ on the upper edge.
    ValueError where there is no row, a row lacks its rank or method, or none has a measure.
    """
    from plotly.subplots import make_subplots

    rows = [dict(row) for row in rows]
    for row in rows:
        if "rank" not in row or "method" not in row:
            raise ValueError(f"rows: {row!r:.80} needs a rank and a method")
    shown = [key for key in PANELS if any(known(row.get(key)) for row in rows)]
    if not shown:
        raise ValueError(f"rows has no measure: give each row at least one of {', '.join(PANELS)}")
    wide = 2 if len(shown) == 4 else len(shown)
    deep = -(-len(shown) // wide)
    figure = make_subplots(
        deep, wide, subplot_titles=[PANELS[key][0] for key in shown], horizontal_spacing=0.1, vertical_spacing=0.18
    )
    methods = list(dict.fromkeys(row["method"] for row in rows))
    for panel, key in enumerate(shown):
        place = dict(row=1 + panel // wide, col=1 + panel % wide)
        for method in methods:
            found = [(float(r["rank"]), float(r[key])) for r in rows if r["method"] == method and known(r.get(key))]
            if found:
                curve(figure, found, literal(method), dress(method), place, max_of(rows, key), panel == 0)
        figure.update_yaxes(title_text=PANELS[key][1], rangemode="tozero", **place)
    ranks = sorted({row["rank"] for row in rows})
    figure.update_xaxes(title_text="rank r", type="log", tickvals=ranks, ticktext=[f"{r:g}" for r in ranks])
    if shown[0] == "kl" and total_correlation is not None:
        figure.add_hline(y=total_correlation, line=dict(color=INK, dash="dash", width=1.5), row=1, col=1)
        words = f"total correlation {total_correlation:.2f}:<br>the price of rank 1"
        where = dict(x=1, y=total_correlation, xref="x domain", yref="y", xanchor="right", yanchor="bottom")
        figure.add_annotation(text=words, align="right", showarrow=False, **where)
    return bare(figure, 140 + 280 * deep)


def curve(figure, found: Sequence[tuple[float, float]], name: str, look: dict, place: dict, top: float, named: bool):
    """One method in one panel: mean over the rows of a rank as a line, least to most as a band, infinities on top."""
    ranks = sorted({rank for rank, _ in found})
    groups = [[v for rank, v in found if rank == r and math.isfinite(v)] for r in ranks]
    full = [(r, g) for r, g in zip(ranks, groups, strict=True) if g]
    x = [r for r, _ in full]
    low, mean, high = ([f(g) for _, g in full] for f in (min, np.mean, max))
    if any(a < b for a, b in zip(low, high, strict=True)):
        figure.add_scatter(
            x=[*x, *x[::-1]], y=[*high, *low[::-1]], fill="toself", fillcolor=washed(look["marker"]["color"]),
            mode="none", hoverinfo="skip", showlegend=False, legendgroup=name, **place,
        )  # fmt: skip
    said = [f"{len(g)} rows, {min(g):.4g} to {max(g):.4g}" if len(g) > 1 else "" for _, g in full]
    figure.add_scatter(
        x=x, y=mean, name=name, legendgroup=name, showlegend=named, customdata=said, **look, **place,
        hovertemplate=f"{name}<br>rank %{{x}}: %{{y:.4g}}<br>%{{customdata}}<extra></extra>",
    )  # fmt: skip
    beyond = [r for r, g in zip(ranks, groups, strict=True) if not g]
    if beyond:
        figure.add_scatter(
            x=beyond, y=[top * 1.08] * len(beyond), mode="text", text=["∞"] * len(beyond), showlegend=False,
            legendgroup=name, textfont=dict(color=look["marker"]["color"], size=20),
            hovertemplate=f"{name}<br>rank %{{x}}: infinite<extra></extra>", **place,
        )  # fmt: skip


def spectra(values: Mapping[str, np.ndarray]):
    """Singular values of unfoldings, one panel per cut of the window, and the effective rank of every context.

    values: {name of the cut, e.g. "x1 | x2 x3": [contexts, n]}, singular values >= 0, largest first (zeros pad). They
    are drawn as shares of the largest: thin lines are contexts, the thick one their mean, the band holds nine tenths.
    Effective rank: exp of the entropy of the squared values scaled to sum 1. ValueError for a negative or empty row.
    """
    from plotly.subplots import make_subplots

    laws = {name: shares(name, rows) for name, rows in values.items()}
    if not laws:
        raise ValueError("values is empty: give the singular values of at least one cut")
    titles = [f"cut {literal(name)}" for name in laws] + ["effective rank"]
    figure = make_subplots(1, len(titles), subplot_titles=titles, horizontal_spacing=0.24 / len(titles))
    last = max(int((rows > 10.0**LEAST).sum(1).max()) for rows in laws.values())  # what lies beyond is not drawn
    for panel, (name, every) in enumerate(laws.items(), 1):
        rows = every[:, :last]
        place, x = dict(row=1, col=panel), list(range(1, rows.shape[1] + 1))
        for row in rows[:MANY]:
            figure.add_scatter(x=x, y=above(row), line=dict(color=LINE, width=1), hoverinfo="skip", **place)
        low, high = np.quantile(rows, [0.05, 0.95], axis=0)
        figure.add_scatter(
            x=[*x, *x[::-1]], y=[*above(high, True), *above(low, True)[::-1]], fill="toself", fillcolor=washed(GREEN),
            mode="none", hoverinfo="skip", **place,
        )  # fmt: skip
        figure.add_scatter(
            x=x, y=above(rows.mean(0)), mode="lines+markers", line=dict(color=GREEN, width=3), marker=dict(size=7),
            hovertemplate="singular value %{x}: %{y:.3g} of the largest, mean<extra></extra>", **place,
        )  # fmt: skip
        ranks = effective_rank(every)
        figure.add_box(
            y=ranks, name=literal(name), boxpoints="all", jitter=0.5, pointpos=0, line=dict(color=GREEN, width=1.5),
            fillcolor=washed(GREEN), marker=dict(color=INK, size=5, opacity=0.6), boxmean=True, row=1, col=len(titles),
        )  # fmt: skip
        figure.update_xaxes(title_text="index of the singular value", range=[0, last + 1], **place)
        drawn = np.concatenate([low, rows.mean(0)])
        end = np.log10(max(drawn[drawn > 0].min(), 10.0**LEAST)) - 0.3
        figure.update_yaxes(type="log", range=[end, 0.08], dtick=1, exponentformat="power", **place)
    figure.update_yaxes(title_text="share of the largest", row=1, col=1)
    figure.update_yaxes(title_text="components", rangemode="tozero", row=1, col=len(titles))
    figure.update_xaxes(title_text="cut", row=1, col=len(titles))
    return bare(figure, 420, legend=False)


LEAST = -6  # power of ten at which spectra end


def effective_rank(values: np.ndarray) -> np.ndarray:
    """exp of the entropy (nats) of the squares scaled to sum 1: [contexts, n] -> [contexts], between 1 and n."""
    # `measure.fidelity.effective_rank` for arrays: figures import no torch, so a test holds the two together
    weights = np.asarray(values, float) ** 2
    weights = weights / weights.sum(-1, keepdims=True)
    return np.exp(-(weights * np.log(np.where(weights > 0, weights, 1))).sum(-1))


def shares(name: str, rows) -> np.ndarray:
    """Rows as shares of their first entry. ValueError where they are no singular values, largest first."""
    rows = np.atleast_2d(np.asarray(rows, float))
    if not rows.size or rows.min() < 0 or rows[:, 0].min() <= 0 or (np.diff(rows, axis=1) > 1e-9).any():
        raise ValueError(f"values[{name!r}]: singular values are >= 0, largest first, and the largest is > 0")
    return rows / rows[:, :1]


def above(values: np.ndarray, floor: bool = False) -> list:
    """Values for a logarithmic axis: what lies below its end is left out, or raised to it with `floor`."""
    return [float(v) if v > 10.0**LEAST else 10.0**LEAST if floor else None for v in values]


def known(value) -> bool:
    return value is not None and not math.isnan(value)


def max_of(rows: Sequence[Mapping], key: str) -> float:
    """The largest finite value of a measure (1 where there is none)."""
    return max((float(r[key]) for r in rows if known(r.get(key)) and math.isfinite(r[key])), default=1.0)


def dress(method: str) -> dict:
    """How a method's line is drawn, in every figure alike; the trained head has the draft's colour."""
    colour, sign, dash = look(method)
    if method == TRAINED:
        marker = dict(color=colour, symbol=sign, size=13, line=dict(color=INK, width=1.5))
        return dict(mode="lines+markers", marker=marker, line=dict(color=colour, width=3))
    marker = dict(color=colour, symbol=sign, size=9)
    return dict(mode="lines+markers", marker=marker, line=dict(color=colour, width=2.5, dash=dash))
