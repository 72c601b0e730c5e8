"""One series, one look: a name has the same colour, sign and dash in every figure, and no other name has all three."""

import re
from itertools import combinations, permutations
from pathlib import Path

import nbformat
import pytest

from mtp_explore import plots
from mtp_explore.exercises import mask_results, masks, order, throws_learn, throws_results
from mtp_explore.measure.kinds import KINDS
from mtp_explore.plots import style
from mtp_explore.widgets import rank_dial
from tests.plots.made import joint, product, ranks
from tests.plots.test_style import contrast

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
LANGUAGES = ("stories", "arithmetic", "code")
FIGURES = {  # notebook: the series that stand in one figure
    "01": [
        ("untouched unembedding", "frequency", "trained heads", "the last token alone", "target"),
        LANGUAGES,
        KINDS,
    ],
    "02": [
        ("independence", "the head's own error"),
        LANGUAGES,
        ("the trained head", "a perfect head that does not see the first token"),
    ],
    "04": [
        ("nearest in KL", "in squares, parts ≥ 0", "in squares, any sign", "trained head"),
        ("with an MLP, just now", "linear, recorded"),
        ("rank 1", "rank 2", "rank 4", "rank 8"),
        ("rank 1", "rank 32"),
        ("without balancing", "with balancing"),
    ],
    "05": [("independent heads", *order.KINDS.values()), ("hmm",), tuple(order.KINDS), ("independent", *order.KINDS)],
    "06": [
        ("placeholders, untouched model", "trained masks", "trained masks, sampler"),
        ("how frequent it is", "the token before alone", "trained masks"),
        ("no training", "just now", "shipped", "the token before alone"),
        tuple(mask_results.GATES.values()),
        tuple(masks.LOSSES.values()),
        ("linear", "quadratic", "linear, foretold"),
        ("ordinary decoding", "independent heads", "masks, linear", "masks, quadratic", "masks, budget=16"),
    ],
    "07": [
        tuple(throws_learn.STUDENTS),
        ("independent heads", "C-PTP", "O-PTP"),
        tuple(throws_results.KINDS),
        tuple(f"{who}, {how}" for who in ("independent heads", "C-PTP") for how in ("the same die", "1 − TV")),
    ],
}
FAMILIES = {  # figures in which lines or marks have names
    "accuracy": lambda names: plots.accuracy({name: ranks(9, 3) for name in names}),
    "ranks": lambda names: plots.ranks({name: ranks(9, 3) for name in names}),
    "curves": lambda names: plots.curves({name: {1: 1, 2: [1, 2]} for name in names}, "x", "y"),
    "fidelity": lambda names: plots.fidelity([dict(rank=r, method=m, kl=1 / r) for r in (1, 2) for m in names]),
    "break_even": lambda names: plots.break_even({name: (1.0, 2.0) for name in names}),
    "rank_dial": lambda names: rank_dial(
        joint(3, 3),
        {1: product(joint(3, 3))},
        ("abc", "def"),
        points=[dict(rank=1, method=name, kl=1.0, tv=0.5) for name in names],
    ),
}


def looks(figure) -> dict[str, tuple]:
    """{name: (colour, sign)} of the named marks of a figure."""
    named = [t for t in figure.data if t.type == "scatter" and t.name and t.marker.symbol and t.marker.color]
    return {t.name: (t.marker.color, t.marker.symbol) for t in named}


# Every colour of a line reads on white and on dark ground, and no two of the sixteen are one.
def test_colours_of_lines():
    assert len(set(style.LINES)) == len(style.LINES) == 16
    for colour in style.LINES:
        assert min(contrast(colour, ground) for ground in ("#ffffff", "#111111")) > 2.2, colour
    assert not set(style.LINES) & {style.BLUE, style.ORANGE, style.GREEN, style.PINK, style.VERMILION}


# The names of all notebooks have looks of their own: colour and sign together belong to one name.
def test_every_known_look_is_one_names():
    names = ["target", "trained head", *(name for row in style.SERIES for name in row if name)]
    assert len(names) == len(set(names)) and all(name == name.lower() for name in names)
    assert len({style.look(name)[:2] for name in names}) == len(names)


# In each figure of the notebooks the colours differ, and all of its names are in the table, not made up on the way.
@pytest.mark.parametrize("notebook", FIGURES)
def test_a_figures_colours_differ(notebook):
    known = {"target", "trained head", *style.SAME, *(name for row in style.SERIES for name in row)}
    for names in FIGURES[notebook]:
        assert {name.lower() for name in names} <= known
        assert len({style.look(name).colour for name in names}) == len(names), names


# The table speaks of what the notebooks really draw: each name stands in a notebook or in the module that draws it.
def test_the_table_names_what_is_drawn():
    cells = (c for path in NOTEBOOKS.glob("*.ipynb") for c in nbformat.read(path, as_version=4).cells)
    code = "\n".join(c.source for c in cells if c.cell_type == "code")
    package = Path(plots.__file__).parents[1]
    code += "\n".join(p.read_text("utf-8") for room in ("exercises", "measure") for p in (package / room).glob("*.py"))
    code = code.lower()
    for name in (name for row in style.SERIES for name in row if name):
        parts = name.split(", ") if name.startswith(("masks, ", "independent heads, ", "c-ptp, ")) else [name]
        if re.fullmatch(r"rank \d+", name):
            continue
        assert all(part in code for part in parts), name


# A name keeps its look whatever stands beside it, before it or was drawn earlier, in every family of figures.
@pytest.mark.parametrize("family", FAMILIES)
def test_a_name_keeps_its_look(family):
    names, found = ("CP", "hmm", "a method of mine", "target"), {}
    for some in [*combinations(names, 2), *permutations(names, 3)]:
        for name, seen in looks(FAMILIES[family](some)).items():
            if name in names:
                found.setdefault(name.lower(), set()).add(seen)
    assert set(found) == {name.lower() for name in names} and all(len(seen) == 1 for seen in found.values())
    assert len({*map(tuple, found.values())}) == len(names)
    assert found["cp"] == {style.look("cp")[:2]} and found["target"] == {("#0072B2", "circle")}


# So does the histogram, by its colour.
def test_spread_colours_by_name():
    one, two = plots.spread({"cp": [1, 2], "hmm": [2, 3]}, "x"), plots.spread({"hmm": [2, 3]}, "x")
    assert one.data[3].marker.color == two.data[1].marker.color == style.look("hmm").colour
    assert one.data[1].marker.color == style.look("cp").colour


# Names that nobody foresaw get looks of their own, one after the other, and keep them.
def test_new_names_get_new_looks():
    names = [f"somebody's method {i}" for i in range(12)]
    first = [style.look(name) for name in names]
    assert len({one.colour for one in first}) == 12 and [style.look(name.upper()) for name in names] == first
