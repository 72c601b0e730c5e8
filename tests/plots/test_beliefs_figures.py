"""Beliefs while tokens are absorbed, read back as data."""

import numpy as np
import pytest

from mtp_explore.plots import collapse, forward, load, nodes
from mtp_explore.plots.beliefs import SHOWN, entropy
from mtp_explore.plots.style import LINE
from tests.plots.made import laws, tokens

WEIGHTS = laws(4, 20)


def stacked(figure) -> dict[str, np.ndarray]:
    return {t.name: np.array(t.y) for t in figure.data if t.name}


# A bar for every component that matters, one grey part for all others; each stack is the whole law, sum 1.
def test_collapse_stacks_the_law():
    figure = collapse(WEIGHTS, tokens(3))
    parts = stacked(figure)
    others = parts.pop(f"{20 - SHOWN} others")
    assert len(parts) == SHOWN
    for name, weight in parts.items():
        assert weight == pytest.approx(WEIGHTS[:, int(name) - 1])
    assert sum(parts.values()) + others == pytest.approx(np.ones(4))
    assert others.max() < 1 and figure.data[-1].marker.color == LINE
    left = set(range(20)) - {int(name) - 1 for name in parts}
    assert min(w.max() for w in parts.values()) >= max(WEIGHTS[:, k].max() for k in left)
    assert list(figure.layout.xaxis2.ticktext) == ["nothing yet", "w0", "w1", "w2"]


# Few components all stand for themselves.
def test_collapse_of_few():
    assert list(stacked(collapse(laws(2, 3), tokens(1)))) == ["1", "2", "3"]


# The line above is how many components are in play: R for equal weights, 1 when all weight sits on one.
def test_components_in_play():
    weights = np.array([[0.25] * 4, [1, 0, 0, 0]])
    line = collapse(weights, tokens(1)).data[0]
    assert list(line.y) == pytest.approx([4, 1]) and list(line.text) == ["4.0", "1.0"]
    assert entropy(weights) == pytest.approx([np.log(4), 0])


# Only parts with room carry their number, and it is their own.
def test_labels_are_the_components():
    for trace in collapse(WEIGHTS, tokens(3)).data[1:]:
        assert set(trace.text) <= {"", trace.name}
        assert all((label != "") == (weight > 0.07) for label, weight in zip(trace.text, trace.y, strict=True))


# States along y, positions along x: a cell is the probability of its state at its position.
def test_forward_is_the_map():
    states = laws(5, 6)
    figure = forward(states, tokens(4), list("ABCDEF"))
    cells = figure.data[0]
    assert np.array(cells.customdata) == pytest.approx(states.T, rel=6e-3)
    assert np.array(cells.z) == pytest.approx(np.sqrt(states.T))
    assert list(figure.layout.yaxis.ticktext) == list("ABCDEF")
    assert cells.hovertext[2][0] == "state C, before the first token" and "“w1”" in cells.hovertext[2][2]
    assert figure.layout.title.text is None


# States that are cut are counted, with the most that is missing from a column.
def test_forward_states_what_is_cut():
    states = laws(5, 30)
    figure = forward(states, tokens(4), most=7)
    kept = [int(name) - 1 for name in figure.layout.yaxis.ticktext]
    assert len(kept) == 7 and kept == sorted(kept)
    missing = 1 - states[:, kept].sum(1).min()
    assert "not shown: 23" in figure.layout.title.text and f"{missing:.2f}" in figure.layout.title.text


# Every node is a strip of bars over its span, on the floor below the nodes that hold it.
def test_nodes_stand_on_their_floors():
    found, spans = laws(4, 5), [(1, 4), (1, 2), (3, 4), (3, 3)]
    figure = nodes(found, spans, tokens(4))
    for trace, law, (a, b), depth in zip(figure.data, found, spans, (0, 1, 1, 2), strict=True):
        assert np.array(trace.y) / 0.8 == pytest.approx(law) and trace.base == -depth
        assert a - 0.5 < min(trace.x) < max(trace.x) < b + 0.5
        assert np.array(trace.customdata)[:, 1] == pytest.approx(law)
    assert list(figure.layout.yaxis.ticktext) == ["2", "1", "root"]


# Areas of the load are the components' weights over the steps, and the line beneath is how many are in play.
def test_load_shows_the_weights():
    weights = laws(30, 12)
    figure = load(weights, range(0, 300, 10))
    areas = {t.name: np.array(t.y) for t in figure.data if t.stackgroup}
    assert sum(areas.values()) == pytest.approx(np.ones(30))
    for name in set(areas) - {"4 others"}:
        assert areas[name] == pytest.approx(weights[:, int(name) - 1])
    line = figure.data[-1]
    assert np.array(line.y) == pytest.approx(np.exp(entropy(weights))) and list(line.x) == list(range(0, 300, 10))
    assert figure.layout.shapes[0].y0 == 12
    for note in figure.layout.annotations:
        if note.text in areas:
            below = sum(list(areas.values())[: list(areas).index(note.text)], np.zeros(30))
            at = int(note.x / 10)
            assert below[at] < note.y < below[at] + areas[note.text][at]


# Bad input is named.
@pytest.mark.parametrize(
    "call, word",
    [
        (lambda: collapse(WEIGHTS, tokens(4)), "4 rows for 4 tokens"),
        (lambda: collapse(WEIGHTS * 2, tokens(3)), "weights"),
        (lambda: forward(WEIGHTS, tokens(3), ["only one"]), "1 names"),
        (lambda: nodes(WEIGHTS, [(1, 2)] * 4, tokens(1)), "spans"),
        (lambda: load(WEIGHTS, [1, 2]), "4 rows"),
        (lambda: load(-WEIGHTS, [1, 2, 3, 4]), "weights"),
    ],
)
def test_bad_input(call, word):
    with pytest.raises(ValueError, match=word):
        call()
