"""The table of all definitions, intervals over prompts, and what bad input gets."""

import math
import random
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from mtp_explore.trace.metrics import GLOSSARY, Table, glossary, interval, metrics, pooled, student, table
from mtp_explore.trace.records import Trace
from tests.trace.identities import HAND, step

ROOT = Path(__file__).parents[2]


# Wrong arguments are named, with a remedy.
def test_errors():
    with pytest.raises(TypeError, match="pooled"):
        metrics([HAND])
    with pytest.raises(TypeError, match="generate"):
        table("a text")
    with pytest.raises(ValueError, match="traces is empty"):
        pooled([])
    with pytest.raises(ValueError, match="values holds nan"):
        interval([1.0, math.nan])


# Student's t agrees with the printed tables.
@pytest.mark.parametrize("freedom, t", [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (30, 2.042), (1000, 1.962)])
def test_student(freedom, t):
    assert student(freedom) == pytest.approx(t, abs=5e-4)


# 95 of 100 intervals over five normal values hold the truth (binomial noise of 2000 draws: 0.5%).
def test_interval_covers():
    rng = random.Random(0)
    intervals = [interval(rng.gauss(3, 2) for _ in range(5)) for _ in range(2000)]
    assert sum(abs(i.mean - 3) < i.half for i in intervals) / 2000 == pytest.approx(0.95, abs=0.02)


# Undefined values are left out; one value has no width, none has no mean.
def test_interval_of_few():
    assert interval([2.0, None, 4.0]) == interval([2.0, 4.0]) == pytest.approx((3.0, student(1), 2))
    assert (interval([2.5]), interval([None])) == ((2.5, None, 1), (None, None, 0))
    assert [str(interval(v)) for v in ([2, 2, 2], [2.5], [])] == ["2.00 ± 0.00", "2.5", "–"]


class Tags(HTMLParser):
    """Collects what a browser would see."""

    def __init__(self, text: str):
        super().__init__()
        self.tags, self.attributes, self.text = set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text.append(data)


# The table shows every definition with its value, formula and users, as rows, text, HTML and DataFrame.
def test_table_shows_all_definitions():
    shown = table(HAND)
    assert [row[:2] for row in shown] == list(metrics(HAND).items()) and len(shown) == len(GLOSSARY) == len(glossary())
    page = Tags(shown._repr_html_())
    assert page.tags == {"table", "thead", "tbody", "tr", "th", "td"}
    for name, m in GLOSSARY.items():
        assert m.formula and m.who and m.meaning
        assert {name, m.formula, m.who} <= set(page.text)
        assert any(key == "title" and m.formula in value and m.meaning in value for key, value in page.attributes)
    assert "2.750" in page.text and "mean_acceptance_length       2.750" in repr(shown)
    assert list(shown.to_dataframe()["name"]) == list(GLOSSARY)
    assert "–" in repr(table(Trace([0], [step(0, 0)])))


# Whatever stands in a table, only the table's own tags reach the page.
def test_table_is_escaped():
    nasty = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>"
    page = Tags(Table((nasty,), [(nasty,), ([nasty] * 20,)], [nasty, nasty])._repr_html_())
    assert page.tags == {"table", "thead", "tbody", "tr", "th", "td"}
    assert {key for key, _ in page.attributes} == {"class", "title", "style"} and nasty in page.text


# Opening the metrics costs no pandas and no torch.
def test_light():
    code = "import sys, mtp_explore.trace.metrics; print({'pandas', 'torch', 'numpy'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.stdout.strip() == "set()", run.stderr
