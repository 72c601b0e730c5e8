"""The notebooks' form, and their pages in the book. Running them whole is `make notebooks`."""

import os
import re
import signal
import subprocess
import sys
import time

import nbformat
import plotly.graph_objects as go
import pytest
from nbformat import v4
from render_notebooks import render
from run_notebooks import ROOT, execute, faults, swapped

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


# Each page is named after its notebook's heading, or its file: eight tabs called "Notebook" cannot be told apart.
def test_pages_have_titles(tmp_path):
    named = v4.new_notebook(cells=[v4.new_markdown_cell("text\n\n# 07 · Parallel <token> prediction\n\nmore")])
    page = render(named, tmp_path / "a.html").read_text("utf-8")
    assert "<title>07 · Parallel &lt;token&gt; prediction</title>" in page
    assert "<title>b</title>" in render(v4.new_notebook(), tmp_path / "b.html").read_text("utf-8")


# A notebook may take its time: there is one limit for all of it, and it is told how to raise it.
def test_the_limit_is_of_the_whole_notebook(monkeypatch):
    notebook = v4.new_notebook(cells=[v4.new_code_cell("import time; time.sleep(60)")])
    monkeypatch.setenv("MTP_NOTEBOOK_SECONDS", "3")
    with pytest.raises(TimeoutError, match="MTP_NOTEBOOK_SECONDS"):
        execute(notebook)


# A request to stop ends the run, the kernel and the process, with the exit code of the signal; no notebook is counted
# as failed and none is begun.
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_everything(tmp_path, number):
    pid = tmp_path / "kernel"
    code = f"import os, time, pathlib; pathlib.Path({str(pid)!r}).write_text(str(os.getpid())); time.sleep(100)"
    paths = [tmp_path / f"{name}.ipynb" for name in "ab"]
    for path in paths:
        nbformat.write(v4.new_notebook(cells=[v4.new_code_cell(code)]), path)
    command = [sys.executable, str(ROOT / "tests" / "run_notebooks.py"), "run", *map(str, paths)]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    while not (pid.exists() and pid.read_text()):
        assert run.poll() is None
        time.sleep(0.1)
    run.send_signal(number)
    said, _ = run.communicate(timeout=60)
    assert run.returncode == 128 + number and "FAILED" not in said and "b.ipynb" not in said, said
    assert f"stopped by {number.name}" in said
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


# An executed notebook in which a series changes its colour is found, and so are two series of one look in a figure.
def test_swapped_colours_are_found():
    def figure(**series):
        lines = [go.Scatter(name=n, y=[1], mode="lines+markers", marker=dict(color=c)) for n, c in series.items()]
        data = {"application/vnd.plotly.v1+json": go.Figure(lines).to_plotly_json()}
        return v4.new_code_cell("x", outputs=[v4.new_output("display_data", data)])

    one, two, alike = figure(a="red", b="blue"), figure(a="blue", c="red"), figure(a="red", b="red")
    assert swapped(v4.new_notebook(cells=[one, figure(b="blue", a="red")])) == []
    assert "'a' changes its look" in swapped(v4.new_notebook(cells=[one, two]))[0]
    assert "look alike" in swapped(v4.new_notebook(cells=[alike]))[0]
