"""Notebook 01's pictures in words: what one state says about the next tokens, and a text as its past saw it coming.

Plain HTML and CSS: the distances of `foresight` are radio buttons, so it works without a kernel and without scripts;
where styles are stripped the text is coloured for k = 2.
"""

from __future__ import annotations

import hashlib

import numpy as np

from ..plots.knowledge import BOXES, FIRST, GREY
from ..plots.style import BLACK, GREEN, mixed
from ..trace.glyphs import visible
from ..trace.markup import Html, join, radios, style, tag, view
from ..trace.say import number
from .hidden_states import by_text, pieces

TOP = 3  # choices shown
END = "⟨end⟩"
COLOURS = [mixed(GREEN, GREY, i / (len(BOXES) - 1)) for i in range(len(BOXES))]
CHIP = "font-family:var(--jp-code-font-family,monospace);white-space:pre;padding:1px 5px;border-radius:5px"
STYLE = """
.mtp-seen { font: 14px/1.9 var(--jp-ui-font-family, system-ui, sans-serif); max-width: 64em; }
.mtp-seen input { position: absolute; opacity: 0; }
.mtp-seen label { cursor: pointer; padding: 2px 11px; border: 1px solid #8888; border-radius: 7px; }
.mtp-seen input:checked + label { border-color: #0072b2; box-shadow: inset 0 0 0 1px #0072b2; font-weight: 600; }
.mtp-seen input:focus-visible + label { outline: 2px solid #0072b2; outline-offset: 1px; }
.mtp-seen .tx { margin-top: 8px; white-space: pre-wrap; }
.mtp-seen .tx span { padding: 2px 0; border-radius: 3px; }
""".strip()


class Outlook:
    """What `outlook` returns: shows itself in a notebook."""

    def __init__(self, before: str, choices: list[list[tuple[str, float]]], truth: list[tuple[str, int] | None]):
        self.before, self.choices, self.truth = before, choices, truth

    def __repr__(self) -> str:
        said = [f"k = {k}: " + ", ".join(f"{t!r} {p:.2f}" for t, p in row) for k, row in enumerate(self.choices, 1)]
        return "\n".join([f"… {self.before[-60:]}", *said])

    def _repr_html_(self) -> Html:
        rows = [["", *(tag("b", f"k = {k}") for k in range(1, len(self.choices) + 1))]]
        for i in range(TOP):
            rows.append([tag("small", f"choice {i + 1}"), *(_word(*row[i]) for row in self.choices)])
        rows.append([tag("small", "true token"), *map(_true, self.truth)])
        cell = "padding:2px 8px;text-align:left;border:0;vertical-align:top"
        lines = (tag("tr", *(tag("td", x, style=cell) for x in row), style="background:none") for row in rows)
        cursor = tag("b", "▏", style=f"color:{GREEN}")
        text = tag("p", f"… {visible(self.before[-240:])}", cursor, style="white-space:pre-wrap;line-height:1.6")
        table = tag("table", *lines, style="border-collapse:collapse;font-size:13px")
        return view("", text, table, style="max-width:64em")


def _chip(text: str, colours: str, below: str) -> Html:
    """A token by itself: its spaces as dots, because nobody sees a space at an edge."""
    shown = tag("span", visible(text).replace(" ", "·"), style=f"{CHIP};{colours}")
    return join([shown, tag("br"), tag("small", below)])


def _word(text: str, p: float) -> Html:
    return _chip(text, f"background:rgba(230,159,0,{0.08 + 0.6 * p:.2f})", number(p))


def _true(pair: tuple[str, int] | None) -> Html | str:
    if pair is None:
        return "?"
    text, rank = pair
    return _chip(text, f"background:{COLOURS[_box(rank)]};color:{BLACK}", f"rank {rank + 1}")


def outlook(backbone, drafter, document: str, place: int | None = None, horizon: int = 8) -> Outlook:
    """What the state after `place` tokens of a document says about the `horizon` tokens to come, and what came.

    place: default, the end of the document, where nobody knows what comes. ValueError where it lies outside.
    """
    from ..measure import knowledge

    size = len(backbone.tokenizer(document, verbose=False)["input_ids"])
    place = size if place is None else place
    if not 0 <= place <= min(size, backbone.context - 1):
        raise ValueError(
            f"place={place}: give one from 0 to {min(size, backbone.context - 1)}, the document has no more"
        )
    text = knowledge.read(backbone, [document], place + 1, horizon)
    row, at = text.tokens.new_zeros(1), text.tokens.new_full((1,), place)
    laws = [logq[0].exp() for logq in knowledge.ahead(drafter, text, row, at)]
    return outlook_of(backbone, text, laws, open_end=place == size)


