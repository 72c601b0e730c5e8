"""The dress of the notebooks' figures: no ground of their own, so that they read on light and dark themes alike.

Okabe and Ito's colours with fixed meanings: blue the target p, orange the draft q, green what both agree on (kept),
pink the residual, vermilion what is wrong. Greys are mid-tones, legible on white and on black.
"""

from __future__ import annotations

from ..trace.glyphs import visible

BLUE, ORANGE, GREEN, PINK, VERMILION = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00"
SKY = "#56B4E9"
INK, LINE = "#808080", "rgba(128, 128, 128, 0.28)"  # text; grid
HATCH = dict(fillmode="overlay", solidity=0.35, fgcolor="rgba(0, 0, 0, 0.45)", size=7)


def bare(figure, height: int = 340, legend: bool = True):
    """Transparent ground, grey text and grid, legend above; returns the figure."""
    figure.update_layout(
        template="none", height=height, margin=dict(l=64, r=16, t=64, b=52), showlegend=legend,
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", font=dict(size=13, color=INK),
        legend=dict(orientation="h", yanchor="bottom", y=1.06, xanchor="left", x=0),
        hoverlabel=dict(font_size=13), modebar=dict(bgcolor="rgba(0,0,0,0)", color=INK, activecolor=BLUE),
    )  # fmt: skip
    title = dict(font_size=13, standoff=8)
    figure.update_xaxes(showgrid=False, zeroline=False, linecolor=LINE, showline=True, automargin=True, title=title)
    figure.update_yaxes(gridcolor=LINE, zerolinecolor=LINE, automargin=True, title=title)
    figure.update_annotations(font=dict(size=13, color=INK))
    return figure


def hatched(colour: str, shape: str = "/") -> dict:
    """A marker whose meaning does not hang on its colour alone."""
    return dict(color=colour, pattern=dict(shape=shape, **HATCH))


def literal(text: str) -> str:
    """Text as it is: plotly would read tags in it."""
    return visible(str(text)).replace("&", "&amp;").replace("<", "&lt;")
