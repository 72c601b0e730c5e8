"""Tables from the results of `masked.py`, in plain text: every figure with what is known of its error.

Tokens per call: mean over prompts ± half a 95 % interval, each prompt's figure averaged over seeds first. Differences
are paired, prompt by prompt. "closed" are the closed forms of papers.md 3.6 fed with the a_j of the quadratic runs, to
be held against "steady", the same calls counted (without prefill and last call). Losses: nats, means over seeds ± half
their range.
"""

from __future__ import annotations

from statistics import fmean

from masked_decode import MODES, PLANS, closed
from masked_plan import Run, plan

from mtp_explore.trace.metrics import interval


def summary(results: dict[str, dict]) -> str:
    """All of which something is there."""
    parts = [table(name, facts) for name, facts in results.items() if facts["kind"] in ("table", "text")]
    parts += [block(title, runs, results) for title, runs in plan().items()]
    parts += [gate(results), curves(results)]
    parts += [speed(name, facts) for name, facts in results.items() if facts["kind"] == "speed"]
    return "\n\n".join(filter(None, parts)) or "nothing is measured yet"


def grid(title: str, rows: list[tuple[str, ...]]) -> str:
    """Rows in columns; the first names them."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([title, *lines])


def shown(values: list[float], sign: str = "") -> str:
    if len(values) < 2:
        return "–"
    mean, half, _ = interval(values)
    return f"{mean:{sign}.3f} ± {half:.3f}"


def apart(one: list[float], other: list[float]) -> str:
    """The mean of one above that of the other, prompt by prompt."""
    return shown([a - b for a, b in zip(one, other, strict=True)], "+")


def table(name: str, facts: dict) -> str:
    """k = 1..8 on one backbone, one part per mode."""
    rivals = [way for way in next(iter(facts["decoding"]["greedy"].values())) if way not in PLANS]
    head = ("k", *PLANS, "quadratic - linear", "steady", "closed")
    head += tuple(cell for way in rivals for cell in (way, f"masks - {way}", "ratio"))
    parts = []
    for mode in MODES:
        rows = [head]
        for k, made in facts["decoding"][mode].items():
            by = {way: made[way]["tokens_per_call"] for way in made}
            told = closed(made["quadratic"]["right"])
            steady = " / ".join(f"{made[p]['steady']:.3f}" for p in PLANS)
            rows.append(
                (
                    *(k, *(shown(by[p]) for p in PLANS), apart(by["quadratic"], by["linear"]), steady),
                    " / ".join(f"{told[p]:.3f}" for p in PLANS),
                    *(cell for way in rivals for cell in against(by["quadratic"], by[way])),
                )
            )
            if "argmax" in by:
                rows.append((f"{k}, arg-max drafts", shown(by["argmax"]), *["–"] * (len(head) - 2)))
        parts.append(grid(f"{name}, {mode} ({len(by['quadratic'])} prompts)", rows))
    return "\n\n".join(parts)


def against(masks: list[float], heads: list[float]) -> tuple[str, str, str]:
    """Tokens per call of heads, what masks have more, and how many times as many."""
    return shown(heads), apart(masks, heads), f"{fmean(masks) / fmean(heads):.2f}"


def kinds(runs: list[Run], results: dict[str, dict]) -> dict[str, list[dict]]:
    """{what a run changes: its results, by seed}, the plainest first."""
    found: dict[str, list[dict]] = {}
    for run in runs:
        if run.name in results:
            found.setdefault(run.name.removeprefix("ablation-").removesuffix(f"-s{run.seed}"), []).append(
                results[run.name]
            )
    return found


def per_prompt(found: list[dict], mode: str, k: str, how: str) -> list[float]:
    """Tokens per call of every prompt, averaged over seeds; empty where it was not measured."""
    rows = [f["decoding"][mode][k][how]["tokens_per_call"] for f in found if k in f["decoding"].get(mode, {})]
    return [fmean(column) for column in zip(*rows, strict=True)]


def spread(values: list[float]) -> str:
    half = f" ± {(max(values) - min(values)) / 2:.3f}" if len(values) > 1 else ""
    return f"{fmean(values):.3f}{half}"


def block(title: str, runs: list[Run], results: dict[str, dict]) -> str:
    """One comparison of trainings; empty where nothing of it is done."""
    found = kinds(runs, results)
    ways = list(dict.fromkeys((mode, k, how) for members in found.values() for m in members for mode, by in
                              m["decoding"].items() for k, made in by.items() for how in made))  # fmt: skip
    if not ways:
        return ""
    most = max((way for way in ways if way[0] == "greedy" and way[2] == "quadratic"), key=lambda way: int(way[1]))
    losses = ("base", "sampler", "consistency")
    labels = [f"{mode} {k} {how[:4]}" for mode, k, how in ways]
    rows = [("run", "seeds", *losses, *labels, "quadratic - first run's", "- linear", "anchors", "seconds")]
    first = per_prompt(next(iter(found.values())), *most)
    for kind, members in found.items():
        ends = [m["curve"][-1] for m in members]
        told = [spread([end[key] for end in ends]) if key in ends[0] else "–" for key in losses]
        mine, line = per_prompt(members, *most), per_prompt(members, *most[:2], "linear")
        gains = [apart(mine, other) if mine and other else "–" for other in (first, line)]
        took = [
            fmean(m["anchors_per_step"] * m["steps"] for m in members),
            fmean(m["seconds_training"] for m in members),
        ]
        cells = [shown(per_prompt(members, *way)) for way in ways]
        rows.append((kind, str(len(members)), *told, *cells, *gains, *(f"{x:.0f}" for x in took)))
    return grid(f"{title} ({sum(run.name in results for run in runs)} of {len(runs)} runs)", rows)


def gate(results: dict[str, dict]) -> str:
    """What becomes of the model's own next tokens while masks are learned."""
    rows = [("gate", "step", "next-token loss", "first choice right", "loss that is minimised")]
    for kind, members in kinds(plan()["gate"], results).items():
        for point in members[0]["curve"]:
            cells = (f"{point['next']:.4f}", f"{point['top1']:.4f}", f"{point['loss']:.3f}")
            rows.append((kind, str(point["step"]), *cells))
    return grid("gate: the model itself, on validation text", rows) if rows[1:] else ""


