"""Figures of laws and races: what is drawn is what was given, on a ground that reads on any theme."""

import math
from types import SimpleNamespace

import pytest

from mtp_explore.plots import areas, emitted, evidence, race, tallies
from mtp_explore.trace.records import Step, Trace

P, Q = [0.5, 0.3, 0.2, 0.0], [0.1, 0.3, 0.3, 0.3]
LAW = SimpleNamespace(
    tokens=SimpleNamespace(tolist=lambda: [[0, 0], [0, 1], [1, 0]]), law=[0.5, 0.3, 0.2], target=[0.5, 0.2, 0.3]
)


def runs(*counts):
    """A trace per entry: so many tokens in two calls."""
    steps = lambda n: [Step(i, None, [], 0, 1, [1] * k, "plain", 0.5, 1.0) for i, k in enumerate((1, n - 1))]  # noqa: E731
    return [Trace(prompt=[0], steps=steps(n)) for n in counts]


FIGURES = {
    "areas": lambda: areas(P, Q, list("abcd")),
    "emitted": lambda: emitted(LAW),
    "tallies": lambda: tallies({"a": 1.0, "b": 0.5}, "drafts per call"),
    "evidence": lambda: evidence([0, 0.1], P, Q, P, (0.9, 0.8)),
    "race": lambda: race({"plain": runs(2, 2), "heads": runs(4, 6)}),
}


# Every axis that is shown says what it counts; the ground is transparent and the text a mid-grey.
@pytest.mark.parametrize("name", FIGURES)
def test_axes_are_named_and_ground_is_clear(name):
    layout = FIGURES[name]().to_plotly_json()["layout"]
    assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0,0,0,0)"
    assert 0x60 < int(layout["font"]["color"][1:3], 16) < 0xA0
    titles = [axis["title"].get("text") for key, axis in layout.items() if key.startswith("xaxis")]
    assert any(titles)
    assert any(layout[k]["title"].get("text") for k in layout if k.startswith("yaxis")) or name in ("tallies", "race")


# The stacks of the left panel are q, those of the right one p, and refused and redrawn have the same total.
def test_areas_add_up():
    figure = areas(P, Q, list("abcd"))
    kept, refused, again, redrawn = (list(t.y) for t in figure.data)
    assert kept == again
    assert [a + b for a, b in zip(kept, refused, strict=True)] == pytest.approx(Q)
    assert [a + b for a, b in zip(kept, redrawn, strict=True)] == pytest.approx(P)
    assert math.isclose(sum(refused), sum(redrawn))


# Sequences stand in order of their probability; the strip shows emitted minus target.
def test_emitted_shows_both_laws():
    bars, diamonds, strip = emitted(LAW).data
    given = dict(zip(["AA", "AB", "BA"], zip(LAW.target, LAW.law, strict=True), strict=True))
    for x, p, e, off in zip(bars.x, bars.y, diamonds.y, strip.y, strict=True):
        assert (p, e) == given[x] and off == pytest.approx(e - p)
    assert bars.x[0] == "AA"
    assert len(emitted(LAW, most=2).data[0].x) == 2


# The diamond is the mean over prompts with its interval.
def test_race_shows_mean_and_prompts():
    dots, means = FIGURES["race"]().data
    assert sorted(dots.x) == [1, 1, 2, 3] and list(means.x) == [1, 2.5]
    assert means.error_x.array[1] > 0
    with pytest.raises(ValueError, match="heads"):
        race({"plain": runs(2), "heads": []})


# Labels are shown as they are, tags included.
def test_labels_are_literal():
    figure = areas([1.0, 0.0], [0.5, 0.5], ["<b>x</b>", "&"])
    assert "<b>" not in str(figure.data[0].x)


def test_areas_needs_laws_of_one_length():
    with pytest.raises(ValueError, match="4, 2 and 4"):
        areas(P, [0.5, 0.5], list("abcd"))
