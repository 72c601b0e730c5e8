"""Heat maps of probabilities: the scale they share, and a law beside its shadow with their difference.

    P, Q   [a, b] arrays: the target's law over pairs of tokens, and what stands in for it (a shadow, a draft)
    z      what is coloured: sqrt(v) by default, so that a probability of 0.01 is still seen beside one of 0.5

Target, draft and difference share one scale: blue is p, orange is q, and in the difference blue is what the draft lacks
and orange what it has too much. A cell without mass is as good as transparent, so light and dark pages both do. What is
cut away is never silent: every panel says how much of the mass on its axes is shown. A joint whose axes were cut is a
law given that all tokens lie on them: what lies beyond is told by its `mass`, not here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..checks import choice, whole
from .style import BLUE, FAINT, INK, ORANGE, SIZE, VERMILION, bare, token_names, washed

FLOOR = 1e-4  # the logarithmic scale is straight below it
SCALES = {"sqrt": np.sqrt, "linear": np.asarray, "log": lambda v: np.log10(1 + v / FLOOR)}
APART = 0.17  # between two marks of the colours' legend, as a part of its length
DIGITS = 3  # significant, of the numbers a page carries
GRIP = "rgba(128, 128, 128, 0.45)"
SMALL = f'<span style="font-size:{SIZE - 2}px">{{}}</span>'
HOVERS = (
    "%{hovertext}<br>the target gives it p = %{customdata:.3~g}<extra></extra>",
    "%{hovertext}<br>the draft gives it q = %{customdata:.3~g}<extra></extra>",
    "%{hovertext}<br>target p = %{customdata[0]:.3~g}, draft q = %{customdata[1]:.3~g}<br>"
    "p − q = %{customdata[2]:+.3~g}: the draft gives it %{customdata[3]}<extra></extra>",
)
WORDS = np.array(["too much", "just as much", "too little"])
SOON, THIN = 0.03, 0.1  # from this part of the scale on a cell has its hue, so thin at first
SIGNED = [
    [0, ORANGE],
    [0.5 - SOON / 2, washed(ORANGE, THIN)],
    [0.5, FAINT],
    [0.5 + SOON / 2, washed(BLUE, THIN)],
    [1, BLUE],
]


class Pair(NamedTuple):
    """A law and its shadow, cut to the cells that are shown: what three heat maps are made of."""

    p: np.ndarray  # [a', b']
    q: np.ndarray  # [a', b']
    heads: list[str]  # titles of the three panels, markup


def ramp(colour: str) -> list:
    """A colour scale from nothing to `colour`."""
    return [[0, FAINT], [SOON, washed(colour, THIN)], [1, colour]]


def shade(values, scale: str) -> np.ndarray:
    """What is coloured for `values` (any sign) on that scale. ValueError for an unknown scale."""
    values = np.asarray(values, float)
    return np.sign(values) * SCALES[choice("scale", scale, SCALES)](np.abs(values))


def rounded(values, digits: int = DIGITS) -> list:
    """Nested lists of the numbers with so many significant digits: plain data that a slider's steps can carry."""
    values = np.asarray(values, float)
    size = 10.0 ** (digits - 1 - np.floor(np.log10(np.abs(values) + 1e-300)).clip(-30))
    return np.where(values == 0, 0.0, np.round(values * size) / size).tolist()


def colourbar(top: float, scale: str, signed: bool, **more) -> dict:
    """A legend of the colours in probabilities, not in what they are transformed to."""
    full, marks = float(shade(top, scale)), []
    for mark in (float(f"{top * share:.1g}") for share in (0.9, 0.45, 0.2, 0.1, 0.04, 0.01, 0.001)):
        room = [float(shade(mark, scale)), *(float(shade(m, scale) - shade(mark, scale)) for m in marks)]
        if mark <= top and min(room) > APART * full:
            marks.append(mark)
    values = [0.0, *marks, *([-m for m in marks] if signed else [])]
    return dict(
        tickvals=shade(values, scale).tolist(), ticktext=[f"{abs(v):g}" for v in values], thickness=12, outlinewidth=0,
        tickfont=dict(size=SIZE - 2, color=INK), ticklabelposition="outside", **more,
    )  # fmt: skip


def likeliest(p: np.ndarray, shadows: Sequence[np.ndarray], axis: int, most: int) -> np.ndarray:
    """Indices along `axis` of the `most` tokens that target or shadows find likeliest, the target's likeliest first."""
    most = whole("most", most, 1)
    others = tuple(i for i in range(p.ndim) if i != axis)
    own = p.sum(others)
    both = own + np.mean([np.abs(q).sum(others) for q in shadows], axis=0)
    chosen = np.argsort(-both, kind="stable")[:most]
    return chosen[np.argsort(-own[chosen], kind="stable")]