def outlook_of(backbone, text, laws, open_end: bool = False) -> Outlook:
    """What laws [V], k = 1, 2, ..., say about the tokens behind the last place of a `Text` of one row, and what came;
    `open_end`: nobody knows what comes.
    """
    from ..corpora.tokenizer import piece
    from ..measure.knowledge import rank_of

    choices, truth = [], []
    name = lambda t: END if int(t) in backbone.eos else piece(backbone.tokenizer, int(t))  # noqa: E731
    for k, law in enumerate(laws):
        best, token = law.topk(TOP), text.future[0, -1, k]
        choices.append([(name(t), float(p)) for p, t in zip(best.values, best.indices, strict=True)])
        truth.append((name(token), int(rank_of(law, token))) if not open_end and token >= 0 else None)
    return Outlook("".join(pieces(backbone, text)[0]), choices, truth)


class Foresight:
    """What `foresight` returns: shows itself in a notebook. `boxes` [L, K]: of every token, by distance; -1: none."""

    def __init__(self, texts: list[str], ranks: np.ndarray):
        self.texts, self.ranks = texts, ranks

    def __repr__(self) -> str:
        return "".join(self.texts)

    def _repr_html_(self) -> Html:
        distances = range(1, self.ranks.shape[1] + 1)
        name = "seen-" + hashlib.sha256(repr((self.texts, self.ranks.tolist())).encode()).hexdigest()[:8]
        rules = "".join(
            f"#{name}-{k}:checked ~ .tx .k{k}b{i} {{ background: {colour} !important; color: {BLACK} !important; }}\n"
            for k in distances
            for i, colour in [*enumerate(COLOURS), ("x", "transparent")]
        ).replace(f"transparent !important; color: {BLACK}", "transparent !important; color: inherit")
        buttons = radios(name, {k: str(k) for k in distances}, 2)
        legend = (
            tag("span", box, style=f"padding:1px 8px;border-radius:3px;background:{c};color:{BLACK}")
            for box, c in zip(BOXES, COLOURS, strict=True)
        )
        ranks = tag("span", "rank ", join(legend, " "), style="display:inline-block;margin-left:1.5em")
        words = (self._token(text, row) for text, row in zip(self.texts, self.ranks, strict=True))
        rest = "seen from so many tokens before: ", buttons, ranks, tag("div", *words, class_="tx")
        return view("mtp-seen", style(f"{STYLE}\n{rules}"), *rest)

    def _token(self, text: str, row: np.ndarray) -> Html:
        boxes = ["x" if r < 0 else _box(r) for r in row.tolist()]
        classes = " ".join(f"k{k}b{b}" for k, b in enumerate(boxes, 1))
        plain = f"background:{COLOURS[boxes[1]]};color:{BLACK}" if len(boxes) > 1 and boxes[1] != "x" else ""
        said = ", ".join(f"{k}: {r + 1}" for k, r in enumerate(row.tolist(), 1) if r >= 0)
        shown = join(visible(text).split("↵"), join(["↵", tag("br")]))
        return tag("span", shown, class_=classes, style=plain, title=f"rank by distance: {said}")


def foresight(backbone, text, ranks: np.ndarray, row: int = 0, first: int = 0, most: int = 140) -> Foresight:
    """Text number `row` of a `Text`, `most` tokens from `first` on, every token coloured by the rank that the state k
    places before gave it (`ranks` [n L, K], of any method). ValueError for a row that is not there.
    """
    n, length, horizon = text.future.shape
    if not 0 <= row < n:
        raise ValueError(f"row={row}: there are {n} texts, from 0 to {n - 1}")
    wide = by_text(ranks, n, length)[row]
    horizon = min(horizon, wide.shape[1])
    seen = np.stack([np.r_[np.full(k, -1), wide[:-k, k - 1]] for k in range(1, horizon + 1)], -1)
    real = 1 + int((text.future[row, :, 0] >= 0).sum())  # place 0 is the end of the text before
    part = slice(max(1, first), min(real, first + most, length))
    return Foresight(pieces(backbone, text)[row][part], seen[part])


def _box(rank: int) -> int:
    """Which of `BOXES` a rank (0 = first) lies in."""
    return int(np.searchsorted(FIRST, rank + 1, "right")) - 1
