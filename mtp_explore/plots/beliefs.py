"""What a drafter believes, and how the tokens it absorbs change its mind.

    R            components of a mixture, or states of a hidden chain or of a tree's node
    weights      [steps, R] laws over the R, row i after i absorbed tokens (row 0: before the first)
    forward      [steps, R] the same for the states of a hidden chain: P(state at position i | tokens so far)
    nodes        [N, R] one law per inner node of a tree
    load         [T, R] mean weight of each component over a batch, at T moments of the training

Entropies are in nats; exp(entropy) is how many components are effectively in play, between 1 and R.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..checks import whole
from . import given
from .heat import colourbar, dressed, ramp, rounded, shade
from .style import BLACK, GREEN, INK, LINE, ORANGE, PARTS, SIZE, bare, literal, token_names

SHOWN = len(PARTS)  # components with a colour of their own; the others are one grey part
NUMBERED = dict(traceorder="normal", title=dict(text="component ", font_size=SIZE))
ROOM = 0.07  # a part of at least this weight carries its number


def collapse(weights: np.ndarray, tokens: Sequence[str]):
    """Mixture weights as stacked bars, one bar before the first token and one after each, and exp(entropy) above.

    weights [len(tokens) + 1, R], laws; tokens: the absorbed tokens' texts. The likeliest components keep a colour of
    their own, the others stand together as one grey part that says how many they are. ValueError where they disagree.
    """
    from plotly.subplots import make_subplots

    weights = laws("weights", weights)
    short, full = token_names(given.texts("tokens", tokens))
    if len(weights) != len(short) + 1:
        raise ValueError(f"weights has {len(weights)} rows for {len(short)} tokens: give one before, one after each")
    x = list(range(len(weights)))
    figure = make_subplots(2, 1, shared_xaxes=True, row_heights=[0.25, 0.75], vertical_spacing=0.06)
    alive = np.exp(entropy(weights))
    figure.add_scatter(
        x=x, y=alive, mode="lines+markers+text", line=dict(color=INK, width=2), marker=dict(size=8), showlegend=False,
        text=[f"{v:.1f}" for v in alive], textposition="top center", cliponaxis=False, row=1, col=1,
        hovertemplate="%{y:.2f} components in play<extra></extra>",
    )  # fmt: skip
    said = ["before the first token", *(f"after {token}" for token in full)]
    for name, part, colour in parts(weights):
        figure.add_bar(
            x=x, y=part, name=name, marker=dict(color=colour, line_width=0), width=0.82, customdata=said, row=2, col=1,
            text=[name if v > ROOM else "" for v in part], textposition="inside", textangle=0,
            insidetextanchor="middle", insidetextfont=dict(color=INK if colour == LINE else BLACK),
            hovertemplate=f"component {name}, %{{customdata}}: %{{y:.3f}}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(tickvals=x, ticktext=["nothing yet", *short], row=2, col=1, title_text="absorbed token")
    figure.update_yaxes(title_text="weight (sum 1)", range=[0, 1], row=2, col=1)
    figure.update_yaxes(title_text="components<br>in play", range=[0, 1.5 * float(alive.max())], nticks=3, row=1, col=1)
    return bare(figure, 500).update_layout(barmode="stack", legend=NUMBERED)


def forward(states: np.ndarray, tokens: Sequence[str], names: Sequence[str] | None = None, most: int = 16):
    """Where a hidden chain believes it is: states along y, positions along x, P(state | tokens so far) as colour.

    states [len(tokens) + 1, R], laws, column 0 before the first token; names: of the R states. The `most` likeliest
    states are shown; each column's title says what is cut. ValueError where the lengths disagree.
    """
    import plotly.graph_objects as go

    states = laws("states", states)
    most = whole("most", most, 1)
    names = list(range(1, states.shape[1] + 1)) if names is None else given.texts("names", names)
    short, full = token_names(given.texts("tokens", tokens))
    if len(states) != len(short) + 1 or states.shape[1] != len(names):
        raise ValueError(f"states is {states.shape} for {len(short)} tokens and {len(names)} names: see the legend")
    kept = np.sort(np.argsort(-states.max(0), kind="stable")[:most])
    said = ["before the first token", *(f"after {token}" for token in full)]
    cells = states[:, kept].T
    figure = go.Figure(
        go.Heatmap(
            z=shade(cells, "sqrt"), zmin=0, zmax=1, colorscale=ramp(ORANGE), xgap=2, ygap=2, customdata=rounded(cells),
            hovertext=[[f"state {literal(names[k])}, {where}" for where in said] for k in kept],
            hovertemplate="%{hovertext}: %{customdata:.3f}<extra></extra>",
            colorbar=colourbar(1.0, "sqrt", False, title=dict(text="P")),
        )
    )  # fmt: skip
    figure.update_layout(yaxis=dict(tickvals=list(range(len(kept))), ticktext=[literal(names[k]) for k in kept]))
    figure.update_xaxes(tickvals=list(range(len(said))), ticktext=["nothing yet", *short], title_text="absorbed token")
    figure.update_yaxes(title_text="state", autorange="reversed")
    cut = 1 - float(cells.sum(0).min())
    head = f"states not shown: {states.shape[1] - len(kept)}, at most {cut:.2f} of a column" if cut > 5e-4 else None
    dressed(figure, 150 + 26 * max(6, len(kept)))
    return figure.update_layout(title_text=head, title_font_size=15, margin_t=56 if head else 24)


def nodes(laws_of_nodes: np.ndarray, spans: Sequence[tuple[int, int]], tokens: Sequence[str]):
    """A tree of latents as floors of blocks over the window: every inner node is a strip of its R states' bars.

    laws_of_nodes [N, R]: P(state of the node | absorbed tokens); spans: (first, last) position of each node, counted
    from 1; tokens: texts of the window's positions, "" where still open. ValueError where they disagree.
    """
    import plotly.graph_objects as go

    found = laws("laws_of_nodes", laws_of_nodes)
    tokens = given.texts("tokens", tokens)
    spans = [pair(f"spans[{i}]", span) for i, span in enumerate(given.texts("spans", spans))]
    if len(found) != len(spans) or any(not 1 <= a <= b <= len(tokens) for a, b in spans):
        raise ValueError(
            f"spans and tokens: give (first, last) within 1..{len(tokens)}, the number of tokens, for each of the "
            f"{len(found)} nodes"
        )
    figure, short = go.Figure(), token_names(tokens)[0]
    depths = [sum(c <= a and b <= d and (a, b) != (c, d) for c, d in spans) for a, b in spans]
    for law, (a, b), depth in zip(found, spans, depths, strict=True):
        left, width = a - 0.44, b - a + 0.88
        x = left + width * (np.arange(len(law)) + 0.5) / len(law)
        figure.add_bar(
            x=x, y=0.8 * law, base=-depth, width=width / len(law) * 0.86, marker=dict(color=ORANGE), showlegend=False,
            customdata=np.stack([np.arange(1, len(law) + 1), law], -1).tolist(),
            hovertemplate=f"node x{a}..x{b}, state %{{customdata[0]}}: %{{customdata[1]:.3f}}<extra></extra>",
        )  # fmt: skip
        box = dict(x0=left, x1=left + width, y0=-depth, y1=-depth + 0.8)
        figure.add_shape(type="rect", line=dict(color=LINE), fillcolor="rgba(128,128,128,0.06)", layer="below", **box)
        figure.add_annotation(
            text=f"{np.exp(entropy(law[None]))[0]:.1f} in play", x=left + width, y=-depth + 0.8, xanchor="right",
            yanchor="bottom", showarrow=False, yshift=-2,
        )  # fmt: skip
    floors = sorted({-d for d in depths})
    names = [f"{t or '?'}<br>x{i}" for i, t in enumerate(short, 1)]
    figure.update_xaxes(tickvals=list(range(1, len(names) + 1)), ticktext=names, range=[0.4, len(names) + 0.6])
    figure.update_yaxes(tickvals=[f + 0.4 for f in floors], ticktext=["root" if f == 0 else f"{-f}" for f in floors])
    bare(figure, 130 + 110 * len(floors), legend=False).update_yaxes(showgrid=False, zeroline=False)
    return figure.update_xaxes(title_text="position of the window").update_yaxes(title_text="depth of the node")


def load(weights: np.ndarray, steps: Sequence[int]):
    """The share of the work each component takes over a training, as stacked areas, and exp(entropy) beneath.

    weights [T, R]: laws, the mean mixture weights of a batch at `steps` (T numbers). ValueError where they disagree.
    """
    from plotly.subplots import make_subplots

    weights = laws("weights", weights)
    steps = given.numbers("steps", steps, 1)
    if len(weights) != len(steps):
        raise ValueError(f"weights has {len(weights)} rows and steps {len(steps)} entries: they must agree")
    figure = make_subplots(2, 1, shared_xaxes=True, row_heights=[0.7, 0.3], vertical_spacing=0.07)
    x = [float(s) for s in steps]
    edge = max(len(x) // 20, min(1, len(x) - 1))  # a number at the very edge would be cut
    below, inner = np.zeros(len(x)), slice(edge, max(edge + 1, len(x) - edge))
    for name, part, colour in parts(weights):
        figure.add_scatter(
            x=x, y=part, name=name, stackgroup="load", mode="lines", line=dict(width=0), fillcolor=colour,
            hovertemplate=f"component {name}, step %{{x}}: %{{y:.3f}}<extra></extra>", row=1, col=1,
        )  # fmt: skip
        at = int(np.argmax(part[inner])) + inner.start
        if part[at] > ROOM:
            where = dict(x=x[at], y=float(below[at] + part[at] / 2), row=1, col=1)
            figure.add_annotation(text=name, showarrow=False, font_color=INK if colour == LINE else BLACK, **where)
        below = below + part
    figure.add_scatter(
        x=x, y=np.exp(entropy(weights)), mode="lines", line=dict(color=GREEN, width=3), showlegend=False, row=2, col=1,
        hovertemplate="step %{x}: %{y:.2f} components in play<extra></extra>",
    )  # fmt: skip
    figure.add_hline(y=weights.shape[1], line=dict(color=INK, dash="dash"), annotation_text="all alike", row=2, col=1)
    figure.update_yaxes(title_text="mean weight (sum 1)", range=[0, 1], row=1, col=1)
    figure.update_yaxes(title_text="components<br>in play", range=[0, 1.3 * weights.shape[1]], nticks=3, row=2, col=1)
    figure.update_xaxes(title_text="training step", row=2, col=1)
    return bare(figure, 500).update_layout(legend=NUMBERED)


def parts(weights: np.ndarray):
    """(name, weights over time, colour) of the likeliest components in their own order, then of all others together."""
    order = np.argsort(-weights.max(0), kind="stable")
    kept = np.sort(order[:SHOWN])
    for i, k in enumerate(kept):
        yield f"{k + 1}", weights[:, k], PARTS[i]
    if len(order) > SHOWN:
        yield f"{len(order) - SHOWN} others", np.delete(weights, kept, axis=1).sum(1), LINE


def entropy(weights: np.ndarray) -> np.ndarray:
    """Entropy of every row, nats: [n, R] -> [n]."""
    return -(weights * np.log(np.where(weights > 0, weights, 1))).sum(-1)


def laws(name: str, values) -> np.ndarray:
    """Rows that are laws. ValueError where one is not."""
    values = given.numbers(name, values)
    if values.ndim != 2 or values.min() < -1e-9 or (np.abs(values.sum(1) - 1) > 1e-4).any():
        raise ValueError(f"{name}, shape {values.shape}: every row must be a law, with entries >= 0 that sum to 1")
    return values


def pair(name: str, span) -> tuple[int, int]:
    """(first, last) as whole numbers."""
    first, last = given.texts(name, span, 2)
    return whole(name, first, 1), whole(name, last, 1)
