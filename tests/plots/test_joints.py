"""Joints as heat maps, read back as data: every cell is the probability it stands for, and what is cut is stated."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from mtp_explore.plots import joint, slices
from mtp_explore.plots.heat import colourbar, rounded, shade
from tests.plots.made import HOSTILE, product, tokens
from tests.plots.made import joint as made

P = made(20, 30)
Q = product(P)
TEXTS = (tokens(20), tokens(30))


def cells(figure, panel: int) -> np.ndarray:
    """The numbers behind a panel's colours."""
    given = figure.data[panel].customdata
    return np.array([[cell[:3] for cell in row] for row in given] if panel == 2 else given, float)


def places(figure, axis: str) -> list[int]:
    """Which tokens of TEXTS stand along an axis, read from its ticks."""
    return [int(name.removeprefix("w")) for name in figure.layout[axis].ticktext]


# Each cell shows the target, the draft and their difference at the tokens that its ticks name.
def test_cells_are_the_given_probabilities():
    figure = joint(P, Q, TEXTS, most=9)
    rows, columns = places(figure, "yaxis"), places(figure, "xaxis")
    assert len(rows) == len(columns) == 9
    seen = np.ix_(rows, columns)
    assert cells(figure, 0) == pytest.approx(P[seen], rel=6e-3)
    assert cells(figure, 1) == pytest.approx(Q[seen], rel=6e-3)
    assert cells(figure, 2) == pytest.approx(np.stack([P[seen], Q[seen], P[seen] - Q[seen]], -1), rel=6e-3)
    assert np.array(figure.data[2].hovertext)[2, 3] == f"“w{rows[2]}”, then “w{columns[3]}”"


# Colours are the square root (or what was asked for) of the cells, on one scale for the three panels.
@pytest.mark.parametrize(
    "scale, of", [("sqrt", np.sqrt), ("linear", np.array), ("log", lambda v: np.log10(1 + v / 1e-4))]
)
def test_colours_follow_the_scale(scale, of):
    figure = joint(P, Q, TEXTS, scale=scale)
    for panel in (0, 1):
        assert np.array(figure.data[panel].z) == pytest.approx(of(cells(figure, panel)), rel=0.02, abs=2e-4)
    off = cells(figure, 2)[..., 2]
    assert np.array(figure.data[2].z) == pytest.approx(np.sign(off) * of(np.abs(off)), rel=0.02, abs=2e-4)
    tops = {trace.zmax for trace in figure.data[:3]}
    assert tops == {-figure.data[2].zmin} and figure.data[0].zmin == 0
    assert max(np.max(trace.z) for trace in figure.data[:3]) == pytest.approx(tops.pop(), rel=0.01)


# The likeliest tokens are shown, the target's likeliest first; a token that only the draft finds likely is not missed.
def test_shows_the_likeliest():
    figure = joint(P, Q, TEXTS, most=5)
    assert places(figure, "yaxis") == list(np.argsort(-P.sum(1))[:5])
    draft = Q.copy()
    least = int(P.sum(1).argmin())
    draft[least] += 0.9
    assert least in places(joint(P, draft / draft.sum(), TEXTS, most=5), "yaxis")


# What is cut is said, with the distance of the whole laws, not of the cells shown.
def test_states_what_is_cut():
    figure = joint(P, Q, TEXTS, most=6)
    seen = np.ix_(places(figure, "yaxis"), places(figure, "xaxis"))
    heads = [note.text for note in figure.layout.annotations[:3]]
    assert (
        f"{P[seen].sum():.0%} of its axes' mass shown" in heads[0] and f"{Q[seen].sum():.0%} of its axes'" in heads[1]
    )
    off = np.abs(P - Q)
    assert f"TV {off.sum() / 2:.3f}, {off[seen].sum() / 2:.3f} shown" in heads[2]
    assert P[seen].sum() < 0.95
    whole = joint(P, Q, TEXTS, most=30)
    assert all("100% of its axes' mass shown" in note.text for note in whole.layout.annotations[:2])


# A shadow that does not sum to 1 shows a share of its own mass; what has a `law`, a joint or a fit, is that law.
def test_shares_are_of_the_own_mass():
    half = joint(P, Q / 2, TEXTS, most=6)
    seen = np.ix_(places(half, "yaxis"), places(half, "xaxis"))
    assert f"{Q[seen].sum():.0%} of its axes'" in half.layout.annotations[1].text
    given, plain = joint(SimpleNamespace(law=P), SimpleNamespace(law=Q), TEXTS), joint(P, Q, TEXTS)
    assert given.to_json() == plain.to_json()


