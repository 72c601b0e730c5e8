"""The figures, read back as data: every height is the count it stands for."""

import subprocess
import sys

import pytest

from mtp_explore.plots import acceptance, histogram, meter, overlap
from mtp_explore.plots.verdicts import wilson
from mtp_explore.trace.metrics import metrics, pooled
from mtp_explore.trace.records import Trace
from tests.trace.traces import make_trace

TRACES = [make_trace(seed=s, hit=0.8) for s in range(4)]


# The two curves are the unconditional and the conditional rate of the glossary, with intervals around them.
def test_acceptance_is_the_glossary():
    figure, expected = acceptance(TRACES), pooled(TRACES)
    of_all, given = figure.data
    assert list(of_all.y) == pytest.approx(expected["per_position_rate"])
    assert list(given.y) == pytest.approx([r for r in expected["conditional_rate"] if r is not None])
    assert all(
        u >= 0 and d >= 0 for c in figure.data for u, d in zip(c.error_y.array, c.error_y.arrayminus, strict=True)
    )
    assert figure.layout.xaxis.title.text and figure.layout.yaxis.title.text


# Wilson's interval against the published example (81 of 263: 0.2553 to 0.3662), and inside [0, 1] at the ends.
def test_wilson():
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(0, 5)[0] == 0 and wilson(5, 5)[1] == 1 and 0 < wilson(0, 5)[1] < 1


# The bars are the acceptance histogram, as shares.
def test_histogram_is_the_glossary():
    for given in (TRACES[0], TRACES):
        counts = (pooled(given) if isinstance(given, list) else metrics(given))["acceptance_histogram"]
        assert [round(y * sum(counts)) for y in histogram(given).data[0].y] == counts


# Overlap and residual together are the target's law again: min(p, q) + (1 - sum of min) residual = p.
def test_overlap_splits_the_target():
    p, q = [0.5, 0.3, 0.2, 0.0], [0.2, 0.2, 0.5, 0.1]
    bars = {trace.name: list(trace.y) for trace in overlap(p, q, list("abcd")).data}
    shared, residual = bars["min(p, q)"], bars["(p − q)₊, scaled"]
    again = [s + (1 - sum(shared)) * r for s, r in zip(shared, residual, strict=True)]
    assert again == pytest.approx(p) and bars["target p"] == p and bars["draft q"] == q
    same = overlap(p, p)
    assert list(same.data[3].y) == [0.0] * 4 and "agree" in same.layout.annotations[2].text


# Labels are shown letter by letter: no tag of theirs is read, no sign of theirs unseen.
def test_labels_are_literal():
    assert list(overlap([0.5, 0.5], [0.5, 0.5], ["<b>x</b>&amp;", "\n"]).data[0].x) == ["&lt;b>x&lt;/b>&amp;amp;", "↵"]


# The meter shows what it was given, in order of the number of samples, on logarithmic axes.
def test_meter_shows_what_it_was_given():
    figure = meter({1000: 0.02, 10: 0.3}, {10: (0.2, 0.4), 1000: (0.02, 0.04)})
    curves = {trace.name: (list(trace.x), list(trace.y)) for trace in figure.data}
    assert curves["samples"] == ([10, 1000], [0.3, 0.02])
    assert curves["limit of chance"] == ([10, 1000], [0.4, 0.04])
    assert figure.layout.xaxis.type == figure.layout.yaxis.type == "log"


# Bad input is named.
@pytest.mark.parametrize(
    "call, word",
    [
        (lambda: acceptance(Trace([0], [])), "draft"),
        (lambda: histogram([]), "empty"),
        (lambda: overlap([0.5, 0.4], [0.5, 0.5]), "p is no law"),
        (lambda: overlap([0.5, 0.5], [1.0]), "entries"),
        (lambda: meter({}, {1: (0, 0)}), "tv_by_n"),
        (lambda: meter({1: 0.1}, {0: (0, 0)}), "noise_by_n"),
    ],
)
def test_bad_input(call, word):
    with pytest.raises(ValueError, match=word):
        call()


# Opening the room loads neither torch nor plotly; drawing loads plotly.
def test_plotly_loads_when_it_draws():
    code = "import sys, mtp_explore.plots as m; a = 'plotly' in sys.modules; m.overlap([1.0], [1.0]); "
    code += "print(a, 'plotly' in sys.modules, 'torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout.split() == ["False", "True", "False"], run.stderr
