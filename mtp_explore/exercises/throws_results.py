"""Notebook 07: what `benchmarks/ptp.py` has recorded, for what takes too long to train while one waits.

Files data/results/ptp/train-n16[-constant]-s<seed>.json: correct tokens per window of N, of slots that carry u and of
slots that carry nothing (the better of its two ways to draft counts). Where nothing is recorded, the answer says so.
"""

from __future__ import annotations

import json
from statistics import fmean

from ..trace.metrics import Table

KINDS = {"u in the slots": "train-n16-s*.json", "nothing in them": "train-n16-constant-s*.json"}
NOTHING = "nothing is recorded yet: python benchmarks/ptp.py --only window"


def recorded_windows() -> dict[str, dict[int, list[float]]]:
    """{kind: {N: correct tokens per window, one per seed}}; {} where there is none."""
    from ..backbone.files import data_directory

    found: dict[str, dict[int, list[float]]] = {}
    for kind, pattern in KINDS.items():
        for path in sorted((data_directory() / "results" / "ptp").glob(pattern)):
            ways = json.loads(path.read_text(encoding="utf-8"))["correct"]
            for n in next(iter(ways.values()), {}):
                best = max(fmean(way[n]) for way in ways.values())
                found.setdefault(kind, {1: [1.0]}).setdefault(int(n), []).append(best)
    return found


def window_figure(recorded: dict[str, dict[int, list[float]]]):
    """The lines over N, seeds as bands; a note where there is nothing."""
    from ..plots import curves

    if not recorded:
        return Table(("recorded trainings",), [(NOTHING,)], [NOTHING])
    return curves(recorded, "window N", "correct tokens per window")
