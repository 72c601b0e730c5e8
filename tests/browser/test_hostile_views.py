"""All views on one page in a real browser, with the network cut: no text runs, loads or becomes an element."""

import pytest

from tests.test_views import NASTY
from tests.views import VIEWS

FOREIGN = "body :is(img, svg, iframe, object, embed, link, base, a, form, math, [onerror], [onload], [onfocus])"


# Every nasty text in every view, unfolded and stepped through: no script of theirs runs and no request leaves.
@pytest.mark.parametrize("nasty", NASTY)
def test_nothing_runs_and_nothing_leaves(tmp_path, open_page, nasty):
    path = tmp_path / "views.html"
    shown = "".join(make(nasty)._repr_html_() for make in VIEWS.values())
    path.write_text(f'<!doctype html><meta charset="utf-8"><title>views</title><body>{shown}</body>', "utf-8")
    page = open_page(path)
    assert page.locator(FOREIGN).count() == 0
    page.locator("details").evaluate_all("all => all.forEach((each) => { each.open = true; })")
    assert page.locator(".mtp-panel").count() >= 2 and page.locator(".mtp-ruler-live").count() == 1
    for root in page.locator(".mtp").all():
        for key in ("Home", "ArrowRight", "ArrowRight"):
            root.press(key)
    for lane in page.locator("button.mtp-lane").all():
        lane.hover()
    page.locator(".mtp-handle").nth(1).press("ArrowRight")
    assert page.noted == []
