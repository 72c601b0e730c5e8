"""The rank dial from Python: what every step of its slider puts on the page."""

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest

from mtp_explore.measure.decompose import decompose
from mtp_explore.measure.fidelity import price, sweep
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


# A shadow that is no law is priced as the law that drafts, by the very numbers of `measure.fidelity.price`; where it is
# drawn divided by its sum, its title says so.
def test_prices_are_those_of_the_law_that_drafts():
    below = product(P) - 0.02 * P
    below[2, 3] = -0.03
    given = {1: 0.5 * product(P), 2: P * 1.0001, 3: 3 * SHADOWS[2], 4: below}
    figure = rank_dial(P, given, TEXTS)
    prices = [price(P, q) for q in given.values()]
    assert [trace.y for trace in figure.data[4:]] == [pytest.approx([p.tv for p in prices], abs=1e-12)]
    kls = [p.kl if math.isfinite(p.kl) else None for p in prices]
    assert list(figure.data[3].y) == pytest.approx(kls, abs=1e-12) and kls[3] is None
    rows, columns = ([int(t[1:]) for t in figure.layout[axis].ticktext] for axis in ("yaxis", "xaxis"))
    seen = np.ix_(rows, columns)
    heads = [s.args[1]["annotations[1].text"] for s in steps(figure)]
    assert ["divided by its sum" in head for head in heads] == [True, False, True, False]
    assert "divided by its sum 0.5" in heads[0] and "below 0" in heads[3]
    drawn = [np.array(s.args[0]["customdata"][1]) for s in steps(figure)]
    assert drawn[0] == pytest.approx(product(P)[seen], rel=6e-3) and drawn[3] == pytest.approx(below[seen], rel=6e-3)


# A joint and its fits go in as they are: what has a `law` is that law.
def test_takes_what_has_a_law():
    wrapped = {np.int64(r): SimpleNamespace(law=q) for r, q in SHADOWS.items()}
    given = rank_dial(SimpleNamespace(law=P), wrapped, TEXTS, LENGTHS)
    assert given.to_json() == rank_dial(P, SHADOWS, TEXTS, LENGTHS).to_json()


# Other families stand on the same axes: a line each in every panel, named once, and the slider leaves them alone.
def test_points_stand_beside():
    points = [
        dict(method="in squares", rank=1, kl=math.inf, tv=0.5, token=0.7),
        dict(method="in squares", rank=2, kl=0.4, tv=0.3, token=1.0),
        dict(method="in squares", rank=2, kl=0.6, tv=0.5, token=2.0),
        dict(method="trained head", rank=8, kl=0.9, tv=0.4),
    ]
    figure, alone = (rank_dial(P, SHADOWS, TEXTS, LENGTHS, points=x) for x in (points, ()))
    assert len(alone.data) == 6 and not alone.layout.showlegend and figure.layout.showlegend
    own, others = figure.data[:6], figure.data[6:]
    assert [list(t.y) for t in own[3:]] == [list(t.y) for t in alone.data[3:]]
    lines = {(t.legendgroup, t.xaxis): (list(t.x), list(t.y)) for t in others if t.mode == "lines+markers"}
    axes = [t.xaxis for t in own[3:]]
    assert lines == {
        ("in squares", axes[0]): ([2], [0.5]),
        ("in squares", axes[1]): ([1, 2], [0.5, 0.4]),
        ("in squares", axes[2]): ([1, 2], [0.7, 1.5]),
        ("trained head", axes[0]): ([8], [0.9]),
        ("trained head", axes[1]): ([8], [0.4]),
    }
    infinite = [t for t in others if t.mode == "text"]
    assert [(t.xaxis, list(t.x), list(t.text)) for t in infinite] == [(axes[0], [1], ["∞"])]
    named = [t.name for t in figure.data if t.showlegend]
    assert named == ["on the dial", "in squares", "trained head"]
    assert all(list(figure.layout[f"xaxis{k}"].tickvals) == [1, 2, 4, 8] for k in (4, 5, 6))
    for step in steps(figure):
        assert list(step.args[2]) == list(range(6)) and step.args[0]["selectedpoints"][3:] != [None] * 3


# The rows of a sweep are points as they come, and a fit's point lies where the dial would put its shadow.
def test_a_sweep_gives_points():
    fits = {rank: decompose(P, "nncp-mu", rank, restarts=1, iterations=20)[0] for rank in (1, 2)}
    rows = sweep(P, ["nncp-mu"], (1, 2), restarts=1, iterations=20)
    lengths = {rank: price(P, fit).token for rank, fit in fits.items()}
    figure = rank_dial(P, fits, TEXTS, lengths, points=rows)
    for own, other in zip(figure.data[3:6], figure.data[6:], strict=True):
        assert list(own.x) == list(other.x) and list(own.y) == pytest.approx(list(other.y), abs=1e-12)


# Bad input is named.
@pytest.mark.parametrize(
    "call, word",
    [
        (lambda: rank_dial(P, {}, TEXTS), "shadows is empty"),
        (lambda: rank_dial(P, [P], TEXTS), "no dict"),
        (lambda: rank_dial(P, {0: P}, TEXTS), "shadows has the rank 0"),
        (lambda: rank_dial(P, {1: P, 2.5: P}, TEXTS), "shadows has the rank 2.5"),
        (lambda: rank_dial(P, {"1": P}, TEXTS), "shadows has the rank '1'"),
        (lambda: rank_dial(P, {True: P}, TEXTS), "shadows has the rank True"),
        (lambda: rank_dial(P, {3: 0 * P}, TEXTS), r"shadows\[3\] has no mass"),
        (lambda: rank_dial(P, SHADOWS, TEXTS, points=[dict(rank=1, kl=0.1)]), "needs a method"),
        (lambda: rank_dial(P, SHADOWS, TEXTS, points=[dict(method="m", rank=1)]), "at least one of kl, tv, token"),
        (lambda: rank_dial(P, SHADOWS, TEXTS, points=[dict(method="m", kl=0.1)]), "points has the rank None"),
        (lambda: rank_dial(P, SHADOWS, TEXTS, points=["m"]), "points: 'm'"),
        (lambda: rank_dial(P, SHADOWS, TEXTS, {1: 1.0}), r"\[2, 4\]"),
        (lambda: rank_dial(P * 2, SHADOWS, TEXTS), "p is no law"),
        (lambda: rank_dial(P, {1: P.T}, TEXTS), "shape"),
        (lambda: rank_dial(joint(2, 2, 2), {1: joint(2, 2, 2)}, (*TEXTS, TEXTS[0])), "3 axes"),
    ],
)
def test_bad_input(call, word):
    with pytest.raises(ValueError, match=word):
        call()
