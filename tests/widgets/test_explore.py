"""The linked widget from Python: what it calls, when it calls, and what it shows when that fails."""

import asyncio

import pytest

from mtp_explore.trace.html import player
from mtp_explore.widgets import explore
from tests.trace.traces import HOSTILE, make_trace

DRAFTERS = {"cp, rank 8": "cp-object", "ptp": "ptp-object"}


class Run:
    """A function that notes what it was called with."""

    def __init__(self, result=None):
        self.calls, self.result = [], result

    def __call__(self, **values):
        self.calls.append(values)
        if isinstance(self.result, Exception):
            raise self.result
        return self.result or make_trace(seed=values["seed"])


class Page:
    """Stands for a notebook's output: remembers what it shows."""

    html = None

    def update(self, html):
        self.html = html.data


# The function gets every control's value by name, and the drafter itself rather than its name.
def test_run_receives_the_controls():
    run = Run()
    seen = explore(run, "A story:", DRAFTERS, rule="block", temperature=0.7, horizon=3, seed=5)
    seen.controls["drafter"].label = "ptp"
    seen.refresh()
    assert run.calls[-1] == dict(
        prompt="A story:", drafter="ptp-object", rule="block", temperature=0.7, horizon=3, seed=5
    )
    assert "drafter" not in explore(run).values()


# The player goes to an output of its own, never into the widget: it stays readable when the kernel is gone.
def test_player_is_shown_beside():
    seen = explore(Run())
    seen._page = Page()
    trace = seen.refresh()
    assert seen._page.html == player(trace, start=1)
    assert "mtp-text" not in seen.status.value and seen.status.value == ""
    assert not hasattr(seen, "_repr_mimebundle_")


# Many changes in a row make one run, after the controls have been still; the button runs at once.
def test_changes_are_debounced():
    run = Run()

    async def turn():
        seen = explore(run, wait=0.01)
        for k in range(2, 9):
            seen.controls["horizon"].value = k
        assert run.calls == []
        while not run.calls:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)
        assert [c["horizon"] for c in run.calls] == [8]
        seen.controls["seed"].value = 3
        seen.button.click()
        await asyncio.sleep(0.05)
        assert len(run.calls) == 2, "the button takes the waiting run's place"

    asyncio.run(turn())


# With wait=None only the button runs.
def test_button_only():
    run = Run()
    seen = explore(run, wait=None)
    seen.controls["seed"].value = 3
    assert run.calls == []
    seen.button.click()
    assert len(run.calls) == 1


# An error of the function is shown, escaped, and the next good run clears it; the old player stays meanwhile.
def test_errors_are_shown():
    run = Run(ValueError(f"prompt={HOSTILE[0]!r} is too long: shorten it"))
    seen = explore(run)
    seen._page = Page()
    assert seen.refresh() is None and seen.error is run.result
    assert "ValueError: prompt=" in seen.status.value and "<img" not in seen.status.value
    assert "shorten it" in seen.status.value and "where it happened" in seen.status.value
    assert not seen.button.disabled and seen._page.html is None
    run.result = [1]
    seen.refresh()
    assert "run returned list: it must return a Trace" in seen.status.value
    run.result = None
    assert seen.refresh() and seen.error is None and seen.status.value == ""


# Values a control cannot hold are refused when the widget is made.
@pytest.mark.parametrize(
    "arguments, error, word",
    [
        (dict(run=3), TypeError, "run=3"),
        (dict(drafters={}), ValueError, "drafters"),
        (dict(rule="typical"), ValueError, "typical"),
        (dict(temperature=-1), ValueError, "temperature"),
        (dict(horizon=0), ValueError, "horizon"),
    ],
)
def test_bad_input(arguments, error, word):
    with pytest.raises(error, match=word):
        explore(**(dict(run=Run()) | arguments))


# Without a rule the run gets None, and the dropdown still says in words what that means.
def test_the_default_rule_has_a_name():
    seen = explore(Run())
    assert seen.values()["rule"] is None and seen.controls["rule"].label == "as the drafter needs"
