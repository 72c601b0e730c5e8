"""A trace from JSON: what was changed in a file is refused by its path, or the trace can be shown and measured."""

import copy
import json
import math

import numpy as np
import pytest

from mtp_explore.exercises import beside, guess_faster, guess_kept
from mtp_explore.plots import acceptance, histogram, race
from mtp_explore.trace.html import play
from mtp_explore.trace.metrics import table
from mtp_explore.trace.recorded import recorded, recordings
from mtp_explore.trace.records import Trace
from tests.trace.traces import hostile_trace, make_trace
from tests.views import NASTY_FIELDS, nasty_trace

GONE = object()
NASTY = "<img src=x onerror=alert(1)>"
WORDS = ["", "x", NASTY, "kept", "plain"]
VALUES = [GONE, None, True, -1, 0, 7, 10**30, 1.5, math.nan, math.inf, *WORDS, [], [1], [[1, 2, 3]], {}, {"a": 1}]
SHOWN = {
    "player": lambda trace: play(trace)._repr_html_(),
    "sentences": lambda trace: repr(play(trace)) + repr(trace),
    "metrics": lambda trace: table(trace)._repr_html_(),
    "rows": lambda trace: trace.to_dataframe(),
    "acceptance": acceptance,
    "histogram": histogram,
    "race": lambda trace: race({"a": [trace]}),
    "guess_kept": lambda trace: guess_kept(trace)._repr_html_(),
    "guess_faster": lambda trace: guess_faster({"a": trace, "b": trace})._repr_html_(),
    "beside": lambda trace: beside({"a": trace, "b": trace})._repr_html_(),
}


def short() -> Trace:
    """The first three calls of a trace, of which the second and third have drafts."""
    trace = make_trace(seed=3, horizon=2, temperature=1.0, drafter="x")
    trace.steps = trace.steps[:3]
    trace.steps[2].belief = {"weights": [[0.5, 0.5]], "said": "x"}
    return trace


def paths(value, at=()):
    """Where every value of nested JSON stands; of lists the last entry."""
    yield at
    last = {len(value) - 1: value[-1]} if isinstance(value, list) and value else {}
    for key, x in value.items() if isinstance(value, dict) else last.items():
        yield from paths(x, (*at, key))


def changed(data, at, value):
    """A copy with one value replaced, or GONE."""
    if not at:
        return None if value is GONE else value
    data = copy.deepcopy(data)
    inner = data
    for key in at[:-1]:
        inner = inner[key]
    if value is GONE:
        del inner[at[-1]]
    else:
        inner[at[-1]] = value
    return data


DATA = json.loads(short().to_json())


# Whatever is put in the place of a value, at any depth: either the text is refused in one printable line, or the trace
# that comes out (one of each kind of value) shows itself everywhere, or a figure says in words why it cannot.
@pytest.mark.parametrize(
    "at",
    [at for at in paths(DATA) if at[:1] != ("pieces",) or at[1:] in ((), ("0",))],
    ids=lambda at: ".".join(map(str, at)) or "whole",
)
def test_changed_files_are_answered(at):
    kinds = set()
    for value in VALUES:
        try:
            trace = Trace.from_json(json.dumps(changed(DATA, at, value)))
        except ValueError as error:
            assert str(error).isprintable() and "=" in str(error) and ": " in str(error)
            continue
        assert Trace.from_json(trace.to_json()) == trace
        if type(value) in kinds:
            continue
        kinds.add(type(value))
        for show in SHOWN.values():
            try:
                show(trace)
            except ValueError as error:
                assert len(str(error)) > 20


