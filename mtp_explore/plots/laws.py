"""Figures about laws: where the draft's mass goes, and what decoding really emits beside the target's law.

areas(p, q, labels)        the proof of losslessness: the refused area equals the residual's
emitted(law)               an enumerated law beside the target's, and their difference
tallies(values)            one number per rule or method, as bars
evidence(...)              what a case of the bug hunt shows: distance by place, one place in full, drafts accepted
Laws are plain numbers, or anything with `tolist()`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from ..checks import instance, refusal, whole
from . import given
from .style import BLUE, GREEN, INK, ORANGE, PINK, VERMILION, bare, hatched, literal

COLOUR = "it must be a colour '#rrggbb', as plots.style has them"
LEAST = 0.02  # half height of the panel of differences, where all are smaller
EXACT = 1e-9  # below this a distance is rounding


def areas(p: Sequence[float], q: Sequence[float], labels: Sequence[str]):
    """What the draft proposes and what is emitted, as stacked bars over the tokens.

    Left q = min(p, q) + (q - p)_+ (kept, refused), right p = min(p, q) + (p - q)_+ (kept, drawn after a refusal): both
    second parts have the same total, 1 - sum min(p, q). p and q are laws over the same tokens; ValueError where they
    are none.
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    p, q = (given.law(name, law).tolist() for name, law in (("p", p), ("q", q)))
    labels = given.texts("labels", labels)
    if not len(p) == len(q) == len(labels):
        raise ValueError(f"p, q and labels have {len(p)}, {len(q)} and {len(labels)} entries: they must agree")
    labels = [literal(x) for x in labels]
    kept = [min(a, b) for a, b in zip(p, q, strict=True)]
    share = math.fsum(kept)
    titles = (
        f"drafted (q): kept {share:.2f} + refused {1 - share:.2f}",
        f"emitted (p): kept {share:.2f} + redrawn {1 - share:.2f}",
    )
    figure = make_subplots(1, 2, subplot_titles=titles, shared_yaxes=True, horizontal_spacing=0.05)
    parts = [
        (1, "kept: min(p, q)", kept, dict(color=GREEN), True),
        (1, "refused: (q − p)₊", [max(b - a, 0) for a, b in zip(p, q, strict=True)], hatched(ORANGE), True),
        (2, "kept", kept, dict(color=GREEN), False),
        (2, "redrawn: (p − q)₊", [max(a - b, 0) for a, b in zip(p, q, strict=True)], hatched(PINK, "x"), True),
    ]
    for panel, name, mass, marker, named in parts:
        bar = go.Bar(x=labels, y=mass, name=name, marker=marker, showlegend=named)
        figure.add_trace(bar.update(hovertemplate="%{x}: %{y:.3f}"), row=1, col=panel)
    figure.update_layout(barmode="stack")
    figure.update_xaxes(title_text="next token", type="category")
    figure.update_yaxes(title_text="probability", col=1)
    return bare(figure, 410).update_layout(legend_traceorder="normal")


def emitted(law, labels: Sequence[str] | None = None, most: int = 32):
    """An `ExactLaw`: the target's probabilities as bars, what decoding emits as diamonds, the differences beneath.

    Sequences stand in order of the target's probability, the likeliest `most` of them. `labels` names each sequence;
    without it token 0 is A, 1 is B, ... ValueError or TypeError where `law` is no such thing.
    """
    from plotly.subplots import make_subplots

    if not all(hasattr(law, part) for part in ("tokens", "law", "target")) or not hasattr(law.tokens, "tolist"):
        raise TypeError(refusal("law", law, "pass what exact_law() returns"))
    tokens, most = law.tokens.tolist(), whole("most", most, 1)
    found, target = (given.numbers("law", x, 1).tolist() for x in (law.law, law.target))
    if labels is not None:
        names = [literal(x) for x in given.texts("labels", labels, len(tokens))]
    else:
        names = ["".join(map(_letter, s)) for s in tokens]
    order = sorted(range(len(tokens)), key=lambda i: -max(target[i], found[i]))[:most]
    x, p, e = ([row[i] for i in order] for row in (names, target, found))
    figure = make_subplots(2, 1, shared_xaxes=True, row_heights=[0.68, 0.32], vertical_spacing=0.07)
    figure.add_bar(
        x=x, y=p, name="target's law", marker_color=BLUE, hovertemplate="%{x}: target %{y:.4f}<extra></extra>"
    )
    figure.add_scatter(
        x=x, y=e, name="what decoding emits", mode="markers", hovertemplate="%{x}: emitted %{y:.4f}<extra></extra>",
        marker=dict(symbol="diamond", size=9, color=ORANGE, line=dict(width=1, color="black")),
    )  # fmt: skip
    off = [b - a for a, b in zip(p, e, strict=True)]
    figure.add_bar(
        x=x, y=off, marker=hatched(VERMILION), showlegend=False, row=2, col=1,
        hovertemplate="%{x}: %{y:+.2e}<extra></extra>",
    )  # fmt: skip
    reach = 1.15 * max(LEAST, *map(abs, off))
    figure.update_yaxes(title_text="probability", row=1, col=1)
    figure.update_yaxes(title_text="emitted − target", range=[-reach, reach], nticks=4, row=2, col=1)
    worst = f"largest difference {max(map(abs, off)):.1e}"
    figure.add_annotation(text=worst, x=1, y=1, xref="x2 domain", yref="y2 domain", xanchor="right", showarrow=False)
    figure.update_xaxes(title_text="next tokens", type="category", tickangle=-60 if len(x) > 9 else 0, row=2, col=1)
    return bare(figure, 470)


