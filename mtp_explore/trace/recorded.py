"""Traces that ship with the project: `recorded("stories-independent-t1")`, read from `data/traces` without torch.

They let a notebook show a real generation before any model is loaded; `benchmarks/record_traces.py` writes them.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from .records import Trace


def recorded(name: str) -> Trace:
    """A trace of `data/traces` by name, without ".json". ValueError lists the known names where it is none of them."""
    known = _files()
    if name not in known:
        near = difflib.get_close_matches(str(name), known, 3, 0.3)
        hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
        some = ", ".join(known) or "none found: run benchmarks/record_traces.py, or set MTP_EXPLORE_DATA"
        raise ValueError(f"name={name!r} is no recorded trace ({some}){hint}")
    return Trace.from_json(known[name].read_text("utf-8"))


def recordings() -> list[str]:
    """Names that `recorded` knows."""
    return list(_files())


def _files() -> dict[str, Path]:
    """Name to file: the checkout's `data/traces`, else that of `$MTP_EXPLORE_DATA`."""
    here = Path(__file__).resolve().parents[2] / "data"
    for home in (here, Path(os.environ.get("MTP_EXPLORE_DATA", here))):
        found = sorted((home / "traces").glob("*.json"))
        if found:
            return {file.stem: file for file in found}
    return {}
