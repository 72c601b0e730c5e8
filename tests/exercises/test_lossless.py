"""Notebook 03's helpers: whole laws out of a trace, a model of three words, texts side by side, the meter's picture."""

import math

import plotly.io
import pytest
import torch
from trace_of import TRACE, step

from mtp_explore.decode.generate import generate, sample
from mtp_explore.exercises import PROMPT, beside, guess_chance, openings, places, rough, runner, shorter, telling, tiny
from mtp_explore.trace.records import Trace


# A place holds both laws whole, over the same tokens, and its overlap is the chance min(1, p/q) averaged over q.
def test_places_hold_whole_laws():
    found = places(TRACE)
    assert len(found) == sum(bool(s.drafts) for s in TRACE.steps)
    for place in found:
        assert math.isclose(sum(place.p), 1) and math.isclose(sum(place.q), 1)
        kept = sum(q * min(1, p / q) for p, q in zip(place.p, place.q, strict=True) if q)
        assert math.isclose(kept, place.overlap) and place.drafted in place.labels
    assert found[0].text == "Once there was"[:4] + TRACE.piece(6)


# The place that is shown has something to keep and something to refuse, and the right choice names its overlap.
def test_the_telling_place_and_its_guess():
    place = telling(TRACE)
    assert abs(place.overlap - 0.5) == min(abs(x.overlap - 0.5) for x in places(TRACE))
    assert guess_chance(place).answer == f"Σ min(p, q) = {place.overlap:.2f}"


# A trace that keeps only the tops of wider laws cannot be shown whole, and says how to get one that can.
def test_cut_laws_are_refused():
    cut = step(1, "kr")
    cut.drafts[0].p_top = cut.drafts[0].p_top[:1]
    with pytest.raises(ValueError, match="top_k=5"):
        places(Trace(prompt=[0], steps=[cut], pieces=TRACE.pieces))


# The model of three words is the same each time, in float64, and leaves the global generator alone.
def test_tiny_is_reproducible():
    torch.manual_seed(1)
    before = torch.rand(1)
    torch.manual_seed(1)
    a, b = tiny(), tiny()
    assert torch.equal(before, torch.rand(1))
    assert a.fingerprint == b.fingerprint != tiny(seed=1).fingerprint and a.dtype == torch.float64
    assert all(torch.equal(x, y) for x, y in zip(rough(a).weights, rough(b).weights, strict=True))


# A shorter view drafts at most so many tokens, shares the weights, and leaves the drafter as it was.
def test_shorter_drafts_less_and_changes_nothing():
    backbone = tiny(vocabulary=5)
    drafter = rough(backbone, horizon=3)
    view = shorter(drafter, 2)
    assert (view.horizon, shorter(drafter, 9).horizon, drafter.horizon) == (2, 3, 3)
    out = sample(backbone, view, [PROMPT], 12, seed=0, eos=False)
    assert out.drafted.max() == 2 and view.weights[0] is drafter.weights[0]
    same = generate(backbone, drafter, PROMPT, 12, temperature=0, eos=False)
    assert generate(backbone, view, PROMPT, 12, temperature=0, eos=False).tokens == same.tokens
    assert same.steps[1].drafts[2:]


# What the linked controls call: any combination gives a trace, with a drafter or without.
@pytest.mark.parametrize("rule", [None, "match", "block"])
def test_runner_takes_what_the_controls_say(rule):
    backbone = tiny()
    run = runner(backbone, 8)
    for drafter in (None, rough(backbone)):
        trace = run(prompt=PROMPT, drafter=drafter, rule=rule, temperature=0.5, horizon=1, seed=3)
        assert trace.settings["horizon"] == (1 if drafter else 0) and trace.settings["temperature"] == 0.5


# With `match` the text is that of ordinary decoding; what agrees is counted from the start.
def test_beside_counts_agreement():
    backbone = tiny(vocabulary=7)
    plain = generate(backbone, None, PROMPT, 12, seed=5, eos=False)
    match = generate(backbone, rough(backbone), PROMPT, 12, seed=5, rule="match", eos=False)
    other = Trace(prompt=PROMPT, steps=[step(0, "")], pieces={6: "<b>"})
    texts = beside({"plain": plain, "match": match, "other": other})
    assert texts.agree["match"] == texts.agree["plain"] == 12
    assert texts.agree["other"] == (plain.tokens[0] == 6)
    assert "<b></span>" not in texts._repr_html_() and "&lt;b&gt;" in texts._repr_html_()
    with pytest.raises(ValueError, match="runs is empty"):
        beside({})


# Prompts are the beginnings of test documents that go on for as long again.
def test_openings_come_from_the_test_split():
    class Corpus:
        def documents(self, split):
            assert split == "test"
            return iter(["too short", "a b c d e f", "one two three four five six seven"])

    assert openings(Corpus(), count=5, words=3) == ["a b c", "one two three"]


# The meter's picture is updated in place, one reading after the other, and the last words are the verdict.
def test_watch_updates_one_display(monkeypatch):
    import IPython.display

    from mtp_explore.exercises import watch
    from mtp_explore.measure.meter import Reading

    shown = []

    class Handle:
        def update(self, bundle, raw):
            shown.append(bundle)

    def display(bundle, raw, display_id):
        shown.append(bundle)
        return Handle()

    monkeypatch.setattr(IPython.display, "display", display)
    monkeypatch.setattr(plotly.io.renderers, "default", "plotly_mimetype")  # as in a notebook
    readings = [Reading(100, 0.05, 0.06, 0.09, 3, 1.0), Reading(200, 0.08, 0.04, 0.06, 6, 1.0)]
    watch(readings, "bug")
    titles = [b["application/vnd.plotly.v1+json"]["layout"]["title"]["text"] for b in shown]
    assert len(titles) == 2 and "within" in titles[0] and titles[1].startswith("bug: 200") and "beyond" in titles[1]
