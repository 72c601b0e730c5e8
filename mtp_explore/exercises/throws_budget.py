"""Notebook 07: partial quadratic decoding, bought slot by slot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from .check import budget
from .close import first_below
from .guessing import Guess, guess
from .masks import per_step
from .waiting import watched

ROUNDING = 1e-9


class Purchase(NamedTuple):
    """Runs under one budget."""

    traces: list
    share: np.ndarray  # [K+1, M] how often a slot was bought, of calls with pending drafts


class Noted:
    """A plan that keeps what it bought."""

    def __init__(self, name: str, drafter):
        from ..decode.plan import resolve

        self.plan = resolve(name, drafter)
        self.counts, self.calls = np.zeros((drafter.horizon + 1, drafter.slots_per_branch)), 0

    def __call__(self, drafter, draft):
        slots = self.plan(drafter, draft)
        pending = draft.n.cpu().numpy() > 0
        branch, index = (x.cpu().numpy()[pending] for x in slots)
        real = branch >= 0
        np.add.at(self.counts, (branch[real], index[real] - drafter.first_slot), 1)
        self.calls += int(pending.sum())
        return slots


def by_budget(drafter, prompts: list, budgets: Iterable[int], tokens: int | None = None, seed: int = 0) -> dict:
    """{m: Purchase} for plans of m slots a call, rule match, T = 1."""
    from ..decode.generate import generate

    found = {}
    for m in watched([*budgets], "budget"):
        plan = Noted(f"budget={m}", drafter)
        traces = generate(
            drafter.backbone, drafter, prompts, tokens or budget(32, 12), rule="match", plan=plan, seed=seed
        )
        found[m] = Purchase(traces, plan.counts / max(1, plan.calls))
    return found


def calls_by_budget(purchases: Mapping[int, Purchase]) -> dict[int, float]:
    """{m: tokens per call}."""
    return {m: per_step(purchase.traces) for m, purchase in purchases.items()}


def budget_figure(purchases: Mapping[int, Purchase], drafter):
    """`plots.bought` of purchases."""
    from ..plots.bought import bought

    shares = {m: purchase.share for m, purchase in purchases.items()}
    return bought(shares, calls_by_budget(purchases), drafter.first_slot)


def guess_budget(purchases: Mapping[int, Purchase]) -> Guess:
    """How many slots bring nine tenths of what the whole square brings, beyond the one token of ordinary decoding?"""
    calls = calls_by_budget(purchases)
    most = max(calls)
    wanted = 1 + 0.9 * (calls[most] - 1)
    lacking = {m: wanted - x for m, x in sorted(calls.items())}
    enough = [m for m in first_below(lacking, ROUNDING) if m is not None]
    why = "; ".join(f"{m}: {x:.2f}" for m, x in sorted(calls.items())) + " tokens per call."
    question = (
        f"Full quadratic decoding buys {most} slots a call. How many bring nine tenths of its gain over one token per "
        "call?"
    )
    return guess(question, sorted(calls), enough, why)