def pair(p: np.ndarray, q: np.ndarray, rows: np.ndarray, columns: np.ndarray, names: Sequence[str]) -> Pair:
    """P and Q cut to those rows and columns, with titles that say what is shown and how far apart the whole ones are.

    `names` are the titles of the first two panels, markup.
    """
    seen = np.ix_(rows, columns)
    least, off, shown = float(q.min()), float(np.abs(p - q).sum() / 2), float(np.abs(p - q)[seen].sum() / 2)
    mass = [f"{law[seen].sum() / (law.sum() or 1):.0%} of its axes' mass shown" for law in (p, q)]
    if least < -1e-9:
        mass[1] = f"{q[seen].sum():.0%} shown, {-q[q < 0].sum():.2g} below 0 (−)"
    distance = "TV" if least >= -1e-9 and abs(q.sum() - 1) < 1e-4 else "½ Σ|p − q|"
    under = [*mass, f"{distance} {off:.3f}, {shown:.3f} shown"]
    heads = [f"{n}<br>{SMALL.format(u)}" for n, u in zip([*names, "difference p − q"], under, strict=True)]
    return Pair(p[seen], q[seen], heads)


def layers(one: Pair, scale: str) -> dict:
    """What a heat map's panels show of a pair: z and customdata, one entry per panel, as plain lists."""
    laws = (one.p, one.q, one.p - one.q)
    numbers = [rounded(v) for v in laws]
    words = WORDS[1 + np.sign(np.where(np.abs(laws[2]) < 1e-9, 0, laws[2])).astype(int)].tolist()
    both = [[list(cell) for cell in zip(*row, strict=True)] for row in zip(*numbers, words, strict=True)]
    below = np.where(one.q < -1e-9, "−", "").tolist()
    return dict(z=[rounded(shade(v, scale)) for v in laws], customdata=[*numbers[:2], both], text=[None, below, None])


def three(figure, one: Pair, texts: tuple[Sequence[str], Sequence[str]], scale: str, top: float) -> None:
    """Draw a pair into the first row of `figure`, whose three first panel titles become the pair's.

    `texts` are the tokens of the shown rows and columns; `top` is the probability that gets the full colour.
    """
    import plotly.graph_objects as go

    (down, first), (along, second) = map(token_names, texts)
    full, drawn = float(shade(top, scale)), layers(one, scale)
    said = [[f"{a}, then {b}" for b in second] for a in first]
    for i, colours in enumerate([ramp(BLUE), ramp(ORANGE), SIGNED]):
        cells = go.Heatmap(
            z=drawn["z"][i], customdata=drawn["customdata"][i], hovertext=said, hovertemplate=HOVERS[i], xgap=1, ygap=1,
            zmin=-full if i == 2 else 0, zmax=full, colorscale=colours, showscale=i == 2, text=drawn["text"][i],
            texttemplate="%{text}" if i == 1 else None, textfont=dict(color=VERMILION, size=SIZE + 2),
            name=("target p", "draft q", "p − q")[i],
        )  # fmt: skip
        figure.add_trace(cells, row=1, col=i + 1)
        figure.layout.annotations[i].text = one.heads[i]
        place = dict(row=1, col=i + 1)
        figure.update_xaxes(tickvals=list(range(len(along))), ticktext=along, tickangle=-55, **place)
        figure.update_yaxes(tickvals=list(range(len(down))), ticktext=down, showticklabels=i == 0, **place)
        figure.update_yaxes(autorange="reversed", **place)
    low, high = figure.layout.yaxis.domain
    bar = colourbar(top, scale, True, title=dict(text="p", font_size=SIZE), y=(low + high) / 2, len=high - low)
    figure.data[2].colorbar = bar
    where = dict(x=1.025, y=low, xref="paper", yref="paper", xanchor="left", yanchor="top")
    figure.add_annotation(text="q", showarrow=False, **where)


def dressed(figure, height: int, legend: bool = False):
    """`bare` for heat maps: no grid, no axis lines."""
    plain = dict(showline=False, showgrid=False, zeroline=False, ticks="")
    return bare(figure, height, legend=legend).update_xaxes(**plain).update_yaxes(**plain)


def slider(steps: list[dict], prefix: str, below: int) -> dict:
    """A slider `below` pixels under the panels: it moves in the page itself, without a kernel."""
    return dict(
        steps=steps, active=0, currentvalue=dict(prefix=prefix, font=dict(size=SIZE + 1, color=INK), xanchor="left"),
        font=dict(size=SIZE - 2, color=INK), bgcolor=GRIP, activebgcolor=ORANGE, bordercolor=INK, tickcolor=INK,
        ticklen=5, y=0, pad=dict(t=below),
    )  # fmt: skip
