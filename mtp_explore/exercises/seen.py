"""Notebook 01's pictures in words: what one state says about the next tokens, and a text as its past saw it coming.

Plain HTML and CSS: the distances of `foresight` are radio buttons, so it works without a kernel and without scripts;
where styles are stripped the text is coloured for k = 2.
"""

from __future__ import annotations

import hashlib
from html import escape

import numpy as np

from ..plots.knowledge import BOXES, FIRST, GREY
from ..plots.style import BLACK, GREEN, mixed
from ..trace.glyphs import visible
from ..trace.say import number
from .hidden_states import pieces

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

    def _repr_html_(self) -> str:
        cell = '<td style="padding:2px 8px;text-align:left;border:0;vertical-align:top">'
        head = "".join(f"{cell}<b>k = {k}</b></td>" for k in range(1, len(self.choices) + 1))
        rows = [f"{cell}</td>{head}"]
        for i in range(TOP):
            shown = [_word(*row[i]) for row in self.choices]
            rows.append(f"{cell}<small>choice {i + 1}</small></td>" + "".join(f"{cell}{x}</td>" for x in shown))
        true = "".join(f"{cell}{_true(pair)}</td>" for pair in self.truth)
        rows.append(f"{cell}<small>true token</small></td>{true}")
        table = "".join(f'<tr style="background:none">{row}</tr>' for row in rows)
        return (
            f'<div style="max-width:64em"><p style="white-space:pre-wrap;line-height:1.6">… '
            f'{escape(visible(self.before[-240:]))}<b style="color:{GREEN}">▏</b></p>'
            f'<table style="border-collapse:collapse;font-size:13px">{table}</table></div>'
        )


def _chip(text: str) -> str:
    """A token by itself: its spaces as dots, because nobody sees a space at an edge."""
    return escape(visible(text).replace(" ", "·"))


def _word(text: str, p: float) -> str:
    wash = f"background:rgba(230,159,0,{0.08 + 0.6 * p:.2f})"
    return f'<span style="{CHIP};{wash}">{_chip(text)}</span><br><small>{number(p)}</small>'


def _true(pair: tuple[str, int] | None) -> str:
    if pair is None:
        return "?"
    text, rank = pair
    colour = COLOURS[_box(rank)]
    said = f"{_chip(text)}</span><br><small>rank {rank + 1}</small>"
    return f'<span style="{CHIP};background:{colour};color:{BLACK}">{said}'


def outlook(backbone, drafter, document: str, place: int | None = None, horizon: int = 8) -> Outlook:
    """What the state after `place` tokens of a document says about the `horizon` tokens to come, and what came.

    place: default, the end of the document, where nobody knows what comes. ValueError where it lies outside.
    """
    from ..measure import knowledge

    size = len(backbone.tokenizer(document, verbose=False)["input_ids"])
    place = size if place is None else place
    if not 0 <= place <= min(size, backbone.context - 1):
        raise ValueError(f"place={place}: give one from 0 to {min(size, backbone.context - 1)}, the text has no more")
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

    def _repr_html_(self) -> str:
        distances = range(1, self.ranks.shape[1] + 1)
        name = "seen-" + hashlib.sha256(repr((self.texts, self.ranks.tolist())).encode()).hexdigest()[:8]
        rules = "".join(
            f"#{name}-{k}:checked ~ .tx .k{k}b{i} {{ background: {colour} !important; color: {BLACK} !important; }}\n"
            for k in distances
            for i, colour in [*enumerate(COLOURS), ("x", "transparent")]
        ).replace(f"transparent !important; color: {BLACK}", "transparent !important; color: inherit")
        buttons = "".join(
            f'<input type="radio" name="{name}" id="{name}-{k}"{" checked" * (k == 2)}>'
            f'<label for="{name}-{k}">{k}</label> '
            for k in distances
        )
        legend = " ".join(
            f'<span style="padding:1px 8px;border-radius:3px;background:{c};color:{BLACK}">{box}</span>'
            for box, c in zip(BOXES, COLOURS, strict=True)
        )
        words = "".join(self._token(text, row) for text, row in zip(self.texts, self.ranks, strict=True))
        return (
            f'<div class="mtp-seen"><style>{STYLE}\n{rules}</style>seen from so many tokens before: {buttons}'
            f'<span style="display:inline-block;margin-left:1.5em">rank {legend}</span>'
            f'<div class="tx">{words}</div></div>'
        )

    def _token(self, text: str, row: np.ndarray) -> str:
        boxes = ["x" if r < 0 else _box(r) for r in row.tolist()]
        classes = " ".join(f"k{k}b{b}" for k, b in enumerate(boxes, 1))
        plain = f"background:{COLOURS[boxes[1]]};color:{BLACK}" if len(boxes) > 1 and boxes[1] != "x" else ""
        said = ", ".join(f"{k}: {r + 1}" for k, r in enumerate(row.tolist(), 1) if r >= 0)
        shown = escape(visible(text)).replace("↵", "↵<br>")
        return f'<span class="{classes}" style="{plain}" title="rank by distance: {said}">{shown}</span>'


def foresight(backbone, text, ranks: np.ndarray, row: int = 0, first: int = 0, most: int = 140) -> Foresight:
    """Text number `row` of a `Text`, `most` tokens from `first` on, every token coloured by the rank that the state k
    places before gave it (`ranks` [n L, K], of any method). ValueError for a row that is not there.
    """
    n, length, horizon = text.future.shape
    if not 0 <= row < n:
        raise ValueError(f"row={row}: there are {n} texts, from 0 to {n - 1}")
    wide = np.asarray(ranks).reshape(n, length, horizon)[row]
    seen = np.stack([np.r_[np.full(k, -1), wide[:-k, k - 1]] for k in range(1, horizon + 1)], -1)
    real = 1 + int((text.future[row, :, 0] >= 0).sum())  # place 0 is the end of the text before
    part = slice(max(1, first), min(real, first + most, length))
    return Foresight(pieces(backbone, text)[row][part], seen[part])


def _box(rank: int) -> int:
    """Which of `BOXES` a rank (0 = first) lies in."""
    return int(np.searchsorted(FIRST, rank + 1, "right")) - 1
