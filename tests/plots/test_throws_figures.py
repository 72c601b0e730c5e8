"""The unit square of two dice, and the slots that a budget buys, read back as data."""

import numpy as np
import pytest

from mtp_explore.plots import bought, square

FIRST, SECOND = np.array([0.25, 0.75]), np.array([[0.5, 0.5, 0.0], [0.0, 0.2, 0.8]])
WORDS = (["a", "<b>two"], ["cat", "cats", "dogs"])


def area(trace) -> float:
    return (max(trace.x) - min(trace.x)) * (max(trace.y) - min(trace.y))


# Each square is covered once, a sentence's area is its probability under the target and under the product, and exactly
# what the target never says is hatched.
def test_areas_are_probabilities():
    figure = square(FIRST, SECOND, WORDS)
    parts = {"x": {}, "x2": {}}
    for trace in figure.data:
        name, _, _ = trace.text.partition(":")
        parts[trace.xaxis or "x"][name] = (area(trace), "never" in trace.text)
        assert ("never" in trace.text) == (trace.fillpattern.shape == "x")
    joint, product = FIRST[:, None] * SECOND, np.outer(FIRST, FIRST @ SECOND)
    for panel, law in (("x", joint), ("x2", product)):
        assert sum(a for a, _ in parts[panel].values()) == pytest.approx(1)
        for i, one in enumerate(["a", "&lt;b>two"]):
            for j, other in enumerate(WORDS[1]):
                if law[i, j]:
                    size, never = parts[panel][f"{one} {other}"]
                    assert size == pytest.approx(law[i, j]) and never == (joint[i, j] == 0)
    nonsense = product[joint == 0].sum()
    assert any(f"{nonsense:.0%} of the square" in note.text for note in figure.layout.annotations)


# Laws that are none, and words that do not fit, are refused.
@pytest.mark.parametrize("first, second", [([0.5, 0.6], SECOND), (FIRST, SECOND * 2), (FIRST, SECOND[:, :2])])
def test_square_refuses(first, second):
    with pytest.raises(ValueError, match="law|fit"):
        square(first, second, WORDS)


# Every step of the slider shows its budget's table and marks its point of the curve, in order.
def test_slider_shows_every_budget():
    shares = {8: [[1, 0.5], [0.25, 0]], 2: [[0.5, 0], [0, 0]]}
    figure = bought(shares, {8: 1.5, 2: 1.2}, first=1)
    cells, curve = figure.data
    assert np.array_equal(cells.z, shares[2]) and list(cells.x) == [1, 2] and list(curve.x) == [2, 8]
    steps = figure.layout.sliders[0].steps
    assert [step.label for step in steps] == ["2", "8"]
    for i, (step, m) in enumerate(zip(steps, (2, 8), strict=True)):
        data, heads, which = step.args
        assert data["z"][0] == [list(map(float, row)) for row in shares[m]] and data["selectedpoints"][1] == [i]
        assert f"{m} slots" in heads["annotations[0].text"] and list(which) == [0, 1]
    with pytest.raises(ValueError, match="budgets"):
        bought(shares, {2: 1.0})
