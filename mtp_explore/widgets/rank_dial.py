"""The rank dial: turn the rank of a shadow and watch the joint come into focus.

    P [a, b]     the target's joint of two next tokens, a law
    shadows      {rank r: Q_r [a, b]}, the best (or trained) shadow of every rank, computed beforehand
    lengths      {rank r: expected accepted drafts, tokens}, if known
    points       rows "method", "rank", "kl", "tv", "token", as `plots.fidelity` takes them: what other families cost

One plotly figure: above the joint, its shadow and their difference, below KL, total variation and length against the
rank, each with the number of the chosen rank, and the other families as lines beside. Its slider is plotly's own and
lives in the page: it answers without a kernel, in a live notebook, a reopened one and an exported page. Only the shown
cells are embedded. Prices are those of the law that drafts, as in `measure.fidelity.price`: cells below 0 set to 0, the
rest divided by its sum.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral

import numpy as np

from .. import checks
from ..plots.fidelity import curve, dress, known
from ..plots.heat import SCALES, dressed, likeliest, pair, slider, three
from ..plots.joints import brightest, checked, chosen, step
from ..plots.style import INK, ORANGE, ROW, literal

UNITS = {"KL(p ‖ q)": "nats", "total variation": "probability", "accepted drafts": "tokens"}
KEYS = ("kl", "tv", "token")  # of a point's row, panel by panel


def rank_dial(
    p: np.ndarray,
    shadows: Mapping[int, np.ndarray],
    texts: tuple[Sequence[str], Sequence[str]],
    lengths: Mapping[int, float] | None = None,
    most: int = 12,
    scale: str = "sqrt",
    points: Iterable[Mapping] = (),
):
    """A figure with a slider over the ranks in `shadows`; the other arguments are those of `plots.joint`.

    p and the shadows are arrays, tensors, or what has one as its `law` (a `Joint`, a `Fit`). A shadow without cells
    below 0 is drawn divided by its sum, and says so; one with some is drawn as it is. KL(p || q) is in nats, infinite
    where the law that drafts misses a cell of p. `points` add lines to the panels below, accepted drafts only where
    `lengths` are given; the slider does not move them. ValueError where p is no law, a shape disagrees, a rank is no
    whole number from 1 on, `shadows` is empty, a shadow has no positive mass, `lengths` lacks a rank, or a point its
    method or every price.
    """
    from plotly.subplots import make_subplots

    if not isinstance(shadows, Mapping) or not shadows:
        raise ValueError("shadows is empty or no dict: give at least one rank with its shadow, {rank: shadow}")
    points = [row_of(point) for point in checks.items("points", points)]
    most, scale = checks.whole("most", most, 1), checks.choice("scale", scale, SCALES)
    if lengths is not None:
        checks.instance("lengths", lengths, Mapping, "give a dict {rank: accepted drafts}")
        lengths = {r: checks.real(f"lengths[{checks.shown(r)}]", x) for r, x in lengths.items()}
    counted("shadows", shadows)
    order = sorted(shadows)
    if lengths is not None and not set(order) <= set(lengths):
        raise ValueError(f"lengths lacks the ranks {sorted(set(order) - set(lengths))}: give one length per shadow")
    p, fits = checked(p, [shadows[r] for r in order], texts, 2, "shadows")
    p = p / p.sum()
    fits, laws, heads = zip(*(standing(q, r) for q, r in zip(fits, order, strict=True)), strict=True)
    rows, columns = (likeliest(p, fits, axis, most) for axis in (0, 1))
    pairs = [pair(p, q, rows, columns, ["target p", head]) for q, head in zip(fits, heads, strict=True)]
    values = [[divergence(p, q) for q in laws], [float(np.abs(p - q).sum() / 2) for q in laws]]
    values += [] if lengths is None else [[float(lengths[r]) for r in order]]
    curves = dict(zip(UNITS, values, strict=False))
    empty = [" "] * len(curves)
    specs = [[{}] * 3, [{}] * len(curves) + [None] * (3 - len(curves))]
    figure = make_subplots(
        2, 3, specs=specs, subplot_titles=[*pairs[0].heads, *empty], horizontal_spacing=0.07, vertical_spacing=0.26,
        row_heights=[0.66, 0.34],
    )  # fmt: skip
    three(figure, pairs[0], (chosen(texts[0], rows), chosen(texts[1], columns)), scale, brightest(pairs))
    dressed(figure, 500 + 24 * max(6, len(rows)) + ROW * bool(points), legend=bool(points))
    figure.update_xaxes(title_text="second token x₂", row=1).update_yaxes(title_text="first token x₁", row=1, col=1)
    for panel, (name, values) in enumerate(curves.items(), 1):
        price(figure, order, values, name, panel)
    beside(figure, points, order, list(curves.values()))
    steps = [turned(one, i, order[i], curves, scale) for i, one in enumerate(pairs)]
    figure.update_layout(steps[0]["args"][1], sliders=[slider(steps, "rank r = ", below=64)], margin_b=150)
    return figure


def price(figure, ranks: Sequence[int], values: Sequence[float], name: str, panel: int) -> None:
    """One measure against the rank, in the lower row, with the first point chosen."""
    place = dict(row=2, col=panel)
    figure.add_scatter(
        x=list(ranks), y=[v if math.isfinite(v) else None for v in values], mode="lines+markers", name="on the dial",
        showlegend=panel == 1,
        line=dict(color=INK, width=2), marker=dict(color=INK, size=7, opacity=1), selectedpoints=[0],
        selected=dict(marker=dict(color=ORANGE, size=16)), unselected=dict(marker=dict(opacity=1)),
        hovertemplate=f"rank %{{x}}: {name} %{{y:.4g}} {UNITS[name]}<extra></extra>", **place,
    )  # fmt: skip
    figure.update_xaxes(title_text="rank r", type="log", tickvals=list(ranks), showline=True, **place)
    figure.update_yaxes(title_text=UNITS[name], rangemode="tozero", showgrid=True, nticks=4, **place)


def beside(figure, points: Sequence[Mapping], ranks: Sequence[int], curves: Sequence[Sequence[float]]) -> None:
    """The other families in the lower row: one line each, its restarts as a band, what is infinite as ∞ on top."""
    named = set()
    for panel, (key, own) in enumerate(zip(KEYS, curves, strict=False), 1):
        every = [float(row[key]) for row in points if known(row.get(key))]
        top = max((v for v in [*every, *own] if math.isfinite(v)), default=1.0)
        for method in dict.fromkeys(row["method"] for row in points):
            rows = [row for row in points if row["method"] == method and known(row.get(key))]
            if rows:
                found, place = [(row["rank"], float(row[key])) for row in rows], dict(row=2, col=panel)
                curve(figure, found, literal(method), dress(method), place, top, method not in named)
                named.add(method)
        ticks = sorted({*ranks, *(row["rank"] for row in points)})
        figure.update_xaxes(tickvals=ticks, ticktext=[f"{r}" for r in ticks], row=2, col=panel)


def turned(one, i: int, rank: int, curves: Mapping[str, Sequence[float]], scale: str) -> dict:
    """The slider's step to the i-th rank: cells, titles, and the chosen point of every curve."""
    own = step(one, f"{rank}", scale)
    cells, heads, _ = own["args"]
    others = [None] * len(curves)
    cells = {key: [*panels, *others] for key, panels in cells.items()}
    cells["selectedpoints"] = [None] * 3 + [[i]] * len(curves)
    says = [f"{name} {'∞' if math.isinf(v[i]) else f'{v[i]:.3f}'}" for name, v in curves.items()]
    heads |= {f"annotations[{3 + k}].text": text for k, text in enumerate(says)}
    return own | dict(args=[cells, heads, list(range(3 + len(curves)))])


