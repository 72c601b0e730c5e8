"""The microscope's page and the price's figure, read back."""

import re

import pytest

from mtp_explore.plots import break_even, microscope
from mtp_explore.plots.microscope import Key, View, sentence
from tests.plots.made import HOSTILE

KEYS = [Key("x0", "text", 0), Key("d1", "draft", 1), Key("m1", "mask", 2, "d1")]
VIEW = View(KEYS, [1, 2], [[True, True, False], [True, True, True]], "Two rows.")


# Per row: a row of the table that the keyboard reaches, its sentence, and a rule that lights up exactly its keys.
def test_rows_light_up_their_keys():
    page = microscope({"one": VIEW, "two": VIEW})._repr_html_()
    assert page.count('tabindex="0"') == 4 and page.count("Two rows.") == 2
    lit = re.findall(r"\.v0:has\(tr\.r(\d):is\(:hover, :focus\)\) :is\((.*?)\) \{", page)
    assert lit == [("0", "th.k0, th.k1"), ("1", "th.k0, th.k1, th.k2")]
    body = page.split("<tbody>")[1].split("</tbody>")[0]
    rows = body.split("<tr ")[1:]
    assert [row.count('class="on"') for row in rows] == [2, 3]
    assert [">on</td>" in row for row in rows] == [False, True]
    assert "→ x₂" in rows[0] and "→ x₃" in rows[1]


# A row in words: who it is, what it sees, what it speaks of, and whether the adapters act on it.
def test_sentence_says_the_row():
    assert sentence(VIEW, 0) == "d₁, at position 1, sees x₀ and itself; it speaks of x₂; the adapters leave it alone."
    assert sentence(VIEW, 1) == (
        "m₁ behind d₁, at position 2, sees x₀, d₁ and itself; it speaks of x₃; the adapters act on it."
    )
    alone = View(KEYS[:1], [0], [[True]])
    assert "sees itself alone" in sentence(alone, 0)


# It is complete without scripts and asks nobody; as text it is a table of signs.
def test_page_is_plain():
    shown = microscope({"one": VIEW})
    page = shown._repr_html_()
    assert "<script" not in page and "http" not in page and "url(" not in page
    assert repr(shown).splitlines() == ["one", "   d1  ##.", "m1/d1  ###"]


# Names of any origin are shown as they are.
@pytest.mark.parametrize("text", HOSTILE)
def test_names_are_text(text):
    page = microscope({text: VIEW._replace(keys=[Key(text, "text", 0), *KEYS[1:]], says=text)})._repr_html_()
    assert "<img" not in page and "<b>x</b>" not in page


# Views that do not fit, and none at all, are refused in words.
def test_microscope_refuses():
    with pytest.raises(ValueError, match="views is empty"):
        microscope({})
    with pytest.raises(ValueError, match="2 rows and 3 keys"):
        microscope({"odd": VIEW._replace(allowed=[[True, True]] * 2)})
    with pytest.raises(ValueError, match="'slot'"):
        microscope({"odd": VIEW._replace(keys=[Key("x0", "slot", 0), *KEYS[1:]])})


# A point stands at its cost and gain; the line goes through (1, 1), and the hover text says the quotient.
def test_break_even_places_points():
    figure = break_even({"ordinary": (1.0, 1.0), "masks": (2.0, 3.0)})
    point = figure.data[-1]
    assert (point.x[0], point.y[0], point.customdata[0]) == (2.0, 3.0, 1.5)
    line = next(t for t in figure.data if t.name == "break-even")
    assert list(line.x) == list(line.y) and max(line.x) > 3
    with pytest.raises(ValueError, match="above 0"):
        break_even({"odd": (0.0, 1.0)})
    with pytest.raises(ValueError, match="above 0"):
        break_even({})
