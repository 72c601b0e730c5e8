"""The token player in a real browser, from files, with the network cut."""

import nbformat
import pytest
from nbconvert import HTMLExporter

from mtp_explore.trace.glyphs import visible
from mtp_explore.trace.html import play, player
from mtp_explore.trace.say import say
from tests.browser.sanitizer import sanitized
from tests.trace.traces import FOX, HOSTILE, hostile_trace, make_trace

COUNT = ".mtp-count"
PLACES = "light,prefers dark,data-theme,nbconvert light,nbconvert dark,vscode,light page on a dark system".split(",")

# The parts of the lanes, words apart, that lie outside the player or are cut.
OUTSIDE = """(lanes) => [...lanes.querySelectorAll('.mtp-lane, .mtp-cell :first-child, .mtp-verdict')].filter((e) => {
  const box = e.getBoundingClientRect(), room = lanes.getBoundingClientRect();
  const text = document.createRange();
  text.selectNodeContents(e);
  const lane = e.closest('.mtp-lane').getBoundingClientRect();
  return box.right > room.right + 1 || text.getBoundingClientRect().right > lane.right + 1;
}).map((e) => e.textContent)"""

# The lowest contrast of any visible text, with its element; colours are composed over what lies behind them.
CONTRAST = """() => {
  const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    context.clearRect(0, 0, 1, 1); context.fillStyle = colour; context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data].map((x) => x / 255);
  };
  const over = (top, below, share) => [0, 1, 2].map((i) => top[i] * share + below[i] * (1 - share));
  const light = (c) => { const f = c.map((x) => x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4);
    return .2126 * f[0] + .7152 * f[1] + .0722 * f[2]; };
  const behind = (node) => {
    if (!node) return [1, 1, 1];
    const c = rgba(getComputedStyle(node).backgroundColor);
    return c[3] === 1 ? c.slice(0, 3) : over(c, behind(node.parentElement), c[3]);
  };
  let worst = [21, 'no text'], seen = 0;
  for (const node of document.querySelectorAll('.mtp, .mtp *')) {
    const text = [...node.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data).join('').trim();
    if (!text || ['STYLE', 'SCRIPT'].includes(node.tagName)) continue;
    if (!node.checkVisibility({ checkVisibilityCSS: true })) continue;
    let share = 1;
    for (let n = node; n; n = n.parentElement) share *= getComputedStyle(n).opacity;
    const back = behind(node), ink = rgba(getComputedStyle(node).color);
    const a = light(over(ink, back, ink[3] * share)), b = light(back);
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    seen += 1;
    if (ratio < worst[0]) worst = [ratio, node.className + ': ' + text];
  }
  return [...worst, seen];
}"""


def notebook(*outputs: str, theme: str = "light") -> str:
    """A notebook with one cell per HTML output, as nbconvert writes it, without nbconvert's own addresses."""
    cells = [
        nbformat.v4.new_code_cell(
            "trace", outputs=[nbformat.v4.new_output("display_data", {"text/html": html, "text/plain": "Trace"})]
        )
        for html in outputs
    ]
    exporter = HTMLExporter(theme=theme, require_js_url="", jquery_url="", mathjax_url="", mermaid_js_url="")
    return exporter.from_notebook_node(nbformat.v4.new_notebook(cells=cells))[0]


@pytest.fixture
def page_of(tmp_path, open_page):
    """`page_of(html, **context)`: that HTML, saved and opened offline."""

    def page_of(html, **options):
        path = tmp_path / "page.html"
        path.write_text(html, encoding="utf-8")
        return open_page(path, **options)

    return page_of


def bare(html: str, attributes: str = "") -> str:
    return f'<!doctype html><html {attributes}><meta charset="utf-8"><title>page</title><body>{html}</body></html>'


