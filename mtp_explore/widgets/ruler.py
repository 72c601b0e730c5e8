"""The ruler: throw the dice first, then drag one and watch the sentence follow.

A window of K + 1 places, one number w_k in [0, 1) for each. At every place [0, 1) is cut into the tokens of the
target's law, and into those of a drafter's; a handle says where w_k lies, and so which token either names.

    start     the throw that is shown at first, a `Throw`
    grid      [K+1][G] throws: die k at the middle of the i-th of G equal parts, the others as in `start`
    piece     token id -> text
    ask       (w, full) -> Throw: what other dice make; `full`: with strips that take long to find

One implementation, two ways to feed it. The HTML carries `start` and `grid`, so one die at a time can be dragged in a
saved notebook, on an exported page and without a network. Where a kernel runs, an anywidget of no size beside it passes
dice to `ask` and throws back, and then all dice move freely; when the kernel falls silent the grid takes over again.
Nothing is fetched. Edges of bins are embedded in thousandths; tokens that share a bin's colour with its neighbours are
told apart by their names.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from .. import checks
from ..trace.glyphs import visible
from ..trace.markup import Html, data, join, save, script, style, tag, view

FINE = 1000  # edges are whole numbers of 1 / FINE
CELL = "padding:1px 12px 1px 0;text-align:left;border:0"

Bins = Sequence[tuple[int, float, float]]  # (token, from, to), in order; gaps hold tokens too rare to be drawn


class Side(NamedTuple):
    """What a drafter does at places 1..K under a throw."""

    picks: Sequence[int]
    bins: Sequence[Bins | None]  # None: no strip is known
    agree: Sequence[float | None]  # the share of [0, 1) on which the strip names the target's token


class Throw(NamedTuple):
    """Dice, and what they make."""

    w: Sequence[float]  # [K+1]
    picks: Sequence[int]  # [K+1] the target's tokens
    bins: Sequence[Bins]  # [K+1]
    sides: dict[str, Side]  # by drafter


class Ruler:
    """What `ruler` returns: shows itself in a notebook; `save(path)` writes a page that needs nothing else."""

    def __init__(self, start: Throw, grid: Sequence[Sequence[Throw]], piece: Callable, prompt: str, ask):
        self.start, self.grid, self.piece, self.prompt, self.ask = start, grid, piece, prompt, ask
        self._data = data(_data(start, grid, piece, prompt))
        self.name = "ruler-" + hashlib.sha256(self._data.encode()).hexdigest()[:10]

    def answer(self, question: dict) -> dict:
        """What the page is told about dice {"w": [K+1 numbers], "full": bool, "id": any}; an error of `ask` as text."""
        clock = time.perf_counter()
        checks.instance("question", question, Mapping, "the page asks with a dict that has w")
        try:
            w = [min(max(float(x), 0.0), 1 - 2**-53) for x in question["w"]]
            if len(w) != len(self.start.w):
                raise ValueError(f"w has {len(w)} numbers: this window has {len(self.start.w)} dice")
            throw, pool = self.ask(w, bool(question.get("full"))), _Pool()
            state = _state(throw, pool)
            told = {"state": state, "bins": pool.bins, "pieces": _pieces(pool, throw, self.piece)}
        except Exception as error:  # a callback's exception reaches nobody: show it in the page
            told = {"error": visible(f"{type(error).__name__}: {error}")}
        return {**told, "id": question.get("id"), "ms": round(1000 * (time.perf_counter() - clock))}

    def _repr_html_(self) -> Html:
        table = tag("div", self._table(), class_="mtp-ruler-table")
        start = script(f'({_asset("ruler.js")})("{self.name}")')
        inside = style(_asset("ruler.css")), table, self._data, start
        return view(f"mtp-ruler {self.name}", *inside, style="max-width:75em")

    def _table(self) -> Html:
        """The first throw in plain tags, for those who read without scripts."""
        names = ["place", "die", "target", *self.start.sides]
        rows = [tag("tr", *(tag("th", visible(str(n)), style=CELL) for n in names))]
        for k, (w, own) in enumerate(zip(self.start.w, self.start.picks, strict=True)):
            row = [k, f"{w:.3f}", tag("b", _word(self.piece(own)))]
            for side in self.start.sides.values():
                mark = "u" if k and side.picks[k - 1] == own else "s"
                row.append(tag(mark, _word(self.piece(side.picks[k - 1]))) if k else "–")
            rows.append(tag("tr", *(tag("td", x, style=CELL) for x in row)))
        prompt = tag("p", visible(self.prompt), style="white-space:pre-wrap")
        return join([prompt, tag("table", *rows, style="border-collapse:collapse")])

    def __repr__(self) -> str:
        said = [f"target: {''.join(map(self.piece, self.start.picks))!r}"]
        said += [f"{name}: {''.join(map(self.piece, side.picks))!r}" for name, side in self.start.sides.items()]
        return "\n".join(said)

    def save(self, path) -> Path:
        """Write the ruler as a page of its own; returns its path. OSError, with the old page whole, if it cannot."""
        return save(path, "Ruler", self._repr_html_())

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display({"text/html": self._repr_html_(), "text/plain": repr(self)}, raw=True)
        if self.ask:
            display(bridge(self))


def ruler(start: Throw, grid: Sequence[Sequence[Throw]], piece: Callable, prompt: str = "", ask=None) -> Ruler:
    """The ruler of a throw; arguments above. ValueError where sizes disagree or a die lies outside [0, 1)."""
    checks.instance("start", start, Throw, "it must be a Throw")
    grid = [checks.items("grid", row) for row in checks.items("grid", grid)]
    for throw in (throw for row in grid for throw in row):
        checks.instance("grid", throw, Throw, "its entries must be Throws")
    checks.function("piece", piece)
    checks.text("prompt", prompt)
    if ask is not None:
        checks.function("ask", ask)
    places, names = len(start.w), list(start.sides)
    sizes = {len(row) for row in grid}
    if len(grid) != places or len(sizes) != 1 or 0 in sizes:
        raise ValueError(f"grid has rows of {sorted(sizes)} throws for {len(grid)} dice: give {places} equal rows")
    for throw in (start, *(t for row in grid for t in row)):
        if not all(math.isfinite(x) and 0 <= x < 1 for x in throw.w):
            raise ValueError(f"w={list(throw.w)}: dice are numbers in [0, 1)")
        lengths = {len(throw.w), len(throw.picks), len(throw.bins)}
        inner = {len(part) for side in throw.sides.values() for part in side}
        if lengths != {places} or inner - {places - 1} or list(throw.sides) != names:
            raise ValueError(
                f"a throw has parts of {sorted(lengths)} and sides {list(throw.sides)} of {sorted(inner)} entries: "
                f"with {places} dice they are {places}, {names} and {places - 1}"
            )
    return Ruler(start, grid, piece, prompt, ask)


def bridge(of: Ruler):
    """An anywidget of no size that carries dice from the page to the kernel and throws back."""
    import anywidget

    class Bridge(anywidget.AnyWidget):
        _esm = f"const name = {json.dumps(of.name)};\n{_asset('ruler_bridge.js')}"

    made = Bridge()
    made.on_msg(lambda widget, content, buffers: widget.send(of.answer(content)))
    return made


class _Pool:
    """Strips, each once."""

    def __init__(self):
        self.bins: list[list[int]] = []
        self.known: dict[tuple, int] = {}

    def __call__(self, bins: Bins | None) -> int:
        if bins is None:
            return -1
        flat = tuple(x for t, low, high in bins for x in (int(t), round(FINE * low), round(FINE * high)))
        if flat not in self.known:
            self.known[flat] = len(self.bins)
            self.bins.append(list(flat))
        return self.known[flat]


def _state(throw: Throw, pool: _Pool, k: int = -1) -> list:
    """[picks, strips, [[picks, strips, agreement in percent] per drafter]]; of a die k, what may follow it alone."""
    sides = []
    for side in throw.sides.values():
        agree = [-1 if a is None else round(100 * a) for a in side.agree[max(k, 0) :]]
        sides.append([list(map(int, side.picks[max(k - 1, 0) :])), list(map(pool, side.bins[max(k, 0) :])), agree])
    return [list(map(int, throw.picks[max(k, 0) :])), list(map(pool, throw.bins[k + 1 :])), sides]


def _data(start: Throw, grid: Sequence[Sequence[Throw]], piece: Callable, prompt: str) -> dict:
    """What the page needs."""
    pool = _Pool()
    states = [[_state(throw, pool, k) for throw in row] for k, row in enumerate(grid)]
    return {
        "prompt": visible(prompt),
        "names": [visible(str(name)) for name in start.sides],
        "w": [float(x) for x in start.w],
        "start": _state(start, pool),
        "states": states,
        "bins": pool.bins,
        "pieces": _pieces(pool, [start, *(t for row in grid for t in row)], piece),
        "fine": FINE,
    }


def _pieces(pool: _Pool, throws, piece: Callable) -> dict[int, str]:
    """Names of all tokens that occur."""
    throws = [throws] if isinstance(throws, Throw) else throws
    used = {t for bins in pool.bins for t in bins[::3]}
    for throw in throws:
        used.update(map(int, throw.picks))
        used.update(int(t) for side in throw.sides.values() for t in side.picks)
    return {t: visible(piece(t)) for t in sorted(used)}


def _word(text: str) -> str:
    return visible(text).replace(" ", "·")


@cache
def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8").strip()