def curves(results: dict[str, dict]) -> str:
    """Loss of the law that drafts (validation, mean over masks) over steps, with the seconds of training so far."""
    runs = list(dict.fromkeys(run for members in plan().values() for run in members))
    lines = []
    for kind, members in kinds(runs, results).items():
        points = []
        for same in zip(*(m["curve"] for m in members), strict=True):
            loss = fmean(point.get("sampler", point["base"]) for point in same)
            points.append(f"{same[0]['step']}: {loss:.3f} ({fmean(p['seconds'] for p in same):.0f} s)")
        lines.append((kind, *points))
    return grid("validation loss of the drafts over steps", lines) if lines else ""


def speed(name: str, facts: dict) -> str:
    """Throughput, memory, and seconds per call."""
    rows = [("T", "anchors", "mask rows/s cheap", "plain", "ratio", "aim", "peak MB cheap", "plain", "frozen pass")]
    for row in facts["training"]:
        rate, peak = row["mask_rows_per_second"], row["peak_mb"]
        aim = facts["aims"].get(str(row["length"])) if row["anchors"] == "all" else None
        cells = (f"{rate['cheap']:.0f}", f"{rate['gated']:.0f}", f"{row['cheap_over_plain']:.2f}", str(aim or "–"))
        memory = (f"{peak[form]:.0f}" for form in ("cheap", "gated", "frozen"))
        rows.append((str(row["length"]), str(row["anchors"]), *cells, *memory))
    calls = facts["seconds_per_call"]
    bare = calls["one token"]
    lines = [f"{what}: {1e3 * s:.2f} ms, {s / bare:.2f} of one token" for what, s in calls.items()]
    return "\n".join([grid(name, rows), *lines])
