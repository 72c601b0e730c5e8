"""Two dice and every sentence of two words: the unit square, cut by Pick.

    P1 [a]      the law of the first word;   P2 [a, b]  that of the second after each first one, each row a law
    left        u1 picks the first word, then u2 picks from that word's own row: the target
    right       u2 picks from the mean row P1 P2, whatever u1 did: heads that do not hear one another

The area of a sentence is its probability. What the target never says is hatched (Draxler et al., arXiv 2512.21323,
section 2.1: a text as a function of its uniforms).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from . import given
from .style import BLACK, PARTS, SIZE, VERMILION, bare, hatched, literal

HEADS = ("second word: Pick(u₂, P(·|t₁))", "heads: Pick(u₂, its law without t₁)")


def square(first: Sequence[float], second: Sequence[Sequence[float]], words: tuple[Sequence[str], Sequence[str]]):
    """Both squares side by side; `words` names the entries of P1 and of a row of P2. ValueError where a law is none."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    first, second = given.numbers("first", first, 1), given.numbers("second", second, 2)
    words = [given.texts(f"words[{i}]", w) for i, w in enumerate(given.texts("words", words, 2))]
    if second.shape != (len(words[0]), len(words[1])) or first.shape != second.shape[:1]:
        sizes = tuple(map(len, words))
        raise ValueError(f"first {first.shape} and second {second.shape} do not fit words {sizes}: give a law per word")
    for name, rows in (("first", first[None]), ("second", second)):
        if rows.min() < 0 or np.abs(rows.sum(1) - 1).max() > 1e-6:
            raise ValueError(
                f"{name} is no law: entries must be >= 0 and sum to 1, the sums are {rows.sum(1).tolist()}"
            )
    mean = np.broadcast_to(first @ second, second.shape)
    never = float((first[:, None] * mean)[second == 0].sum())
    titles = (HEADS[0], f"{HEADS[1]}<br>{never:.0%} of the square is nonsense")
    figure = make_subplots(1, 2, subplot_titles=titles, horizontal_spacing=0.08)
    names = [[f"{literal(a)} {literal(b)}" for b in words[1]] for a in words[0]]
    for panel, rows in ((1, second), (2, mean)):
        left = np.r_[0, first.cumsum()]
        for i, row in enumerate(rows):
            low = np.r_[0, row.cumsum()]
            for j in np.flatnonzero(row):
                wrong = second[i, j] == 0
                x, y = (left[i], left[i + 1]), (low[j], low[j + 1])
                pattern = hatched(VERMILION, "x")["pattern"] if wrong else None
                figure.add_trace(
                    go.Scatter(
                        x=[x[0], x[1], x[1], x[0], x[0]], y=[y[0], y[0], y[1], y[1], y[0]], mode="lines", fill="toself",
                        fillcolor=VERMILION if wrong else PARTS[j % len(PARTS)], fillpattern=pattern, hoveron="fills",
                        line=dict(color=BLACK, width=1), showlegend=False, hoverinfo="text",
                        text=f"{names[i][j]}: area {first[i] * row[j]:.3f}" + (", never said" if wrong else ""),
                    ),
                    row=1, col=panel,
                )  # fmt: skip
                figure.add_annotation(
                    x=sum(x) / 2, y=sum(y) / 2, text=names[i][j], showarrow=False, row=1, col=panel,
                    font=dict(color=BLACK, size=SIZE - 1), bgcolor="rgba(255, 255, 255, 0.6)" if wrong else None,
                )  # fmt: skip
    figure.update_xaxes(title_text="u₁", range=[0, 1]).update_yaxes(range=[0, 1])
    figure.update_yaxes(title_text="u₂", col=1)
    figure = bare(figure, 470, legend=False)
    for note in figure.layout.annotations:
        if note.text not in titles:
            note.font.color = BLACK
    return figure
