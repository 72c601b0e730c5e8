"""The mask microscope in a real browser, with the network cut: pointer and keyboard light up a row's keys."""

import pytest

from mtp_explore.exercises import layouts, mask_microscope

LIT = "(t) => [...document.querySelectorAll(t)].filter((x) => getComputedStyle(x).fontWeight === '700').length"
SAID = "() => [...document.querySelectorAll('.says')].filter((x) => x.offsetParent).map((x) => x.textContent)"


@pytest.fixture
def page(tmp_path, open_page):
    path = tmp_path / "scope.html"
    path.write_text(f'<!doctype html><meta charset="utf-8">{mask_microscope(2, 3)._repr_html_()}', encoding="utf-8")
    return open_page(path, viewport={"width": 900, "height": 600})


# One view at a time; a row under the pointer says its sentence and lights up as many keys as it sees, in three rows of
# the head.
@pytest.mark.parametrize("view, name", list(enumerate(layouts(2, 3))))
def test_pointer_lights_up_keys(page, view, name):
    page.locator(".mtp-scope > label").nth(view).click()
    assert page.evaluate("() => [...document.querySelectorAll('.view')].filter((x) => x.offsetParent).length") == 1
    allowed = layouts(2, 3)[name].allowed
    for r, row in enumerate(allowed):
        page.locator(f".v{view} tr.r{r}").hover()
        said = page.evaluate(SAID)
        assert len(said) == 1 and page.locator(f".v{view} .s{r}").text_content() == said[0]
        assert page.evaluate(LIT, f".v{view} th[class^=k]") == 3 * sum(row)
    assert page.noted == []


# The same with the keyboard alone: arrows change the view, the tab key goes through its rows.
def test_keyboard_reaches_rows(page):
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    said = []
    for _ in range(2):
        page.keyboard.press("Tab")
        said += page.evaluate(SAID)
    assert [text.split(",")[0] for text in said] == ["y", "d₁"]
    assert page.noted == []