# A shadow with cells below 0 has them marked and their mass said, and its distance is not called total variation.
def test_marks_cells_below_zero():
    u, s, v = np.linalg.svd(P)
    best = (u[:, :3] * s[:3]) @ v[:3]
    figure = joint(P, best, TEXTS, most=30)
    below = cells(figure, 1) < 0
    assert below.any() and (np.array(figure.data[1].text) == "−").tolist() == below.tolist()
    heads = [note.text for note in figure.layout.annotations[:3]]
    assert f"{-best[best < 0].sum():.2g} below 0" in heads[1] and "½ Σ|p − q|" in heads[2]


# The words agree with the sign: where the draft gives more than the target it says so.
def test_words_agree_with_the_sign():
    cell = [c for row in joint(P, Q, TEXTS).data[2].customdata for c in row]
    assert {c[3] for c in cell} == {"too much", "too little"}
    assert all((c[3] == "too little") == (c[2] > 0) for c in cell)
    same = joint(P, P, TEXTS)
    assert {c[3] for row in same.data[2].customdata for c in row} == {"just as much"}


# Two tokens that look alike are two columns, and keep their own numbers.
def test_tokens_that_look_alike_stay_apart():
    law = np.array([[0.6, 0.4]])
    figure = joint(law, law, (["a"], ["x", "x"]))
    assert cells(figure, 0).tolist() == [[0.6, 0.4]] and list(figure.layout.xaxis.tickvals) == [0, 1]


# Each step of the slider is the slice after its token: the conditional law of the two that follow.
def test_slices_are_conditionals():
    law = made(6, 8, 9)
    shadow = product(law)
    texts = (tokens(6), tokens(8), tokens(9))
    figure = slices(law, shadow, texts, most=5)
    steps = figure.layout.sliders[0].steps
    rows, columns = places(figure, "yaxis"), places(figure, "xaxis")
    assert [s.label for s in steps] == [f"w{i}" for i in np.argsort(-law.sum((1, 2)))[:5]]
    for s in steps:
        first = int(s.label.removeprefix("w"))
        given, heads, panels = s.args
        after = law[first] / law[first].sum()
        assert np.array(given["customdata"][0]) == pytest.approx(after[np.ix_(rows, columns)], rel=6e-3)
        assert f"after “{s.label}”" in heads["annotations[0].text"] and list(panels) == [0, 1, 2]
        assert f"{after[np.ix_(rows, columns)].sum():.0%} of its axes' mass shown" in heads["annotations[0].text"]
        assert f"itself: {law[first].sum():.3f}" in heads["annotations[0].text"]
    assert json.loads(figure.to_json())["data"][0]["z"] == steps[0].args[0]["z"][0], "it opens on its first step"


# A first token that the draft never says has an empty slice, not a division by zero.
def test_slice_without_draft_mass():
    law = made(2, 3, 3)
    shadow = law.copy()
    shadow[1] = 0
    figure = slices(law, shadow / shadow.sum(), (tokens(2), tokens(3), tokens(3)))
    empty = [s for s in figure.layout.sliders[0].steps if s.label == "w1"][0]
    assert np.array(empty.args[0]["customdata"][1]).max() == 0


# Colours' legend: its marks stand where the scale puts the probabilities that they name.
def test_colourbar_names_probabilities():
    for scale in ("sqrt", "linear", "log"):
        bar = colourbar(0.3, scale, True)
        named = [float(t) for t in bar["ticktext"]]
        assert np.abs(bar["tickvals"]) == pytest.approx(shade(named, scale)) and max(named) <= 0.3
        apart = np.diff(sorted(bar["tickvals"])) / shade(0.3, scale)
        assert len(named) >= 5 and apart.min() > 0.16, "no two marks run into each other"


# Rounding keeps so many significant digits, signs and zeros.
def test_rounded():
    assert rounded([0.123456, -12345.0, 0.0, 1e-9], 3) == pytest.approx([0.123, -12300, 0, 1e-9])


# Bad input is named.
@pytest.mark.parametrize(
    "call, word",
    [
        (lambda: joint(P / 2, Q, TEXTS), "p is no law"),
        (lambda: joint(P, Q.T, TEXTS), "q: the shape"),
        (lambda: joint(P, Q, (HOSTILE, HOSTILE)), "texts name"),
        (lambda: joint(P, Q, TEXTS, scale="cubic"), "cubic"),
        (lambda: joint(P, Q, TEXTS, most=0), "most=0"),
        (lambda: joint(P, Q * np.nan, TEXTS), "finite"),
        (lambda: slices(P, Q, TEXTS), "2 axes"),
    ],
)
def test_bad_input(call, word):
    with pytest.raises(ValueError, match=word):
        call()
