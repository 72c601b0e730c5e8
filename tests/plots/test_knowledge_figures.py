"""What a state knows about the tokens ahead, read back as data."""

import numpy as np
import pytest

from mtp_explore.plots import accuracy, ranks, standings
from mtp_explore.plots.knowledge import BOXES
from mtp_explore.plots.style import BLUE
from mtp_explore.plots.verdicts import wilson
from tests.plots.made import ranks as made

TABLE = made(50, 4)


def present(table, k):
    """The ranks at distance k of places that have such a token, in plain Python."""
    return [int(row[k - 1]) for row in table if row[k - 1] >= 0]


# A point is the share of places, among those that have the token, whose rank is small enough; the band is Wilson's.
@pytest.mark.parametrize("within", [1, 5])
def test_accuracy_counts(within):
    band, line = accuracy({"heads": TABLE}, within).data
    for k, share, (hits, n, low, high) in zip(line.x, line.y, line.customdata, strict=True):
        found = [r < within for r in present(TABLE, k)]
        assert (hits, n) == (sum(found), len(found)) and share == pytest.approx(hits / n)
        assert (low, high) == pytest.approx(wilson(hits, n))
        assert band.y[k - 1] == high and list(band.y)[::-1][k - 1] == low
    assert len(present(TABLE, 1)) == 50 and len(present(TABLE, 4)) == 49


# The target has its own colour; the others differ in colour, dash and sign, and distances without tokens are left out.
def test_accuracy_tells_methods_apart():
    gone = np.concatenate([TABLE, np.full((50, 1), -1)], 1)
    figure = accuracy({"target": TABLE[:, :1], "a": gone, "b": TABLE})
    lines = [t for t in figure.data if t.name]
    assert lines[0].line.color == BLUE and list(lines[0].x) == [1] and list(lines[1].x) == [1, 2, 3, 4]
    assert len({(t.line.color, t.line.dash, t.marker.symbol) for t in lines}) == 3
    assert "share of places" in figure.layout.yaxis.title.text and "tokens" in figure.layout.xaxis.title.text


# The median and its bar are ranks that occur, counted from 1.
def test_ranks_are_quantiles():
    line = ranks({"heads": TABLE}).data[0]
    for i, (k, low, high) in enumerate(line.customdata):
        found = sorted(r + 1 for r in present(TABLE, k))
        n = len(found)
        assert line.y[i] == found[-(-n // 2) - 1] and low == found[-(-n // 4) - 1] and high == found[-(-3 * n // 4) - 1]
        assert line.y[i] + line.error_y.array[i] == high and line.y[i] - line.error_y.arrayminus[i] == low
    assert ranks({"heads": TABLE}).layout.yaxis.type == "log"


# Methods at one distance stand beside each other, and the hover text keeps the distance itself.
def test_ranks_do_not_cover_each_other():
    lines = ranks({"a": TABLE, "b": TABLE}).data
    assert all(x < y and round(x) == round(y) for x, y in zip(lines[0].x, lines[1].x, strict=True))
    assert [c[0] for c in lines[1].customdata] == [1, 2, 3, 4]


# The stack counts every place once, in the box that holds its rank.
def test_standings_count_every_place_once():
    figure = standings(np.array([[0, 5], [1, 9], [2, 10], [4, 99], [0, 100], [0, -1]]))
    counts = {t.name: [int(c[0]) for c in t.customdata] for t in figure.data}
    assert counts == dict(zip(BOXES, ([3, 0], [1, 0], [2, 0], [0, 2], [0, 2], [0, 1]), strict=True))
    assert sum(np.array(t.y) for t in figure.data) == pytest.approx([1, 1])


# Bad input is named.
@pytest.mark.parametrize(
    "call, word",
    [
        (lambda: accuracy({}), "empty"),
        (lambda: accuracy({"a": TABLE}, 0), "within=0"),
        (lambda: ranks({"a": TABLE[0]}), "'a'"),
        (lambda: standings(TABLE * 0 - 1), "some >= 0"),
    ],
)
def test_bad_input(call, word):
    with pytest.raises(ValueError, match=word):
        call()
