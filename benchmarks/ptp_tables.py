"""Tables from the results of `ptp.py`, in plain text: every figure with what is known of its error.

Tokens per call: mean over prompts ± half a 95 % interval; differences are paired, prompt by prompt. Correct tokens per
window: mean over windows of text ± the same. Ratios of `window`: of means over text windows and seeds, ± half a 95 %
interval over the seeds' own ratios (Student's t with two degrees of freedom) and, beside it, over text windows with
the seeds averaged first (linearised: (a - R b) / mean b for each window). Where independent slots have two ways of
drafting, the better one at that N counts.
"""

from __future__ import annotations

from math import exp, sqrt
from statistics import fmean, stdev

from masked_tables import apart, grid, shown
from ptp_plan import (
    BACKBONES,
    CORPUS,
    DRAFTERS,
    HEADS,
    LONGER,
    MASKS,
    METHODS,
    PAIRS,
    SLOTS,
    WINDOWS,
    K,
    Run,
    methods,
    plan,
)

from mtp_explore.trace.metrics import interval, student

ALIKE = {name: f"method-{name}" for name in reversed(METHODS)} | {k: run.name for k, run in methods().items()}
LONG = {f"masked x{LONGER}": MASKS, f"O-PTP x{LONGER}": Run(times=LONGER).name}  # {title: name of a result}


def summary(results: dict[str, dict]) -> str:
    """All of which something is there."""
    parts = [window(results), curves(results)]
    parts += [block(title, runs, results) for title, runs in plan().items() if title not in ("window", "longer")]
    parts += [perplexities(results), beside(results), longer(results), pairs(results)]
    parts += [budget(d, results[f"budget-{d}"]) for d in SLOTS if f"budget-{d}" in results]
    parts += [table(name, results) for name in BACKBONES]
    return "\n\n".join(filter(None, parts)) or "nothing is measured yet"


def over_seeds(found: list[dict], way: str, n: str) -> list[float]:
    """Correct tokens of every text window, averaged over seeds."""
    return [fmean(column) for column in zip(*(f["correct"][way][n] for f in found), strict=True)]


def best(found: list[dict], n: str) -> str:
    """The way of drafting with more correct tokens."""
    return max(found[0]["correct"], key=lambda way: fmean(over_seeds(found, way, n)))


def ratio(one: list[float], other: list[float]) -> tuple[float, float | None]:
    """mean(one) / mean(other) of paired values, and half a 95 % interval."""
    r = fmean(one) / fmean(other)
    if len(one) < 2:
        return r, None
    return r, interval([(a - r * b) / fmean(other) for a, b in zip(one, other, strict=True)]).half


def window(results: dict[str, dict]) -> str:
    """Slots that carry u against slots that carry nothing, N by N; seeds of which both are there."""
    runs = [run for run in plan()["window"] if run.embedding == "bits"]
    both = [[results.get(r.name) for r in plan()["window"] if r.seed == run.seed] for run in runs]
    both = [pair for pair in both if all(pair)]
    if not both:
        return ""
    beside = [results[HEADS]] if HEADS in results else []
    mine, plain = map(list, zip(*both, strict=True))
    rows = [("N", "u in the slots", "nothing in them", "by", "ratio", "± seeds", "± text windows", "seeds", "heads")]
    rows.append(("1", "1", "1", "–", "1", "–", "–", str(len(both)), "1"))
    for n in map(str, WINDOWS):
        way, own = best(plain, n), best(mine, n)
        a, b = over_seeds(mine, own, n), over_seeds(plain, way, n)
        r, half = ratio(a, b)
        each = [fmean(m["correct"][own][n]) / fmean(p["correct"][way][n]) for m, p in zip(mine, plain, strict=True)]
        seeds = student(len(each) - 1) * stdev(each) / sqrt(len(each)) if len(each) > 1 else None
        heads = shown(over_seeds(beside, best(beside, n), n)) if beside else "–"
        shown_halves = ("–" if h is None else f"{h:.3f}" for h in (seeds, half))
        rows.append((n, shown(a), shown(b), way, f"{r:.3f}", *shown_halves, str(len(each)), heads))
    return grid(f"window: correct tokens per window at T = 1, one training with N = {WINDOWS[-1]}", rows)


def label(run: Run) -> str:
    return run.name.removeprefix("train-").removesuffix(f"-s{run.seed}")


def curves(results: dict[str, dict]) -> str:
    """Correct tokens per window over steps and seconds of training, the longest N that a run has, first seeds."""
    runs = dict.fromkeys(run for members in plan().values() for run in members if run.seed == 0)
    rows = []
    for name, title in ({run.name: label(run) for run in runs} | {HEADS: "independent heads"}).items():
        for way, made in results.get(name, {}).get("correct", {}).items():
            n = max(made, key=int)
            points = (f"{p['step']}: {p[way][n]:.2f} ({p['seconds']:.0f} s)" for p in results[name]["curve"])
            rows.append((title, way, n, *points))
    return grid("correct tokens per window over steps (and seconds of training)", rows) if rows else ""


def block(title: str, runs: list[Run], results: dict[str, dict]) -> str:
    """One comparison of trainings with N = 8; differences are to its first run."""
    known = [run for run in runs if run.name in results]
    if not known:
        return ""
    ways = list(dict.fromkeys(mode for run in known for mode in results[run.name]["decoding"]))
    n = str(max(w for w in WINDOWS if w <= runs[0].horizon + 1))
    rows = [("run", f"correct of {n}", "- first run's", *ways, "T=1 match - first run's", "seconds")]
    first = results.get(runs[0].name)
    for run in known:
        facts = results[run.name]
        mine = facts["correct"][best([facts], n)][n]
        gain = apart(mine, first["correct"][best([first], n)][n]) if first else "–"
        calls = {mode: made["tokens_per_call"] for mode, made in facts["decoding"].items()}
        more = apart(calls["T=1 match"], first["decoding"]["T=1 match"]["tokens_per_call"]) if first else "–"
        cells = [shown(calls.get(mode, [])) for mode in ways]
        rows.append((label(run), shown(mine), gain, *cells, more, f"{facts['seconds_training']:.0f}"))
    return grid(f"{title} ({len(known)} of {len(runs)} runs)", rows)


