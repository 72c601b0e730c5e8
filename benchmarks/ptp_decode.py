"""Decoding for `ptp.py`: tokens per call by rule and plan, and drafted pairs that cannot stand together.

Letters: n drafts that a call verifies, c of them accepted in the mean (of calls that verify some, but the last of a
row); d_k, d_{k+1} two drafts in a row. Such a pair is incompatible where the target, given the text and the
drafts up to d_k, gives d_{k+1} less than `RARE`. One call verifies and drafts, so a token takes 1/(c+1) calls; in turn,
as in the paper's first version, 2/(c+1). Plan `apart` does it in turn here: a call without pending drafts buys slots,
the next one verifies and buys none. As our drafting call yields y' too, that is 2/(c+2).
"""

from __future__ import annotations

import torch
from masked_decode import figures, traces

from mtp_explore.contract import Slots
from mtp_explore.decode.plan import linear
from mtp_explore.trace.records import Trace

RARE = 1e-3
RULES = ("match", "rejection", "block")


def modes(drafter) -> dict[str, tuple[float, str]]:
    """{name: (temperature, rule)} of the rules that fit."""
    found = {"greedy": (0.0, "match"), "T=1 match": (1.0, "match")}
    return found if drafter.one_hot else found | {f"T=1 {rule}": (1.0, rule) for rule in RULES[1:]}


def decoded(target, drafter, prompts: list[list[int]], tokens: int) -> dict:
    """{mode: what one way of decoding gives}, with its drafted pairs at T = 1 on the tape."""
    found = {}
    for mode, (temperature, rule) in modes(drafter).items():
        made = traces(target, drafter, prompts, tokens, temperature=temperature, rule=rule)
        found[mode] = figures(made) | (pairs(made) if mode == "T=1 match" else {})
    return found


def pairs(found: list[Trace]) -> dict:
    """{"pairs": [drafted pairs, incompatible ones] of every prompt; "ordinary": the same of y', the target's picks}."""

    def counted(p: list[float]) -> list[int]:
        return [len(p), sum(x < RARE for x in p)]

    second = [[d.p for step in trace.steps for d in step.drafts[1:]] for trace in found]
    own = [[step.p for step in trace.steps] for trace in found]
    return {"pairs": list(map(counted, second)), "ordinary": list(map(counted, own))}


def apart(drafter, draft) -> Slots:
    """All slots of branch 0 where nothing is pending, else none."""
    slots = linear(drafter, draft)
    return slots._replace(branch=torch.where(draft.n[:, None] == 0, slots.branch, -1))


def plans(target, drafter, prompts: list[list[int]], tokens: int, budgets: tuple[int, ...]) -> dict:
    """{mode: {plan: figures}} on one tape, greedy and at T = 1, of budgets, all slots, one branch, and in turn."""
    every = {f"budget={m}": f"budget={m}" for m in budgets}
    every |= {"quadratic": "quadratic", "linear": "linear", "apart": apart}
    found: dict = {}
    for mode, (temperature, rule) in list(modes(drafter).items())[:2]:
        found[mode] = {}
        for name, plan in every.items():
            made = traces(target, drafter, prompts, tokens, plan=plan, temperature=temperature, rule=rule)
            found[mode][name] = figures(made) | {"c": accepted(made)}
    return found


def accepted(found: list[Trace]) -> float:
    """c: accepted drafts of the calls that had some to verify, but the last of a row."""
    kept = [step.accepted for trace in found for step in trace.steps[1:-1] if step.drafts]
    return round(sum(kept) / max(1, len(kept)), 5)
