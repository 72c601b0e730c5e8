"""Markup: the one way from a string to a page.

`Html` is what is markup already; only this file makes it. Whatever else becomes part of a page is text and passes
`text`, which escapes it, so a string of a model, a file or a reader cannot become a tag by being forgotten:

    tag("td", piece, title=piece)       <td title="...">...</td>; children that are no Html are text
    join(parts), text(value)            pieces side by side; one value as text
    style(css), script(code), data(x)   tags whose inside a browser does not unescape; they refuse what would end them
    view(name, *children)               the root of everything that shows itself: MathJax leaves its text alone
    save(path, title, view)             a page of its own

Text also has its unseen signs made visible (`glyphs`), line breaks and the isolates of `quoted` excepted.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from .. import atomic, checks
from .glyphs import visible

EMPTY = {"br", "input"}  # tags without an inside
KEPT = re.compile("([\n\u2068\u2069])")
NO_FORMULAS = "mathjax_ignore"  # JupyterLab would typeset "$5 and $6"
OWN_KEYS = {"data_lm_suppress_shortcuts": "true"}
SAFE = {c: f"\\u{c:04x}" for c in [*map(ord, "<>&\u2028\u2029"), *range(0xD800, 0xE000)]}  # in JSON, and half pairs
HEAD = '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark">'


class Html(str):
    """Markup. Joined with a plain string it is a plain string again, and would be escaped."""

    __slots__ = ()


def text(value) -> Html:
    """A value as text of a page, between tags or inside an attribute's quotes; Html stays as it is, None is nothing."""
    if isinstance(value, Html):
        return value
    if value is None:
        return Html()
    value = str(value)
    if value.isascii() and value.isprintable():
        return Html(html.escape(value))
    parts = KEPT.split(value)
    return Html(html.escape("".join(part if i % 2 else visible(part) for i, part in enumerate(parts))))


def join(parts: Iterable, between="") -> Html:
    """Parts side by side, each as `text` has it."""
    return Html(text(between).join(map(text, parts)))


def tag(element: str, /, *children, **attributes) -> Html:
    """An element. `class_` stands for class, `aria_label` for aria-label; True is a bare attribute, None is none."""
    given = {key.removesuffix("_").replace("_", "-"): value for key, value in attributes.items()}
    shown = "".join(
        f" {key}" if value is True else f' {key}="{text(value)}"'
        for key, value in given.items()
        if value is not None and value is not False
    )
    return Html(f"<{element}{shown}>" + ("" if element in EMPTY else f"{join(children)}</{element}>"))


def style(css: str) -> Html:
    return _raw("style", css)


def script(code: str) -> Html:
    return _raw("script", code)


def data(value) -> Html:
    """A value as JSON that a script of the same view reads; strings inside are whole and cannot leave the tag."""
    written = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return _raw("script", written.translate(SAFE), ' type="application/json"')


def short(table: Html) -> Html:
    """The same without the end tags that HTML lets one leave out: those of cells and rows."""
    return Html(re.sub("</t[dhr]>", "", table))


def view(name: str, *children, element: str = "div", style: str | None = None) -> Html:
    """The root of what shows itself, of the class `name`: text in it stays text."""
    return tag(element, *children, class_=f"{NO_FORMULAS} {name}".strip(), style=style)


def radios(group: str, names: Mapping, chosen) -> Html:
    """Radio buttons {key: name} with the ids `group`-key, as inputs followed by their labels. Their keys are theirs:
    JupyterLab looks for that attribute on the element with the focus itself.
    """
    pairs = (
        (
            tag("input", type="radio", name=group, id=f"{group}-{key}", checked=key == chosen, **OWN_KEYS),
            tag("label", name, for_=f"{group}-{key}"),
        )
        for key, name in names.items()
    )
    return join((join(pair) for pair in pairs), " ")


def save(path, title: str, shown: Html) -> Path:
    """Write a view as a page that needs nothing else, whole or not at all; returns its path."""
    path = checks.path("path", path)
    try:
        atomic.write_text(path, HEAD + tag("title", title) + tag("body", shown) + "</html>")
    except OSError as error:
        raise OSError(f"path={error}") from error
    return path


def _raw(name: str, inside: str, attributes: str = "") -> Html:
    if re.search("</|<!--", inside):
        raise ValueError(f"{name}={checks.shown(inside)}: it must not hold '</' or '<!--', which could end its tag")
    return Html(f"<{name}{attributes}>{inside}</{name}>")
