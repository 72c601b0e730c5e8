"""Which slots a call buys: a plan is a function (drafter, draft) -> Slots, the same number S for every row.

Branch b stands for "if exactly b of the n pending drafts survive"; with several drafts pending only one branch will
be used. `linear` bets on all surviving, `quadratic` buys every branch, `budget(m)` the m slots of greatest expected
gain A_b s_j, where A_b is the chance of branch b (from the drafter's own confidences) and s_j the measured chance that
the first j drafts of a window are right, on greedy text if decoding is greedy (papers.md 4.7). A branch's slots are
bought in order, because a slot without those before it says nothing. Slot 0 (O-PTP) only repeats y' and gains nothing,
so a branch opens at the price of two.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..checks import refusal
from ..contract import Draft, Drafter, Plan, Slots


def no_slots(drafter: Drafter | None, draft: Draft) -> Slots:
    """Nothing is bought: for drafters that read only the hidden state or the text."""
    empty = draft.n.new_zeros(len(draft.n), 0)
    return Slots(empty, empty)


def quadratic(drafter: Drafter, draft: Draft) -> Slots:
    """All slots of the branches 0..n: S = (K' + 1) M, where K' drafts can be pending."""
    branches, m = draft.tokens.shape[1] + 1, drafter.slots_per_branch
    branch = torch.arange(branches, device=draft.n.device).repeat_interleave(m)
    index = (torch.arange(m, device=draft.n.device) + drafter.first_slot).repeat(branches)
    branch = torch.where(branch <= draft.n[:, None], branch, -1)
    return Slots(branch, index.expand_as(branch))


def linear(drafter: Drafter, draft: Draft) -> Slots:
    """The M slots of the branch in which all pending drafts survive."""
    m = drafter.slots_per_branch
    index = torch.arange(m, device=draft.n.device) + drafter.first_slot
    branch = draft.n[:, None].expand(-1, m)
    return Slots(branch, index.expand_as(branch))


def budget(m: int, greedy: bool = False) -> Plan:
    """The `m` slots of greatest expected gain: each time the best next one, by gain for its price. greedy: for decoding
    at temperature 0; `drafter.survival` [2, K+1] has a row for drawn text and one for greedy text, or [K+1] is of both.

    s falls with j, so without slot 0 that is one top-k of A_b s_j, and the best there is. With it, a branch's first two
    slots count A_b s_1 / 2 each, later ones no more than those before them (they would be bought at once), and an
    opening that has only one slot left to spend goes to an open branch: at times not the best, by little.
    Errors (ValueError): no slots; one slot where branches begin with slot 0; a drafter without `survival`.
    """
    if m < 1:
        raise ValueError(f"budget={m}: a plan buys at least one slot; use plan='linear' for the smallest useful one")

    def plan(drafter: Drafter, draft: Draft) -> Slots:
        if getattr(drafter, "survival", None) is None:
            raise ValueError(
                f"plan=budget({m}) needs drafter.survival (the measured chance that the first j drafts are right), "
                f"and {drafter.name!r} has none: measure it, or use plan='quadratic'"
            )
        every, first = quadratic(drafter, draft), drafter.first_slot
        if m == 1 and first == 0:
            raise ValueError(
                f"budget={m}: branches of {drafter.name!r} begin with slot 0, which gains nothing alone: use 2 or more"
            )
        sure = draft.q.gather(-1, draft.tokens[..., None])[..., 0] if draft.sure is None else draft.sure
        kept = torch.cat([torch.ones_like(draft.n[:, None], dtype=sure.dtype), sure], 1).cumprod(1)
        ends = torch.cat([1 - sure, torch.ones_like(kept[:, :1])], 1)
        place = torch.arange(kept.shape[1], device=kept.device)
        chance = kept * torch.where(place == draft.n[:, None], 1.0, ends)  # A_b
        survival = drafter.survival.to(chance).expand(2, -1)[int(greedy)]
        worth = survival if first else torch.cat([survival[1:2].expand(2) / 2, survival[2:]]).cummin(0).values
        gain = chance.gather(1, every.branch.clamp(min=0)) * worth[every.index]
        gain = gain.masked_fill(every.branch < 0, -1.0)
        best = gain.sort(dim=1, descending=True, stable=True).indices
        if first == 0 and m < best.shape[1]:
            best = better_last(every, gain, best, m)
        best = best[:, :m].sort(dim=1).values
        return Slots(every.branch.gather(1, best), every.index.gather(1, best))

    return plan


def better_last(every: Slots, gain: Tensor, order: Tensor, m: int) -> Tensor:
    """The order [B, S] with another m-th slot, where that is a slot 0 alone: the best next slot of an open branch, if
    there is one.
    """
    last = order[:, m - 1 : m]
    taken = torch.zeros_like(gain, dtype=torch.bool).scatter(1, order[:, : m - 1], True)
    follows = torch.nn.functional.pad(taken, (1, 0))[:, :-1] & ~taken & (every.index > 0) & (every.branch >= 0)
    other = gain.masked_fill(~follows, -2.0).max(1, keepdim=True)
    alone = (every.index.gather(1, last) == 0) & (other.values >= 0)
    return order.scatter(1, last * 0 + m - 1, torch.where(alone, other.indices, last))


NAMED = {"linear": linear, "quadratic": quadratic}


def resolve(plan: Plan | str | None, drafter: Drafter | None, greedy: bool = False) -> Plan:
    """A plan from its name: None, "linear", "quadratic", "budget=12", or a function; greedy: for temperature 0."""
    if plan is None:
        plan = quadratic
    elif isinstance(plan, str) and plan in NAMED:
        plan = NAMED[plan]
    elif isinstance(plan, str) and plan.startswith("budget=") and plan[7:].isdecimal():
        plan = budget(int(plan[7:]), greedy)
    elif not callable(plan):
        remedy = "it is not known: use 'linear', 'quadratic', 'budget=<slots>' or a function"
        raise ValueError(refusal("plan", plan, remedy))
    return plan if drafter is not None and drafter.slots_per_branch else no_slots
