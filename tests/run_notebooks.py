"""Check, run or render the notebooks: `python tests/run_notebooks.py check | run | book [notebook ...]`.

check   committed form: no outputs, no execution counts, code cells short
run     each notebook whole in a fresh kernel, with its seconds; stops at no failure, fails at the end
book    run, then render to HTML in book/; players work there without a kernel and nothing is fetched
"""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
LONG, TOO_LONG = 6, 15  # lines of a code cell: the notebook asks, the library answers
CELL_SECONDS = 120
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def faults(notebook) -> list[str]:
    """What is wrong with a notebook's committed form, in words."""
    named = notebook.metadata.get("kernelspec", {}).get("name") == "python3"
    found = [] if named else ["its metadata name no kernel `python3`, so JupyterLab would ask for one"]
    for place, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        if cell.outputs or cell.execution_count is not None:
            found.append(f"cell {place} holds outputs: clear them before the commit")
        lines = len(cell.source.splitlines())
        if lines > TOO_LONG:
            found.append(f"cell {place} has {lines} lines, more than {TOO_LONG}")
        elif lines > LONG:
            print(f"  note: cell {place} has {lines} lines, more than {LONG}")
    return found


def execute(notebook) -> None:
    """Run every cell in a fresh kernel whose directory is notebooks/; raises what nbclient raises."""
    from nbclient import NotebookClient

    resources = {"metadata": {"path": str(ROOT / "notebooks")}}
    quiet = ["--IPKernelApp.log_level=ERROR"]
    client = dict(timeout=CELL_SECONDS, kernel_name="python3", extra_arguments=quiet, resources=resources)
    NotebookClient(notebook, **client).execute()


def main(verb: str, names: list[str]) -> int:
    """Apply a verb to the notebooks named, or to all; returns how many failed."""
    paths = [Path(n) for n in names] or sorted((ROOT / "notebooks").glob("*.ipynb"))
    bad, start = [], time.perf_counter()
    for path in paths:
        notebook, clock = nbformat.read(path, as_version=4), time.perf_counter()
        problems = faults(notebook) if verb == "check" else []
        if verb != "check":
            try:
                execute(notebook)
            except Exception as error:  # a failing cell, a dead kernel, a cell out of time: report, go on
                problems = [COLOURS.sub("", str(error))]
        seconds = time.perf_counter() - clock
        print(f"{'FAILED' if problems else 'ok':6}  {seconds:6.1f} s  {path.name}", *problems, sep="\n    ", flush=True)
        bad += [path.name] * bool(problems)
        if verb == "book" and not problems:
            from render_notebooks import render

            print(f"        -> {render(notebook, ROOT / 'book' / f'{path.stem}.html').relative_to(ROOT)}")
    print(f"{verb}: {len(paths) - len(bad)} of {len(paths)} notebooks ok in {time.perf_counter() - start:.0f} s")
    return len(bad)


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in ("check", "run", "book"):
        sys.exit(__doc__)
    os.environ.setdefault("OMP_NUM_THREADS", "2")
    os.environ.setdefault("PLOTLY_RENDERER", "plotly_mimetype")  # the book has plotly's script once, beside its pages
    sys.exit(min(main(sys.argv[1], sys.argv[2:]), 1))