# The refusal names the field by its path, its value, and what it must be.
@pytest.mark.parametrize(
    "at, value, said",
    [
        (("steps", 1, "source"), NASTY, "steps[1].source='<img src=x onerror=alert(1)>': use one of 'plain', 'bonus'"),
        (("steps", 1, "source"), 7, "steps[1].source=7: use one of"),
        (("steps", 1, "drafts", 0, "verdict"), "keept", "steps[1].drafts[0].verdict='keept': use one of 'kept'"),
        (("steps", 1, "drafts", 0, "q"), math.nan, "steps[1].drafts[0].q=nan: it must be a finite number"),
        (("steps", 1, "drafts", 0, "p_top", 0), [3], "steps[1].drafts[0].p_top[0]=[3]: it must be a pair"),
        (("steps", 1, "drafts", 0, "p_top", 0, 1), "x", "drafts[0].p_top[0][1]='x': it must be a finite number"),
        (("steps", 2, "tokens", 0), 1.5, "steps[2].tokens[0]=1.5: it must be a whole number"),
        (("steps", 2, "tokens"), [], "steps[2].tokens=[]: a call that keeps"),
        (("steps", 1, "accepted"), 9, "steps[1].accepted=9: it must be a whole number from 0 to 2"),
        (("steps", 1, "belief"), "x", "steps[1].belief='x': it must be a JSON object"),
        (("steps", 1, "colour"), "red", "a field of steps[1]='colour': use one of"),
        (("pieces", "x"), "y", "a key of pieces='x': it must be a token id"),
        (("pieces", "0"), 7, "pieces[0]=7: it must be a string"),
        (("settings", "deep"), {"a": {}}, "settings['deep']['a']={}: it nests too deeply"),
        (("settings", "horizon"), 10**12, "settings['horizon']=1000000000000: it must be a whole number"),
        (("settings", "temperature"), "hot", "settings['temperature']='hot': it must be a finite number"),
        (("finish",), "never", "finish='never': use one of 'length', 'eos', 'context'"),
        (("version",), 2, "version=2: it must be 1; record the trace again"),
    ],
)
def test_refusals_name_the_path(at, value, said):
    with pytest.raises(ValueError) as caught:
        Trace.from_json(json.dumps(changed(DATA, at, value)))
    assert said in str(caught.value)


# What a step says about its drafts is what they say: the first that are accepted were kept, the next one refused.
def test_a_step_agrees_with_its_drafts():
    a = DATA["steps"][1]["accepted"]
    for at, value in ((("drafts", 0, "verdict"), "ignored"), (("accepted",), 1 - a), (("source",), "plain")):
        with pytest.raises(ValueError, match=r"steps\[1\]"):
            Trace.from_json(json.dumps(changed(DATA, ("steps", 1, *at), value)))


# What is no JSON, or nests beyond any reader's patience, is refused in words; what is no text is a TypeError.
@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"a":' * 100_000, "null", "[]", "{}", b"\xff", "1" * 5000])
def test_no_trace_at_all(text):
    with pytest.raises(ValueError, match="pass what Trace.to_json"):
        Trace.from_json(text)


@pytest.mark.parametrize("text", [None, 5, {"version": 1}])
def test_no_text_at_all(text):
    with pytest.raises(TypeError, match="to_json"):
        Trace.from_json(text)


# Beliefs are plain data of any shape, but they end somewhere.
def test_beliefs_are_bounded():
    deep = inner = []
    for _ in range(40):
        inner.append([])
        inner = inner[0]
    for belief in ({"deep": deep}, {"x": 10**40}, {"x": [math.inf]}):
        with pytest.raises(ValueError, match=r"steps\[1\]\.belief"):
            Trace.from_json(json.dumps(changed(DATA, ("steps", 1, "belief"), belief)))


# The traces that ship, and one with every nasty text, come back as they were.
@pytest.mark.parametrize("name", recordings())
def test_recorded_traces_are_read(name):
    trace = recorded(name)
    assert Trace.from_json(trace.to_json()) == trace and trace.steps


def test_hostile_traces_come_back():
    text = hostile_trace().to_json()
    assert json.loads(Trace.from_json(text.encode()).to_json()) == json.loads(text)


# Text that a file may hold anywhere, at any depth and as any name, reaches the trace and its page as text.
def test_text_of_a_file_is_text():
    data = json.loads(nasty_trace(NASTY).to_json())
    for step in data["steps"]:
        n, a = len(step["drafts"]), step["accepted"]
        step["source"] = "plain" if not n else "bonus" if a == n else "residual"
    data["finish"] = "length"
    assert {f for f in NASTY_FIELDS if NASTY in json.dumps(data[f])} == set(NASTY_FIELDS)
    assert "<img" not in play(Trace.from_json(json.dumps(data)))._repr_html_()


# `play` refuses at once what it could not show later, and takes numbers of numpy.
def test_play_refuses_at_once():
    trace = short()
    for start in (0, 4, 1.5, "2", True):
        with pytest.raises(ValueError, match="start=.*this trace has 3 calls"):
            play(trace, start)
    for given in (None, "x", [trace]):
        with pytest.raises(TypeError, match="trace=.*generate"):
            play(given)
    assert play(trace, np.int64(2))._repr_html_() == play(trace, 2)._repr_html_()
