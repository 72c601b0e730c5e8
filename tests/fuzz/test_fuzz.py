"""Hostile calls: no error from inside, nothing that hangs or eats the memory, and every refusal names its argument."""

import inspect

import pytest

import mtp_explore as mtp
from mtp_explore import exercises, plots, widgets
from mtp_explore.drafters import DRAFTERS
from tests.fuzz.calls import strangers, the_calls
from tests.fuzz.fuzz import run
from tests.fuzz.judge import BAD
from tests.fuzz.values import Case, chosen

SLOW = {"mtp-explore generate", "mtp.load_backbone", "mtp.load_drafter", "exercises.check_order", "exercises.learn"}


def worst(count: int, seed: int, but=()) -> list[str]:
    """What came back badly from so many hostile calls."""
    calls = [call for call in the_calls() if call.name not in but]
    todo = chosen(calls, count, seed, strangers())
    told = zip(todo, run(todo), strict=True)
    return [f"{o.kind}: {case.call.name}({case.how}): {o.said}" for case, o in told if o.kind in BAD]


# A public function that the table leaves out would never be tried.
def test_every_public_function_has_a_good_call():
    tried = {call.name.split()[0] for call in the_calls()}
    public = {f"mtp.{name}" for name in mtp.__all__}
    for room, module in (("exercises", exercises), ("plots", plots), ("widgets", widgets)):
        of = {name: getattr(module, name) for name in module.__all__}
        public |= {f"{room}.{n}" for n, f in of.items() if callable(f) and inspect.signature(f).parameters}
    assert not public - tried - {"exercises.Check"}  # what checks return
    makers = {call.given["name"]: set(call.given) for call in the_calls() if call.name.startswith("mtp.make_drafter")}
    for name, drafter in DRAFTERS.items():
        assert set(inspect.signature(drafter.__init__).parameters) - {"self"} <= makers[name]


# Each good call returns: a table of calls that fail anyway would prove nothing.
def test_good_calls_are_good():
    good = [Case(call, "as it is", (), call.given) for call in the_calls() if call.name not in SLOW]
    found = {case.call.name: outcome for case, outcome in zip(good, run(good), strict=True)}
    assert {name: outcome.said for name, outcome in found.items() if outcome.kind != "returned"} == {}


# A few hundred hostile calls, the same ones every time.
def test_hostile_calls_are_refused_in_words():
    assert worst(300, seed=0, but=SLOW) == []


# The whole of it.
@pytest.mark.slow
def test_many_hostile_calls():
    assert worst(1500, seed=1) == []
