"""The rank dial: turn the rank of a shadow and watch the joint come into focus.

    P [a, b]     the target's joint of two next tokens, a law
    shadows      {rank r: Q_r [a, b]}, the best (or trained) shadow of every rank, computed beforehand
    lengths      {rank r: expected accepted drafts, tokens}, if known

One plotly figure: above the joint, its shadow and their difference, below KL, total variation and length against the
rank, each with the number of the chosen rank. Its slider is plotly's own and lives in the page: it answers without a
kernel, in a live notebook, a reopened one and an exported page. Only the shown cells are embedded.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from ..plots.heat import dressed, likeliest, pair, slider, three
from ..plots.joints import brightest, checked, chosen, step
from ..plots.style import INK, ORANGE

UNITS = {"KL(p ‖ q)": "nats", "total variation": "probability", "accepted drafts": "tokens"}


def rank_dial(
    p: np.ndarray,
    shadows: Mapping[int, np.ndarray],
    texts: tuple[Sequence[str], Sequence[str]],
    lengths: Mapping[int, float] | None = None,
    most: int = 12,
    scale: str = "sqrt",
):
    """A figure with a slider over the ranks in `shadows`; the other arguments are those of `plots.joint`.

    KL(p || q) is in nats, infinite where a shadow misses a cell of p or goes below 0. ValueError where p is no law,
    a shape disagrees, `shadows` is empty or `lengths` lacks one of its ranks.
    """
    from plotly.subplots import make_subplots

    if not shadows:
        raise ValueError("shadows is empty: give at least one rank with its shadow")
    order = sorted(shadows)
    if lengths is not None and not set(order) <= set(lengths):
        raise ValueError(f"lengths lacks the ranks {sorted(set(order) - set(lengths))}: give one length per shadow")
    p, fits = checked(p, [shadows[r] for r in order], texts, 2)
    rows, columns = (likeliest(p, fits, axis, most) for axis in (0, 1))
    pairs = [pair(p, q, rows, columns, ["target p", f"rank {r}"]) for r, q in zip(order, fits, strict=True)]
    values = [[divergence(p, q) for q in fits], [float(np.abs(p - q).sum() / 2) for q in fits]]
    values += [] if lengths is None else [[float(lengths[r]) for r in order]]
    curves = dict(zip(UNITS, values, strict=False))
    empty = [" "] * len(curves)
    specs = [[{}] * 3, [{}] * len(curves) + [None] * (3 - len(curves))]
    figure = make_subplots(
        2, 3, specs=specs, subplot_titles=[*pairs[0].heads, *empty], horizontal_spacing=0.07, vertical_spacing=0.26,
        row_heights=[0.66, 0.34],
    )  # fmt: skip
    three(figure, pairs[0], (chosen(texts[0], rows), chosen(texts[1], columns)), scale, brightest(pairs))
    dressed(figure, 500 + 24 * max(6, len(rows)))
    figure.update_xaxes(title_text="second token x₂", row=1).update_yaxes(title_text="first token x₁", row=1, col=1)
    for panel, (name, values) in enumerate(curves.items(), 1):
        price(figure, order, values, name, panel)
    steps = [turned(one, i, order[i], curves, scale) for i, one in enumerate(pairs)]
    figure.update_layout(steps[0]["args"][1], sliders=[slider(steps, "rank r = ", below=64)], margin_b=150)
    return figure


def price(figure, ranks: Sequence[int], values: Sequence[float], name: str, panel: int) -> None:
    """One measure against the rank, in the lower row, with the first point chosen."""
    place = dict(row=2, col=panel)
    figure.add_scatter(
        x=list(ranks), y=[v if math.isfinite(v) else None for v in values], mode="lines+markers", name=name,
        line=dict(color=INK, width=2), marker=dict(color=INK, size=7, opacity=1), selectedpoints=[0],
        selected=dict(marker=dict(color=ORANGE, size=16)), unselected=dict(marker=dict(opacity=1)),
        hovertemplate=f"rank %{{x}}: {name} %{{y:.4g}} {UNITS[name]}<extra></extra>", **place,
    )  # fmt: skip
    figure.update_xaxes(title_text="rank r", type="log", tickvals=list(ranks), showline=True, **place)
    figure.update_yaxes(title_text=UNITS[name], rangemode="tozero", showgrid=True, nticks=4, **place)


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


def divergence(p: np.ndarray, q: np.ndarray) -> float:
    """KL(p || q), nats; infinite where q misses a cell of p, or is no law because a cell is below 0."""
    seen = p > 0
    if q.min() < -1e-9 or (q[seen] <= 0).any():
        return math.inf
    return float((p[seen] * np.log(p[seen] / q[seen])).sum())
