"""The ruler in a real browser, with the network cut: pointer, touch and keyboard move a die, and what follows moves."""

import pytest

from mtp_explore.widgets import ruler
from tests.widgets.throws import PARTS, PIECES, START, throw
from tests.widgets.throws import grid as throws

WORDS = [p.replace("\n", "↵") for p in PIECES]


@pytest.fixture
def page(tmp_path, open_page):
    made = ruler(throw(START), throws(START), PIECES.__getitem__, "Once upon")
    return open_page(made.save(tmp_path / "ruler.html"), viewport={"width": 1000, "height": 700}, has_touch=True)


def said(page, kind: str = ".own") -> list[str]:
    """The tokens of the line of text: the target's, or `small`, the drafts."""
    return page.locator(f".mtp-ruler-word {kind}").evaluate_all("all => all.map((e) => e.textContent)")


def at(page, k: int, x: float) -> tuple[float, float]:
    box = page.locator(".mtp-track").nth(k).bounding_box()
    return box["x"] + x * box["width"], box["y"] + box["height"] / 2


def drag(page, k: int, start: float, end: float) -> None:
    page.mouse.move(*at(page, k, start))
    page.mouse.down()
    for i in range(1, 6):
        page.mouse.move(*at(page, k, start + (end - start) * i / 5))
    page.mouse.up()


def tokens(w) -> list[str]:
    return [WORDS[t] for t in throw(w).picks]


# Dragging a die over the edge of a bin changes its own token and the tokens behind it; the dice before stay. Letting it
# go elsewhere and dragging another one starts from the first throw again.
def test_drag_moves_what_follows(page):
    assert said(page) == tokens(START)
    drag(page, 1, 0.7, 0.17)
    w = [START[0], 0.15, *START[2:]]
    assert said(page) == tokens(w) != tokens(START)
    handle = page.locator(".mtp-handle").nth(1)
    assert handle.get_attribute("aria-valuenow") == "0.150"
    drag(page, 0, 0.2, 0.93)
    assert said(page) == tokens([0.95, *START[1:]])
    page.get_by_text("First throw").click()
    assert said(page) == tokens(START)
    assert page.noted == []


# The keyboard does the same: arrows by one place, Home and End to the ends, and the handle says where it is.
def test_keyboard_moves_a_die(page):
    handle = page.locator(".mtp-handle").nth(0)
    handle.focus()
    page.keyboard.press("End")
    assert said(page) == tokens([1 - 0.5 / PARTS, *START[1:]])
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    assert handle.get_attribute("aria-valuenow") == f"{1 - 3.5 / PARTS:.3f}"
    assert "target" in handle.get_attribute("aria-valuetext")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert handle.get_attribute("aria-valuenow") == f"{1.5 / PARTS:.3f}" and said(page) == tokens(START)
    assert page.noted == []


# A finger on a track moves its die as the mouse does.
def test_touch_moves_a_die(page):
    page.touchscreen.tap(*at(page, 2, 0.85))
    assert said(page) == tokens([*START[:2], 0.85, START[3]])
    assert page.noted == []


# Every drafter under the same dice: the twin is right throughout, the deaf one keeps its strips and its drafts follow
# its own die alone; what both name lies under a green bar.
def test_drafters_under_the_same_dice(page):
    sentence = page.locator(".mtp-ruler-sentence")
    assert "3 of 3 drafts are right" in sentence.inner_text() and "commits 4 tokens" in sentence.inner_text()
    page.get_by_label("deaf").check()
    first = throw(START)
    drafts = [WORDS[t] for t in first.sides["deaf"].picks]
    assert said(page, "small")[1:] == drafts
    green = page.locator(".mtp-same > span")
    assert green.count() == 2 * sum(a == 1 for a in first.sides["deaf"].agree)
    drag(page, 0, 0.2, 0.9)
    assert said(page) == tokens([0.95, *START[1:]]) and said(page, "small")[1:] == drafts
    assert green.count() == 0 and "0 of 3 drafts are right" in sentence.inner_text()
    page.get_by_label("mute").check()
    assert page.locator(".mtp-flag").all_text_contents() == tokens([0.95, *START[1:]])[1:]
    assert page.noted == []


# Tokens are text: a tag in one is shown, not made.
def test_hostile_tokens_are_shown(page):
    assert "<img src=x>" in said(page) and page.locator("img").count() == 0 and page.noted == []


# The handle stands where its die lies, within a pixel, and the token it stands in is the one that is picked.
def test_handle_stands_in_the_picked_bin(page):
    for k, x in enumerate(START):
        hit = page.locator(".mtp-strip.p").nth(k).locator(".hit")
        box, handle = hit.bounding_box(), page.locator(".mtp-handle").nth(k).bounding_box()
        middle = handle["x"] + handle["width"] / 2
        assert abs(middle - at(page, k, x)[0]) < 1 and box["x"] <= middle <= box["x"] + box["width"]
        assert hit.text_content() == tokens(START)[k]


# It fits a telephone: nothing is wider than the page.
def test_narrow_page(page):
    page.set_viewport_size({"width": 360, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