# Exported by nbconvert and opened without a network, the player steps, scrubs and jumps, and asks for nothing.
@pytest.mark.parametrize("rule, temperature", [("rejection", 1.0), ("block", 1.0), ("match", 1.0), ("match", 0)])
def test_plays_offline_from_nbconvert(page_of, rule, temperature):
    trace = make_trace(rule=rule, temperature=temperature)
    page = page_of(notebook(player(trace)))
    n = len(trace.steps)
    assert page.locator(COUNT).inner_text().startswith(f"call {n} of {n} · {len(trace.tokens)} tokens")
    page.get_by_role("button", name="Previous call").click()
    assert page.locator(COUNT).inner_text().startswith(f"call {n - 1} of")
    page.get_by_role("slider").fill("3")
    step = trace.steps[2]
    assert page.locator(".mtp-sentence").inner_text() == say(trace, step)
    assert page.locator(".mtp-lane").count() == 1 + len(step.drafts) + 1
    assert page.locator(".mtp-lane.kept").count() == step.accepted
    assert page.locator(".mtp-text > span:not(.later)").count() == 3
    page.locator(".mtp-text > span").nth(0).click()
    assert page.locator(".mtp-lane").count() == 1 and page.locator(".mtp-lane.own").count() == 1
    page.locator("details:not([hidden]) summary").click()
    assert page.locator("details:not([hidden])").count() == 1
    assert page.noted == []


# Every number in the lanes is the record's: both probabilities, and the coin on the side of its chance that it fell.
def test_lanes_show_the_record(page_of):
    trace = make_trace(seed=5, hit=0.8)
    step = next(s for s in trace.steps if 0 < s.accepted < len(s.drafts) - 1)
    page = page_of(bare(player(trace, start=step.index + 1)))
    for k, d in enumerate(step.drafts):
        lane = page.locator(".mtp-lane").nth(k + 1)
        words = lane.inner_text().split("\n")
        assert words[0] == f"d{k + 1}" and words[1].strip() == trace.piece(d.token).strip()
        assert f"{d.q:.2f}" in words and f"{d.p:.2f}" in words
        coin, sign, chance = next(w for w in words if "<" in w or ">" in w).split()
        assert (float(coin), float(chance)) == pytest.approx((d.coin, d.chance), abs=0.006)
        assert (sign == "<") == (d.coin < d.chance)
        box, tick = lane.locator(".mtp-bar.chance").bounding_box(), lane.locator(".mtp-bar.chance b").bounding_box()
        assert (tick["x"] + tick["width"] / 2 - box["x"]) / box["width"] == pytest.approx(d.coin, abs=0.02)
        word = {"kept": "kept", "refused": "refused", "ignored": "unseen"}[d.verdict]
        assert words[-1].endswith(word)


# Hover or focus on a draft shows its lists; a draft that was never looked at says so.
def test_detail_follows_hover_and_focus(page_of):
    trace = make_trace(seed=5, hit=0.8)
    step = next(s for s in trace.steps if 0 < s.accepted < len(s.drafts) - 1)
    page = page_of(bare(player(trace, start=step.index + 1)))
    detail, refused = page.locator(".mtp-detail"), step.drafts[step.accepted]
    assert "Residual" in detail.inner_text() and f"{refused.q_top[0][1]:.2f}" in detail.inner_text()
    assert "belief" in detail.inner_text() and page.locator(".mtp-strip > span").count() == 8
    page.locator(".mtp-lane").nth(1).hover()
    assert detail.locator(".mtp-head").inner_text().startswith("Draft 1")
    assert detail.locator(".mtp-row").count() >= len(step.drafts[0].p_top) + len(step.drafts[0].q_top)
    page.locator(".mtp-lane").nth(len(step.drafts)).focus()
    assert "Not looked at" in detail.inner_text()
    assert page.noted == []


