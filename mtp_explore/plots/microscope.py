"""The mask microscope: which key may a query see, row by row, of one call or of a training pass.

    views   {name: `View`}: a layout as plain data; the names become buttons
    row     a query, from left to right: the gate's stripe (filled where adapters act), its name, its position, its keys
            (a sign where it may look, a dot where it may not), and the place it speaks of, position + 1
    column  a key: its name, for a mask the row it hangs from, its position

Hover a row, or reach it with the tab key: its keys light up, and a sentence says the row in words. Plain HTML and CSS:
no kernel, no script, nothing fetched; where styles are stripped all views stand one under the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ..checks import instance, whole
from ..trace.glyphs import visible
from ..trace.markup import Html, join, radios, style, tag
from ..trace.markup import view as root
from . import given
from .style import BLUE, ORANGE, PARTS, VERMILION

KINDS = {"text": ("■", BLUE), "draft": ("◆", ORANGE), "mask": ("●", PARTS[0])}  # sign and colour of a key
LOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
CELL = "padding:1px 5px;border:0;text-align:center"
STYLE = """
.mtp-scope { font: 14px/1.45 var(--jp-ui-font-family, system-ui, sans-serif); max-width: 64em; }
.mtp-scope > input { position: absolute; opacity: 0; }
.mtp-scope > label { cursor: pointer; padding: 2px 11px; border: 1px solid #8888; border-radius: 7px; }
.mtp-scope > input:checked + label { border-color: #0072b2; box-shadow: inset 0 0 0 1px #0072b2; font-weight: 600; }
.mtp-scope > input:focus-visible + label { outline: 2px solid #0072b2; outline-offset: 1px; }
.mtp-scope .view { display: none; position: relative; padding: 8px 0 3.4em; overflow-x: auto; }
.mtp-scope .view > b { display: none; }
.mtp-scope table { border-collapse: collapse; margin: 4px 0; }
.mtp-scope tr { background: none !important; outline: none; }
.mtp-scope tbody tr { cursor: default; }
.mtp-scope th { font-weight: 500; border-radius: 5px 5px 0 0; }
.mtp-scope table:has(tbody tr:is(:hover, :focus)) tbody tr:not(:hover, :focus) td { opacity: .35; }
.mtp-scope tbody tr:is(:hover, :focus) td { background: #8882; }
.mtp-scope tbody tr:is(:hover, :focus) td.on { background: #f0e442; }
.mtp-scope .says { position: absolute; bottom: 0; left: 0; right: 0; height: 3.2em; margin: 0; padding-left: 10px;
  border-left: 3px solid #0072b2; display: none; }
.mtp-scope .view::after { content: "Rest the pointer on a row, or step through the rows with the tab key.";
  position: absolute; bottom: 1.6em; left: 0; opacity: .6; font-style: italic; }
.mtp-scope .view:has(tbody tr:is(:hover, :focus))::after { content: none; }
""".strip()


class Key(NamedTuple):
    """A row of the input, as others see it."""

    name: str  # "x2", "d1", "m1": digits are set low
    kind: str  # "text", "draft", "mask"
    position: int
    owner: str = ""  # the name of the row that a mask hangs from


class View(NamedTuple):
    """A layout. `rows` are the keys that ask in this pass (what is cached does not), allowed [rows][keys] bool."""

    keys: Sequence[Key]
    rows: Sequence[int]
    allowed: Sequence[Sequence[bool]]
    says: str = ""  # a sentence about the whole


class Microscope:
    """What `microscope` returns: shows itself in a notebook."""

    def __init__(self, views: Mapping[str, View]):
        self.views = dict(views)

    def __repr__(self) -> str:
        return "\n\n".join(f"{name}\n" + "\n".join(_lines(view)) for name, view in self.views.items())

    def _repr_html_(self) -> Html:
        scope = "scope-" + hashlib.sha256(repr(self.views).encode()).hexdigest()[:8]
        buttons = radios(scope, {i: visible(str(name)) for i, name in enumerate(self.views)}, 0)
        rules, parts = [STYLE], []
        for i, (name, layout) in enumerate(self.views.items()):
            rules += [f"#{scope}-{i}:checked ~ .v{i} {{ display: block; }}", *_rules(f".{scope} .v{i}", layout)]
            parts.append(tag("div", tag("b", visible(str(name))), _table(layout), class_=f"view v{i}"))
        return root(f"mtp-scope {scope}", style("\n".join(rules)), buttons, *parts)


def microscope(views: Mapping[str, View]) -> Microscope:
    """The views behind one row of buttons. ValueError where there is none, or one's sizes disagree."""
    for name, view in given.table("views", views, "at least one layout, {name: View}").items():
        shaped(f"views[{name!r:.40}]", view)
        wide = {len(row) for row in view.allowed}
        if len(view.allowed) != len(view.rows) or wide - {len(view.keys)}:
            raise ValueError(
                f"views[{name!r}]: {len(view.rows)} rows and {len(view.keys)} keys, but allowed is "
                f"[{len(view.allowed)}][{', '.join(map(str, sorted(wide)))}]: give one row per query, one entry per key"
            )
        if odd := sorted({key.kind for key in view.keys} - set(KINDS)):
            raise ValueError(f"views[{name!r}] has keys of the kind {odd[0]!r}: use one of {', '.join(KINDS)}")
    return Microscope(views)


def shaped(name: str, view) -> None:
    """An error where a view holds something else than keys, rows and booleans."""
    instance(name, view, View, "it must be a View(keys, rows, allowed)")
    for part, entry in (
        (p, x) for p in ("keys", "rows", "allowed") for x in given.texts(f"{name}.{p}", getattr(view, p))
    ):
        if part == "keys":
            instance(f"{name}.keys", entry, Key, "it must hold Key(name, kind, position)")
        elif part == "rows":
            whole(f"{name}.rows", entry, 0, len(view.keys) - 1, why="numbers of keys")
        else:
            given.texts(f"{name}.allowed", entry)


def low(name: str) -> str:
    """A name with its digits set low."""
    return visible(name).translate(LOW)


def full(key: Key) -> str:
    """A key by name and owner, for sentences."""
    return f"{low(key.name)} behind {low(key.owner)}" if key.owner else low(key.name)


def sentence(view: View, r: int) -> str:
    """A row in words."""
    key = view.keys[view.rows[r]]
    seen = [other for other, on in zip(view.keys, view.allowed[r], strict=True) if on and other is not key]
    names = [full(s) if s.owner and s.owner != key.owner else low(s.name) for s in seen]
    gate = "the adapters act on it" if key.kind == "mask" else "the adapters leave it alone"
    looks = f"sees {', '.join(names)} and itself" if names else "sees itself alone"
    return f"{full(key)}, at position {key.position}, {looks}; it speaks of {ahead(key)}; {gate}."


def ahead(key: Key) -> str:
    """The place a row speaks of."""
    return low(f"x{key.position + 1}")


def _lines(view: View) -> list[str]:
    names = [f"{key.name}/{key.owner}" if key.owner else key.name for key in view.keys]
    wide = max(map(len, names))
    rows = zip(view.rows, view.allowed, strict=True)
    return [f"{names[q]:>{wide}}  " + "".join("#" if on else "." for on in allowed) for q, allowed in rows]


def _rules(where: str, layout: View) -> Iterator[str]:
    """The style of a view's rows: the one under the pointer shows its sentence and lights up its keys."""
    for r, allowed in enumerate(layout.allowed):
        asked = f"{where}:has(tr.r{r}:is(:hover, :focus))"
        lit = ", ".join(f"th.k{c}" for c, on in enumerate(allowed) if on)
        yield f"{asked} .s{r} {{ display: block; }}"
        yield f"{asked} :is({lit or 'th.none'}) {{ background: #f0e442; color: #111; font-weight: 700; }}"


def _table(layout: View) -> Html:
    said = (tag("p", sentence(layout, r), class_=f"says s{r}") for r in range(len(layout.rows)))
    note = tag("div", layout.says, style="max-width:60em") if layout.says else None
    rows = (_row(layout, r) for r in range(len(layout.rows)))
    return join([note, tag("table", tag("thead", _heads(layout)), tag("tbody", *rows)), *said])


def _heads(layout: View) -> Html:
    """Lines above the table: the keys' names, the rows that masks hang from, positions."""
    lead = join(("gate", "query", "key"), tag("span", style="padding-left:.8em"))
    lines = [(lead, [tag("b", low(key.name)) for key in layout.keys])]
    if any(key.owner for key in layout.keys):
        lines.append(("hangs from", [_small(low(key.owner)) for key in layout.keys]))
    lines.append(("position", [_small(key.position) for key in layout.keys]))
    blank, shown = tag("th", style=CELL), []
    for lead, words in lines:
        under = [f";border-bottom:3px solid {KINDS[key.kind][1]}" * (lead == "position") for key in layout.keys]
        cells = (
            tag("th", w, class_=f"k{c}", style=CELL + u) for c, (w, u) in enumerate(zip(words, under, strict=True))
        )
        shown.append(tag("tr", blank, blank, tag("th", _small(lead), style=f"{CELL};text-align:right"), *cells, blank))
    return join(shown)


def _row(layout: View, r: int) -> Html:
    """A query: its gate, name, position, the keys it may see, and the place it speaks of."""
    key, cell = layout.keys[layout.rows[r]], lambda x: tag("td", x, style=CELL)
    gated = key.kind == "mask"
    gate = tag(
        "td", "on" if gated else "", style=f"{CELL};background:{VERMILION if gated else 'transparent'};color:#111"
    )
    who = join([tag("b", low(key.name)), _small(low(key.owner)) if key.owner else None], " " if key.owner else "")
    seen = (
        tag("td", KINDS[k.kind][0], class_="on", style=f"{CELL};color:{KINDS[k.kind][1]}")
        if on
        else tag("td", "·", style=f"{CELL};opacity:.4")
        for k, on in zip(layout.keys, layout.allowed[r], strict=True)
    )
    speaks = tag("td", f"→ {ahead(key)}", style=f"{CELL};text-align:left")
    inside = gate, cell(who), cell(_small(f"at {key.position}")), *seen, speaks
    return tag("tr", *inside, class_=f"r{r}", tabindex="0", title=sentence(layout, r))


def _small(text) -> Html:
    return tag("small", text, style="opacity:.75")
