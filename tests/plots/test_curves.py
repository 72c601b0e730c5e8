"""One number against another, read back as data."""

import math

import pytest

from mtp_explore.plots import curves
from mtp_explore.plots.style import INK, ORANGE


def named(figure) -> dict:
    return {trace.name: trace for trace in figure.data if trace.name}


# A line goes through the means in order of x, its band from least to most; infinities and empty places are left out.
def test_lines_are_means_and_bands_are_ranges():
    figure = curves({"a": {2: [3.0, 5.0], 1: 1.0, 4: math.inf}, "b": {1: 2.0}}, "rank r", "loss, nats")
    lines = named(figure)
    assert list(lines["a"].x) == [1, 2] and list(lines["a"].y) == [1, 4] and list(lines["b"].y) == [2]
    (band,) = (t for t in figure.data if t.fill)
    assert list(band.x) == [1, 2, 2, 1] and list(band.y) == [1, 5, 3, 1]
    assert list(figure.layout.xaxis.tickvals) == [1, 2]
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("rank r", "loss, nats")


# Methods differ in colour, dash and sign; the trained head has the draft's colour, the ceiling is dashed grey.
def test_dress_tells_lines_apart():
    figure = curves({"a": {1: 1}, "b": {1: 2}, "trained head": {1: 3}}, "n", "tokens", {1: 4, 2: 5}, "all of them")
    lines = named(figure)
    assert len({(t.line.color, t.line.dash, t.marker.symbol) for t in figure.data}) == 4
    assert lines["trained head"].line.color == ORANGE
    roof = lines["all of them"]
    assert (roof.line.color, roof.line.dash, list(roof.y)) == (INK, "dash", [4, 5])
    assert list(figure.layout.xaxis.tickvals) == [1, 2]


@pytest.mark.parametrize("lines", [{}, {"a": {}}, {"a": {1: math.nan}}])
def test_nothing_to_draw_is_refused(lines):
    with pytest.raises(ValueError, match="no finite value"):
        curves(lines, "x", "y")
