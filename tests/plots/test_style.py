"""The common dress: figures read on white and on dark ground, name their axes, and show foreign text literally."""

import json
import re
import subprocess
import sys
from functools import cache

import pytest

from mtp_explore import plots
from mtp_explore.plots import style
from mtp_explore.widgets import rank_dial
from tests.plots.made import HOSTILE, joint, laws, product, ranks
from tests.trace.traces import make_trace

TEXTS = (HOSTILE, HOSTILE)
P = joint(12, 12)
P3 = joint(12, 12, 12)
ROWS = [dict(rank=r, method=m, kl=1 / r, tv=0.5 / r, token=1 - 1 / r) for r in (1, 2) for m in HOSTILE[:3]]
FIGURES = {
    "acceptance": lambda: plots.acceptance(make_trace(seed=1)),
    "histogram": lambda: plots.histogram(make_trace(seed=1)),
    "overlap": lambda: plots.overlap([0.5, 0.5], [1.0, 0.0], HOSTILE[:2]),
    "meter": lambda: plots.meter({10: 0.3, 100: 0.1}, {10: (0.2, 0.4), 100: (0.1, 0.2)}),
    "areas": lambda: plots.areas([0.5, 0.5], [1.0, 0.0], HOSTILE[:2]),
    "curves": lambda: plots.curves(
        {name: {1: 1, 2: [1, 2]} for name in HOSTILE[:3]}, "x", "y", {1: 3, 2: 3}, HOSTILE[3]
    ),
    "spread": lambda: plots.spread({name: [0.1, 0.7, 0.9] for name in HOSTILE[:3]}, HOSTILE[3]),
    "tallies": lambda: plots.tallies(dict.fromkeys(HOSTILE, 1.0), "drafts per call"),
    "evidence": lambda: plots.evidence([0, 0.1], [0.5, 0.5], [1.0, 0.0], [0.6, 0.4], (0.9, 0.8)),
    "race": lambda: plots.race({HOSTILE[0]: [make_trace(seed=1)], HOSTILE[2]: [make_trace(seed=2)]}),
    "joint": lambda: plots.joint(P, product(P), TEXTS, names=tuple(HOSTILE[:2])),
    "slices": lambda: plots.slices(P3, product(P3), (*TEXTS, HOSTILE)),
    "fidelity": lambda: plots.fidelity(ROWS, 1.1),
    "spectra": lambda: plots.spectra({HOSTILE[0]: [[1, 0.5, 0.1], [2, 0.5, 0]]}),
    "collapse": lambda: plots.collapse(laws(13, 4), HOSTILE),
    "forward": lambda: plots.forward(laws(13, 12), HOSTILE, HOSTILE),
    "nodes": lambda: plots.nodes(laws(3, 4), [(1, 4), (1, 2), (3, 4)], HOSTILE[:4]),
    "load": lambda: plots.load(laws(5, 4), range(5)),
    "accuracy": lambda: plots.accuracy({name: ranks(9, 3) for name in HOSTILE[:4]}),
    "ranks": lambda: plots.ranks({name: ranks(9, 3) for name in HOSTILE[:4]}),
    "standings": lambda: plots.standings(ranks(9, 3), HOSTILE[0]),
    "rank_dial": lambda: rank_dial(P, {1: product(P), 2: P}, TEXTS, {1: 0.9, 2: 1.0}),
}


@cache
def drawn(name: str) -> dict:
    """A figure as the page gets it."""
    return json.loads(FIGURES[name]().to_json())


def contrast(one: str, other: str) -> float:
    """WCAG's contrast of two colours "#rrggbb"."""
    light = []
    for colour in (one, other):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        light.append(0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2] + 0.05)
    return max(light) / min(light)


def strings(value, key=""):
    """Every text of a figure with the name under which it stands."""
    if isinstance(value, dict):
        for k, v in value.items():
            yield from strings(v, k)
    elif isinstance(value, list | tuple):
        for v in value:
            yield from strings(v, key)
    elif isinstance(value, str):
        yield key, value


