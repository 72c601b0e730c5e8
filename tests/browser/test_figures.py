"""Figures in a real browser, from a file, with the network cut: sliders turn without a kernel, text stays text."""

import pytest

from mtp_explore.plots import accuracy, collapse, joint, slices
from mtp_explore.plots.style import INK
from mtp_explore.widgets import rank_dial
from tests.plots.made import HOSTILE, laws, product, ranks
from tests.plots.made import joint as made

P = made(12, 12)
TEXTS = (HOSTILE, HOSTILE)
STATE = "() => document.querySelector('.js-plotly-plot').data.map((trace) => trace.z || trace.selectedpoints)"


@pytest.fixture
def page_of(tmp_path, open_page):
    def page_of(figure):
        path = tmp_path / "figure.html"
        figure.write_html(path, include_plotlyjs=True)
        page = open_page(path, viewport={"width": 1000, "height": 1000})
        page.wait_for_selector(".main-svg")
        return page

    return page_of


def turn(page, share: float) -> None:
    """Press the slider's rail at a share of its length."""
    box = page.locator(".slider-rail-rect").bounding_box()
    page.mouse.click(box["x"] + share * box["width"], box["y"] + box["height"] / 2)


def titles(page) -> list[str]:
    return page.locator(".annotation-text").all_text_contents()


# The dial turns in the page: cells, titles and chosen points become those of the rank that was chosen.
def test_rank_dial_turns_without_a_kernel(page_of):
    figure = rank_dial(P, {1: product(P), 2: 0.5 * P + 0.5 * product(P), 4: P}, TEXTS, {1: 1.0, 2: 1.5, 4: 2.0})
    page = page_of(figure)
    assert not any("KL(p ‖ q) 0.000" in title for title in titles(page)), "it opens on rank 1"
    for share, i in ((0.99, 2), (0.5, 1), (0.01, 0)):
        turn(page, share)
        step = figure.layout.sliders[0].steps[i]
        page.locator(".annotation-text", has_text=f"rank {step.label}").wait_for()
        state = page.evaluate(STATE)
        assert state[:3] == list(map(list, step.args[0]["z"][:3])) and state[3:] == [[i]] * 3
        shown = " ".join(titles(page))
        assert f"rank {step.label}" in shown and step.args[1]["annotations[3].text"] in shown
    assert page.noted == []


# The slices turn as well, and say after which token they stand.
def test_slices_turn(page_of):
    law = made(4, 12, 12)
    figure = slices(law, product(law), (HOSTILE[:4], *TEXTS))
    page = page_of(figure)
    turn(page, 0.99)
    last = figure.layout.sliders[0].steps[3]
    page.wait_for_function("() => document.querySelector('.js-plotly-plot').layout.sliders[0].active === 3")
    assert page.evaluate(STATE) == list(map(list, last.args[0]["z"]))
    assert page.noted == []


# Ticks, titles, legends and hover texts show hostile texts sign by sign: no element, script, formula or field is made.
def test_hostile_text_is_shown_literally(page_of):
    page = page_of(joint(P, product(P), TEXTS, names=("<b>p</b>", "$q$ %{lost}")))
    ticks = page.locator(".ytick text").all_text_contents()
    assert {"<b>x</b>", "a&lt;b", "$x^2$", "%{lost}", "↵", "⟨U+202E⟩abc", "·fox", "fox", "<img src=x …"} <= set(ticks)
    heads = titles(page)
    assert heads[0].startswith("<b>p</b>") and heads[1].startswith("$q$ %{lost}")
    panel = page.locator(".draglayer .xy .nsewdrag").bounding_box()
    seen = [None]
    for i in range(12):
        page.mouse.move(panel["x"] + (i + 0.5) / 12 * panel["width"], panel["y"] + (i + 0.5) / 12 * panel["height"])
        page.wait_for_function(
            "(last) => (document.querySelector('.hoverlayer text')?.textContent ?? last) !== last", arg=seen[-1]
        )
        seen.append(page.locator(".hoverlayer text").first.text_content())
    said = " ".join(seen[1:])
    assert all(f"“{name}”" in said for name in ("<b>x</b>", "a&lt;b", "$x^2$", "%{lost}", "↵", "·fox", "fox"))
    page = page_of(accuracy({name: ranks(20, 3) for name in HOSTILE[:4]}))
    assert page.locator(".legendtext").all_text_contents() == HOSTILE[:4]
    page = page_of(collapse(laws(13, 4), HOSTILE))
    assert {"<b>x</b>", "$x^2$", "%{lost}"} <= set(page.locator(".xtick text, .x2tick text").all_text_contents())
    assert page.locator("img, foreignObject, .main-svg :is(a, b, i)").count() == 0 and page.noted == []


# On a dark page and on a light one a figure's ground is the page's own, and its text the grey that reads on both.
@pytest.mark.parametrize("ground", ["rgb(255, 255, 255)", "rgb(17, 17, 17)"])
def test_ground_is_the_pages(page_of, ground):
    page = page_of(joint(P, product(P), TEXTS))
    page.evaluate("(ground) => { document.body.style.background = ground; }", ground)
    behind = "all => all.map((e) => getComputedStyle(e).backgroundColor)"
    assert set(page.locator(".js-plotly-plot, .svg-container, .main-svg").evaluate_all(behind)) == {"rgba(0, 0, 0, 0)"}
    assert set(page.locator("rect.bg").evaluate_all("all => all.map((e) => getComputedStyle(e).fillOpacity)")) <= {"0"}
    fills = page.locator("text").evaluate_all("all => all.map((e) => getComputedStyle(e).fill)")
    assert set(fills) == {"rgb({}, {}, {})".format(*(int(INK[i : i + 2], 16) for i in (1, 3, 5)))}
