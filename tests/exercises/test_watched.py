"""Cells that take long say how far they are; elsewhere than in a notebook nothing is shown."""

import IPython
import plotly.io
import pytest

from mtp_explore.exercises import watched
from mtp_explore.exercises.waiting import Falling


class Handle:
    def __init__(self, shown):
        self.shown = shown

    def update(self, bundle, raw):
        self.shown.append(bundle)


@pytest.fixture
def shown(monkeypatch):
    """What a notebook would show, state by state."""
    found = []

    def display(bundle, raw, display_id):
        found.append(bundle)
        return Handle(found)

    monkeypatch.setattr(IPython, "get_ipython", lambda: object())
    monkeypatch.setattr(IPython.display, "display", display)
    monkeypatch.setattr("mtp_explore.exercises.waiting.MOMENT", -1.0)
    return found


# The line is there before the first item is done, counts, and is gone at the end, also where the loop breaks off.
def test_a_line_counts_and_goes(shown):
    assert list(watched("abc", "letter")) == ["a", "b", "c"]
    said = [bundle["text/plain"] for bundle in shown]
    assert said[0] == "letter: 1 of 3" and said[1].startswith("letter: 2 of 3, about") and said[-1] == ""
    shown.clear()
    with pytest.raises(ZeroDivisionError):
        for _ in watched([1, 2]):
            raise ZeroDivisionError
    assert [bundle["text/plain"] for bundle in shown][-1] == ""


# It is a collection like the one inside: it has its length and can be gone through twice.
def test_watched_is_a_collection(shown):
    items = watched({"a": 1, "b": 2}.items())
    assert len(items) == 2 and dict(items) == dict(items) == {"a": 1, "b": 2}
    assert not watched([]) and list(watched([])) == []


# The curves of several trainings grow in one figure, which says how long the rest takes.
def test_losses_are_drawn_meanwhile(shown, monkeypatch):
    monkeypatch.setattr(plotly.io.renderers, "default", "plotly_mimetype")  # as in a notebook
    lines = {}
    for name in ("rank 1", "rank 2"):
        watch = Falling(40, {"loss": name}, lines)
        for step in (10, 20):
            watch({"step": step, "loss": 9.0 / step, "seconds": step / 10})
    last = shown[-1]["application/vnd.plotly.v1+json"]
    assert [trace["name"] for trace in last["data"]] == ["rank 1", "rank 2"]
    assert last["layout"]["title"]["text"] == "step 20 of 40, about 2 s left"


# In a script nothing is drawn and nothing is printed.
def test_scripts_are_quiet(capsys):
    assert list(watched([1, 2])) == [1, 2]
    Falling(10, {"loss": "a"})({"step": 10, "loss": 1.0, "seconds": 1.0})
    assert capsys.readouterr().out == ""
