"""Notebook 06: what `benchmarks/masked.py` has recorded, for what takes too long to train while one waits.

Files data/results/masked/ablation-<what differs>-s<seed>.json; "base" is the plain recipe. Where nothing is recorded,
the answer says so instead of failing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from statistics import fmean

from ..trace.metrics import Table, interval

SWITCHES = {
    "base": "sampler and consistency on",
    "nosampler": "without sampler",
    "noconsistency": "without consistency",
}
GATES = {"base": "gate on masks", "plainlora": "on all rows, plain LoRA"}
NOTHING = "nothing is recorded yet: python benchmarks/masked.py"


def recorded_masks(what: str) -> list[dict]:
    """The results of one kind of training, by seed; [] where there is none."""
    from ..backbone.files import data_directory

    found = sorted((data_directory() / "results" / "masked").glob(f"ablation-{what}-s*.json"))
    return [json.loads(path.read_text(encoding="utf-8")) for path in found]


def recorded_calls_of(what: str, mode: str = "greedy", plan: str = "quadratic") -> list[float]:
    """Tokens per call of every prompt with all masks, averaged over seeds; [] where it was not measured."""
    rows = []
    for facts in recorded_masks(what):
        by_masks = facts["decoding"].get(mode, {})
        if by_masks:
            rows.append(by_masks[max(by_masks, key=int)][plan]["tokens_per_call"])
    return [fmean(column) for column in zip(*rows, strict=True)]


def recorded_switches() -> Table:
    """Trainings with a part left out: tokens per call, greedy, and the difference to the first, prompt by prompt."""
    found = {name: (len(recorded_masks(what)), recorded_calls_of(what)) for what, name in SWITCHES.items()}
    found = {name: pair for name, pair in found.items() if pair[1]}
    first, rows = next(iter(found.values()), (0, []))[1], []
    for name, (seeds, calls) in found.items():
        apart = interval(a - b for a, b in zip(calls, first, strict=True)) if calls is not first else "–"
        rows.append((name, str(seeds), str(interval(calls)), str(apart)))
    columns = ("trained", "seeds", "tokens per call", "minus the first")
    return Table(
        columns, rows or [(NOTHING, "–", "–", "–")], [f"{row[0]}: with 95 % intervals" for row in rows] or [""]
    )


def recorded_gate() -> dict[str, dict[int, float]]:
    """{gate: {step: next-token loss of the model itself, nats}} while masks are learned; {} where not recorded."""
    found = {name: recorded_masks(what)[:1] for what, name in GATES.items()}
    lines = {name: {p["step"]: p["next"] for p in one["curve"] if "next" in p} for name, [*ones] in found.items()
             for one in ones}  # fmt: skip
    return {name: line for name, line in lines.items() if line}


def gate_figure(lines: Mapping[str, Mapping[int, float]]):
    """`recorded_gate` as a figure, or, where nothing is recorded, a table that says so."""
    from ..plots import curves

    if not lines:
        return Table(("the gate over a training",), [(NOTHING,)], [""])
    return curves(lines, "step", "next-token loss of the model, nats")
