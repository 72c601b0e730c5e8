"""Decoding for `masked.py`: tokens per call of every prompt, and what the closed forms of papers.md 3.6 say.

Letters: K masks in use, n drafts that a call verifies, a of them accepted; a_j the chance that draft j is right where
those before it were, measured over all calls; E = sum_j prod_{i<=j} a_i, A = prod_{i<=K} a_i.

    quadratic: 1 + E tokens per call        linear: (2 + E - A) / (2 - A)

They speak of calls that verify; the prefill is none of them and is left out of `steady`, as is the last call of a row,
which a limit may have cut. `tokens_per_call` counts everything, as elsewhere.
"""

from __future__ import annotations

import copy

import mtp_explore as mtp
from mtp_explore.exercises.masks import argmax, closed_forms
from mtp_explore.trace.records import Trace

LENGTH, BATCH = 32, 50  # tokens of a prompt; prompts at a time
MODES = {"greedy": (0.0, "match"), "T=1": (1.0, "rejection")}
PLANS = ("quadratic", "linear")


def starts(target, corpus, count: int, split: str = "test") -> list[list[int]]:
    """The first tokens of the first documents of a split that are longer, at most `count`."""
    texts = (target.tokenizer(t, add_special_tokens=False)["input_ids"] for t in corpus.documents(split))
    found = [ids[:LENGTH] for ids, _ in zip((t for t in texts if len(t) > LENGTH), range(count), strict=False)]
    if len(found) < 2:
        raise ValueError(f"the {split} split of {corpus.name!r} has {len(found)} documents of {LENGTH} tokens: too few")
    return found


def decoded(target, drafter, prompts: list[list[int]], tokens: int, mode: str, plan: str | None = None) -> dict:
    """What one way of decoding gives, in plain numbers."""
    temperature, rule = MODES[mode]
    return figures(traces(target, drafter, prompts, tokens, temperature=temperature, rule=rule, plan=plan))


def traces(target, drafter, prompts: list[list[int]], tokens: int, **options) -> list[Trace]:
    """One trace per prompt, `BATCH` at a time; options as those of `generate`, with seed 0."""
    found: list[Trace] = []
    for first in range(0, len(prompts), BATCH):
        found += mtp.generate(target, drafter, prompts[first : first + BATCH], tokens, seed=(0, first), **options)
    return found


def figures(traces: list[Trace]) -> dict:
    """Tokens per call of every prompt; those of the calls that verify, and the chances that their drafts are right."""
    steps = [step for trace in traces for step in trace.steps[1:-1]]
    return {
        "tokens_per_call": [round(len(t.tokens) / t.calls, 4) for t in traces],
        "steady": round(sum(s.accepted + 1 for s in steps) / max(1, len(steps)), 5),
        "right": chances(steps, traces[0].settings["horizon"]),
    }


def chances(steps: list, horizon: int) -> list[float]:
    """a_1 .. a_K; 0 where no call came that far."""
    asked = [sum(len(s.drafts) >= j and s.accepted >= j - 1 for s in steps) for j in range(1, horizon + 1)]
    kept = [sum(s.accepted >= j for s in steps) for j in range(1, horizon + 1)]
    return [round(k / max(1, n), 5) for k, n in zip(kept, asked, strict=True)]


def closed(right: list[float]) -> dict[str, float]:
    """Tokens per call of both plans from a_1 .. a_K."""
    linear, quadratic = closed_forms(right)
    return {"quadratic": quadratic, "linear": linear}


def fewer(drafter, k: int):
    """The same drafter with k drafts per call: its first k masks, or its first k heads."""
    if hasattr(drafter, "shortened"):
        return drafter.shortened(k)
    short = copy.copy(drafter)
    short.horizon = k
    return short


def compared(target, drafter, heads: dict, prompts: list[list[int]], tokens: int, masks: tuple[int, ...]) -> dict:
    """{mode: {k: {"quadratic", "linear", names of `heads`, ...: what `decoded` gives}}}; arg-max drafts at T = 1 with
    all masks, where a draft d is kept with probability p(d).
    """
    found: dict = {}
    for mode in MODES:
        found[mode] = {}
        for k in masks:
            made = {plan: decoded(target, fewer(drafter, k), prompts, tokens, mode, plan) for plan in PLANS}
            made |= {name: decoded(target, fewer(other, k), prompts, tokens, mode) for name, other in heads.items()}
            if mode != "greedy" and k == masks[-1]:
                made["argmax"] = decoded(target, argmax(fewer(drafter, k)), prompts, tokens, mode, "quadratic")
            found[mode][k] = made
    return found
