"""Histograms of one number per context, read back as data."""

import numpy as np
import pytest

from mtp_explore.plots import spread
from mtp_explore.trace.metrics import interval

VALUES = {"cheap": [0.0, 0.1, 0.1, 0.4], "dear": [1.0, 2.0, None, 2.0]}


# Every number is counted once, names share the bins, and the diamond is the mean with its 95% interval.
def test_bars_count_and_diamonds_average():
    figure = spread(VALUES, "price, nats", bins=8)
    bars, marks = figure.data[::2], figure.data[1::2]
    assert [sum(bar.y) for bar in bars] == [4, 3] and np.allclose(bars[0].x, bars[1].x)
    for bar, mark, column in zip(bars, marks, VALUES.values(), strict=True):
        mean = interval(column)
        assert (mark.x[0], mark.error_x.array[0]) == (mean.mean, mean.half)
        for (low, high), count in zip(bar.customdata, bar.y, strict=True):
            assert count == sum(low <= v < high for v in column if v is not None)
    assert "price, nats" in {a.title.text for a in (figure.layout.xaxis, figure.layout.xaxis2)}
    assert "cheap: mean 0.15 ±" in figure.layout.annotations[0].text


# Values below 0 are shown too, one value alone has no interval, and a name without values is an error.
def test_odd_values():
    figure = spread({"a": [-1.0, 1.0], "b": [0.5]}, "x")
    assert sum(figure.data[0].y) == 2 and figure.data[3].error_x.array[0] == 0
    with pytest.raises(ValueError, match="'b'"):
        spread({"a": [1.0], "b": [None]}, "x")
    with pytest.raises(ValueError, match="any name"):
        spread({}, "x")
