"""What a rank buys, read back as data."""

import math

import numpy as np
import pytest

from mtp_explore.plots import fidelity, spectra
from mtp_explore.plots.fidelity import effective_rank
from mtp_explore.plots.style import ORANGE

BEST = ((1, 1.0), (1, 1.2), (2, 0.5), (2, 0.7))
ROWS = [
    *(dict(rank=r, method="KL-best (EM)", kl=kl, tv=kl / 2, token=2 - kl) for r, kl in BEST),
    dict(rank=1, method="Frobenius-best", kl=0.9, tv=0.5, token=1.1),
    dict(rank=2, method="Frobenius-best", kl=math.inf, tv=0.2, token=None),
    dict(rank=2, method="trained head", kl=0.7, tv=math.nan, token=1.3),
]


def lines(figure, x: str) -> dict:
    """{method: trace} of a panel's lines; x is the axis' name."""
    return {t.name: t for t in figure.data if t.name and t.xaxis == x}


# A line is the mean over the rows of a rank, its band reaches from the least to the most of them.
def test_lines_are_means_and_bands_are_ranges():
    figure = fidelity(ROWS)
    found = lines(figure, "x")["KL-best (EM)"]
    assert list(found.x) == [1, 2] and list(found.y) == pytest.approx([1.1, 0.6])
    band = next(t for t in figure.data if t.fill == "toself" and t.legendgroup == "KL-best (EM)")
    assert list(band.x) == [1, 2, 2, 1] and list(band.y) == pytest.approx([1.2, 0.7, 0.5, 1.0])
    assert "2 rows" in found.customdata[0]


# Only measures that the rows hold get a panel, with its unit; values that are missing leave no point.
def test_panels_are_the_measures_there_are():
    figure = fidelity(ROWS)
    titles = [figure.layout[f"yaxis{i}"].title.text for i in ("", 2, 3)]
    assert [t.split(", ")[-1] for t in titles] == ["nats", "probability", "tokens"] and "yaxis4" not in figure.layout
    assert "trained head" not in lines(figure, "x2") and list(lines(figure, "x3")["Frobenius-best"].x) == [1]
    assert figure.layout.xaxis.title.text == "rank r" and list(figure.layout.xaxis.tickvals) == [1, 2]


# An infinite divergence is not left out: it stands as ∞ above every finite value.
def test_infinity_is_shown():
    figure = fidelity(ROWS)
    sign = next(t for t in figure.data if t.mode == "text")
    assert list(sign.text) == ["∞"] and list(sign.x) == [2] and sign.legendgroup == "Frobenius-best"
    assert sign.y[0] > max(r["kl"] for r in ROWS if math.isfinite(r["kl"]))


# Only the trained head has the draft's colour; each method keeps one colour in all panels, and one entry in the legend.
def test_colours_are_by_method():
    figure = fidelity(ROWS)
    colours = {}
    for trace in figure.data:
        if trace.name:
            colours.setdefault(trace.name, set()).add(trace.marker.color)
    assert colours["trained head"] == {ORANGE} and all(len(c) == 1 for c in colours.values())
    assert ORANGE not in colours["KL-best (EM)"] | colours["Frobenius-best"]
    assert sorted(t.name for t in figure.data if t.showlegend) == sorted(colours)


# The total correlation is a line at its height in the panel of KL, and says that it is the price of rank 1.
def test_total_correlation_is_marked():
    figure = fidelity(ROWS, 1.25)
    line = figure.layout.shapes[0]
    assert (line.y0, line.y1, line.yref) == (1.25, 1.25, "y")
    note = figure.layout.annotations[-1].text
    assert "1.25" in note and "price of rank 1" in note
    assert not fidelity([dict(rank=1, method="m", tv=0.1)], 1.25).layout.shapes


# Spectra are drawn relative to their largest value; the thick line is the mean over contexts.
def test_spectra_show_contexts_and_mean():
    rows = np.array([[4, 2, 1.0], [1, 0.1, 0]])
    figure = spectra({"x1 | x2": rows})
    thin, mean = figure.data[:2], figure.data[3]
    assert [list(t.y) for t in thin] == [[1, 0.5, 0.25], [1, 0.1, None]]
    assert list(mean.y) == pytest.approx([1, 0.3, 0.125]) and list(mean.x) == [1, 2, 3]
    box = figure.data[-1]
    assert list(box.y) == pytest.approx(effective_rank(rows)) and box.name == "x1 | x2"
    assert figure.layout.yaxis.type == "log" and figure.layout.yaxis2.title.text == "components"


# Contexts of few values do not hide one that has more: the axes reach as far as any context's values are drawn.
def test_spectra_reach_the_widest_context():
    figure = spectra({"a": [[1, *[0] * 29]] * 3, "b": [[1, 0.5, 0.25, 0.125, *[0] * 26]]})
    ends = [figure.layout[axis].range for axis in ("xaxis", "xaxis2")]
    assert ends[0] == ends[1] == (0, 5)
    figure = spectra({"a": [[1, 0, 0, 0]] * 30 + [[1, 0.5, 0.1, 0.01]]})
    assert figure.layout.yaxis.range[0] < np.log10(0.01 / 31)


# Effective rank: n for n equal values, 1 for one, between them otherwise, and blind to the scale.
def test_effective_rank():
    assert effective_rank(np.array([[3.0, 3, 3, 3], [7, 0, 0, 0]])) == pytest.approx([4, 1])
    some = np.array([[1, 0.5, 0.2]])
    assert 1 < effective_rank(some)[0] < 3 and effective_rank(5 * some) == pytest.approx(effective_rank(some))
    weights = np.array([1, 0.25, 0.04]) / 1.29
    assert effective_rank(some)[0] == pytest.approx(math.exp(-sum(w * math.log(w) for w in weights)))


# Bad input is named.
@pytest.mark.parametrize(
    "call, word",
    [
        (lambda: fidelity([dict(method="m", kl=1)]), "needs a rank"),
        (lambda: fidelity([dict(rank=1, method="m", loss=1)]), "no measure"),
        (lambda: fidelity([]), "no measure"),
        (lambda: spectra({}), "empty"),
        (lambda: spectra({"c": [[1, 2]]}), "largest first"),
        (lambda: spectra({"c": [[1, -0.1]]}), "c"),
    ],
)
def test_bad_input(call, word):
    with pytest.raises(ValueError, match=word):
        call()
