"""Check, run or render the notebooks: `python tests/run_notebooks.py check | run | book [notebook ...]`.

check   committed form: no outputs, no execution counts, code cells short
run     each notebook whole in a fresh kernel, with its seconds; stops at no failure, fails at the end. A series that
        changes its colour from figure to figure is a failure too
book    run, then render to HTML in book/; players work there without a kernel and nothing is fetched
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import threading
import time
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
LONG, TOO_LONG = 6, 15  # lines of a code cell: the notebook asks, the library answers
NOTEBOOK_SECONDS = 7200  # for a whole one: a busy machine is no fault. MTP_NOTEBOOK_SECONDS overrides it
FIGURE = "application/vnd.plotly.v1+json"
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Stopped(BaseException):
    """A signal, by its number, asked to stop."""


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


class Run(threading.Thread):
    """One notebook in a fresh kernel whose directory is notebooks/. In a thread of its own, so that nbclient leaves the
    signals to this process: it would take one as the failure of this notebook.
    """

    def __init__(self, notebook):
        super().__init__()
        self.notebook, self.error, self.loop, self.task = notebook, None, None, None

    def run(self) -> None:
        try:
            asyncio.run(self.work())
        except (Exception, asyncio.CancelledError) as error:
            self.error = error

    async def work(self) -> None:
        from nbclient import NotebookClient

        self.loop, self.task = asyncio.get_running_loop(), asyncio.current_task()
        resources = {"metadata": {"path": str(ROOT / "notebooks")}}
        quiet = ["--IPKernelApp.log_level=ERROR"]
        client = dict(timeout=None, kernel_name="python3", extra_arguments=quiet, resources=resources)
        await NotebookClient(self.notebook, **client).async_execute()

    def end(self) -> None:
        """Stop the kernel, and wait until it is gone."""
        if self.task is not None and self.is_alive():
            self.loop.call_soon_threadsafe(self.task.cancel)
        self.join()


def execute(notebook) -> None:
    """Run a notebook whole; raises what nbclient raises, or TimeoutError after NOTEBOOK_SECONDS."""
    seconds = float(os.environ.get("MTP_NOTEBOOK_SECONDS", NOTEBOOK_SECONDS))
    run = Run(notebook)
    run.start()
    try:
        run.join(seconds)
        if run.is_alive():
            raise TimeoutError(f"not done in {seconds:g} s: set MTP_NOTEBOOK_SECONDS higher on a busy machine")
    finally:  # also where a signal ends the wait
        run.end()
    if run.error:
        raise run.error


def stop(number: int, frame) -> None:
    """What a signal does: nothing has failed, and no other notebook is begun."""
    raise Stopped(number)


def figures(notebook):
    """Every plotly figure among the outputs."""
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", []))
    yield from (o["data"][FIGURE] for o in outputs if FIGURE in o.get("data", {}))


def swapped(notebook) -> list[str]:
    """Series that change their look between the figures of an executed notebook, or share one within a figure."""
    looks: dict[str, set] = {}
    shared = []
    for figure in figures(notebook):
        here: dict[tuple, set] = {}
        for trace in figure["data"]:
            marker, line = trace.get("marker", {}), trace.get("line", {})
            look = (marker.get("color"), marker.get("symbol"), line.get("dash"))
            if trace["type"] == "scatter" and trace.get("name") and isinstance(look[0], str):
                looks.setdefault(trace["name"], set()).add(look[:2])
                here.setdefault(look, set()).add(trace["name"])
        shared += [
            f"{' and '.join(sorted(names))} look alike in one figure" for names in here.values() if len(names) > 1
        ]
    changed = [
        f"{name!r} changes its look: {sorted(map(str, found))}" for name, found in looks.items() if len(found) > 1
    ]
    return changed + shared


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
                problems = swapped(notebook)
            except Exception as error:  # a failing cell, a dead kernel, a notebook out of time: report, go on
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
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    try:
        sys.exit(min(main(sys.argv[1], sys.argv[2:]), 1))
    except Stopped as stopped:
        print(f"stopped by {signal.Signals(stopped.args[0]).name}", flush=True)
        sys.exit(128 + stopped.args[0])
