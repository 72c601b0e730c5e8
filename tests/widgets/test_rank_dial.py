"""The rank dial from Python: what every step of its slider puts on the page."""

import json
import math

import numpy as np
import pytest

from mtp_explore.widgets import rank_dial
from tests.plots.made import joint, product, tokens

P = joint(16, 18)
SHADOWS = {4: 0.9 * P + 0.1 * product(P), 1: product(P), 2: 0.5 * P + 0.5 * product(P)}
TEXTS = (tokens(16), tokens(18))
LENGTHS = {1: 1.0, 2: 1.5, 4: 1.8}


def steps(figure) -> list:
    return list(figure.layout.sliders[0].steps)


# One step per rank, in order, each with the cells of its shadow and the distances of the whole laws.
def test_steps_show_their_shadow():
    figure = rank_dial(P, SHADOWS, TEXTS, LENGTHS, most=7)
    rows, columns = ([int(t[1:]) for t in figure.layout[axis].ticktext] for axis in ("yaxis", "xaxis"))
    assert [s.label for s in steps(figure)] == ["1", "2", "4"]
    for step in steps(figure):
        rank = int(step.label)
        cells, heads, traces = step.args
        q = SHADOWS[rank]
        assert np.array(cells["customdata"][1]) == pytest.approx(q[np.ix_(rows, columns)], rel=6e-3)
        assert np.array(cells["customdata"][0]) == pytest.approx(P[np.ix_(rows, columns)], rel=6e-3)
        says = " ".join(heads.values())
        kl = sum(a * math.log(a / b) for a, b in zip(P.flat, q.flat, strict=True) if a > 0)
        tv = sum(abs(a - b) for a, b in zip(P.flat, q.flat, strict=True)) / 2
        assert f"KL(p ‖ q) {kl:.3f}" in says and f"total variation {tv:.3f}" in says and f"rank {rank}" in says
        assert f"accepted drafts {LENGTHS[rank]:.3f}" in says and f"{q[np.ix_(rows, columns)].sum():.0%} of" in says
        assert list(traces) == list(range(6)) and all(len(v) == 6 for v in cells.values())


# Every title that a step sets belongs to the panel that it speaks of.
def test_titles_stand_over_their_panels():
    figure = rank_dial(P, SHADOWS, TEXTS, LENGTHS)
    x = {f"annotations[{i}].text": note.x for i, note in enumerate(figure.layout.annotations)}
    middle = lambda i: sum(figure.layout[f"xaxis{i}"].domain) / 2  # noqa: E731
    for key, text in steps(figure)[1].args[1].items():
        panel = {"target": "", "rank": 2, "difference": 3, "KL(p": 4, "total": 5, "accepted": 6}[text.split()[0]]
        assert x[key] == pytest.approx(middle(panel))


# The curves are the same numbers, and each step chooses its own point on every one of them.
def test_curves_and_chosen_points():
    figure = rank_dial(P, SHADOWS, TEXTS, LENGTHS)
    for trace in figure.data[3:]:
        assert list(trace.x) == [1, 2, 4]
    assert list(figure.data[5].y) == [1.0, 1.5, 1.8] and figure.data[3].y[0] > figure.data[3].y[2] > 0
    assert [s.args[0]["selectedpoints"] for s in steps(figure)] == [[None] * 3 + [[i]] * 3 for i in range(3)]
    units = [figure.layout[f"yaxis{i}"].title.text for i in (4, 5, 6)]
    assert units == ["nats", "probability", "tokens"]


# It opens on the lowest rank, as if its slider had been put there: also where no script moves the slider.
def test_opens_on_the_first_step():
    data = json.loads(rank_dial(P, SHADOWS, TEXTS, LENGTHS).to_json())
    cells, heads, _ = data["layout"]["sliders"][0]["steps"][0]["args"]
    assert [data["data"][i]["z"] for i in range(3)] == cells["z"][:3]
    assert [data["data"][i]["customdata"] for i in range(3)] == cells["customdata"][:3]
    for i, note in enumerate(data["layout"]["annotations"][:6]):
        assert note["text"] == heads[f"annotations[{i}].text"]


# Steps carry plain numbers: a slider's arguments are not decoded, and a page holds only what is shown.
def test_steps_are_plain_and_small():
    big = joint(200, 200)
    figure = rank_dial(big, {r: (1 - 1 / r) * big + product(big) / r for r in range(1, 9)}, (tokens(200), tokens(200)))
    text = figure.to_json()
    assert "bdata" not in json.dumps(json.loads(text)["layout"]) and "NaN" not in text
    assert len(text) < 150_000


# A shadow that misses a cell, or goes below 0, is infinitely far in KL: a gap in the curve, and the title says so.
def test_infinite_divergence():
    missing = P.copy()
    missing[np.unravel_index(P.argmax(), P.shape)] = 0
    u, s, v = np.linalg.svd(P)
    below = (u[:, :1] * s[:1]) @ v[:1]
    below[0, 0] = -0.01
    figure = rank_dial(P, {1: missing, 2: below, 3: P}, TEXTS)
    assert list(figure.data[3].y) == [None, None, 0]
    assert "∞" in steps(figure)[0].args[1]["annotations[3].text"] and len(figure.data) == 5


# Bad input is named.
@pytest.mark.parametrize(
    "call, word",
    [
        (lambda: rank_dial(P, {}, TEXTS), "shadows is empty"),
        (lambda: rank_dial(P, SHADOWS, TEXTS, {1: 1.0}), r"\[2, 4\]"),
        (lambda: rank_dial(P * 2, SHADOWS, TEXTS), "p is no law"),
        (lambda: rank_dial(P, {1: P.T}, TEXTS), "shape"),
        (lambda: rank_dial(joint(2, 2, 2), {1: joint(2, 2, 2)}, (*TEXTS, TEXTS[0])), "3 axes"),
    ],
)
def test_bad_input(call, word):
    with pytest.raises(ValueError, match=word):
        call()
