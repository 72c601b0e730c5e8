"""The floors of the house (docs/design.md, section 3), read from the source with `ast`.

An arrow is an import between two modules of the package, at the top of a file or inside a function. Arrows go
down or stay on their floor, never up; between drafters and verify there is none at all; and the imports at the
top of files form no circle.
"""

import ast
import subprocess
import sys
import tomllib
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = [
    {"trace", "checks", "atomic"},
    {"contract", "backbone", "tensors", "corpora"},
    {"drafters", "verify"},
    {"decode", "train"},
    {"measure"},
    {"plots", "widgets"},
    {"cli", "exercises", ""},  # "": the package itself, whose public names come from everywhere
]
FLOOR = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
STRANGERS = {"drafters": {"verify"}, "verify": {"drafters"}}
LIGHT = {"trace", "plots", "widgets"}  # open without torch and see plain data only
HEAVY = {"torch", "transformers", "tokenizers", "safetensors", "accelerate", "tensorly"}
DISTRIBUTIONS = {
    "IPython": "ipython",
    "cut_cross_entropy": "cut-cross-entropy",
}  # import name -> pyproject's, where they differ


class Arrow(NamedTuple):
    importer: str  # dotted name below the package; "" is the package itself
    imported: str
    line: int
    top: bool  # runs when the importer is imported


def read(package: Path) -> dict[str, str]:
    """Source of every module below `package`, by dotted name: `a/__init__.py` is "a", the package ""."""
    names = {f: ".".join(f.relative_to(package).with_suffix("").parts) for f in package.rglob("*.py")}
    return {n.removesuffix("__init__").rstrip("."): f.read_text("utf-8") for f, n in sorted(names.items())}


