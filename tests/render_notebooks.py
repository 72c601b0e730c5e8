"""An executed notebook as one page of the book, to be read without a kernel and without a network.

    figures   plotly's own HTML; its script is written once to book/plotly.min.js, beside the pages
    formulas  MathML, which browsers draw by themselves
    players   their text/html, as it is
    controls  a note that they need a kernel; the ruler's bridge to it shows nothing, and needs no note
Scripts that nbconvert's template would fetch from elsewhere are replaced by an empty one.
"""

from __future__ import annotations

from pathlib import Path

import plotly.io
from jinja2 import pass_context
from latex2mathml.converter import convert
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from plotly.offline import get_plotlyjs

FIGURE, WIDGET = "application/vnd.plotly.v1+json", "application/vnd.jupyter.widget-view+json"
SCRIPTS = "require_js_url jquery_url mathjax_url mermaid_js_url mermaid_layout_elk_js_url widget_renderer_url".split()
NOTE = "<p><em>A live control stands here: open the notebook in JupyterLab to use it.</em></p>"


class Formulas(IPythonRenderer):
    """Markdown whose formulas become MathML."""

    def inline_math(self, body: str) -> str:
        return convert(body)

    def block_math(self, body: str) -> str:
        return convert(body, display="block")


class Exporter(HTMLExporter):
    """nbconvert's HTML with such formulas."""

    @pass_context
    def markdown2html(self, context, source):
        renderer = Formulas(escape=False, anchor_link_text=self.anchor_link_text)
        return MarkdownWithMath(renderer=renderer).render(source)

    def default_filters(self):
        yield from super().default_filters()
        yield "markdown2html", self.markdown2html


Exporter.markdown2html.pass_context = True


def readable(data: dict) -> None:
    """Give an output's figure or control a form that a page without a kernel can show."""
    if FIGURE in data:
        figure = data.pop(FIGURE)
        data["text/html"] = plotly.io.to_html(figure, full_html=False, include_plotlyjs="directory")
    elif data.pop(WIDGET, None):
        bridge = "Bridge" in data.pop("text/plain", "")
        data.setdefault("text/html", "" if bridge else NOTE)


def title(notebook, path: Path) -> str:
    """The first heading of a notebook; its file's name where it has none."""
    lines = (line for cell in notebook.cells if cell.cell_type == "markdown" for line in cell.source.splitlines())
    return next((line.lstrip("# ").strip() for line in lines if line.startswith("# ")), path.stem)


def render(notebook, path: Path) -> Path:
    """Write an executed notebook to `path`; returns it."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            readable(output.get("data", {}))
    notebook.metadata.pop("widgets", None)
    empty = dict.fromkeys(SCRIPTS, "data:text/javascript,")
    page, _ = Exporter(**empty).from_notebook_node(notebook, resources={"metadata": {"name": title(notebook, path)}})
    path.parent.mkdir(exist_ok=True)
    path.write_text(page, encoding="utf-8")
    script = path.parent / "plotly.min.js"
    if "plotly.min.js" in page and not script.exists():
        script.write_text(get_plotlyjs(), encoding="utf-8")
    return path
