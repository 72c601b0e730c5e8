"""No figure answers a wrong argument with an error from inside: what it raises names the argument."""

import numpy as np
import pytest
from hostile import sweep

from mtp_explore import plots
from mtp_explore.plots.microscope import Key, View
from tests.trace.traces import make_trace


class Law:
    """What `emitted` reads of an exact law."""

    tokens, law, target = np.array([[0, 1], [1, 0]]), np.array([0.5, 0.5]), np.array([0.4, 0.6])


TWO, THREE = np.full((2, 2), 0.25), np.full((2, 2, 2), 0.125)
LAWS, RANKS = [[0.5, 0.5], [0.2, 0.8]], {"heads": np.array([[0, 3], [1, -1], [0, 0]])}
VIEW = View([Key("x1", "text", 1), Key("m1", "mask", 2, "x1")], [1], [[True, True]])
GOOD = {
    "acceptance": dict(traces=make_trace(seed=1)),
    "histogram": dict(traces=make_trace(seed=1)),
    "overlap": dict(p=[0.5, 0.5], q=[0.2, 0.8], labels=["a", "b"]),
    "meter": dict(tv_by_n={10: 0.5, 20: 0.2}, noise_by_n={10: (0.1, 0.2), 20: (0.05, 0.1)}),
    "areas": dict(p=[0.5, 0.5], q=[0.2, 0.8], labels=["a", "b"]),
    "emitted": dict(law=Law(), labels=["ab", "ba"], most=2),
    "tallies": dict(values={"a": 1.0}, title="tokens", colour="#009E73"),
    "evidence": dict(distances=[0.1], p=[0.5, 0.5], q=[0.2, 0.8], out=[0.5, 0.5], accepted=(1.0, 0.5)),
    "race": dict(runs={"a": [make_trace(seed=1), make_trace(seed=1)]}),
    "joint": dict(p=TWO, q=TWO, texts=(["a", "b"], ["c", "d"]), names=("p", "q"), most=2, scale="sqrt"),
    "slices": dict(p=THREE, q=THREE, texts=(["a", "b"],) * 3, names=("p", "q"), most=2, scale="log"),
    "fidelity": dict(rows=[dict(rank=r, method="cp", kl=0.5) for r in (1, 2)], total_correlation=0.5),
    "spectra": dict(values={"x1 | x2": [[2.0, 1.0], [3.0, 0.5]]}),
    "collapse": dict(weights=LAWS, tokens=["a"]),
    "forward": dict(states=LAWS, tokens=["a"], names=["one", "two"], most=2),
    "nodes": dict(laws_of_nodes=LAWS, spans=[(1, 2), (1, 1)], tokens=["a", "b"]),
    "load": dict(weights=LAWS, steps=[0, 10]),
    "accuracy": dict(ranks=RANKS, within=2),
    "ranks": dict(ranks=RANKS, quantiles=(0.25, 0.75)),
    "standings": dict(table=RANKS["heads"], name="heads"),
    "curves": dict(lines={"a": {1: 2.0, 2: [1.0, 3.0]}}, across="x", up="y", ceiling={1: 3.0}, ceiling_name="most",
                   log=False, zero=True),
    "spread": dict(values={"a": [1.0, None, 2.0]}, unit="nats", bins=4),
    "microscope": dict(views={"linear": VIEW}),
    "square": dict(first=[0.5, 0.5], second=LAWS, words=(["a", "b"], ["c", "d"])),
    "bought": dict(shares={1: [[0.5], [0.5]], 2: [[1.0], [0.5]]}, calls={1: 1.5, 2: 2.0}, first=1),
    "break_even": dict(points={"a": (1.0, 2.0)}),
}  # fmt: skip
# an error may name what the argument consists of
ALIASES = {
    "traces": ("trace",),
    "rows": ("rows",),
    "table": ("ranks",),
    "ceiling_name": (),
    "shares": ("calls",),
}


def test_every_figure_is_tried():
    assert set(GOOD) == set(plots.__all__)


@pytest.mark.parametrize("name", GOOD)
def test_wrong_arguments_are_named(name):
    assert not sweep(getattr(plots, name), GOOD[name], ALIASES)


# Failure seen: two numbers that are no distribution were drawn as if they were one.
@pytest.mark.parametrize("p", [[2, 3], [float("nan"), 1], [0.5, 0.4], [-0.5, 1.5]])
@pytest.mark.parametrize("figure", ["areas", "overlap"])
def test_what_is_no_law_is_not_drawn(figure, p):
    with pytest.raises(ValueError, match="p is no law.*sum"):
        getattr(plots, figure)(p, [0.5, 0.5], ["a", "b"])
    with pytest.raises(ValueError, match="q is no law.*sum"):
        getattr(plots, figure)([0.5, 0.5], p, ["a", "b"])