def imports(tree: ast.AST, top: bool = True):
    """(statement, runs at import time) for every import in a syntax tree."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, top
        function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        typing = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        yield from imports(node, top and not function and not typing)


def targets(node: ast.Import | ast.ImportFrom, module: str, is_package: bool) -> list[str]:
    """Dotted names below the package that a statement may refer to; foreign modules are left out."""
    if isinstance(node, ast.Import):
        absolute = [a.name for a in node.names]
    else:
        here = ["mtp_explore", *module.split(".")] if module else ["mtp_explore"]
        up = node.level - (1 if is_package else 0)
        base = here[: len(here) - up] if node.level else []
        stem = ".".join([*base, *([node.module] if node.module else [])])
        absolute = [f"{stem}.{a.name}" for a in node.names]
    return [n.partition(".")[2] for n in absolute if n.partition(".")[0] == "mtp_explore"]


def arrows(sources: dict[str, str]) -> list[Arrow]:
    """Every import of one module of the package by another."""
    found = []
    for module, source in sources.items():
        is_package = module == "" or any(m.startswith(f"{module}.") for m in sources)
        for node, top in imports(ast.parse(source)):
            for name in targets(node, module, is_package):
                while name and name not in sources:  # `from .records import Trace`: the module is records
                    name = name.rpartition(".")[0]
                found.append(Arrow(module, name, node.lineno, top))
    return found


def room(module: str) -> str:
    return module.partition(".")[0]


def wrong(arrow: Arrow) -> str | None:
    """What is wrong with an arrow, in words, or None."""
    here, there = room(arrow.importer), room(arrow.imported)
    text = f"{arrow.importer or 'mtp_explore'}:{arrow.line} imports {arrow.imported or 'mtp_explore'}"
    for name in (here, there):
        if name not in FLOOR:
            return f"{text}, and {name!r} stands on no floor: name it in FLOORS and in docs/design.md"
    if FLOOR[there] > FLOOR[here]:
        return f"{text}: up, from floor {FLOOR[here]} to floor {FLOOR[there]}"
    if there in STRANGERS.get(here, ()):
        return f"{text}: {here} and {there} stand side by side and never import each other"
    if here in LIGHT and FLOOR[there] not in (0, FLOOR[here]):
        return f"{text}: {here} imports floor 0 only"
    return None


def circle(arrows: list[Arrow]) -> list[str] | None:
    """Modules that import each other in a circle when they load, or None."""
    graph: dict[str, set[str]] = {}
    for a in arrows:
        if a.top:
            graph.setdefault(a.importer, set()).add(a.imported)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]


def foreign(source: str) -> set[str]:
    """Top-level names of the modules outside the package and the standard library that a source imports."""
    found = set()
    for node, _ in imports(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {a.name.partition(".")[0] for a in node.names}
        elif not node.level:
            found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names - {"mtp_explore"}


SOURCES = read(ROOT / "mtp_explore")


# Imports go down, never up, and every room stands on a floor.
def test_arrows_go_down():
    assert SOURCES and [w for a in arrows(SOURCES) if (w := wrong(a))] == []


# No two modules need each other in order to load.
def test_no_circle():
    assert circle(arrows(SOURCES)) is None


# Rooms that must open without torch do not name it, nor anything that brings it along.
def test_light_rooms_name_nothing_heavy():
    heavy = {m: foreign(s) & HEAVY for m, s in SOURCES.items() if room(m) in LIGHT}
    assert {m: names for m, names in heavy.items() if names} == {}


# The same by running it: a fresh interpreter opens traces, figures and widgets, and torch is not loaded.
def test_light_rooms_load_without_torch():
    code = (
        "import sys, mtp_explore as mtp, mtp_explore.plots, mtp_explore.widgets; mtp.Trace; "
        f"print(sorted({HEAVY!r} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (run.returncode, run.stdout.strip()) == (0, "[]"), run.stderr


# Whatever the package imports is declared in pyproject.toml, so that a plain install can run it.
def test_foreign_imports_are_declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = project["dependencies"] + sum(project["optional-dependencies"].values(), [])
    declared = {line.partition(">")[0].strip() for line in lines}
    used = {DISTRIBUTIONS.get(n, n) for s in SOURCES.values() for n in foreign(s)}
    assert used - declared == set()


# Every declared dependency has its exact version in constraints.txt, within the declared bound.
def test_dependencies_are_pinned():
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = project["dependencies"] + sum(project["optional-dependencies"].values(), [])
    pins = [p.split("==") for p in (ROOT / "constraints.txt").read_text("utf-8").split() if "==" in p]
    pinned = {canonicalize_name(name): version for name, version in pins}
    for need in map(Requirement, lines):
        version = pinned.get(canonicalize_name(need.name))
        assert version and version in need.specifier, f"{need} against constraints.txt: {version}"


# The tests above can fail: each planted import is found, and the lawful one beside it is not.
@pytest.mark.parametrize(
    "module, line, complaint",
    [
        ("tensors.cp", "from ..drafters import base", "up, from floor 1 to floor 2"),
        (
            "trace.records",
            "def f():\n  from mtp_explore.contract import Draft",
            "up, from floor 0 to floor 1",
        ),
        ("verify.match", "import mtp_explore.drafters.base", "side by side"),
        ("drafters.base", "from .. import verify", "side by side"),
        ("plots.laws", "from ..tensors import cp", "floor 0 only"),
        ("decode.loop", "from mtp_explore import generate", "up, from floor 3 to floor 6"),
        ("cellar.wine", "from ..trace import records", "no floor"),
        ("decode.loop", "from ..verify.match import verify", None),
    ],
)
def test_planted_arrow_is_found(module, line, complaint):
    names = [
        "",
        "trace.records",
        "contract",
        "tensors.cp",
        "drafters",
        "drafters.base",
        "verify",
        "verify.match",
    ]
    sources = dict.fromkeys([*names, "plots.laws", "decode", "decode.loop"], "") | {module: line}
    found = [w for a in arrows(sources) if (w := wrong(a))]
    assert len(arrows(sources)) == 1
    assert (complaint in found[0]) if complaint else found == []


# A planted circle is found when it closes at import time, and only then.
def test_planted_circle_is_found():
    a, b = "from .b import y", "from .a import x"
    assert set(circle(arrows({"t": "", "t.a": a, "t.b": b})) or []) == {"t.a", "t.b"}
    assert circle(arrows({"t": "", "t.a": a, "t.b": f"def f():\n    {b}"})) is None