def perplexities(results: dict[str, dict]) -> str:
    """Categorical slots as language models, on the corpus' test text; a ratio of 1 is the frozen backbone's."""
    rows = [("run", "w from bins of", "slots", "backbone", "ratio", "from", "to", "by slot")]
    for run in dict.fromkeys(run for members in plan().values() for run in members):
        for source, made in results.get(run.name, {}).get("perplexity", {}).items():
            gap = interval([a - b for a, b in zip(made["slots"], made["backbone"], strict=True)])
            low, high = (exp(gap.mean + s * (gap.half or 0)) for s in (-1, 1))
            told = [exp(fmean(made[who])) for who in ("slots", "backbone")]
            each = zip(made["slots by slot"], made["backbone by slot"], strict=True)
            whose = "slots" if source == "inverse" else "backbone"
            cells = (f"{x:.3f}" for x in (*told, exp(gap.mean), low, high))
            rows.append((label(run), whose, *cells, " ".join(f"{exp(a - b):.2f}" for a, b in each)))
    return grid("perplexity of categorical slots, per token", rows) if rows[1:] else ""


def pairs(results: dict[str, dict]) -> str:
    """The share of drafted pairs that the target rules out: of shipped drafters, and of those trained alike."""
    title = "pairs of drafts, T = 1, tape"
    shipped = {name: f"table-{CORPUS}-{name}" for name in PAIRS}
    parts = (
        nonsense(f"{title}, {CORPUS}, shipped", shipped, results),
        nonsense(f"{title}, walks", ALIKE | LONG, results),
    )
    return "\n\n".join(filter(None, parts))


def nonsense(title: str, names: dict[str, str], results: dict[str, dict]) -> str:
    """Incompatible pairs of {title of a drafter: name of its result}."""
    rows = [("drafter", "pairs", "incompatible, %", "target's own picks as rare, %")]
    for name, run in names.items():
        made = results.get(run, {}).get("decoding", {}).get("T=1 match")
        if not made:
            continue
        cells = []
        for what in ("pairs", "ordinary"):
            few = [c for c in made[what] if c[0]]
            share, half = ratio([100.0 * bad for _, bad in few], [float(n) for n, _ in few])
            cells.append(f"{share:.2f}" + (f" ± {half:.2f}" if half is not None else ""))
        rows.append((name, str(sum(n for n, _ in made["pairs"])), *cells))
    return grid(title, rows) if rows[1:] else ""


def budget(name: str, facts: dict) -> str:
    """Tokens per call against slots per call; calls per token (without prefill and last call) beside what c says."""
    parts = []
    for mode, ways in facts["decoding"].items():
        rows = [("plan", "tokens per call", "of quadratic", "c", "calls per token", "1/(c+1)", "2/(c+1)", "2/(c+2)")]
        full = ways["quadratic"]["tokens_per_call"]
        for way, made in ways.items():
            calls, c = made["tokens_per_call"], made["c"]
            told = (f"{x:.3f}" for x in (c, 1 / made["steady"], 1 / (c + 1), 2 / (c + 1), 2 / (c + 2)))
            rows.append((way, shown(calls), f"{fmean(calls) / fmean(full):.3f}", *told))
        title = f"budget {name}, {mode} (quadratic: {facts['all_slots']} slots, {facts['slots_per_branch']} per branch)"
        parts.append(grid(title, rows))
    return "\n\n".join(parts)


def table(name: str, results: dict[str, dict]) -> str:
    """All shipped drafters on one backbone."""
    known = {d: results[f"table-{name}-{d}"]["decoding"] for d in DRAFTERS if f"table-{name}-{d}" in results}
    return calls(f"table, {name}: tokens per call", known, "independent")


def beside(results: dict[str, dict]) -> str:
    """Methods trained on the structured corpus, on the same text."""
    known = {name: results[run]["decoding"] for name, run in ALIKE.items() if run in results}
    return calls(f"methods: tokens per call, K = {K}, trained alike", known, "masked")


def longer(results: dict[str, dict]) -> str:
    """Masks and slots that have learned for longer."""
    known = {name: results[run]["decoding"] for name, run in LONG.items() if run in results}
    return calls(f"longer: tokens per call, {LONGER} times the steps", known, f"masked x{LONGER}")


def calls(title: str, known: dict[str, dict], first: str) -> str:
    """Tokens per call of drafters by their names, and the best at T = 1 less the best of `first`, paired."""
    if not known:
        return ""
    ways = list(dict.fromkeys(mode for made in known.values() for mode in made))
    rows = [("drafter", *ways, f"best at T=1 - {first}'s best")]
    tops = {d: max((m for k, m in made.items() if k != "greedy"), key=lambda m: fmean(m["tokens_per_call"])) for d, made
            in known.items()}  # fmt: skip
    for d, made in known.items():
        more = apart(tops[d]["tokens_per_call"], tops[first]["tokens_per_call"]) if first in tops else "–"
        rows.append((d, *(shown(made[m]["tokens_per_call"]) if m in made else "–" for m in ways), more))
    return grid(f"{title} ({len(next(iter(known.values()))[ways[0]]['tokens_per_call'])} prompts)", rows)
