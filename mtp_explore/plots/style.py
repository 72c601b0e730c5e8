"""The dress of all figures: no ground of their own, so that they read on light and dark pages alike, at lecture size.

Okabe and Ito's colours with fixed meanings: blue the target p, orange the draft q, green what both agree on (kept),
pink the residual, vermilion what is wrong. PARTS colour what has no such meaning (components, states). A method, or
any other series with a name, has one `look` in all figures. INK is the grey whose contrast is the same (4.3 to 1) on
white and on JupyterLab's dark ground.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..trace.glyphs import quoted, visible

BLUE, ORANGE, GREEN, PINK, VERMILION = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00"
PARTS = ("#44AA99", "#CC6677", "#8877CC", "#999933", "#5FA8D3", "#A06A50", "#C77DB5", "#6F9F58")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SIGNS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "pentagon")
MORE = ("#5B5BDD", "#B83A3A", "#B8388C", "#6B6B2E", "#2A7A60", "#D9995A", "#3FB04F", "#804E2E")
SERIES = (  # every row spells the colours of PARTS + MORE, and has signs of its own; a notebook's names lie apart
    ("untouched unembedding", "frequency", "trained heads", "the last token alone", "stories", "arithmetic", "code",
     "inside a word", "a common word", "a word that stood before", "a new word", "a mark", "white space",
     "a number that stood before", "a new number"),
    ("independence", "the head's own error", "the trained head", "a perfect head that does not see the first token",
     "nearest in kl", "in squares, parts ≥ 0", "in squares, any sign", "with an mlp, just now", "linear, recorded",
     "rank 1", "rank 2", "rank 4", "rank 8", "rank 16", "rank 32"),
    ("independent heads", "cp", "hmm", "btree"),
    ("without balancing", "with balancing", "c-ptp", "o-ptp", "u in the slots", "nothing in them",
     "o-ptp: all dice", "c-ptp: the dice before", "no dice", "independent heads, the same die",
     "independent heads, 1 − tv", "c-ptp, the same die", "c-ptp, 1 − tv"),
    ("placeholders, untouched model", "trained masks", "trained masks, sampler", "how frequent it is",
     "the token before alone", "no training", "just now", "shipped", "gate on masks", "on all rows, plain lora",
     "unembedding on the mask, nats", "sampler, nats", "consistency", "linear", "quadratic", "linear, foretold"),
    ("", "ordinary decoding", "masks, linear", "masks, quadratic", "masks, budget=16"),
)  # fmt: skip
SAME = {"independent": "independent heads"}  # two names of one method
INK, LINE = "#797979", "rgba(128, 128, 128, 0.28)"  # text; grid
FAINT = "rgba(128, 128, 128, 0.10)"  # an empty cell
CLEAR, BLACK = "rgba(0,0,0,0)", "#111111"  # ground; text on PARTS
HATCH = dict(fillmode="overlay", solidity=0.35, fgcolor="rgba(0, 0, 0, 0.45)", size=7)
SIZE = 15  # of text, in pixels
ROW = 32  # height of the title's and of a legend's line
FONT = 'system-ui, -apple-system, "Segoe UI", sans-serif'
TITLED = {"yref": "paper", "yanchor": "bottom", "showarrow": False}  # what make_subplots gives a panel's title


class Look(NamedTuple):
    """How a series is drawn, wherever it is drawn."""

    colour: str
    sign: str  # of its marks
    dash: str  # of its line


def look(name: str) -> Look:
    """The one look of a series of that name, whatever its case: the target's and the trained head's by their meaning,
    those of `SERIES` by their place there, any other by the first place that no name had before it in this process.
    """
    key = " ".join(str(name).lower().split())
    key = SAME.get(key, key)
    if key not in _LOOKS:
        row, place = divmod(len(_LOOKS) - _OURS, len(LINES))
        _LOOKS[key] = placed(len(SERIES) + row, place)
    return _LOOKS[key]


def placed(row: int, place: int) -> Look:
    """The look at a place of a row of `SERIES`, or of the rows that come after it."""
    return Look(LINES[place], SIGNS[(place + row) % len(SIGNS)], DASHES[(place + row) % len(DASHES)])


LINES = PARTS + MORE
_LOOKS = {"target": Look(BLUE, "circle", "solid"), "trained head": Look(ORANGE, "diamond", "solid")}
_LOOKS |= {name: placed(i, k) for i, row in enumerate(SERIES) for k, name in enumerate(row) if name}
_OURS = len(_LOOKS)


def bare(figure, height: int = 380, legend: bool = True, title: str | None = None):
    """Transparent ground, grey text and grid; above the panels, in this order: title, legend, the panels' titles.

    `height` is in pixels, `title` is markup (pass foreign text through `literal`). Returns the figure.
    """
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
