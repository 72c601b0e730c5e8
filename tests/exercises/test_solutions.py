"""The folded solutions of the notebooks are right: each is handed to the check that its exercise calls."""

import re
from pathlib import Path

import nbformat
import pytest

from mtp_explore import exercises

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"<summary>Solution</summary>\s*```python\n(.*?)```", re.S)


def solutions():
    """(notebook, function's name, check's name, code) of every exercise that asks for a function."""
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        check = None
        for cell in nbformat.read(path, as_version=4).cells:
            called = re.search(r"\b(check_\w+)\((\w+)\)", cell.source) if cell.cell_type == "code" else None
            check = called.groups() if called else check
            for code in BLOCK.findall(cell.source) if cell.cell_type == "markdown" else ():
                if check:
                    yield path.stem, check[1], check[0], code


FOUND = list(solutions())


# Every solution defines the function that its check is called with, and passes it.
@pytest.mark.parametrize("notebook, name, check, code", FOUND, ids=[f"{f[0]}-{f[1]}" for f in FOUND])
def test_solution_passes_its_check(notebook, name, check, code):
    space = {}
    exec(code, space)
    verdict = getattr(exercises, check)(space[name])
    assert verdict, repr(verdict)


# The parser finds the exercises of the first notebooks.
def test_solutions_are_found():
    assert {("00_start_here", "verify"), ("03_lossless", "rule")} <= {f[:2] for f in FOUND}
