"""The notebooks' form, and their pages in the book. Running them whole is `make notebooks`."""

import re

import nbformat
import plotly.graph_objects as go
import pytest
from nbformat import v4
from render_notebooks import render
from run_notebooks import ROOT, execute, faults

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


# Notebooks are committed without outputs and ask more than they define.
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebook_is_clean(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert faults(notebook) == []


# The check above sees a missing kernel, an execution count and a long cell.
def test_faults_are_seen():
    notebook = v4.new_notebook(cells=[v4.new_code_cell("1\n" * 15), v4.new_markdown_cell("x\n" * 99)])
    assert "kernel" in faults(notebook)[0]
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    assert faults(notebook) == []
    notebook.cells[0].execution_count = 1
    assert "outputs" in faults(notebook)[0]
    notebook.cells[0].update(execution_count=None, source="1\n" * 16)
    assert "16 lines" in faults(notebook)[0]


# A cell that raises fails the run, unless it is tagged as one that should.
def test_a_raising_cell_fails_the_run():
    notebook = v4.new_notebook(cells=[v4.new_code_cell("1 / 0", metadata={"tags": ["raises-exception"]})])
    execute(notebook)
    notebook.cells.append(v4.new_code_cell("[][1]"))
    with pytest.raises(Exception, match="IndexError"):
        execute(notebook)


# A page of the book has its formulas, figures and players in it, and names no script or style of another host.
def test_page_needs_no_network(tmp_path):
    figure = {"application/vnd.plotly.v1+json": go.Figure(go.Bar(y=[1, 2])).to_plotly_json()}
    slider = {"application/vnd.jupyter.widget-view+json": {"model_id": "x"}, "text/plain": "IntSlider"}
    player = {"text/html": "<b>a player</b>"}
    outputs = [v4.new_output("display_data", data) for data in (figure, slider, player)]
    cells = [v4.new_markdown_cell("Here $p \\le q_k$."), v4.new_code_cell("x", outputs=outputs)]
    page = render(v4.new_notebook(cells=cells, metadata={"widgets": {}}), tmp_path / "page.html").read_text("utf-8")
    assert "<math" in page and "$p" not in page and "<b>a player</b>" in page and "A live control" in page
    assert "Plotly.newPlot" in page and (tmp_path / "plotly.min.js").stat().st_size > 1e6
    assert re.findall(r"""(?:src|href)=["']?(?:https?:)?//[^"' >]*""", page) == []
    assert "unpkg.com/@jupyter-widgets" not in page and "cdnjs" not in page