def counted(name: str, ranks: Iterable) -> None:
    """ValueError where a rank is no whole number from 1 on."""
    for rank in ranks:
        if isinstance(rank, bool) or not isinstance(rank, Integral) or rank < 1:
            raise ValueError(f"{name} has the rank {rank!r}: ranks are whole numbers, 1 or more")


def row_of(point) -> dict:
    """A point as a row. ValueError where its method, its rank or every price is missing."""
    if not isinstance(point, Mapping) or "method" not in point or not any(known(point.get(key)) for key in KEYS):
        raise ValueError(f"points: {point!r:.80} needs a method, a rank and at least one of {', '.join(KEYS)}")
    counted("points", [point.get("rank")])
    return dict(point)


def standing(q: np.ndarray, rank: int) -> tuple[np.ndarray, np.ndarray, str]:
    """(Q as it is drawn, the law that drafts, the title). ValueError where no mass is above 0."""
    kept = q.clip(min=0)
    total = float(kept.sum())
    if not total > 0:
        raise ValueError(f"shadows[{rank}] has no mass above 0, so it cannot draft: leave this rank out")
    below = bool(q.min() < -1e-9)
    said = "" if below or abs(total - 1) < 1e-4 else f", divided by its sum {total:.3g}"
    return q if below else kept / total, kept / total, f"rank {rank}{said}"


def divergence(p: np.ndarray, q: np.ndarray) -> float:
    """KL(p || q) of two laws, nats; infinite where q misses a cell of p."""
    seen = p > 0
    if (q[seen] <= 0).any():
        return math.inf
    return float((p[seen] * np.log(p[seen] / q[seen])).sum())