# The keyboard alone steps, jumps and plays; the focused player shows a ring; play stops at the end.
def test_keyboard_only(page_of):
    trace = make_trace(FOX[:30], seed=2)
    n = len(trace.steps)
    page = page_of(bare(player(trace)))
    page.clock.install()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.classList.contains('mtp')")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    shown = lambda: int(page.locator(COUNT).inner_text().split()[1])  # noqa: E731
    for key, expected in [("ArrowLeft", n - 1), ("Home", 1), ("ArrowLeft", 1), ("ArrowRight", 2), ("End", n)]:
        page.keyboard.press(key)
        assert shown() == expected, key
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    assert page.get_by_role("button", name="Pause").count() == 1
    page.clock.run_for(2500)
    assert shown() == 3
    page.keyboard.press("Space")
    page.clock.run_for(5000)
    assert shown() == 3
    page.keyboard.press("Space")
    page.clock.run_for(60_000)
    assert shown() == n and page.get_by_role("button", name="Play").count() == 1
    page.keyboard.press("Space")
    assert shown() == 1, "play at the end starts again"
    assert page.noted == []


# Focus stays inside while the lanes change under it, and a modified arrow key is left to the page.
def test_focus_survives_a_step(page_of):
    page = page_of(bare(player(make_trace(), start=4)))
    page.locator("button.mtp-lane").nth(2).focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.closest('.mtp') !== null")
    before = page.locator(COUNT).inner_text()
    page.keyboard.press("Control+ArrowRight")
    assert page.locator(COUNT).inner_text() == before


# The live region says the step's sentence, politely, at every step.
def test_live_region_says_the_sentence(page_of):
    trace = make_trace(rule="block")
    page = page_of(bare(player(trace, start=1)))
    region = page.locator("[aria-live=polite]")
    for step in trace.steps:
        assert region.inner_text() == say(trace, step)
        page.locator(".mtp").press("ArrowRight")
    assert (
        page.get_by_role("slider").get_attribute("aria-valuetext") == f"call {len(trace.steps)} of {len(trace.steps)}"
    )


# Several players on one page, the same trace twice among them, each obey their own keys only.
def test_players_do_not_disturb_each_other(page_of):
    one, two = make_trace(seed=1), make_trace(seed=2, rule="match")
    page = page_of(notebook(player(one, 3), player(two, 3), player(one, 3)))
    counts = lambda: [c.split(" of")[0] for c in page.locator(COUNT).all_inner_texts()]  # noqa: E731
    assert counts() == ["call 3"] * 3
    page.locator(".mtp").nth(2).press("ArrowRight")
    page.locator(".mtp").nth(1).press("Home")
    assert counts() == ["call 3", "call 1", "call 4"]
    assert page.locator(".mtp-panel").count() == 3 and page.noted == []


# Without JavaScript the text, the chips, every sentence and every table are there to be read.
@pytest.mark.parametrize("layer", ["no javascript", "sanitized"])
def test_readable_without_script(page_of, layer):
    trace = make_trace()
    html = player(trace)
    html = sanitized(html) if layer == "sanitized" else html
    assert layer != "sanitized" or not any(mark in html for mark in ("<script", "<style", "aria-", "role="))
    page = page_of(notebook(html), java_script_enabled=layer == "sanitized")
    assert page.locator(".mtp-panel").count() == 0
    assert page.locator(".mtp-text").is_visible()
    assert page.locator(".mtp-text u").count() == sum(s.kept for s in trace.steps)
    assert page.locator(".mtp-text s").count() == sum(s.accepted < len(s.drafts) for s in trace.steps)
    line = page.locator(".mtp-text u").first.evaluate if layer == "sanitized" else None
    assert line is None or line("e => getComputedStyle(e).textDecorationLine") == "underline"
    calls = page.locator("details")
    assert calls.count() == len(trace.steps)
    for i in (0, 1, len(trace.steps) - 1):
        calls.nth(i).locator("summary").click()
        assert calls.nth(i).locator("p").inner_text() == say(trace, trace.steps[i])
    assert calls.nth(1).locator("tr").count() == 1 + len(trace.steps[1].drafts) + 1
    assert page.noted == []