def tallies(values: Mapping[str, float], title: str, colour: str = GREEN):
    """One bar per name with its number on it; `title` names the axis, with its unit."""
    import plotly.graph_objects as go

    values = given.table("values", values, "{name: number}")
    names, numbers = [literal(name) for name in values], given.numbers("values", list(values.values()), 1).tolist()
    if not re.fullmatch("#[0-9a-fA-F]{6}", instance("colour", colour, str, COLOUR)):
        raise ValueError(refusal("colour", colour, COLOUR))
    instance("title", title, str, "it must be a text: the name of the axis, with its unit")
    figure = go.Figure()
    figure.add_bar(
        y=names, x=numbers, orientation="h", marker_color=colour, text=[f"{v:.3f}" for v in numbers], width=0.6,
        textposition="outside", cliponaxis=False, hovertemplate="%{y}: %{x:.4f}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title_text=title, rangemode="tozero")
    bare(figure, 110 + 44 * len(names), legend=False)
    return figure.update_yaxes(autorange="reversed", type="category", showgrid=False)


def evidence(
    distances: Sequence[float],
    p: Sequence[float],
    q: Sequence[float],
    out: Sequence[float],
    accepted: tuple[float, float],
):
    """What one experiment of the bug hunt shows, in three panels.

    distances: total variation of the first 1..n tokens; p, q, out: the target's law of the second token (given the
    likeliest first one), the draft's, and what comes out; accepted: drafts accepted as they should be, and here.
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    distances, accepted = (
        given.numbers(name, x, 1).tolist() for name, x in (("distances", distances), ("accepted", accepted))
    )
    p, q, out = (given.numbers(name, x, 1).tolist() for name, x in (("p", p), ("q", q), ("out", out)))
    if not len(p) == len(q) == len(out) or len(accepted) != 2:
        raise ValueError(
            f"p, q and out have {len(p)}, {len(q)} and {len(out)} entries, accepted {len(accepted)}: the first three "
            "must agree, and accepted has two"
        )
    titles = ("distance from the target's law", "the second token, given the first", "drafts accepted")
    figure = make_subplots(1, 3, subplot_titles=titles, horizontal_spacing=0.1, column_widths=[0.32, 0.43, 0.25])
    places = [f"{k + 1}" for k in range(len(distances))]
    says = ["exact" if d < EXACT else f"{d:.3f}" for d in distances]
    bar = go.Bar(x=places, y=distances, text=says, marker=hatched(VERMILION), showlegend=False)
    figure.add_trace(bar.update(textposition="outside", cliponaxis=False), row=1, col=1)
    words = [_letter(i) for i in range(len(p))]
    laws = [
        ("target p", p, dict(color=BLUE)),
        ("draft q", q, hatched(ORANGE)),
        ("what comes out", out, hatched(GREEN, ".")),
    ]
    for name, law, marker in laws:
        figure.add_trace(go.Bar(x=words, y=law, name=name, marker=marker), row=1, col=2)
    says = [f"{v:.3f}" for v in accepted]
    both = go.Bar(x=["healthy", "this case"], y=accepted, text=says, marker_color=[INK, GREEN])
    figure.add_trace(both.update(textposition="outside", cliponaxis=False, showlegend=False), row=1, col=3)
    for panel, x, y in [
        (1, "first k tokens", "total variation"),
        (2, "token", "probability"),
        (3, "", "drafts in these calls"),
    ]:
        figure.update_xaxes(title_text=x, type="category", row=1, col=panel)
        figure.update_yaxes(title_text=y, rangemode="tozero", row=1, col=panel)
    figure.update_yaxes(range=[0, 1.25 * max(0.08, *distances)], row=1, col=1)
    figure.update_yaxes(range=[0, 1.25 * max(accepted)], row=1, col=3)
    return bare(figure, 390).update_layout(barmode="group")


def _letter(token: int) -> str:
    return chr(ord("A") + token) if token < 26 else f"<{token}>"
