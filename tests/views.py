"""Every view of the package, with one text wherever a view takes text; a test finds the ones that are missing."""

from dataclasses import fields, is_dataclass

import numpy as np

from mtp_explore.exercises import beside, guess, guess_faster, guess_kept
from mtp_explore.exercises.check import Check
from mtp_explore.exercises.lossless import Place
from mtp_explore.exercises.seen import Foresight, Outlook
from mtp_explore.plots import microscope
from mtp_explore.plots.microscope import Key, View
from mtp_explore.trace.html import play
from mtp_explore.trace.metrics import Table, table
from mtp_explore.trace.records import Trace
from mtp_explore.widgets import ruler
from mtp_explore.widgets.explore import alert
from tests.trace.traces import make_trace
from tests.widgets.throws import PARTS, PIECES, START, Side, grid, throw

NASTY_FIELDS = ("steps", "prompt_text", "text", "pieces", "settings")
WORDS = ("verdict",)  # fields whose words are checked by whoever reads them


def filled(value, text: str, name: str = ""):
    """The same with `text` in place of every string, at any depth, and as every key of a dict but a token's."""
    if isinstance(value, str):
        return value if name in WORDS else text
    if isinstance(value, list | tuple):
        return type(value)(filled(x, text) for x in value)
    if isinstance(value, dict):
        return {k if isinstance(k, int) else text: filled(x, text) for k, x in value.items()}
    if is_dataclass(value):
        return type(value)(**{f.name: filled(getattr(value, f.name), text, f.name) for f in fields(value)})
    return value


def nasty_trace(text: str) -> Trace:
    """A trace with every string replaced, and one more belief that is deep."""
    trace = make_trace("abcdefghij", horizon=4, hit=0.6, seed=3, drafter="x")
    for step in trace.steps:
        step.belief = {"x": "x", "y": [["x"], {"x": "x"}], "z": [0.5, 0.25]}
    return filled(trace, text)


def side(text: str, w):
    """A throw whose drafter is called that."""
    one = throw(w)
    return one._replace(sides={text: Side(*one.sides["twin"])})


def nasty_ruler(text: str):
    rows = [[side(text, t.w) for t in row] for row in grid(START)]
    assert len(rows[0]) == PARTS and PIECES
    return ruler(side(text, START), rows, lambda token: text, text)


def nasty_microscope(text: str):
    keys = [Key(text, "text", 0), Key(text, "mask", 1, text)]
    return microscope({text: View(keys, [0, 1], [[True, False], [True, True]], text)})


class Alert:
    """The explorer's error, as a view."""

    def __init__(self, text):
        self.text = text

    def _repr_html_(self):
        return alert(ValueError(self.text))


VIEWS = {
    "Trace": nasty_trace,
    "Player": lambda text: play(nasty_trace(text)),
    "Table": lambda text: Table((text,), [(text,), ([text],)], [text, text]),
    "Table of a trace": lambda text: table(nasty_trace(text)),
    "Guess": lambda text: guess(text, [text, "other"], text, text),
    "Guess of a call": lambda text: guess_kept(nasty_trace(text)),
    "Guess of runs": lambda text: guess_faster({text: nasty_trace(text), "other": nasty_trace(text)}),
    "Texts": lambda text: beside({text: nasty_trace(text)}),
    "Check": lambda text: Check(0, 1, text),
    "Place": lambda text: Place([text, "x"], [0.5, 0.5], [0.5, 0.5], text, text),
    "Outlook": lambda text: Outlook(text, [[(text, 0.5)] * 3] * 2, [(text, 1), None]),
    "Foresight": lambda text: Foresight([text, text], np.array([[0, 1], [2, -1]])),
    "Microscope": nasty_microscope,
    "Ruler": nasty_ruler,
    "Explorer's error": Alert,
}
