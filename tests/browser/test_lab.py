"""JupyterLab itself: the player in an untrusted and in a trusted notebook, and the linked widget with a live kernel.

The server is JupyterLab on localhost with a home of its own; a request that leaves the machine fails the test.
"""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest

from mtp_explore.trace.html import play, player
from mtp_explore.trace.say import say
from mtp_explore.widgets import rank_dial, ruler
from tests.plots.made import HOSTILE, joint, product
from tests.trace.traces import hostile_trace, make_trace
from tests.views import VIEWS, nasty_trace
from tests.widgets.throws import PIECES, START, grid, throw

ROOT = Path(__file__).parents[2]
ACTIVE = "all => all.findIndex((e) => e.matches('.jp-mod-active'))"
WIDGET = """
from tests.trace.traces import make_trace
from mtp_explore.widgets import explore
def run(prompt, rule, temperature, horizon, seed):
    if seed == 13:
        raise ValueError(f"seed={seed} <b>is</b> unlucky")
    trace = make_trace(rule=rule or "rejection", horizon=horizon, seed=seed)
    trace.prompt_text = prompt
    return trace
explore(run, "A tale:", horizon=5)
"""

RULER = """
from mtp_explore.widgets import ruler
from tests.widgets.throws import PIECES, START, grid, throw
ruler(throw(START), grid(START), PIECES.__getitem__, "Once upon", throw)
"""


def saved(path: Path, *cells) -> Path:
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=list(cells), metadata=kernel), path)
    return path


