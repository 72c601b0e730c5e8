"""What is shown as plain text or HTML is readable as it stands: no formula's source in it."""

import ast
import re
from pathlib import Path

import pytest

import mtp_explore
from mtp_explore.exercises import guess_carries

ROOMS = ("exercises", "plots", "widgets", "trace")
SOURCE = re.compile(r"(?<![A-Za-z0-9_])[A-Za-z]_(\{|[a-z0-9](?![a-z0-9_]))|\\[a-z]{2,}\{")  # w_{k-1}, t_k, \frac{
FILES = [path for room in ROOMS for path in sorted((Path(mtp_explore.__file__).parent / room).glob("*.py"))]


def shown(path: Path):
    """Every string of a module that is no docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docs = {id(node.body[0].value) for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body
            and isinstance(node.body[0], ast.Expr)}  # fmt: skip
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


# Subscripts are subscripts: "wₖ₋₁", never "w_{k-1}".
@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_no_formula_is_shown_as_its_source(path):
    assert [text for text in shown(path) if SOURCE.search(text)] == []


def test_the_pattern_sees_formulas():
    assert all(SOURCE.search(text) for text in ("w_{k-1}", "the law of t_k.", "w_a A_a(x)", "h_t", r"\frac{a}{b}"))
    assert not any(SOURCE.search(text) for text in ("top_k=5", "em_step", "max_new_tokens", "x_domain", "call_1"))
    assert "wₖ₋₁" in guess_carries().answer and "_" not in guess_carries()._repr_html_().partition("</style>")[2]
