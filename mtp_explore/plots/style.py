"""The dress of all figures: no ground of their own, so that they read on light and dark pages alike, at lecture size.

Okabe and Ito's colours with fixed meanings: blue the target p, orange the draft q, green what both agree on (kept),
pink the residual, vermilion what is wrong. PARTS colour what has no such meaning (components, states, methods). INK is
the grey whose contrast is the same (4.3 to 1) on white and on JupyterLab's dark ground.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..trace.glyphs import quoted, visible
from .export import exportable

BLUE, ORANGE, GREEN, PINK, VERMILION = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00"
PARTS = ("#44AA99", "#CC6677", "#8877CC", "#999933", "#5FA8D3", "#A06A50", "#C77DB5", "#6F9F58")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SIGNS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "pentagon")
INK, LINE = "#797979", "rgba(128, 128, 128, 0.28)"  # text; grid
FAINT = "rgba(128, 128, 128, 0.10)"  # an empty cell
CLEAR, BLACK = "rgba(0,0,0,0)", "#111111"  # ground; text on PARTS
HATCH = dict(fillmode="overlay", solidity=0.35, fgcolor="rgba(0, 0, 0, 0.45)", size=7)
SIZE = 15  # of text, in pixels
ROW = 32  # height of the title's and of a legend's line
FONT = 'system-ui, -apple-system, "Segoe UI", sans-serif'
TITLED = {"yref": "paper", "yanchor": "bottom", "showarrow": False}  # what make_subplots gives a panel's title


def bare(figure, height: int = 380, legend: bool = True, title: str | None = None):
    """Transparent ground, grey text and grid; above the panels, in this order: title, legend, the panels' titles.

    `height` is in pixels, `title` is markup (pass foreign text through `literal`). Returns the figure.
    """
    exportable()
    heads = [a.text for a in figure.layout.annotations if all(a[k] == v for k, v in TITLED.items())]
    below = 22 * (1 + max(head.count("<br>") for head in heads)) if heads else 0
    top = 12 + ROW * bool(title)
    figure.update_layout(
        template="none", height=height, margin=dict(l=64, r=20, t=top + ROW * legend + below + 4, b=56),
        paper_bgcolor=CLEAR, plot_bgcolor=CLEAR, font=dict(size=SIZE, color=INK, family=FONT), showlegend=legend,
        title=dict(text=title, x=0, xref="paper", y=1 - 12 / height, yanchor="top", font_size=SIZE + 1),
        legend=dict(orientation="h", x=0, xref="paper", y=1 - top / height, yref="container", yanchor="top",
                    bgcolor=CLEAR, font_size=SIZE),
        hoverlabel=dict(font=dict(size=SIZE, family=FONT), align="left"),
        modebar=dict(bgcolor=CLEAR, color=INK, activecolor=BLUE),
    )  # fmt: skip
    named, ticks = dict(font_size=SIZE, standoff=10), dict(size=SIZE - 1)
    figure.update_xaxes(
        showgrid=False, zeroline=False, linecolor=LINE, showline=True, automargin=True, title=named, tickfont=ticks
    )
    figure.update_yaxes(gridcolor=LINE, zerolinecolor=LINE, automargin=True, title=named, tickfont=ticks)
    for note in figure.layout.annotations:
        note.font = dict(size=SIZE, color=note.font.color or INK)
    return figure


def hatched(colour: str, shape: str = "/") -> dict:
    """A marker whose meaning does not hang on its colour alone."""
    return dict(color=colour, pattern=dict(shape=shape, **HATCH))


def washed(colour: str, share: float = 0.2) -> str:
    """A colour "#rrggbb" as a transparent wash, for bands and fills."""
    return "rgba({}, {}, {}, {})".format(*(int(colour[i : i + 2], 16) for i in (1, 3, 5)), share)


def mixed(colour: str, other: str, share: float) -> str:
    """`share` of `other` in `colour`, both "#rrggbb"."""
    pairs = [(int(colour[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def escaped(text: str) -> str:
    """Markup that shows `text`: plotly would read tags, entities, a template's fields and MathJax's formulas in it."""
    for sign, safe in (("&", "&amp;"), ("<", "&lt;"), ("$", "&#36;"), ("%{", "&#37;{")):
        text = text.replace(sign, safe)
    return text


def literal(text) -> str:
    """A text of any origin as it is, sign by sign."""
    return escaped(visible(str(text)))


def token_names(texts: Sequence[str], longest: int = 12) -> tuple[list[str], list[str]]:
    """(short, full) markup for tokens along an axis: `short` for ticks, `full` quoted, for sentences.

    A leading space is dropped where that leaves the names on this axis distinct, and else shown as "·".
    """
    signs = [visible(str(text)) for text in texts]
    plain = [s.strip(" ") or "␣" * len(s) for s in signs]
    same = {name for i, name in enumerate(plain) if name in plain[:i]}
    names = [s.replace(" ", "·") if name in same else name for s, name in zip(signs, plain, strict=True)]
    short = [name if len(name) <= longest else name[: longest - 1] + "…" for name in names]
    return [escaped(name) for name in short], [escaped(quoted(name)) for name in names]