# Text stands out from white, from JupyterLab's dark ground and from VS Code's; so do lines and areas from both.
def test_contrast_on_both_grounds():
    assert min(contrast(style.INK, ground) for ground in ("#ffffff", "#111111")) > 4.3
    assert contrast(style.INK, "#1e1e1e") > 3.8
    for colour in (style.BLUE, style.GREEN, style.PINK, style.VERMILION):
        assert min(contrast(colour, ground) for ground in ("#ffffff", "#111111")) > 3
    for colour in (style.ORANGE, *style.PARTS):
        assert min(contrast(colour, ground) for ground in ("#ffffff", "#111111")) > 2.2
    assert all(contrast(style.BLACK, colour) > 3.5 for colour in style.PARTS)


# No figure has a ground of its own, and no text of it a colour that only one ground suits.
@pytest.mark.parametrize("name", FIGURES)
def test_reads_on_any_ground(name):
    figure = drawn(name)
    layout = figure["layout"]
    assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0,0,0,0)"
    assert layout["font"]["color"] == style.INK and layout["font"]["size"] >= 15
    for note in layout.get("annotations", []):
        assert note["font"]["color"] in (style.INK, style.BLACK), note["text"]
    assert "plotly" not in json.dumps(layout.get("template", {})), "no template that brings colours along"


# Every panel says what its axes count, unless it shares an axis with one that does.
@pytest.mark.parametrize("name", FIGURES)
def test_axes_are_named(name):
    layout = drawn(name)["layout"]
    named = {key: axis.get("title", {}).get("text") for key, axis in layout.items() if re.match("[xy]axis", key)}
    for key, text in named.items():
        shares = layout[key].get("matches") or not layout[key].get("showticklabels", True)
        categories = key[0] == "y" and name in ("tallies", "race") or name == "evidence"
        assert text or shares or categories, f"{key} of {name} has no title"


# Whatever the texts hold, plotly finds no tag, no formula and no unknown entity in them.
@pytest.mark.parametrize("name", FIGURES)
def test_foreign_text_is_literal(name):
    figure = drawn(name)
    ours = r"</?(br|span|extra)( style=\"font-size:\d+px\")?>|%\{(x|y|text|hovertext|customdata(\[\d\])?)(:[^}]*)?\}"
    for key, text in strings(figure):
        if key in ("bdata", "dtype"):
            continue
        bare = re.sub(ours, "", text)
        assert not any(sign in bare for sign in ("<", "$", "%{", "\u202e", "\n")), (key, text)
        assert not re.search(r"&(?!amp;|lt;|#36;|#37;)", bare), (key, text)


# Names along an axis: short for ticks, quoted for sentences; a leading space shows only where it tells two apart.
def test_token_names():
    short, full = style.token_names([" fox", "fox", " dog", " ", "", "averyverylongtoken"])
    assert short == ["·fox", "fox", "dog", "␣", "", "averyverylo…"]
    assert full == ["“·fox”", "“fox”", "“dog”", "“␣”", "“nothing”", "“averyverylongtoken”"]
    assert style.token_names(["<i>", "$a$"])[0] == ["&lt;i>", "&#36;a&#36;"]
    assert len(set(style.token_names(HOSTILE)[0])) == len(HOSTILE)


# A mixture of two colours starts at one, ends at the other.
def test_colours():
    assert style.mixed("#009E73", "#B4B4B4", 0) == "#009e73" and style.mixed("#009E73", "#B4B4B4", 1) == "#b4b4b4"
    assert style.mixed("#000000", "#204060", 0.5) == "#102030"
    assert style.washed("#0072B2", 0.2) == "rgba(0, 114, 178, 0.2)"


# Drawing any figure loads no torch, and opening the rooms loads no plotly.
def test_draws_without_torch():
    code = (
        "import sys, numpy as np, mtp_explore.plots as m, mtp_explore.widgets as w; a = 'plotly' in sys.modules; "
        "p = np.full((2, 2), .25); w.rank_dial(p, {1: p}, ('ab', 'ab')); m.load(p * 2, [0, 1]); m.spectra({'c': p}); "
        "print(a, 'plotly' in sys.modules, 'torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout.split() == ["False", "True", "False"], run.stderr
