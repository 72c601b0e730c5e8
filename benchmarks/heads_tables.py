"""Tables from the results of `heads.py`: one row per run, seeds pooled, every figure with what is known of its error.

Losses (nats, test split; validation for the search): mean over seeds, ± half their range. Tokens per call: mean over
prompts, ± half a 95 % interval over prompts, each prompt's figure averaged over seeds first; "accepted" are shares of
the tested drafts in the same three modes. "block - rank 1" is the paired difference to rank 1 of the same comparison
(same corpus, window, width, epochs), prompt by prompt; from scratch each run has its own target, so there it compares
two models.
"""

from __future__ import annotations

from dataclasses import replace
from statistics import fmean

from heads_plan import Run, best

from mtp_explore.trace.metrics import interval

LOSSES = ("joint", "first", "drafts")
MODES = ("greedy", "T=1 rejection", "T=1 block")


def summary(plan: dict[str, list[Run]], results: dict[str, dict]) -> str:
    """All comparisons of which something is there."""
    parts = [block(name, runs, results) for name, runs in {**plan, "best": best(results)}.items()]
    if "time" in results:
        rows = results["time"]["ms_per_call_and_ratio_to_rank_1"].items()
        lines = [f"rank {r:>2s}  {ms:7.3f} ms per call  {ratio:5.2f} of rank 1" for r, (ms, ratio) in rows]
        parts.append("\n".join(["time per call, batch 1", *lines]))
    return "\n\n".join(filter(None, parts)) or "nothing is measured yet"


def block(title: str, runs: list[Run], results: dict[str, dict]) -> str:
    """One comparison as text; empty where nothing of it is done."""
    kinds = list(dict.fromkeys(replace(run, seed=0) for run in runs))
    rows = [row for kind in kinds if (row := line(kind, runs, results))]
    if not rows:
        return ""
    cells = [("run", *LOSSES, *MODES, "accepted", "block - rank 1", "seconds"), *rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    text = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in cells]
    tried = sum(run.name in results for run in runs)
    return "\n".join([f"{title} ({tried} of {len(runs)} runs)", *text])


def line(kind: Run, runs: list[Run], results: dict[str, dict]) -> tuple[str, ...] | None:
    """The cells of one row: all seeds of a kind of run."""
    found = seeds(kind, runs, results)
    if not found:
        return None
    split = "test" if kind.test else "validation"
    cells = [spread([f[split][key] for f in found]) for key in LOSSES]
    cells += [plus_minus(per_prompt(found, mode)) for mode in MODES]
    cells.append(" / ".join(accepted(found, mode) for mode in MODES))
    first = next(
        (seeds(run, runs, results) for run in runs if kind.test and run.rank == 1 and beside(run) == beside(kind)), []
    )
    both = [per_prompt(f, "T=1 block") for f in (found, first)] if kind.rank > 1 else [[], []]
    cells.append(plus_minus([a - b for a, b in zip(*both, strict=True)] if all(both) else [], "+"))
    return (kind.name, *cells, f"{fmean(f['seconds_training'] for f in found):.0f}")


def beside(run: Run) -> tuple:
    """What two runs share whose decoding is compared prompt by prompt."""
    return run.mode, run.corpus, run.horizon, run.width, run.epochs


def seeds(kind: Run, runs: list[Run], results: dict[str, dict]) -> list[dict]:
    """Results of a kind of run, by seed."""
    return [results[r.name] for r in runs if replace(r, seed=0) == replace(kind, seed=0) and r.name in results]


def per_prompt(found: list[dict], mode: str) -> list[float]:
    """Tokens per call of every prompt, averaged over seeds; empty where decoding was not measured."""
    rows = [f["decoding"][mode]["tokens_per_call"] for f in found if "decoding" in f]
    return [fmean(column) for column in zip(*rows, strict=True)]


def accepted(found: list[dict], mode: str) -> str:
    """Share of the tested drafts that were accepted, averaged over seeds."""
    rates = [f["decoding"][mode]["tested_acceptance_rate"] for f in found if "decoding" in f]
    known = [rate for rate in rates if rate is not None]
    return f"{fmean(known):.2f}" if known else "–"


def spread(values: list[float]) -> str:
    half = f" ± {(max(values) - min(values)) / 2:.3f}" if len(values) > 1 else ""
    return f"{fmean(values):.3f}{half}"


def plus_minus(values: list[float], sign: str = "") -> str:
    if len(values) < 2:
        return "–"
    mean, half, _ = interval(values)
    return f"{mean:{sign}.3f} ± {half:.3f}"