def shown(html: str):
    output = nbformat.v4.new_output("display_data", {"text/html": html, "text/plain": "Trace"})
    return nbformat.v4.new_code_cell("trace", outputs=[output])


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A running JupyterLab: (address, folder it serves, environment of its home)."""
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("notebooks")
    paths = {name: str(home / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")}
    here = {"HOME": str(home), "PYTHONPATH": str(ROOT), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    environment = os.environ | paths | here
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}", "--IdentityProvider.token="]
    options += [f"--ServerApp.root_dir={folder}", "--LabApp.news_url=None", "--LabApp.extension_manager=readonly"]
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyter", "lab", *options],
        env=environment, stdout=subprocess.DEVNULL, stderr=(home / "log").open("w"),
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{address}/api")
                break
            except OSError:
                time.sleep(0.25)
        else:
            pytest.fail("JupyterLab did not start: " + (home / "log").read_text()[-2000:])
        yield address, folder, environment
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture
def lab_page(lab, browser):
    """`lab_page(path)`: the notebook opened in JupyterLab; errors, dialogs and foreign requests are in `page.noted`."""
    address, _, _ = lab
    context = browser.new_context(viewport={"width": 1300, "height": 1000})
    context.set_default_timeout(60_000)

    def lab_page(path):
        page = context.new_page()
        page.noted = []
        page.on("dialog", lambda d: (page.noted.append(d.message), d.dismiss()))
        page.on(
            "request",
            lambda r: None if r.url.startswith((address, "data:", "blob:", "ws")) else page.noted.append(r.url),
        )
        page.goto(f"{address}/lab/workspaces/{path.stem}/tree/{path.name}?reset")
        page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=60_000)
        return page

    yield lab_page
    context.close()


# An untrusted notebook: JupyterLab's own sanitizer removes script and style, and the text is complete nevertheless.
def test_untrusted_notebook_is_readable(lab, lab_page):
    trace = hostile_trace()
    page = lab_page(saved(lab[1] / "untrusted.ipynb", shown(player(trace))))
    root = page.locator(".mtp")
    root.wait_for()
    assert root.locator("script, style, img, svg").count() == 0 and page.locator(".mtp-panel").count() == 0
    assert root.locator(".mtp-text u").count() == sum(s.kept for s in trace.steps)
    assert root.locator(".mtp-text u").first.evaluate("e => getComputedStyle(e).textDecorationLine") == "underline"
    call = root.locator("details").nth(1)
    call.locator("summary").click()
    assert call.locator("p").inner_text() == say(trace, trace.steps[1])
    assert call.locator("tr").count() == len(trace.steps[1].drafts) + 2
    assert page.noted == []


# A trusted notebook plays, and its keys are the player's: JupyterLab's cell selection does not move.
def test_trusted_notebook_plays(lab, lab_page):
    trace = make_trace(seed=3)
    path = saved(lab[1] / "trusted.ipynb", shown(player(trace)), nbformat.v4.new_code_cell("pass"))
    subprocess.run([sys.executable, "-m", "jupyter", "trust", path], env=lab[2], check=True, capture_output=True)
    page = lab_page(path)
    page.locator(".mtp-panel").wait_for()
    page.locator(".mtp").focus()
    cells = page.locator(".jp-Notebook .jp-Cell")
    active = lambda: cells.evaluate_all("all => all.findIndex((e) => e.matches('.jp-mod-active'))")  # noqa: E731
    before = active()
    for key in ("Home", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    assert page.locator(".mtp-sentence").inner_text() == say(trace, trace.steps[2])
    assert active() == before and page.noted == []


# The widget: it runs at once, follows its controls, and shows an error as text without losing the player.
def test_explore_with_a_live_kernel(lab, lab_page):
    page = lab_page(saved(lab[1] / "explore.ipynb", nbformat.v4.new_code_cell(WIDGET)))
    page.get_by_text("| Idle").wait_for(timeout=60_000)  # the status bar: kernel connected
    page.locator(".jp-Cell .cm-content").first.click()
    page.keyboard.press("Shift+Enter")
    prompt, lanes = page.locator(".mtp-prompt"), page.locator("button.mtp-lane")
    prompt.wait_for(timeout=60_000)
    assert prompt.text_content() == "A tale:"
    page.locator(".mtp").press("ArrowRight")
    assert lanes.count() == 5 + 1
    page.get_by_label("prompt").fill("<i>Another</i>:")
    page.get_by_label("prompt").blur()
    page.wait_for_function("document.querySelector('.mtp-prompt')?.textContent === '<i>Another</i>:'")
    seed = page.get_by_label("seed")
    seed.fill("13")
    seed.press("Enter")
    alert = page.locator(".widget-html", has_text="ValueError: seed=13 <b>is</b> unlucky")
    alert.wait_for()
    assert prompt.text_content() == "<i>Another</i>:"
    seed.fill("4")
    page.locator(".widget-button", has_text="Run").click()
    alert.wait_for(state="detached")
    kinds = page.locator(".jp-OutputArea-output").evaluate_all("all => all.map((e) => e.className)")
    assert sum("jp-RenderedHTML" in k for k in kinds) == 1 and page.noted == []


# A figure with a slider, in a notebook that was saved and reopened: no cell has run, and the slider turns all the same.
def test_rank_dial_turns_after_reopening(lab, lab_page):
    law = joint(6, 6)
    texts = (HOSTILE[:6], HOSTILE[:6])
    drawn = json.loads(rank_dial(law, {1: product(law), 2: law}, texts).to_json())
    bundle = {"application/vnd.plotly.v1+json": drawn, "text/plain": "Figure"}
    output = nbformat.v4.new_output("display_data", bundle)
    page = lab_page(saved(lab[1] / "dial.ipynb", nbformat.v4.new_code_cell("dial", outputs=[output])))
    figure = page.locator(".jp-OutputArea .js-plotly-plot")  # Lab draws a second one, for its picture
    rail = figure.locator(".slider-rail-rect")
    rail.wait_for()
    rail.scroll_into_view_if_needed()
    box = rail.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 2, box["y"] + box["height"] / 2)
    figure.locator(".annotation-text", has_text="rank 2").wait_for()
    figure.locator(".annotation-text", has_text="KL(p ‖ q) 0.000").wait_for()
    assert figure.locator(".ytick text").all_text_contents()[0] in HOSTILE[:6]
    assert page.noted == []


# The ruler with a live kernel: every die moves freely and keeps its place, and the kernel's throws replace the grid's.
def test_ruler_with_a_live_kernel(lab, lab_page):
    page = lab_page(saved(lab[1] / "ruler.ipynb", nbformat.v4.new_code_cell(RULER)))
    page.get_by_text("| Idle").wait_for(timeout=60_000)
    page.locator(".jp-Cell .cm-content").first.click()
    page.keyboard.press("Shift+Enter")
    page.get_by_text("kernel connected").wait_for(timeout=60_000)
    dice = [0.905, *START[1:3], 0.1]
    for k in (0, 3):
        box = page.locator(".mtp-track").nth(k).bounding_box()
        page.mouse.click(box["x"] + dice[k] * box["width"], box["y"] + box["height"] / 2)
    handles = page.locator(".mtp-handle")
    places = [float(handles.nth(k).get_attribute("aria-valuenow")) for k in range(4)]
    assert places == pytest.approx(dice, abs=0.01)
    wanted = [PIECES[t].replace("\n", "↵") for t in throw(dice).picks]
    words = "[...document.querySelectorAll('.mtp-ruler-word .own')].map((e) => e.textContent)"
    page.wait_for_function(f"wanted => {words}.join('|') === wanted", arg="|".join(wanted))
    page.get_by_text("re-drafted in").wait_for()
    page.get_by_label("mute").check()
    page.locator(".mtp-flag").first.wait_for(state="detached")  # its strips come once the dice lie still
    assert page.noted == []


# Radio buttons, buttons and folds keep the keys they know, though JupyterLab has its own use for them: the choice
# changes, a fold opens, and the active cell stays. Keys that are JupyterLab's own, as Shift and Enter, still are.
def test_controls_keep_their_keys(lab, lab_page):
    views = [
        ruler(throw(START), grid(START), PIECES.__getitem__),
        VIEWS["Foresight"]("Once"),
        VIEWS["Microscope"]("one"),
        VIEWS["Guess"]("one?"),
        play(make_trace(seed=3)),
    ]
    views[2].views["two"] = views[2].views["one"]
    cells = [nbformat.v4.new_code_cell("0"), *(shown(v._repr_html_()) for v in views), nbformat.v4.new_code_cell("0")]
    path = saved(lab[1] / "keys.ipynb", *cells)
    subprocess.run([sys.executable, "-m", "jupyter", "trust", path], env=lab[2], check=True, capture_output=True)
    page = lab_page(path)
    page.locator(".mtp-ruler-live").wait_for()
    active = lambda: page.locator(".jp-Notebook .jp-Cell").evaluate_all(ACTIVE)  # noqa: E731
    for place, root in enumerate((".mtp-ruler", ".mtp-seen", ".mtp-scope"), 1):
        radios = page.locator(f"{root} input[type=radio]")
        checked = lambda radios=radios: radios.evaluate_all("all => all.findIndex((e) => e.checked)")  # noqa: E731
        radios.first.click(force=True)
        for key, chosen in (("ArrowRight", 1), ("ArrowLeft", 0), ("ArrowDown", 1), ("ArrowUp", 0)):
            page.keyboard.press(key)
            assert (active(), checked()) == (place, chosen), (root, key)
    fold = page.locator(".mtp-guess summary").first
    fold.focus()
    page.keyboard.press("Enter")
    assert page.locator(".mtp-guess details[open]").count() == 1 and active() == 4
    page.locator(".mtp input[type=range]").focus()
    page.keyboard.press("ArrowUp")
    assert page.locator(".mtp-count").inner_text().startswith("call 2 of") and active() == 5
    page.get_by_role("button", name="Next call").focus()
    page.keyboard.press("Enter")
    assert page.locator(".mtp-count").inner_text().startswith("call 3 of") and active() == 5
    page.locator(".jp-Cell.jp-mod-editMode").wait_for(state="detached")
    page.locator(".mtp-ruler-button").first.focus()
    page.keyboard.press("Shift+Enter")
    page.wait_for_function("document.querySelectorAll('.jp-Notebook .jp-Cell')[2].matches('.jp-mod-active')")
    assert page.noted == []


# Dollar signs of a prompt or a token are signs, in every view and in a table of pandas: JupyterLab's MathJax, which
# typesets the formula beside them, finds none.
def test_dollars_are_no_formulas(lab, lab_page):
    text = "Tea costs $5 and coffee costs $6, \\(x^2\\)"
    shows = [make(text)._repr_html_() for make in VIEWS.values()] + [nasty_trace(text).to_dataframe()._repr_html_()]
    path = saved(lab[1] / "dollars.ipynb", *map(shown, shows), shown("<p id='formula'>$x^2$</p>"))
    subprocess.run([sys.executable, "-m", "jupyter", "trust", path], env=lab[2], check=True, capture_output=True)
    page = lab_page(path)
    page.locator("#formula mjx-container").wait_for()
    assert page.locator("mjx-container").count() == 1
    assert page.locator(".mtp-guess .q").first.text_content() == f"Guess first. {text}"
    assert page.noted == []