# Hostile text is shown letter by letter in both layers; nothing runs, nothing loads, nothing is reordered.
@pytest.mark.parametrize("javascript", [True, False])
def test_hostile_text_is_shown_literally(page_of, javascript):
    trace = hostile_trace()
    page = page_of(notebook(player(trace, start=1)), java_script_enabled=javascript)
    running = page.locator(".mtp-text").text_content()
    for piece in HOSTILE:
        assert visible(piece) in running, piece
    assert page.locator(".mtp :is(img, svg, iframe, a, object)").count() == 0
    if javascript:
        for step in trace.steps:
            lanes = page.locator(".mtp-lane .mtp-word").evaluate_all("all => all.map((e) => e.textContent)")
            assert lanes[-1] == visible(trace.piece(step.token))
            for lane in page.locator("button.mtp-lane").all():
                lane.hover()
            if step.belief and len(step.belief) == 3:
                shown = page.locator(".mtp-belief").text_content()
                assert visible(HOSTILE[0]) in shown and "__proto__" in shown
            page.locator(".mtp").press("ArrowRight")
    assert page.noted == []


# Every text has a contrast of at least 4.5 to 1, in light and dark, however the page says that it is dark.
@pytest.mark.parametrize("place", PLACES)
def test_contrast(page_of, place):
    html = player(make_trace(seed=5, hit=0.8), start=5)
    options = {"color_scheme": "dark" if "prefers" in place or "system" in place else "light"}
    if place.startswith("nbconvert"):
        html = notebook(html, theme=place.split()[1])
    elif place == "vscode":
        colours = "--vscode-editor-foreground: #d4d4d4; --vscode-editor-background: #1e1e1e"
        html = f'<!doctype html><body class="vscode-dark" style="{colours}; background: #1e1e1e">{html}</body>'
    elif place == "light page on a dark system":
        html = notebook(html)
    else:
        html = bare(html, 'data-theme="dark"' if place == "data-theme" else "")
    page = page_of(html, **options)
    page.locator("details:not([hidden]) summary").click()
    page.locator(".mtp").press("ArrowRight")
    ratio, where, seen = page.evaluate(CONTRAST)
    assert seen > 60 and ratio >= 4.5, where
    dark = page.evaluate("getComputedStyle(document.querySelector('.mtp')).backgroundColor") != "rgb(255, 255, 255)"
    assert dark == (place in ("prefers dark", "data-theme", "nbconvert dark", "vscode"))


# Who asks for reduced motion gets none.
@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_reduced_motion(page_of, motion):
    page = page_of(bare(player(make_trace(), start=5)), reduced_motion=motion)
    moving = page.evaluate(
        "[...document.querySelectorAll('.mtp *')].filter((e) => getComputedStyle(e).transitionDuration !== '0s').length"
    )
    assert (moving == 0) == (motion == "reduce")


# A page of 800 pixels, or a notebook's cell of 600, shows every lane whole, the target's own and the coins among them.
@pytest.mark.parametrize("width", [420, 600, 800, 1300])
def test_every_lane_is_seen(page_of, width):
    trace = make_trace(horizon=8, hit=0.9)
    page = page_of(play_page(trace), viewport={"width": width, "height": 900})
    for _ in trace.steps:
        outside = page.locator(".mtp-lanes").evaluate(OUTSIDE)
        assert outside == [], page.locator(COUNT).inner_text()
        page.locator(".mtp").press("ArrowRight")
    assert page.locator(".mtp-lane.own").is_visible() and page.noted == []


# A narrow page keeps the player inside: lanes go on in the next row.
@pytest.mark.parametrize("width", [420, 700, 1200])
def test_fits_its_width(page_of, width):
    trace = make_trace(horizon=15, hit=0.9)
    page = page_of(play_page(trace), viewport={"width": width, "height": 600})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator(COUNT).is_visible()


def play_page(trace) -> str:
    return bare(play(trace, 2)._repr_html_())
