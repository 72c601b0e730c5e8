"""Traces that ship with the package: `recorded("stories-independent-t1")`, read without torch.

They let a notebook show a real generation before any model is loaded; `benchmarks/record_traces.py` writes them into
`data/traces` of the checkout, and a wheel carries them as `mtp_explore/data/traces` (pyproject.toml).
"""

from __future__ import annotations

import os
from pathlib import Path

from ..checks import nearest, shown
from .records import Trace


def recorded(name: str) -> Trace:
    """A recorded trace by name, without ".json". ValueError lists the known names where it is none of them."""
    known = _files()
    if not isinstance(name, str) or name not in known:
        some = ", ".join(known) or "none found: run benchmarks/record_traces.py, or set MTP_EXPLORE_DATA"
        raise ValueError(f"name={shown(name)} is no recorded trace ({some}){nearest(name, known)}")
    return Trace.from_json(known[name].read_text("utf-8"))


def recordings() -> list[str]:
    """Names that `recorded` knows."""
    return list(_files())


def _files() -> dict[str, Path]:
    """Name to file: the checkout's `data/traces`, else that of `$MTP_EXPLORE_DATA`, else the installed package's."""
    package = Path(__file__).resolve().parents[1]
    here = package.parent / "data"
    for home in (here, Path(os.environ.get("MTP_EXPLORE_DATA", here)), package / "data"):
        found = sorted((home / "traces").glob("*.json"))
        if found:
            return {file.stem: file for file in found}
    return {}
