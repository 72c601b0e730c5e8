"""A notebook with a figure, run and exported as HTML as anybody would: the figure is on the page, with no network."""

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter

FIGURE = "from mtp_explore import plots\nplots.overlap([0.5, 0.5], [0.75, 0.25], ['tea', '$5'])"
NO_ADDRESSES = dict.fromkeys(["require_js_url", "jquery_url", "mathjax_url", "mermaid_js_url"], "")


def exported(*cells: str) -> str:
    """nbconvert's page of a notebook that has just run, without nbconvert's own addresses."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, kernel_name="python3", timeout=120).execute()
    return HTMLExporter(**NO_ADDRESSES).from_notebook_node(notebook)[0]


# The page holds plotly once and both figures, draws them without a request, and shows their text literally.
def test_figures_survive_the_export(tmp_path, open_page, monkeypatch):
    monkeypatch.delenv("PLOTLY_RENDERER", raising=False)
    path = tmp_path / "page.html"
    path.write_text(exported(FIGURE, FIGURE), encoding="utf-8")
    assert 3e6 < path.stat().st_size < 8e6
    page = open_page(path)
    page.wait_for_function("document.querySelectorAll('.js-plotly-plot .main-svg .bars').length >= 6")
    assert page.locator(".js-plotly-plot").count() == 2
    assert "$5" in page.locator(".xtick text").all_text_contents()
    assert page.noted == []


# Who has chosen a renderer keeps it.
@pytest.mark.parametrize("chosen", ["json", "plotly_mimetype+json"])
def test_a_chosen_renderer_stays(monkeypatch, chosen):
    monkeypatch.delenv("PLOTLY_RENDERER", raising=False)
    told = "print('renderer', pio.renderers.default)"
    page = exported(f"import plotly.io as pio\npio.renderers.default = {chosen!r}", FIGURE + ";", told)
    assert f"renderer {chosen}" in page and len(page) < 1e6
